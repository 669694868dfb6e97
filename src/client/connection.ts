import type {
  ClientOptions,
  Implementation,
  LoggingLevel,
  Client as SdkClient,
  Transport,
} from '@modelcontextprotocol/client'
import { AuthError } from '../core/index.ts'
import { abortable } from './abortable.ts'
import { ChangeStreams } from './changes.ts'
import { explain, type Sdk } from './explain.ts'
import { answerWith, type ClientHandlers, capabilitiesOf } from './handlers.ts'
import { boundedSchema } from './output-schema.ts'
import { isOlderServer, olderOf } from './transports/fallback-transport.ts'
import type { ClientTransport } from './transports/transports.ts'
import { watchTransport } from './transports/watch-transport.ts'

/** What a connection is made with. */
export interface ConnectionSettings {
  readonly clientInfo: Implementation
  /** Milliseconds for each step of connecting. */
  readonly timeout: number
  readonly handlers: ClientHandlers
  /** The level of the log lines the server is asked for; `undefined` leaves it to the server. */
  readonly logLevel: LoggingLevel | undefined
  /** Told when the credential is refused where no call fails. Must not throw. */
  readonly onRefused: (error: AuthError) => void
}

/** What a server says of itself. */
export interface ServerFacts {
  readonly info: Implementation | undefined
  readonly capabilities: NonNullable<ReturnType<SdkClient['getServerCapabilities']>>
  readonly instructions: string | undefined
  readonly protocolVersion: string
}

/** One connection to a server, from handshake to close. */
export interface Connection {
  readonly sdk: SdkClient
  /** Whether the revision is 2026-07-28 or newer: no sessions, and everything about a request is in it. */
  readonly isModern: boolean
  readonly server: ServerFacts
  readonly changes: Pick<ChangeStreams, 'listen'>
  /** Whether it can be used no more: closed by either side. */
  readonly isClosed: boolean
  /** What a failed call should throw: the `AuthError` underneath, if there is one. */
  explain(error: unknown): unknown
  /** Whether the server no longer knows the session: the request was not handled, and a new session may succeed. */
  isForgotten(error: unknown): boolean
  /** Takes it out of use without disturbing the calls that still wait on it. */
  retire(): void
  /** Ends session and connection. Does not throw. */
  close(): Promise<void>
}

/**
 * Opens a connection, over the older transport when there is one and the server knows no other.
 * @param signal ends the attempt
 * @throws the `AuthError` that is the reason of the failure, else the error of the SDK
 */
export async function openConnection(
  target: ClientTransport,
  settings: ConnectionSettings,
  signal: AbortSignal,
): Promise<Connection> {
  const lib = await import('@modelcontextprotocol/client')
  try {
    return await attempt(lib, target, settings, signal)
  } catch (error) {
    const older = olderOf(target)
    const isOlder = error instanceof lib.SdkHttpError && isOlderServer(error.status, textOf(error.data.text))
    if (!older || !isOlder) throw error
    return attempt(lib, older, settings, signal).catch((second: unknown) => {
      // What the server said first is closer to the truth, unless it is about the credential.
      throw second instanceof AuthError || signal.aborted ? second : error
    })
  }
}

async function attempt(
  lib: Sdk,
  target: ClientTransport,
  settings: ConnectionSettings,
  signal: AbortSignal,
): Promise<Connection> {
  const { clientInfo, timeout, handlers, logLevel } = settings
  let refused: AuthError | undefined
  let isClosed = false
  const onRefused = (error: AuthError): void => {
    refused = error
    settings.onRefused(error)
  }
  const transport = await target.open({ timeout, onRefused })
  signal.throwIfAborted()
  const capabilities = capabilitiesOf(handlers)
  const sdk = new lib.Client(clientInfo, {
    capabilities,
    versionNegotiation: { mode: target.negotiation },
    jsonSchemaValidator: await boundedValidator(),
  })
  const changes = new ChangeStreams(lib, sdk, transport, watchTransport(transport, onRefused))
  const end = (): void => {
    isClosed = true
    changes.lose()
  }
  answerWith(sdk, handlers)
  sdk.onclose = end
  sdk.onerror = (error) => {
    if (isStreamLost(error)) changes.lose()
  }
  const reason = (error: unknown): unknown => explain(lib, error, refused)
  await handshake(sdk, transport, { timeout, logLevel, reason }, signal)
  return {
    sdk,
    isModern: sdk.getProtocolEra() === 'modern',
    // The SDK forgets them when the connection is closed.
    server: factsOf(sdk),
    changes,
    get isClosed() {
      return isClosed
    },
    explain: reason,
    // MCP transports, "Session Management": 404 means that the session is over.
    isForgotten: (error) =>
      hasSession(transport) && error instanceof lib.SdkHttpError && error.status === 404,
    retire: end,
    async close() {
      refused = undefined
      await endSession(transport)
      await sdk.close().catch(() => {})
    },
  }
}

/** The validator of the SDK that interprets: what a server wrote is never made into code. */
async function boundedValidator(): Promise<NonNullable<ClientOptions['jsonSchemaValidator']>> {
  const { CfWorkerJsonSchemaValidator } = await import('@modelcontextprotocol/client/validators/cf-worker')
  const validator = new CfWorkerJsonSchemaValidator()
  return { getValidator: (schema) => validator.getValidator(boundedSchema(schema)) }
}

interface Handshake extends Pick<ConnectionSettings, 'timeout' | 'logLevel'> {
  /** What to throw instead of an error of the SDK. */
  readonly reason: (error: unknown) => unknown
}

async function handshake(
  sdk: SdkClient,
  transport: Transport,
  { timeout, logLevel, reason }: Handshake,
  signal: AbortSignal,
): Promise<void> {
  const connecting = async (): Promise<void> => {
    await sdk.connect(transport, { timeout })
    const isOfSession = sdk.getProtocolEra() === 'legacy' && sdk.getServerCapabilities()?.logging
    if (isOfSession && logLevel !== undefined) await sdk.setLoggingLevel(logLevel, { timeout })
  }
  try {
    await abortable(connecting(), signal)
  } catch (error) {
    await transport.close().catch(() => {})
    throw signal.aborted ? signal.reason : reason(error)
  }
}

function factsOf(sdk: SdkClient): ServerFacts {
  return {
    info: sdk.getServerVersion(),
    capabilities: sdk.getServerCapabilities() ?? {},
    instructions: sdk.getInstructions(),
    protocolVersion: sdk.getNegotiatedProtocolVersion() ?? '',
  }
}

/**
 * The SDK tries a few times to take up the stream that a server of 2025-11-25 pushes messages on, and says so when it
 * gives up. It has no other word for that.
 */
function isStreamLost(error: Error): boolean {
  return error.message.startsWith('Maximum reconnection attempts')
}

/** How long the server may take to end its session, in milliseconds, before we go without its answer. */
const farewell = 5_000

/** MCP transports, "Session Management": a client that leaves should say so. Best effort. */
async function endSession(transport: Transport): Promise<void> {
  if (!hasSession(transport)) return
  const timer = setTimeout(() => void transport.close().catch(() => {}), farewell)
  try {
    await transport.terminateSession()
  } catch {
    // The server forgets the session in its own time.
  } finally {
    clearTimeout(timer)
  }
}

function hasSession(transport: Transport): transport is Transport & { terminateSession(): Promise<void> } {
  return transport.sessionId !== undefined && 'terminateSession' in transport
}

function textOf(body: unknown): string | undefined {
  return typeof body === 'string' ? body : undefined
}
