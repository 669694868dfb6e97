import { stopwatch } from '../../core/clock.ts'
import { AuthError, isScopeToken } from '../../core/index.ts'
import { isLoopbackHost, secureUrl } from '../../core/options.ts'
import { metadataAt } from '../../verify/discovery.ts'
import { type JsonObject, own } from '../../verify/json.ts'
import { canonicalResource } from '../canonical.ts'
import { secretsOf } from '../fetch/secrets.ts'
import { reasonOf } from './authorization-server.ts'
import type { TokenNeed } from './renewing.ts'
import { readTokenEnvironment, type TokenSourceEnvironment, type TokenWorld } from './token-environment.ts'
import { nameOf, noToken, printable } from './token-failure.ts'

/** What an MCP server says of itself as a protected resource (RFC 9728 section 2). All of it is the server's claim. */
export interface ResourceMetadata {
  /** What it calls itself: the value of `resource` in requests for tokens. Of its own origin, its URL or the beginning of it. */
  readonly resource: string
  /** Issuers of the authorization servers whose tokens it takes; empty when it names none. */
  readonly authorizationServers: readonly string[]
  /** `scopes_supported`; empty when it names none. */
  readonly scopes: readonly string[]
}

/**
 * Asks an MCP server which authorization servers it takes tokens of (RFC 9728 section 3; MCP authorization
 * "Authorization Server Location"). For a person, or a program, that is to choose one: which of them may be trusted with
 * a credential is not the server's to say. Asked are the path-inserted well-known URL and the one of the origin, in this
 * order, without credentials; no redirect is followed, and 64 KiB are read.
 *
 * @param url the MCP endpoint; https, or this machine
 * @param environment `fetch`, `timeout` and `allowPrivateNetwork` matter here
 * @throws TypeError when the URL or a member of the environment is wrong; AuthError with code `token_unavailable` when
 *   the server cannot be reached, has no such metadata, or metadata of another server (RFC 9728 section 3.3)
 *
 * @example
 * ```ts
 * import { resourceMetadata } from 'mcp-bearer/client'
 *
 * const { authorizationServers } = await resourceMetadata('https://mcp.example.com/mcp')
 * ```
 */
export async function resourceMetadata(
  url: string | URL,
  environment: TokenSourceEnvironment = {},
): Promise<ResourceMetadata> {
  const world = readTokenEnvironment('resourceMetadata', environment)
  const server = canonicalResource(secureUrl('resourceMetadata: url', url))
  const fetch = world.fetchWithin({ loopback: true, privateNetwork: world.allowPrivateNetwork })
  try {
    const found = await findResourceMetadata(server, placesOf(server), fetch, world.timeout)
    if (found !== undefined) return found
  } catch (error) {
    if (error instanceof AuthError) throw error
    const words = `its metadata cannot be read: ${printable(reasonOf(error), [])}.`
    throw noToken(server, words)
  }
  throw noToken(
    server,
    'it publishes no protected resource metadata (RFC 9728). Ask its operator for the issuer.',
  )
}

/** About which server {@link tokenTarget} is asked. */
export type TargetQuestion = Pick<TokenNeed, 'server' | 'metadataUrl' | 'seen'>

/** Whom a token is asked for. */
export interface TokenTarget {
  /** What the authorization server knows the MCP server by. */
  readonly resource: string
  /** What the MCP server says there is. */
  readonly scopes: readonly string[]
}

/**
 * Checks, before a token is asked for, that the MCP server takes tokens of the issuer that was chosen for it, and learns
 * what it calls itself. Asked each time: a server that goes over to another issuer gets no token of the old one
 * (SEP-2352, "Authorization Server Binding").
 *
 * A server without such metadata, and one whose metadata cannot be had now, is taken at its URL: the credential goes to
 * the chosen issuer and nowhere else in any case, and which resources it gives tokens for is its to decide.
 *
 * @param asked the server in canonical form; `resource_metadata` of a challenge, used only when it is of the server's own
 *   origin (RFC 9728 section 7.7); the tokens it has seen, which its metadata may repeat
 * @throws AuthError `token_unavailable` when the metadata is of another server, or does not list the issuer
 */
export async function tokenTarget(
  asked: TargetQuestion,
  issuer: string,
  world: TokenWorld,
): Promise<TokenTarget> {
  const { server, seen } = asked
  const found = await foundAt(asked, world)
  if (found === undefined) return { resource: server, scopes: [] }
  const { resource, authorizationServers, scopes } = found
  if (!authorizationServers.some((listed) => isSameIssuer(listed, issuer))) {
    const secrets = secretsOfTokens(seen)
    const others = authorizationServers.slice(0, 3).map((one) => printable(one, secrets))
    const listed = others.length === 0 ? 'no authorization server' : others.join(', ')
    const advice = 'If that is right, change the option issuer, with credentials of that server'
    throw noToken(server, `its metadata lists ${listed}, and not the issuer ${issuer}. ${advice}.`)
  }
  return { resource, scopes }
}

