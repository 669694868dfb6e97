import { type Logger, stderrLogger } from '../../core/index.ts'
import { keysAdmin } from '../../http/admin/index.ts'
import { LocalIssuer } from '../../issuer/index.ts'
import { BearerAuthProvider, type Listening, MCPServer } from '../../server/index.ts'
import { anyOf, apiKeyVerifier, type TokenRefusal, type VerifierEnvironment } from '../../verify/index.ts'
import { type DemoKeys, openDemoKeys } from './keys.ts'
import { addDocuments, addTools } from './tools.ts'

/** Who the demo's tokens are for. */
export const demoAudience = 'mcp-bearer-demo'

/** The demo: an issuer of tokens, API keys, and a server that takes both, all on this machine. */
export interface Demo {
  readonly issuer: LocalIssuer
  readonly apiKeys: DemoKeys
  readonly listening: Listening
  /** The page to look at it in a browser. */
  readonly inspector: string
  /** The port that was asked for and taken already, when there was one. */
  readonly busyPort: number | undefined
  /** Why tokens were refused, one of each reason: what an operator is told. */
  readonly refusals: ReadonlyMap<string, TokenRefusal>
  /** From now on the log goes to standard error, as that of any server. */
  speak(): void
  close(): Promise<void>
}

/**
 * Starts the demo. A port that is taken falls back to a free one.
 * @param db where its API keys are; `undefined` for the usual place
 */
export async function startDemo(port: number, db: string | undefined): Promise<Demo> {
  const apiKeys = await openDemoKeys(db)
  const issuer = await LocalIssuer.start({ logger: () => {} })
  const refusals = new Map<string, TokenRefusal>()
  let isSpeaking = false
  // The calls of the demo are meant to fail; what is told of them stands below the table.
  const logger: Logger = (entry) => {
    if (isSpeaking) stderrLogger(entry)
  }
  const environment: VerifierEnvironment = {
    logger,
    onRefused: (refusal) => {
      if (!refusals.has(refusal.reason)) refusals.set(refusal.reason, refusal)
    },
  }
  const { jwksUri } = issuer
  const jwts = new BearerAuthProvider({ jwksUri, issuer: issuer.issuer, audience: demoAudience }, environment)
  const keys = apiKeyVerifier({ store: apiKeys.store }, environment)
  const auth = anyOf([jwts, keys], environment)
  const server = new MCPServer({ name: 'mcp-bearer-demo', version: '1.0.0', auth })
  addTools(server)
  addDocuments(server)
  server.mount(keysAdmin({ store: apiKeys.store, auth, logger }))
  const close = async () => {
    await server.close()
    await issuer.close()
    await keys.close()
    await apiKeys.store.close()
  }
  try {
    const { listening, busyPort } = await listenSomewhere(server, port)
    const speak = () => {
      isSpeaking = true
    }
    const inspector = new URL('/inspector', listening.url).href
    return { issuer, apiKeys, listening, inspector, busyPort, refusals, speak, close }
  } catch (error) {
    await close()
    throw error
  }
}

async function listenSomewhere(
  server: MCPServer,
  port: number,
): Promise<Pick<Demo, 'listening' | 'busyPort'>> {
  try {
    return { listening: await server.listen({ port }), busyPort: undefined }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error
    return { listening: await server.listen({ port: 0 }), busyPort: port }
  }
}
