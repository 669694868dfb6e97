import { checkOptions, oneOrMany } from '../core/options.ts'
import { apiKeyHeaderName } from './credential.ts'
import type { RequestHead } from './head.ts'

/** From where, and under which names, a server may be reached. */
export interface OriginPolicyOptions {
  /** `Host` values taken, as `host` (any port) or `host:port`. Default: any one well-formed `Host`. */
  readonly allowedHosts?: readonly string[]
  /** `Origin` values taken, such as `https://app.example.com`. Default: none, so that no web page reaches the server. */
  readonly allowedOrigins?: readonly string[]
  /** Header that may carry an API key, which web pages may then send. Default: none. */
  readonly apiKeyHeader?: string
}

/**
 * Decides about `Origin` and `Host`, and writes the CORS headers of the Fetch standard. Never throws, and looks at the
 * head of a request only.
 */
export interface OriginPolicy {
  /** `forbidden` is to be answered with the code `forbidden_origin`, before anything else is looked at. */
  check(head: RequestHead): 'ok' | 'forbidden'
  /** The headers of the 204 that answers a CORS preflight; `undefined` for any other request, and a forbidden one. */
  preflight(head: RequestHead): Readonly<Record<string, string>> | undefined
  /** The headers of every other answer, refusals included; `undefined` when no origin is allowed at all. */
  corsHeaders(head: RequestHead): Readonly<Record<string, string>> | undefined
}

/**
 * Makes an {@link OriginPolicy} (MCP Streamable HTTP, "Security & Endpoint": servers validate `Origin` on all
 * connections). Scheme, host and port are compared exactly, after parsing (RFC 6454 section 4). A request without
 * `Origin` passes: it is no web page's.
 *
 * @throws TypeError when a list holds something that is no host or no origin; `*` is none
 */
export function originPolicy(options: OriginPolicyOptions = {}): OriginPolicy {
  checkOptions('originPolicy', options, ['allowedHosts', 'allowedOrigins', 'apiKeyHeader'])
  const hosts = readHosts(options.allowedHosts)
  const origins = readOrigins(options.allowedOrigins)
  const requestHeaders = [...plainRequestHeaders]
  const apiKeyHeader = apiKeyHeaderName(options.apiKeyHeader)
  if (apiKeyHeader !== undefined) requestHeaders.push(apiKeyHeader)

  /** The one allowed origin of the request; `undefined` when it has none, `false` when it has another. */
  function originOf(head: RequestHead): string | undefined | false {
    const [origin, second] = head.header('origin')
    if (origin === undefined) return undefined
    const normal = second === undefined ? normalOrigin(origin) : undefined
    return normal !== undefined && origins.has(normal) && normal
  }

  function check(head: RequestHead): 'ok' | 'forbidden' {
    return isHostAllowed(head.header('host'), hosts) && originOf(head) !== false ? 'ok' : 'forbidden'
  }

  return {
    check,
    preflight(head) {
      if (head.method !== 'OPTIONS' || head.header('access-control-request-method').length === 0)
        return undefined
      const origin = originOf(head)
      if (typeof origin !== 'string' || check(head) === 'forbidden') return undefined
      const asked = head.header('access-control-request-headers').join(',').split(',')
      const params = asked.map((name) => name.trim().toLowerCase()).filter((name) => paramHeader.test(name))
      return {
        'access-control-allow-origin': origin,
        'access-control-allow-methods': 'GET, POST, DELETE',
        'access-control-allow-headers': [...requestHeaders, ...new Set(params)].join(', '),
        'access-control-max-age': '600',
        vary: 'Origin, Access-Control-Request-Headers',
      }
    },
    corsHeaders(head) {
      if (origins.size === 0) return undefined
      const origin = originOf(head)
      return typeof origin === 'string' ? origins.get(origin) : noOrigin
    },
  }
}

/**
 * The lists for a server bound to a loopback address: its own names, so that a web page that had its name pointed at
 * this machine (DNS rebinding) is refused.
 *
 * @param port the port it listens on
 */
