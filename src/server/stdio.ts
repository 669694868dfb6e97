import type { AccessToken } from '../core/index.ts'
import { exchange } from './exchange.ts'
import { type Served, sdkServer } from './sdk-server.ts'

/** A running stdio connection. */
export interface StdioConnection {
  /** Ends the connection. */
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/**
 * Serves one client over standard input and output. There is no bearer token on stdio (MCP authorization, "Protocol
 * Requirements"): components with scopes stay closed unless an identity is given.
 */
export async function serveStdio(served: Served, auth: AccessToken | undefined): Promise<StdioConnection> {
  const [sdk, { serveStdio: serve }] = await Promise.all([
    import('@modelcontextprotocol/server'),
    import('@modelcontextprotocol/server/stdio'),
  ])
  const handle = serve(() => sdkServer(sdk, served, exchange(auth, served.covers)), {
    onerror: (error) => served.logger({ level: 'info', event: 'protocol', message: error.message }),
  })
  const close = () => handle.close()
  return { close, [Symbol.asyncDispose]: close }
}
