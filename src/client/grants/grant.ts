import { AuthError, type Clock, isScopeToken } from '../../core/index.ts'
import { readText } from '../../verify/client-authentication.ts'
import { readUnverified } from '../../verify/compact.ts'
import { own } from '../../verify/json.ts'
import { foreignWords } from '../fetch/foreign-error.ts'
import type { StoredTokens } from '../stores/token-store.ts'
import type { DpopProver, TokenSource } from '../token-source.ts'
import { authorizationServer } from './authorization-server.ts'
import { type ClientIdentity, readClient, type TokenClient } from './client-identity.ts'
import { renewing, type TokenNeed } from './renewing.ts'
import { tokenTarget } from './resource-metadata.ts'
import type { TokenAnswer } from './token-answer.ts'
import { type TokenQuestion, tokenEndpoint } from './token-endpoint.ts'
import { readTokenEnvironment, type TokenSourceEnvironment, type TokenWorld } from './token-environment.ts'
import { noToken, printable } from './token-failure.ts'

/** The options all grants have. */
export interface GrantOptions {
  readonly issuer: string
  readonly tokenEndpoint?: string | undefined
  readonly client?: ClientIdentity | undefined
  readonly scopes?: readonly string[] | undefined
  readonly resource?: string | undefined
  readonly dpop?: DpopProver | undefined
}

/** Names of {@link GrantOptions}. */
export const grantOptions = ['issuer', 'tokenEndpoint', 'client', 'scopes', 'resource', 'dpop'] as const

/** A request to the token endpoint but for what all grants have in common. */
export type GrantRequest = Pick<TokenQuestion, 'fields' | 'grantProfile' | 'rotated'>

/** What a grant adds to {@link grantSource}. */
export interface Grant {
  /** For messages. */
  readonly label: string
  readonly type: string
  /** What to do after `invalid_grant`. */
  readonly remedy: string
  /** It may name scopes the MCP server lists when nobody asked for any. A refresh may not (RFC 6749 section 6). */
  readonly takesListedScopes: boolean
  /** See {@link TokenQuestion.isOnce}. */
  readonly isOnce?: boolean
  /** What tells its tokens from those of another user in a store; absent when nothing does, and they are not stored. */
  readonly identity?: () => Promise<string>
  readonly refreshes?: boolean
  /**
   * Gets the tokens.
   * @param ask sends the fields of the grant, and others with them
   */
  readonly acquire: (
    context: GrantContext,
    ask: (request: GrantRequest) => Promise<TokenAnswer>,
  ) => Promise<StoredTokens>
}

/** What a grant is told. */
export interface GrantContext {
  readonly need: TokenNeed
  readonly world: TokenWorld
  /** As the MCP server calls itself. */
  readonly resource: string
  /** To be asked for. */
  readonly scopes: readonly string[]
}

/**
 * A token source for a grant of OAuth: one issuer that the operator chose, checked against what the MCP server says
 * before any token is asked for, and all that {@link renewing} does.
 *
 * @throws TypeError naming the option that is missing or wrong; those of the grant itself were checked before
 */
export function grantSource(
  owner: string,
  options: GrantOptions,
  environment: TokenSourceEnvironment | undefined,
  grant: Grant,
): TokenSource {
  const world = readTokenEnvironment(owner, environment)
  const as = authorizationServer(owner, options, world)
  const client = clientOf(owner, options, as.issuer)
  const { scopes: own, resource: stated, dpop } = readCommon(owner, options)
  const endpoint = tokenEndpoint(as, client, world)
  const { identity, refreshes = false } = grant

  const acquire = async (need: TokenNeed): Promise<StoredTokens> => {
    const target = await tokenTarget(need, as.issuer, world)
    const resource = stated ?? target.resource
    // What the server asked for in a challenge goes before what it lists (MCP authorization "Scope Selection Strategy").
    const listed = grant.takesListedScopes && need.scopes.length === 0 ? target.scopes : []
    const scopes = [...need.scopes, ...listed]
    const ask = (request: GrantRequest) =>
      endpoint({
        server: need.server,
        grantType: grant.type,
        grantRemedy: grant.remedy,
        scopes,
        resource,
        dpop,
        isOnce: grant.isOnce,
        ...request,
      })
    const { accessToken, expiresAt, refreshToken, ...answer } = await grant.acquire(
      { need, world, resource, scopes },
      ask,
    )
    return { accessToken, expiresAt, refreshToken, scopes: answer.scopes ?? scopes }
  }
  return renewing({
    name: nameOf(grant.label, client, as.issuer),
    acquire,
    scopes: own,
    dpop,
    clock: world.clock,
    log: world.log,
    shelf: {
      store: identity && world.store,
      key: async () =>
        [grant.type, as.issuer, encodeURIComponent(client?.id ?? ''), (await identity?.()) ?? ''].join(' '),
      variant: [stated ?? '', [...own].sort().join('+')].join(' '),
      refreshes,
    },
  })
}

