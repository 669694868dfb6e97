import type { Readable, Writable } from 'node:stream'
import type { HeaderValues } from '../../client/fetch/headers.ts'
import { pause } from '../../client/fetch/retry-after.ts'
import type { FetchLike } from '../../client/index.ts'
import { type AuthOption, type ClientTransport, StreamableHttpTransport } from '../../client/index.ts'
import { systemClock } from '../../core/clock.ts'
import { type Logger, stderrLogger } from '../../core/index.ts'
import { throttled, unfailing } from '../../core/log.ts'
import { checkOptions, numberBetween } from '../../core/options.ts'
import type { RpcMessage } from '../message.ts'
import { pacedFetch } from './bridge-answers.ts'
import { wordsOf } from './bridge-errors.ts'
import { hostOn } from './bridge-host.ts'
import { relay } from './bridge-relay.ts'
import { Route } from './bridge-route.ts'

/** Options of {@link stdioBridge}. */
export interface StdioBridgeOptions {
  /** The MCP endpoint; https, unless no credential is sent or it is this machine. */
  readonly url: string | URL
  /** The token, or where it comes from. Default: none is sent. Present and `undefined` is an error. */
  readonly auth?: AuthOption | undefined
  /** More headers for every request, as secret as a token. Default: none. */
  readonly headers?: HeaderValues | undefined
  /** Milliseconds in which a request must be answered. Default: 0, the host decides how long it waits. */
  readonly timeoutMs?: number | undefined
  /** Milliseconds in which a server that cannot be reached is tried again. Default: 15000. */
  readonly patienceMs?: number | undefined
  /** DANGER: sends credentials over plain http to other machines. Default: false. */
  readonly allowInsecure?: boolean | undefined
  /** What the host says. Default: standard input. */
  readonly input?: Readable | undefined
  /** What is said to the host: JSON-RPC and nothing else. Default: standard output. */
  readonly output?: Writable | undefined
  /** Told of what no answer can tell. Default: one line each to standard error. */
  readonly logger?: Logger | undefined
  /** Ends the bridge at once. Default: it ends with `input`. */
  readonly signal?: AbortSignal | undefined
}

/** A running bridge. */
export interface StdioBridge extends AsyncDisposable {
  /** Resolves when the bridge has ended: the host has said its last word, or is gone, or `close` was called. */
  readonly closed: Promise<void>
  /** Ends it: what is under way is given up, and so is the session. Does not throw. */
  close(): Promise<void>
}

/**
 * An MCP server on standard input and output that is somewhere else: passes the messages of a host that speaks only
 * stdio on to a server of Streamable HTTP, with a token (MCP transports). Any revision: the messages are the host's own.
 *
 * - A session that the server has forgotten is made again, with the subscriptions and the log level it had, and the
 *   request that met it is sent once more: it was not looked at.
 * - A server that cannot be reached is tried again for a while. A request that may have reached it is never sent twice.
 * - Every request gets one answer. What goes wrong is a JSON-RPC error (code -32000) that says what to do, and holds
 *   nothing of the token.
 * - Ends when `input` ends; answers under way get five seconds.
 *
 * @throws TypeError when an option is wrong
 *
 * @example
 * ```ts
 * import { fileToken } from 'mcp-bearer/client'
 * import { stdioBridge } from 'mcp-bearer/gateway'
 *
 * const auth = fileToken('/run/secrets/reports')
 * await stdioBridge({ url: 'https://mcp.example.com/mcp', auth }).closed
 * ```
 */
export function stdioBridge(options: StdioBridgeOptions): StdioBridge {
  checkOptions('stdioBridge', options, known)
  const { url, headers, allowInsecure, timeoutMs, patienceMs, input, output, logger, signal } = options
  const target = (fetch: FetchLike): ClientTransport =>
    new StreamableHttpTransport(
      url,
      {
        fetch,
        ...('auth' in options && { auth: options.auth }),
        ...(headers && { headers }),
        ...(allowInsecure !== undefined && { allowInsecure }),
      },
      'stdioBridge',
    )
  return bridge({ target, label: originOf(url), timeoutMs, patienceMs, input, output, logger, signal })
}

