import { checkOptions, isLoopbackHost, oneOrMany } from '../core/options.ts'
import { scopeList } from '../core/scopes.ts'
import { jsonAnswer, type PlainAnswer, refusalResponse } from './refusal.ts'

/** What clients are told of a protected resource, so that they can get a token for it. */
export interface ResourceMetadataOptions {
  /**
   * The identifier of this server: its public URL, https (http on this machine), without fragment. Published as it is
   * written here, character for character; tokens carry it as `aud`.
   */
  readonly resource: string
  /** The authorization servers whose tokens are taken: their issuer identifiers, exactly as they spell them. At least one. */
  readonly authorizationServers: string | readonly string[]
  /** The scopes a client should ask for at first; as few as possible. Default: none are named. */
  readonly scopesSupported?: readonly string[]
  /** A name for people. */
  readonly resourceName?: string
  /** URL of a page for developers. */
  readonly documentation?: string
  /** URL of the policy on how data may be used. */
  readonly policyUri?: string
  /** URL of the terms of service. */
  readonly termsUri?: string
  /** Also answer at the root of the well-known path, for clients that look there only. Default: false. */
  readonly rootAlias?: boolean
}

/** The protected resource metadata of a server (RFC 9728), ready to be served. */
export interface ResourceMetadata {
  /** Where it is published: what challenges name as `resource_metadata`. */
  readonly url: string
  /** The paths to serve it under, at the root of the host, wherever the server itself is mounted. */
  readonly paths: readonly string[]
  readonly document: Readonly<Record<string, unknown>>
  /** The answer to a request, from its method and its request target; `undefined` when the target is another one. */
  answer(method: string, target: string): PlainAnswer | undefined
  /** The same for a web-standard request; 404 when the target is another one. */
  fetch(request: Request): Response
}

const known = [
  'resource',
  'authorizationServers',
  'scopesSupported',
  'resourceName',
  'documentation',
  'policyUri',
  'termsUri',
  'rootAlias',
] as const satisfies readonly (keyof ResourceMetadataOptions)[]

const wellKnown = '/.well-known/oauth-protected-resource'

/**
 * Makes the protected resource metadata of a server that takes tokens of an authorization server (RFC 9728; MCP
 * authorization, "Authorization Server Location"). Built from these options alone: nothing of a request, such as `Host`,
 * finds its way in. Public by nature: no token is asked for, and every web page may read it.
 *
 * A server that takes API keys only must not publish it: it would send clients into a sign-in that leads nowhere.
 *
 * @throws TypeError naming the option that is unknown, missing or wrong
 *
 * @example
 * ```ts
 * import { bearerGate, resourceMetadata } from 'mcp-bearer'
 * import { jwtVerifier } from 'mcp-bearer/verify'
 *
 * const issuer = 'https://id.example.com'
 * const resource = 'https://mcp.example.com/mcp'
 * const metadata = resourceMetadata({ resource, authorizationServers: issuer })
 * const gate = bearerGate({
 *   verifier: jwtVerifier({ jwksUri: 'discover', issuer, audience: resource }),
 *   resourceMetadata: metadata.url,
 * })
 *
 * export default {
 *   async fetch(request: Request): Promise<Response> {
 *     if (metadata.paths.includes(new URL(request.url).pathname)) return metadata.fetch(request)
 *     const caller = await gate(request)
 *     return caller instanceof Response ? caller : new Response(`Hello ${caller.clientId}`)
 *   },
 * }
 * ```
 */
export function resourceMetadata(options: ResourceMetadataOptions): ResourceMetadata {
  checkOptions('resourceMetadata', options, known)
  const { origin, path, query } = readResource(options.resource)
  const { rootAlias = false } = options
  if (typeof rootAlias !== 'boolean') throw new TypeError('rootAlias must be true or false')
  const document = Object.freeze(readDocument(options))
  const paths = Object.freeze([...new Set([`${wellKnown}${path}`, ...(rootAlias ? [wellKnown] : [])])])
  const good = jsonAnswer(200, document, {
    // RFC 9728 section 7.10. Whoever reads it needs no token, and every page may.
    'cache-control': 'public, max-age=3600',
    'access-control-allow-origin': '*',
  })

  function answer(method: string, target: string): PlainAnswer | undefined {
    // Most requests are for something else.
    if (!target.includes(wellKnown)) return undefined
    // The request target may be a whole URL (RFC 9112 section 3.2.2); the host in it decides nothing.
    const [asked = '', askedQuery] = target.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i, '').split('?', 2)
    if (!paths.includes(asked) || (query !== '' && query !== `?${askedQuery}`)) return undefined
    if (method === 'OPTIONS') return preflight
    return method === 'GET' || method === 'HEAD' ? good : notAllowed
  }

  return Object.freeze({
    url: `${origin}${wellKnown}${path}${query}`,
    paths,
    document,
    answer,
    fetch: (request: Request) => {
      const { pathname, search } = new URL(request.url)
      return refusalResponse(answer(request.method, pathname + search) ?? notFound, request.method)
    },
  })
}