async function foundAt(
  { server, metadataUrl: hint, seen }: TargetQuestion,
  world: TokenWorld,
): Promise<ResourceMetadata | undefined> {
  // The requests with the token go to this very origin, so nothing is reached that would not be otherwise.
  const fetch = world.fetchWithin({ loopback: true, privateNetwork: true })
  const own = hint !== undefined && isOwn(hint, server) ? [new URL(hint)] : []
  if (hint !== undefined && own.length === 0) {
    const message =
      'The resource_metadata of a challenge is not of the origin of the server, and not looked at'
    world.log({
      level: 'warn',
      event: 'resource_metadata_ignored',
      message,
      details: { server: nameOf(server) },
    })
  }
  try {
    const limit = Math.min(world.timeout, longestWait)
    return await findResourceMetadata(server, [...own, ...placesOf(server)], fetch, limit, seen)
  } catch (error) {
    if (error instanceof AuthError) throw error
    const message =
      'The protected resource metadata of a server cannot be read; its token is asked for without'
    const details = { server: nameOf(server), reason: reasonOf(error) }
    world.log({ level: 'info', event: 'resource_metadata_unavailable', message, details })
    return undefined
  }
}

function secretsOfTokens(tokens: readonly string[]): readonly string[] {
  return secretsOf(tokens.map((token) => ['authorization', `Bearer ${token}`]))
}

/** Milliseconds; a server that does not tell shall not hold up a request for long. */
const longestWait = 5000

function isOwn(hint: string, server: string): boolean {
  if (!URL.canParse(hint)) return false
  const { origin, protocol, hostname, username, password } = new URL(hint)
  const isSecure = protocol === 'https:' || isLoopbackHost(hostname)
  return isSecure && origin === new URL(server).origin && username === '' && password === ''
}

/** Well-known places, in the order of the MCP authorization specification, "Protected Resource Metadata Discovery". */
function placesOf(server: string): readonly URL[] {
  const { origin, pathname } = new URL(server)
  const root = `${origin}/.well-known/oauth-protected-resource`
  // Put together as text: a path that begins with two slashes, resolved, would be another host.
  return (pathname === '/' ? [root] : [root + pathname, root]).map((place) => new URL(place))
}

/**
 * The first document there is.
 * @returns `undefined` when there is none
 * @throws AuthError when it is of another server; Error when it cannot be told whether there is one
 */
async function findResourceMetadata(
  server: string,
  places: readonly URL[],
  fetch: ReturnType<TokenWorld['fetchWithin']>,
  patience: number,
  seen: readonly string[] = [],
): Promise<ResourceMetadata | undefined> {
  const started = stopwatch()
  for (const place of places) {
    const milliseconds = Math.ceil(started + patience - stopwatch())
    if (milliseconds <= 0) throw new Error(`no complete answer within ${patience} ms`)
    const found = await metadataAt(place, fetch, { milliseconds })
    if (typeof found !== 'string') return read(found, server, seen)
  }
  return undefined
}

const mostNames = 32

function read(metadata: JsonObject, server: string, seen: readonly string[]): ResourceMetadata {
  const resource = own(metadata, 'resource')
  if (typeof resource !== 'string' || !isPartOf(server, resource)) {
    const named = typeof resource === 'string' ? printable(resource, secretsOfTokens(seen)) : 'nobody'
    throw noToken(
      server,
      `its metadata is that of ${named} (RFC 9728 section 3.3). Check the URL of the server.`,
    )
  }
  return Object.freeze({
    resource,
    authorizationServers: texts(own(metadata, 'authorization_servers')),
    scopes: Object.freeze(texts(own(metadata, 'scopes_supported')).filter(isScopeToken)),
  })
}

function texts(value: unknown): readonly string[] {
  const list: readonly unknown[] = Array.isArray(value) ? value : []
  return Object.freeze(list.filter((item) => typeof item === 'string').slice(0, mostNames))
}

/**
 * Whether the server is what the metadata is of: the same, or below it at the same origin. Servers name their origin and
 * live at `/mcp`; an equal text only, as RFC 9728 section 3.3 says, would refuse them.
 */
function isPartOf(server: string, resource: string): boolean {
  if (resource === server) return true
  if (!URL.canParse(resource)) return false
  const whole = new URL(resource)
  const part = new URL(server)
  const isPlain = !/[?#]/.test(resource) && whole.username === '' && whole.password === ''
  if (!isPlain || whole.origin !== part.origin) return false
  return `${part.pathname}/`.startsWith(whole.pathname.replace(/\/?$/, '/'))
}

/** Some write a bare origin with a slash at its end, some without; both are one URL. */
function isSameIssuer(listed: string, issuer: string): boolean {
  return listed === issuer || (URL.canParse(listed) && new URL(listed).href === new URL(issuer).href)
}
