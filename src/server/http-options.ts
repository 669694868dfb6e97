import { checkOptions, numberBetween } from '../core/options.ts'

/** How sessions of the protocol revision 2025-11-25 are kept. */
export interface Sessions {
  /** Milliseconds without a message or an open stream after which a session ends. Default: 1,800,000. */
  readonly idleMs?: number
  /** Milliseconds after which a session ends whatever happens. Default: 86,400,000. */
  readonly lifetimeMs?: number
  /** Sessions of one principal. Beyond it the one that has been idle longest makes room. Default: 100. */
  readonly maxPerPrincipal?: number
  /** Sessions of everybody. Default: 10,000. */
  readonly max?: number
}

/** {@link Sessions} with every default filled in. */
export type CheckedSessions = Readonly<Required<Sessions>>

/** How a server behaves on HTTP. */
export interface HttpOptions {
  /** `Host` values taken, as `host` or `host:port`. Default: on a loopback bind its own names, elsewhere any. */
  readonly allowedHosts?: readonly string[]
  /** `Origin` values taken, exact. Default: on a loopback bind its own, elsewhere none: web pages are refused. */
  readonly allowedOrigins?: readonly string[]
  /** A header that is taken as the credential beside `Authorization`, for example `X-API-Key`. Default: none. */
  readonly apiKeyHeader?: string
  /**
   * The identifier of this server: its public URL, such as `https://mcp.example.com/mcp`, and the `aud` of its tokens.
   * With it clients find the authorization servers of `auth` (RFC 9728). Default: on a loopback bind its own URL;
   * elsewhere clients have to be told.
   */
  readonly resource?: string
  /** The scopes clients should ask for at first, which need not be those every token must have. Default: none are named. */
  readonly scopesSupported?: readonly string[]
  /** Sessions for clients of 2025-11-25 and older; `false` serves them without. Default: true. */
  readonly sessions?: boolean | Sessions
  /** Serves the HTTP+SSE transport of 2024-11-05 as well, on the same path and at `/sse`. Default: false. */
  readonly legacySse?: boolean
  /**
   * Shows `/docs` and `/openmcp.json`, which name everything the server has, and `/inspector`, a page to try it out, to
   * anybody. Default: on a loopback bind only.
   */
  readonly publicPages?: boolean
  /**
   * How many proxies in front are trusted to tell the address of a caller in `X-Forwarded-For`, up to 10: for limits that
   * count by address, and for keys that are bound to addresses. Default: 0.
   */
  readonly trustProxy?: number
  /**
   * Signs what clients carry between the rounds of a call (MCP "Multi Round-Trip Requests"): at least 32 characters,
   * the same on every node. Default: a random one, which other nodes and the next start do not know.
   */
  readonly stateKey?: string
}

const known = [
  'allowedHosts',
  'allowedOrigins',
  'apiKeyHeader',
  'resource',
  'scopesSupported',
  'sessions',
  'legacySse',
  'publicPages',
  'trustProxy',
  'stateKey',
] as const satisfies readonly (keyof HttpOptions)[]

/** @throws TypeError naming the option that is unknown, wrong, or set to nothing where that would switch something off */
export function checkHttpOptions(http: HttpOptions): void {
  checkOptions('MCPServer (http)', http, known)
  if ('resource' in http && http.resource === undefined) {
    throw new TypeError('MCPServer (http): resource is undefined; leave it out if clients need not find it')
  }
  for (const name of ['legacySse', 'publicPages'] as const) {
    if (http[name] !== undefined && typeof http[name] !== 'boolean')
      throw new TypeError(`MCPServer (http): ${name} must be true or false`)
  }
  const { sessions } = http
  if (sessions !== undefined && typeof sessions !== 'boolean' && (typeof sessions !== 'object' || !sessions))
    throw new TypeError('MCPServer (http): sessions must be true, false or an object')
  if ('stateKey' in http && (typeof http.stateKey !== 'string' || http.stateKey.length < 32))
    throw new TypeError('MCPServer (http): stateKey must be a text of at least 32 characters')
}

/**
 * How sessions are kept, with every default filled in.
 * @throws TypeError naming the option that is unknown or out of bounds
 */
export function checkedSessions(given: Sessions): CheckedSessions {
  const owner = 'MCPServer (http): sessions'
  checkOptions(owner, given, ['idleMs', 'lifetimeMs', 'maxPerPrincipal', 'max'])
  const week = 7 * 86_400_000
  return Object.freeze({
    idleMs: numberBetween(`${owner}.idleMs`, given.idleMs ?? 1_800_000, 1000, week),
    lifetimeMs: numberBetween(`${owner}.lifetimeMs`, given.lifetimeMs ?? 86_400_000, 1000, week),
    maxPerPrincipal: numberBetween(`${owner}.maxPerPrincipal`, given.maxPerPrincipal ?? 100, 1, 1_000_000),
    max: numberBetween(`${owner}.max`, given.max ?? 10_000, 1, 1_000_000),
  })
}
