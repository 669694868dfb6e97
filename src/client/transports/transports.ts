import type { Transport } from '@modelcontextprotocol/client'
import { AuthError, type AuthErrorCode } from '../../core/index.ts'
import { type AuthorizedEndpoint, authorizedEndpoint } from '../fetch/authorized-endpoint.ts'
import type { FetchLike, HttpOptions } from '../fetch/authorized-fetch.ts'
import { pause } from '../fetch/retry-after.ts'
import { authError, type Server } from '../fetch/server.ts'
import { endedEarly } from '../fetch/unreachable.ts'
import { limitAnswer } from './answer-limit.ts'
import { reconnectPace } from './reconnect-pace.ts'
import { silenced, silenceParsers } from './silence.ts'
import { failLostCalls } from './stream-loss.ts'

/** How a client reaches its server. Made without any input or output; opened once for each connection. */
export interface ClientTransport {
  /** How the protocol revision is found: `auto` asks the server, `legacy` is for transports older than the question. */
  readonly negotiation: 'auto' | 'legacy'
  /** A transport of the official SDK, not started. Its errors are `AuthError`s where authentication is the reason. */
  open(options?: OpenOptions): Promise<Transport>
}

/** Options of {@link ClientTransport.open}. */
export interface OpenOptions {
  /** Milliseconds to wait for an event stream when the transport starts. Default: 60000. */
  readonly timeout?: number
  /**
   * Told when the server refuses the credential on the stream it pushes messages on. No call fails then, but the
   * messages stop; over SSE the answers too, so that transport closes.
   */
  readonly onRefused?: (error: AuthError) => void
}

/**
 * MCP over Streamable HTTP (MCP transports, "Streamable HTTP") with a credential on every request: POST, GET and
 * DELETE, reconnects included. A call whose answer is cut off, and cannot be resumed, fails at once. Give it to a
 * {@link Client}, or `open()` to a client of the official SDK.
 *
 * @example
 * ```ts
 * import { Client, StreamableHttpTransport } from 'mcp-bearer/client'
 *
 * const url = 'https://mcp.example.com/mcp'
 * const transport = new StreamableHttpTransport(url, { headers: { 'X-API-Key': 'sk-abc123' } })
 * const client = new Client(transport)
 * ```
 */
export class StreamableHttpTransport implements ClientTransport {
  readonly negotiation = 'auto'
  readonly #endpoint: AuthorizedEndpoint

  /**
   * @param url the MCP endpoint; https, unless no credential is sent or it is this machine
   * @param owner what errors about the options begin with. Default: the name of the class
   * @throws TypeError when the URL or an option is wrong
   */
  constructor(url: string | URL, options: HttpOptions = {}, owner = 'StreamableHttpTransport') {
    this.#endpoint = authorizedEndpoint({ ...options, url }, owner)
  }

  async open({ onRefused }: OpenOptions = {}): Promise<Transport> {
    const { StreamableHTTPClientTransport } = await import('@modelcontextprotocol/client')
    const { server, fetch, conceal } = this.#endpoint
    let refused: AuthError | undefined
    const watched: FetchLike = async (url, init) => {
      const isStream = init?.method === 'GET'
      if (isStream && refused) throw refused
      try {
        const response = await fetch(url, init)
        refused = undefined
        return limitAnswer(response, server)
      } catch (error) {
        if (isStream && error instanceof AuthError) {
          if (!passing.has(error.code)) refused = error
          onRefused?.(error)
        }
        throw error
      }
    }
    const pace = reconnectPace()
    const transport = new StreamableHTTPClientTransport(server.url, {
      fetch: watched,
      reconnectionScheduler: (reconnect, delay) => {
        // After a refusal the attempts that are left end at once, without a request.
        const timer = setTimeout(reconnect, refused ? 0 : pace(delay))
        return () => clearTimeout(timer)
      },
    })
    silenceParsers(transport, server)
    failLostCalls(
      transport,
      () => refused ?? endedEarly(server),
      (message) => silenced(message, conceal),
    )
    return transport
  }
}

/** What is over after a while, so that asking again helps. Of anything else a stream is asked for once. */
const passing = new Set<AuthErrorCode>([
  'rate_limited',
  'verifier_unavailable',
  'token_unavailable',
  'server_error',
])

/**
 * MCP over HTTP with SSE, the transport of 2024-11-05, with a credential on the event stream and on every message.
 * An `endpoint` event that names another origin is an `AuthError` with code `origin_mismatch`.
 *
 * @example
 * ```ts
 * import { Client, SSETransport } from 'mcp-bearer/client'
 *
 * const client = new Client(new SSETransport('https://mcp.example.com/sse', { auth: 'sk-abc123' }))
 * ```
 */
export class SSETransport implements ClientTransport {
  readonly negotiation = 'legacy'
  readonly #endpoint: AuthorizedEndpoint

  /**
   * @param url where the event stream is; https, unless no credential is sent or it is this machine
   * @param owner what errors about the options begin with. Default: the name of the class
   * @throws TypeError when the URL or an option is wrong
   */
  constructor(url: string | URL, options: HttpOptions = {}, owner = 'SSETransport') {
    this.#endpoint = authorizedEndpoint({ ...options, url }, owner)
  }

  async open({ timeout = 60_000, onRefused }: OpenOptions = {}): Promise<Transport> {
    const { SSEClientTransport, SseError } = await import('@modelcontextprotocol/client')
    const { server, fetch, conceal } = this.#endpoint
    let refused: AuthError | undefined
    let started = false
    const pace = reconnectPace()
    const streamFetch: FetchLike = async (url, init) => {
      const isAgain = started && init?.method !== 'POST'
      try {
        // EventSource waits as long as the server's `retry:` says, and that may be nothing.
        if (isAgain) await pause(pace(0), init?.signal ?? undefined)
        const response = limitAnswer(await fetch(url, init), server)
        // A new stream is a new session: what was asked in the old one is not answered any more.
        if (isAgain) lose()
        return response
      } catch (error) {
        if (init?.method !== 'POST' && error instanceof AuthError) refused = error
        if (isAgain && error instanceof AuthError) {
          onRefused?.(error)
          // Answers cannot arrive any more, so nobody shall wait for them, and EventSource shall not ask for ever.
          void transport.close()
        } else if (isAgain) lose()
        throw error
      }
    }
    const transport: Transport = new SSEClientTransport(server.url, { fetch: streamFetch })
    silenceParsers(transport, server)
    const lose = failLostCalls(
      transport,
      () => endedEarly(server),
      (message) => silenced(message, conceal),
    )
    const start = transport.start.bind(transport)
    transport.start = async () => {
      try {
        await within(timeout, start(), `${server.label} did not open its event stream in time`)
        started = true
      } catch (error) {
        // Or EventSource asks again every few seconds for ever.
        await transport.close()
        if (refused) throw refused
        // What is neither of the two is the SDK's refusal of an endpoint of another origin.
        const isOther =
          error instanceof SseError || error instanceof TypeError || error instanceof TimeoutError
        throw isOther ? error : endpointElsewhere(server)
      }
    }
    return transport
  }
}

function endpointElsewhere(server: Server): AuthError {
  return authError(
    server,
    'origin_mismatch',
    `${server.label} names another origin as the endpoint for messages; the credential does not go there.`,
  )
}

class TimeoutError extends Error {
  override readonly name = 'TimeoutError'
}

async function within<T>(milliseconds: number, work: Promise<T>, message: string): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new TimeoutError(message)), milliseconds)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}
