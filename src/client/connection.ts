import type { Implementation, Client as SdkClient, Transport } from '@modelcontextprotocol/client'
import { AuthError } from '../core/index.ts'
import { abortable } from './abortable.ts'
import type { ClientTransport } from './transports.ts'

/** What a connection is made with. */
export interface ConnectionSettings {
  readonly clientInfo: Implementation
  /** Milliseconds for each step of connecting. */
  readonly timeout: number
  /** Told when the credential is refused where no call fails. What it throws is dropped. */
  readonly onAuthError: ((error: AuthError) => void) | undefined
}

/** One connection to a server, from handshake to close. */
export interface Connection {
  readonly sdk: SdkClient
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
 * Opens a connection.
 * @param signal ends the attempt
 * @throws the `AuthError` that is the reason of the failure, else the error of the SDK
 */
export async function openConnection(
  target: ClientTransport,
  { clientInfo, timeout, onAuthError }: ConnectionSettings,
  signal: AbortSignal,
): Promise<Connection> {
  const { Client, SdkError, SdkErrorCode, SdkHttpError } = await import('@modelcontextprotocol/client')
  let refused: AuthError | undefined
  let isClosed = false
  const onRefused = (error: AuthError): void => {
    refused = error
    tell(onAuthError, error)
  }
  const transport = await target.open({ timeout, onRefused })
  signal.throwIfAborted()
  const sdk = new Client(clientInfo, { versionNegotiation: { mode: target.negotiation } })
  sdk.onclose = () => {
    isClosed = true
  }
  /** A call that waited for a stream that was refused only learns that the connection is closed. */
  const isEnd = (error: unknown): boolean =>
    error instanceof SdkError && error.code === SdkErrorCode.ConnectionClosed

  const connection: Connection = {
    sdk,
    get isClosed() {
      return isClosed
    },
    explain: (error) => authErrorIn(error) ?? (isEnd(error) ? refused : undefined) ?? withoutArguments(error),
    // MCP transports, "Session Management": 404 means that the session is over.
    isForgotten: (error) => hasSession(transport) && error instanceof SdkHttpError && error.status === 404,
    retire() {
      isClosed = true
    },
    async close() {
      refused = undefined
      await endSession(transport)
      await sdk.close().catch(() => {})
    },
  }
  await handshake(connection, transport, timeout, signal)
  return connection
}

async function handshake(
  { sdk, explain }: Connection,
  transport: Transport,
  timeout: number,
  signal: AbortSignal,
): Promise<void> {
  try {
    await abortable(sdk.connect(transport, { timeout }), signal)
  } catch (error) {
    if (!signal.aborted) throw explain(error)
    await transport.close().catch(() => {})
    throw signal.reason
  }
}

function tell(listener: ((error: AuthError) => void) | undefined, error: AuthError): void {
  try {
    listener?.(error)
  } catch {
    // As with loggers: what a listener throws is its own affair.
  }
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

/** The SDK wraps what the transport throws, during version negotiation for one. */
function authErrorIn(error: unknown): AuthError | undefined {
  let at = error
  for (let depth = 0; depth < 8 && at instanceof Error; depth++) {
    if (at instanceof AuthError) return at
    at = at.cause
  }
  return undefined
}

/** The error of a command that cannot be started repeats its arguments, which may hold secrets. */
function withoutArguments(error: unknown): unknown {
  if (!(error instanceof Error) || !('spawnargs' in error)) return error
  return new Error(
    `the command of the server cannot be started: ${'code' in error ? error.code : error.name}`,
  )
}
