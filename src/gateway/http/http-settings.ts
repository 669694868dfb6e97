import { customHeaders } from '../../client/fetch/headers.ts'
import { serverAt } from '../../client/fetch/server.ts'
import type { AuthOption } from '../../client/token-source.ts'
import { type Clock, type Logger, stderrLogger, systemClock, throttled, unfailing } from '../../core/index.ts'
import { checkOptions, numberBetween } from '../../core/options.ts'
import { type HttpOrigin, httpOrigin } from './http-origin.ts'
import {
  type ExchangeOptions,
  exchangedCredential,
  noCredential,
  sharedCredential,
  type UpstreamCredential,
} from './upstream-credential.ts'

/** Options of {@link httpUpstream}. */
export interface HttpUpstreamOptions {
  /** The MCP endpoint; http or https, without user name and password. Where a credential is sent https, or this machine. */
  readonly url: string | URL
  /**
   * What the server is shown: a token, or where it comes from, asked before every request. When the server answers 401, it
   * is asked for a better one and the request is sent once more. Default: nothing.
   */
  readonly auth?: AuthOption | undefined
  /** Shows the server a token of each caller's own, exchanged for the one the gateway was shown. Instead of `auth`. */
  readonly exchange?: ExchangeOptions | undefined
  /** Sent with each request. Default: none. */
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** Milliseconds until an answer is there, or begins to stream; 0 for any time. Default: 600,000. */
  readonly timeoutMs?: number | undefined
  /** Bytes of an answer in one piece, and of one event of a stream; 1,024 to 1 GiB. Default: 64 MiB. */
  readonly maxAnswerBytes?: number | undefined
  /** Connections to the server at a time; streams have one each. Default: as many as there are requests. */
  readonly maxSockets?: number | undefined
  /** DANGER: sends credentials over plain http to other machines; whoever is on the way can use them. Default: false. */
  readonly allowInsecure?: boolean | undefined
  /** Where failures of the server are told, of each kind one line a minute. Default: standard error. */
  readonly logger?: Logger | undefined
  /** Default: the clock of this machine. */
  readonly clock?: Clock | undefined
}

/** The options, checked. */
export interface HttpSettings {
  /** Where the server is, for messages. */
  readonly label: string
  readonly url: string
  readonly origin: HttpOrigin
  readonly credential: UpstreamCredential
  /** Whether each caller has a credential of its own there. */
  readonly tellsCallersApart: boolean
  /** Sent with each request: names and values in turn. */
  readonly fixedHeaders: readonly string[]
  /** The operator's, as far as they may be secret. */
  readonly ownHeaders: readonly (readonly [name: string, value: string])[]
  /** Their names, in lower case. */
  readonly ownNames: ReadonlySet<string>
  readonly timeoutMs: number
  readonly maxAnswerBytes: number
  readonly log: Logger
}

const known = [
  'url',
  'auth',
  'exchange',
  'headers',
  'timeoutMs',
  'maxAnswerBytes',
  'maxSockets',
  'allowInsecure',
  'logger',
  'clock',
] as const satisfies readonly (keyof HttpUpstreamOptions)[]

/** Milliseconds; a timer of Node holds no more. */
const longestTimeout = 86_400_000

/** @throws TypeError naming the option that is unknown, missing or wrong */
export function httpSettings(options: HttpUpstreamOptions): HttpSettings {
  checkOptions(owner, options, known)
  const { allowInsecure = false, logger = stderrLogger, clock = systemClock, maxSockets } = options
  if (typeof allowInsecure !== 'boolean') throw new TypeError(`${owner}: allowInsecure must be true or false`)
  if (typeof logger !== 'function') throw new TypeError(`${owner}: logger must be a function`)
  if (typeof clock !== 'function') throw new TypeError(`${owner}: clock must be a function`)
  const hasToken = isGiven(options, 'auth') || isGiven(options, 'exchange')
  const ownHeaders = customHeaders(owner, options.headers, hasToken)
  const isCredentialed = hasToken || ownHeaders.length > 0
  const server = serverAt(owner, options.url, undefined, isCredentialed && !allowInsecure)
  const log = throttled(unfailing(logger), clock)
  const origin = httpOrigin(server.url, maxSockets === undefined ? Infinity : socketsOf(maxSockets))
  return {
    label: server.label,
    url: server.url.href,
    origin,
    credential: credentialOf(options, { server, clock, logger: log }),
    tellsCallersApart: isGiven(options, 'exchange'),
    fixedHeaders: [
      ...['host', origin.host, 'user-agent', 'mcp-bearer'],
      // What arrives is looked at, and passed on as it is.
      ...['accept-encoding', 'identity'],
      ...ownHeaders.flat(),
    ],
    ownHeaders,
    ownNames: new Set(ownHeaders.map(([name]) => name.toLowerCase())),
    timeoutMs: numberBetween(`${owner}: timeoutMs`, options.timeoutMs ?? 600_000, 0, longestTimeout),
    maxAnswerBytes: numberBetween(
      `${owner}: maxAnswerBytes`,
      options.maxAnswerBytes ?? 67_108_864,
      1024,
      2 ** 30,
    ),
    log,
  }
}

const owner = 'httpUpstream'

function credentialOf(
  options: HttpUpstreamOptions,
  parts: Parameters<typeof sharedCredential>[1],
): UpstreamCredential {
  const { auth, exchange } = options
  if (isGiven(options, 'auth') && isGiven(options, 'exchange'))
    throw new TypeError(`${owner}: give either auth or exchange, not both: a request carries one credential`)
  if (isGiven(options, 'exchange')) return exchangedCredential(exchange!, parts)
  return isGiven(options, 'auth') ? sharedCredential(auth!, parts) : noCredential
}

/** One that is there and `undefined` is a variable that was not set: never a server that is to be shown nothing. */
function isGiven(options: HttpUpstreamOptions, name: 'auth' | 'exchange'): boolean {
  return name in options
}

function socketsOf(value: number): number {
  if (Number.isInteger(numberBetween(`${owner}: maxSockets`, value, 1, 65_535))) return value
  throw new TypeError(`${owner}: maxSockets must be a whole number`)
}