function nameOf(label: string, client: TokenClient | undefined, issuer: string): string {
  const who = client === undefined ? '' : ` of ${printable(client.id, [])}`
  return `the ${label}${who} at ${new URL(issuer).origin}`
}

function clientOf(owner: string, options: GrantOptions, issuer: string): TokenClient | undefined {
  return 'client' in options && options.client !== undefined
    ? readClient(`${owner}: client`, options.client, issuer)
    : undefined
}

interface Common {
  readonly scopes: readonly string[]
  readonly resource: string | undefined
  readonly dpop: DpopProver | undefined
}

function readCommon(owner: string, { scopes = [], resource, dpop }: GrantOptions): Common {
  const list: readonly unknown[] = Array.isArray(scopes) ? Array.from(scopes) : [undefined]
  if (!list.every((scope) => typeof scope === 'string' && isScopeToken(scope))) {
    throw new TypeError(
      `${owner}: scopes must be a list of scopes: printable ASCII without space, quote or backslash`,
    )
  }
  // RFC 8707 section 2: an absolute URI without fragment.
  const isResource = typeof resource === 'string' && URL.canParse(resource) && !resource.includes('#')
  if (resource !== undefined && !isResource) {
    throw new TypeError(`${owner}: resource must be an absolute URI without fragment`)
  }
  if (dpop !== undefined && (typeof dpop?.proof !== 'function' || typeof dpop.observe !== 'function')) {
    throw new TypeError(`${owner}: dpop must be a key made by dpopKey()`)
  }
  return { scopes: [...new Set(scopes)], resource, dpop }
}

/** @throws TypeError when the client is missing */
export function requireClient(owner: string, { client }: { readonly client?: unknown }): void {
  if (typeof client === 'object' && client !== null) return
  throw new TypeError(
    `${owner}: client is missing; give { id, secret }, { id, privateKey }, or { id } of a public client`,
  )
}

/** @throws TypeError naming the option that is no function */
export function requireFunction(option: string, value: unknown): void {
  if (typeof value !== 'function') throw new TypeError(`${option} must be a function`)
}

/** A type of a token, as RFC 8693 section 3 names them. @throws TypeError when it is no URI */
export function tokenTypeName(option: string, value: unknown): string {
  const name = readText(option, value)
  if (!URL.canParse(name)) throw new TypeError(`${option} must be a URI, as those of RFC 8693 section 3`)
  return name
}

/**
 * Asks a function of the operator's for a token: an assertion, a subject token. It is asked each time, so that it can
 * read its origin anew, and what has expired is not sent.
 *
 * @param what how messages call it
 * @throws AuthError `token_unavailable` that does not show what it gave
 */
export async function askedFrom(
  what: string,
  ask: () => string | Promise<string>,
  server: string,
  clock: Clock,
): Promise<string> {
  const given: unknown = await (async () => ask())().catch((error: unknown) => {
    if (error instanceof AuthError) throw error
    throw noToken(server, `the function ${what} failed: ${printable(foreignWords(error), [])}.`)
  })
  // Files end in a line break.
  const token = typeof given === 'string' ? given.trim() : ''
  if (!/^[\x21-\x7E]{1,65536}$/.test(token)) {
    throw noToken(server, `what the function ${what} gave is no token.`)
  }
  const expiry = expiryOf(token)
  if (expiry !== undefined && expiry <= clock()) {
    throw noToken(server, `what the function ${what} gave has expired. Let it give a fresh one.`)
  }
  return token
}

/** When a JWT expires, in milliseconds since 1970; `undefined` when it does not say, or is none. */
export function expiryOf(token: string): number | undefined {
  const claims = readUnverified(token)?.claims
  const seconds = claims && own(claims, 'exp')
  return typeof seconds === 'number' ? seconds * 1000 : undefined
}
