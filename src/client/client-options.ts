import type {
  Implementation,
  LoggingLevel,
  ProgressCallback,
  StandardSchemaV1,
} from '@modelcontextprotocol/client'
import type { AuthError } from '../core/index.ts'
import { checkOptions, numberBetween } from '../core/options.ts'
import type { HttpOptions } from './fetch/authorized-fetch.ts'
import { type ClientHandlers, readHandlers } from './handlers.ts'

/** Options of {@link Client}. Those of {@link HttpOptions} are for a URL; a transport has its own. */
export interface ClientOptions extends HttpOptions {
  /** How the client introduces itself. Default: this package. */
  readonly clientInfo?: Implementation | undefined
  /** Milliseconds to wait for an answer, and for each step of connecting. Default: 60000. */
  readonly timeout?: number | undefined
  /**
   * Told when the server refuses the credential where no call fails: on the stream it pushes messages on, on a
   * subscription that was open, on an answer to one of its questions. What it throws is dropped. Default: nobody is
   * told.
   */
  readonly onAuthError?: ((error: AuthError) => void) | undefined
  /** What the server may ask and tell in the middle of a call. Default: nothing. */
  readonly handlers?: ClientHandlers | undefined
}

/** Options of one call. */
export interface CallOptions {
  /**
   * Gives the call up, at the server too (MCP "Cancellation"); it rejects with the reason of the signal. A connection
   * that is being made for it goes on, others may wait for it.
   */
  readonly signal?: AbortSignal | undefined
  /** Milliseconds to wait for the answer. Default: that of the client. */
  readonly timeout?: number | undefined
}

/** Options of {@link Client.callTool}. */
export interface ToolCallOptions<Output = unknown> extends CallOptions {
  /** Return a result that says `isError` instead of throwing. Default: false. */
  readonly raw?: boolean | undefined
  /** Told how far the tool is; asks the server to report it. */
  readonly onProgress?: ProgressCallback | undefined
  /**
   * What `structuredContent` must be, in any Standard Schema library (Zod, Valibot, ArkType): the result is validated
   * and has its type. Default: it is `unknown`.
   */
  readonly outputSchema?: StandardSchemaV1<unknown, Output> | undefined
}

/** Options of {@link Client.complete}. */
export interface CompleteOptions extends CallOptions {
  /** The arguments that are filled in already. Default: none. */
  readonly context?: Readonly<Record<string, string>> | undefined
}

/** Checked {@link ClientOptions}, the part that is not for the transport apart. */
export interface ClientSettings {
  readonly clientInfo: Implementation
  readonly timeout: number
  readonly onAuthError: ((error: AuthError) => void) | undefined
  readonly handlers: ClientHandlers
  readonly http: HttpOptions
}

const httpKeys = ['auth', 'headers', 'fetch', 'allowInsecure', 'serverName', 'retry']
const known = [...httpKeys, 'clientInfo', 'timeout', 'onAuthError', 'handlers']
export const callOptions = ['signal', 'timeout']
export const toolCallOptions = [...callOptions, 'raw', 'onProgress', 'outputSchema']

const ourselves: Implementation = { name: 'mcp-bearer', version: '0.1.0' }

/**
 * Checks and copies the options of a client; those of the transport are left to it.
 * @throws TypeError naming the option that is wrong
 */
export function readClientOptions(options: ClientOptions): ClientSettings {
  checkOptions('Client', options, known)
  const { clientInfo = ourselves, timeout = 60_000, onAuthError, handlers, ...http } = options
  if (typeof clientInfo?.name !== 'string' || typeof clientInfo.version !== 'string') {
    throw new TypeError('Client: clientInfo must be { name, version }')
  }
  if (onAuthError !== undefined && typeof onAuthError !== 'function') {
    throw new TypeError('Client: onAuthError must be a function')
  }
  return {
    clientInfo: { ...clientInfo },
    timeout: milliseconds('Client: timeout', timeout),
    onAuthError,
    handlers: readHandlers('Client', handlers),
    http,
  }
}

/** A timer of more fires at once. */
const longestTimer = 2 ** 31 - 1

/**
 * Reads a time to wait.
 * @throws TypeError when no timer can wait so long, or so short
 */
export function milliseconds(option: string, value: unknown): number {
  return numberBetween(option, value, 1, longestTimer)
}

const levels: readonly unknown[] = [
  'debug',
  'info',
  'notice',
  'warning',
  'error',
  'critical',
  'alert',
  'emergency',
] satisfies LoggingLevel[]

/** @throws TypeError when it is no level of RFC 5424 section 6.2.1 */
export function loggingLevel(level: unknown): LoggingLevel {
  if (!levels.includes(level)) throw new TypeError(`setLoggingLevel: use one of ${levels.join(', ')}`)
  return level as LoggingLevel
}