/** Clients of the protocol name its revision in every request, and a page must ask before it does (Fetch, "CORS protocol"). */
const preflight = jsonAnswer(
  200,
  {},
  {
    'access-control-allow-origin': '*',
    'access-control-allow-methods': 'GET',
    'access-control-allow-headers': 'mcp-protocol-version, accept, content-type',
    'access-control-max-age': '600',
  },
)
const notAllowed = jsonAnswer(405, { error: 'method_not_allowed' }, { allow: 'GET, HEAD' })
const notFound = jsonAnswer(404, { error: 'not_found' })

/** Taken apart as it is written: `URL` would add a slash to a bare origin, and the identifier would be another one. */
function readResource(value: unknown): { origin: string; path: string; query: string } {
  const parts =
    typeof value === 'string' ? /^(https?:\/\/[^/?#@\s]+)([^?#\s]*)(\?[^#\s]*)?$/i.exec(value) : null
  const [, origin = '', path = '', query = ''] = parts ?? []
  if (parts === null || !URL.canParse(origin) || !isPrintable(origin + path + query)) {
    throw new TypeError('resource must be the public URL of this server, without user name and fragment')
  }
  const { protocol, hostname } = new URL(origin)
  if (protocol !== 'https:' && !isLoopbackHost(hostname)) {
    throw new TypeError('resource must use https (http is taken for localhost only)')
  }
  // RFC 9728 section 3.1: a slash that ends the host is removed before the well-known path is put in.
  return { origin, path: path === '/' ? '' : path, query }
}

function isPrintable(text: string): boolean {
  return /^[\x21\x23-\x5B\x5D-\x7E]+$/.test(text)
}

/** Members that say nothing are left out (RFC 9728 section 3.2). */
function readDocument(options: ResourceMetadataOptions): Record<string, unknown> {
  const { resource, scopesSupported, resourceName } = options
  if (resourceName !== undefined && (typeof resourceName !== 'string' || resourceName === '')) {
    throw new TypeError('resourceName must be a non-empty string')
  }
  const scopes = scopesSupported === undefined ? [] : scopeList('scopesSupported', scopesSupported)
  const documentation = pageUrl('documentation', options.documentation)
  const policyUri = pageUrl('policyUri', options.policyUri)
  const termsUri = pageUrl('termsUri', options.termsUri)
  return {
    resource,
    authorization_servers: readServers(options.authorizationServers),
    bearer_methods_supported: ['header'],
    ...(scopes.length > 0 && { scopes_supported: scopes }),
    ...(resourceName !== undefined && { resource_name: resourceName }),
    ...(documentation !== undefined && { resource_documentation: documentation }),
    ...(policyUri !== undefined && { resource_policy_uri: policyUri }),
    ...(termsUri !== undefined && { resource_tos_uri: termsUri }),
  }
}

/** Kept as they are written. */
function readServers(value: unknown): readonly string[] {
  const servers = oneOrMany('authorizationServers', value)
  if (servers === undefined) throw new TypeError('authorizationServers must name at least one issuer')
  if (!servers.every(isIssuerIdentifier)) {
    throw new TypeError(
      'authorizationServers must hold issuer identifiers: https (http is taken for localhost only), without user name, query and fragment',
    )
  }
  return servers
}

/**
 * Whether clients can find an authorization server by its issuer identifier (RFC 8414 section 2): https, neither query
 * nor fragment. Tokens may name an issuer that is none; then nobody can be sent there.
 */
export function isIssuerIdentifier(issuer: string): boolean {
  const url = URL.canParse(issuer) ? new URL(issuer) : undefined
  const isSecure = url?.protocol === 'https:' || (url?.protocol === 'http:' && isLoopbackHost(url.hostname))
  return isSecure && !/[?#@\s]/.test(issuer)
}

function pageUrl(option: string, value: unknown): string | undefined {
  if (value === undefined) return undefined
  if (typeof value === 'string' && /^https?:\/\//i.test(value) && URL.canParse(value) && isPrintable(value)) {
    return value
  }
  throw new TypeError(`${option} must be an absolute http or https URL`)
}