export function loopbackOrigins(
  port: number,
): Required<Pick<OriginPolicyOptions, 'allowedHosts' | 'allowedOrigins'>> {
  const hosts = ['localhost', '127.0.0.1', '[::1]'].map((host) => `${host}:${port}`)
  return { allowedHosts: hosts, allowedOrigins: hosts.map((host) => `http://${host}`) }
}

/**
 * Each by its name, because `*` never covers `Authorization` (Fetch, "CORS non-wildcard request-header name"). Those
 * of a session are of protocol versions before 2026-07-28.
 */
const plainRequestHeaders = [
  'authorization',
  'content-type',
  'accept',
  'mcp-protocol-version',
  'mcp-method',
  'mcp-name',
  'mcp-session-id',
  'last-event-id',
]

/** A tool's argument in a header, named by the tool: allowed when asked for (MCP Streamable HTTP, "Request Metadata"). */
const paramHeader = /^mcp-param-[!#$%&'*+\-.^_`|~0-9a-z]+$/

/** Without these a web page could read neither the challenge nor the session. */
const exposedHeaders = 'WWW-Authenticate, Retry-After, Mcp-Session-Id, MCP-Protocol-Version'

/** The answer depends on the origin even when there is none (Fetch, "CORS protocol and HTTP caches"). */
const noOrigin: Readonly<Record<string, string>> = Object.freeze({ vary: 'Origin' })

/** A name or an address, and perhaps a port; nothing else may stand in `Host` or behind the scheme of an origin. */
const authority = /^(\[[0-9a-f:.]+\]|[a-z0-9._~-]+)(?::(\d{1,5}))?$/i

function isHostAllowed(lines: readonly string[], allowed: ReadonlySet<string> | undefined): boolean {
  const [host, second] = lines
  // Without a list a server may be reached under any name: also by a caller in process, who sends none.
  if (host === undefined) return allowed === undefined
  if (second !== undefined) return false
  if (allowed?.has(host)) return true
  const parsed = parseAuthority(host)
  if (parsed === undefined) return false
  if (allowed === undefined) return true
  return allowed.has(parsed.host) || allowed.has(`${parsed.host}:${parsed.port ?? ''}`)
}

function parseAuthority(
  text: string,
): { readonly host: string; readonly port: string | undefined } | undefined {
  const [, name, port] = authority.exec(text) ?? []
  if (name === undefined || !URL.canParse(`http://${name}`)) return undefined
  return {
    host: new URL(`http://${name}`).hostname,
    port: port === undefined ? undefined : String(Number(port)),
  }
}

/** `host` stays as it is and takes any port; a default port is the same as none. */
function readHosts(option: unknown): ReadonlySet<string> | undefined {
  const list = oneOrMany('allowedHosts', option)
  if (list === undefined) return undefined
  return new Set(
    list.flatMap((entry) => {
      const parsed = parseAuthority(entry)
      if (parsed === undefined) throw new TypeError('allowedHosts must hold entries like host or host:port')
      const { host, port } = parsed
      if (port === undefined) return [host]
      return port === '80' || port === '443' ? [`${host}:${port}`, `${host}:`] : [`${host}:${port}`]
    }),
  )
}

/** Allowed origins with the headers of an answer to each. */
function readOrigins(option: unknown): ReadonlyMap<string, Readonly<Record<string, string>>> {
  const list = oneOrMany('allowedOrigins', option) ?? []
  return new Map(
    list.map((entry) => {
      const origin = normalOrigin(entry)
      if (origin === undefined) {
        throw new TypeError('allowedOrigins must hold origins like https://app.example.com, without a path')
      }
      return [
        origin,
        Object.freeze({
          'access-control-allow-origin': origin,
          'access-control-expose-headers': exposedHeaders,
          vary: 'Origin',
        }),
      ]
    }),
  )
}

/** Scheme, host and port in one spelling, the default port left out; `undefined` when it is no origin. */
function normalOrigin(text: string): string | undefined {
  if (text === 'null') return text
  const [, scheme, rest] = /^([a-z][a-z0-9+.-]*):\/\/(.+)$/i.exec(text) ?? []
  if (scheme === undefined || !authority.test(rest!) || !URL.canParse(text)) return undefined
  const url = new URL(text)
  return `${scheme.toLowerCase()}://${url.host}`
}