const known = [
  ...['url', 'auth', 'headers', 'timeoutMs', 'patienceMs', 'allowInsecure'],
  ...['input', 'output', 'logger', 'signal'],
]

function originOf(url: unknown): string {
  const text = String(url)
  return URL.canParse(text) ? new URL(text).origin : 'the server'
}

/** What a bridge is made with, whatever describes the server. */
export interface BridgeParts
  extends Pick<StdioBridgeOptions, 'timeoutMs' | 'patienceMs' | 'input' | 'output' | 'logger' | 'signal'> {
  /** The way to the server, whose requests are made by the given function. */
  readonly target: (fetch: FetchLike) => ClientTransport
  /** What messages call the server. */
  readonly label: string
  /** What to do about a refused or missing credential, for messages. Default: what the error says. */
  readonly advice?: string | undefined
}

/** Milliseconds for answers under way when the host has said its last word, and for the server to end its session. */
const lastAnswers = 5_000
const farewell = 1_000
const lastWords = 200
/** A timer of more fires at once. */
const longestTimer = 2 ** 31 - 1

/** {@link stdioBridge} to a server that is described in another way. */
export function bridge(parts: BridgeParts): StdioBridge {
  const { target, label, advice, timeoutMs = 0, patienceMs = 15_000, signal } = parts
  const { input = process.stdin, output = process.stdout } = parts
  numberBetween('stdioBridge: timeoutMs', timeoutMs, 0, longestTimer)
  numberBetween('stdioBridge: patienceMs', patienceMs, 0, longestTimer)
  const logger = throttled(unfailing(parts.logger ?? stderrLogger), systemClock)
  const warn = (event: string, message: string): void => logger({ level: 'warn', event, message })

  const problem = (error: unknown): void => warn('bridge', wordsOf(error, label, advice))
  const write = (message: RpcMessage): void => host.write(message)
  const carrier = relay({ write, route: () => way, label, advice, timeoutMs, onProblem: problem })
  const way = new Route({
    target: target(pacedFetch(() => host.room())),
    patienceMs,
    onMessage: carrier.fromServer,
    onClosed: carrier.closed,
    onRenewed(news) {
      warn('session_renewed', `${label} had forgotten the session; a new one has taken its place.`)
      for (const message of news) write(message)
    },
    onProblem: problem,
  })
  const host = hostOn(input, output, {
    onMessage: carrier.fromHost,
    onEnd: () => void ending(lastAnswers),
    onGone: () => void ending(0),
    onGarbage: (words) => warn('garbage', words),
  })

  let ended: () => void = () => {}
  const closed = new Promise<void>((resolve) => {
    ended = resolve
  })
  const hurry = new AbortController()
  let isEnding = false
  const ending = async (answersMs: number): Promise<void> => {
    if (answersMs === 0) hurry.abort()
    if (isEnding) return
    isEnding = true
    host.stop()
    await Promise.race([carrier.idle(), pause(answersMs, hurry.signal).catch(() => {})])
    // Who could not be reached until now is named as the reason.
    way.hurry()
    await Promise.race([carrier.idle(), pause(lastWords, hurry.signal).catch(() => {})])
    carrier.abort()
    await way.close(farewell)
    await Promise.race([host.flushed(), pause(farewell, undefined)])
    signal?.removeEventListener('abort', stop)
    ended()
  }
  const stop = (): void => void ending(0)
  signal?.addEventListener('abort', stop, { once: true })
  if (signal?.aborted) stop()
  const close = async (): Promise<void> => {
    stop()
    await closed
  }
  return { closed, close, [Symbol.asyncDispose]: close }
}
