import { AccessToken, frozenClaims } from '../core/access-token.ts'
import { maxTokenLength } from '../core/authorization.ts'
import { checkOptions, numberBetween, oneOrMany } from '../core/options.ts'
import { scopeList } from '../core/scopes.ts'
import type { CompleteTokenVerifier } from '../core/verifier.ts'
import { cachedInside } from './cached.ts'
import { type ClaimRules, judgeClaims } from './claims.ts'
import type { ClientAuthentication } from './client-authentication.ts'
import { type Place, statedPlace } from './discovery.ts'
import { type Environment, readEnvironment, type VerifierEnvironment } from './environment.ts'
import { type Decider, granted, type Inside, type Outcome, verifierFrom } from './inside.ts'
import { type IntrospectionEndpoint, introspectionEndpoint } from './introspection-endpoint.ts'
import { own } from './json.ts'
import { claimsCompare } from './jwt-compare.ts'
import { warnOfOpenAudience } from './jwt-options.ts'
import { type Comparison, refusalReporter } from './report.ts'

/** Where an authorization server is asked about tokens, and what a good answer is. */
export interface IntrospectionVerifierOptions {
  /** The introspection endpoint; https, or http on this machine. */
  readonly endpoint: string | URL
  /** How this server says who it is: `clientSecretBasic`, `clientSecretPost`, `privateKeyJwt` or `bearerToken` of this package. */
  readonly client: ClientAuthentication
  /** This server's own names in `aud`, compared exactly. An answer without `aud` is refused, unless `allowMissingAudience`. Left out, tokens for other services pass, and a warning says so. */
  readonly audience?: string | readonly string[]
  /** The authorization server answers only about tokens for this server: take an answer without `aud`. Default: false. */
  readonly allowMissingAudience?: boolean
  /** Accepted values of `iss`, compared exactly; with a single one an answer may leave it out. Default: what the answer says is taken, it comes from the endpoint itself. */
  readonly issuer?: string | readonly string[]
  /** Scopes every token must carry. A good token without them is `insufficient_scope`, 403. Default: none. */
  readonly requiredScopes?: readonly string[]
  /** Seconds by which clocks may disagree, 0 to 300. Default: 60. */
  readonly clockSkew?: number
  /** Seconds a good answer is remembered, never past its `exp`: how late a revocation is noticed. 1 to 60. Default: 30. With `rememberTokens: 0` none is. */
  readonly maxAge?: number
  /** Which tokens to ask about, for `anyOf`: `opaque` ones, or `all`, JWTs too. Default: `opaque`. */
  readonly tokens?: 'opaque' | 'all'
}

const known = [
  'endpoint',
  'client',
  'audience',
  'allowMissingAudience',
  'issuer',
  'requiredScopes',
  'clockSkew',
  'maxAge',
  'tokens',
] as const satisfies readonly (keyof IntrospectionVerifierOptions)[]

/** Seconds a refusal is remembered. */
const maxAgeOfRefusals = 5

/**
 * Asks the authorization server about each token (RFC 7662): for opaque tokens, or where a revocation must be noticed
 * at once. What it answers is held against the same rules as the claims of a JWT. Answers are remembered by the digest
 * of the token for a short time; parallel requests with one token ask once.
 *
 * While the authorization server cannot be asked, callers get `verifier_unavailable`, and it is left alone for a second
 * up to a minute. Whether it is down, a question about a token of our own decides: a caller may know a token it
 * stumbles over, and must not be able to shut out everybody else with it. A token it does not know is "not active" to
 * the server, and no error (RFC 7662 section 2.2).
 *
 * @param options where to ask, and what a good answer is
 * @param environment clock, logger, fetch, and what is told of verdicts
 * @throws TypeError when made, naming the option that is wrong
 * @throws AuthError from `verifyToken`: `verifier_unavailable` when the authorization server cannot be asked or does
 *   not know this server, `insufficient_scope` when a good token lacks `requiredScopes`
 *
 * @example
 * ```ts
 * import { clientSecretBasic, introspectionVerifier } from 'mcp-bearer/verify'
 *
 * const verifier = introspectionVerifier({
 *   endpoint: 'https://idp.example.com/introspect',
 *   client: clientSecretBasic('my-mcp-server', process.env.IDP_SECRET ?? ''),
 *   audience: 'https://mcp.example.com/mcp',
 * })
 * await verifier.verifyToken('2YotnFZFEjr1zCsicMWpAA')
 * ```
 */
export function introspectionVerifier(
  options: IntrospectionVerifierOptions,
  environment: VerifierEnvironment = {},
): CompleteTokenVerifier {
  const world = readEnvironment('introspectionVerifier', environment)
  const settings = readSettings(options, world)
  const { requiredScopes, tokens, issuers } = settings
  const endpoint = introspectionEndpoint(settings.place, settings.client, world)
  return verifierFrom(introspectionInside(settings, world, endpoint.ask), {
    requiredScopes,
    ...(issuers && { authorizationServers: issuers }),
    recognizes: (token) => tokens === 'all' || !looksLikeJwt(token),
    close: endpoint.close,
  })
}

/** Three parts, the first of which begins as `{` does in base64url: a JWT, also one that was damaged on its way. */
function looksLikeJwt(token: string): boolean {
  return /^e[yw][^.]*\.[^.]*\.[^.]*$/.test(token)
}

interface Settings {
  readonly place: Place
  readonly client: ClientAuthentication
  readonly rules: ClaimRules
  readonly issuers: readonly string[] | undefined
  readonly requiredScopes: readonly string[]
  readonly maxAge: number
  readonly tokens: 'opaque' | 'all'
}

function readSettings(options: IntrospectionVerifierOptions, world: Environment): Settings {
  checkOptions('introspectionVerifier', options, known)
  for (const name of ['issuer', 'audience', 'requiredScopes'] as const) {
    // A variable that was not set must not switch a check off.
    if (name in options && options[name] === undefined) {
      throw new TypeError(`${name} is undefined; leave it out if it is not to be checked`)
    }
  }
  const { client, allowMissingAudience = false, requiredScopes = [], clockSkew = 60 } = options
  const { maxAge = 30, tokens = 'opaque' } = options
  if (typeof client !== 'function') {
    throw new TypeError(
      'client must be made by clientSecretBasic, clientSecretPost, privateKeyJwt or bearerToken',
    )
  }
  if (typeof allowMissingAudience !== 'boolean') {
    throw new TypeError('allowMissingAudience must be true or false')
  }
  if (tokens !== 'opaque' && tokens !== 'all') throw new TypeError("tokens must be 'opaque' or 'all'")
  const issuers = oneOrMany('issuer', options.issuer)
  const audiences = oneOrMany('audience', options.audience)
  const rules: ClaimRules = {
    issuers: issuers && new Set(issuers),
    audiences: audiences && new Set(audiences),
    clockSkew: numberBetween('clockSkew', clockSkew, 0, 300),
    // RFC 7662 section 2.2: all members but `active` are optional.
    allowMissingExp: true,
    allowMissingAudience,
    // With several issuers nobody could tell whose `sub` it is.
    allowMissingIssuer: issuers === undefined || issuers.length === 1,
    required: [],
    maxTokenAge: undefined,
    scopesFrom: undefined,
  }
  if (audiences === undefined) warnOfOpenAudience(world.log)
  return {
    place: statedPlace('endpoint', options.endpoint, world),
    client,
    rules,
    issuers,
    requiredScopes: scopeList('requiredScopes', requiredScopes),
    maxAge: numberBetween('maxAge', maxAge, 1, 60),
    tokens,
  }
}

function introspectionInside(settings: Settings, world: Environment, ask: Ask): Inside {
  const { rememberTokens, onEvent: sink } = world
  const { requiredScopes, maxAge } = settings
  const report = refusalReporter(world)
  const decider: Decider = { method: 'introspection', report, sink, requiredScopes }
  const limits = {
    maxAge: rememberTokens === 0 ? 0 : maxAge,
    maxAgeOfRefusals,
    maxEntries: Math.max(1, rememberTokens),
  }
  const remembered = cachedInside(asking(settings, world, decider, ask), undefined, limits, world)
  return {
    judge(token, call) {
      // Also for what is refused here, and for outages.
      call.decider = decider
      if (typeof token !== 'string' || token === '') return 'malformed'
      return token.length > maxTokenLength ? 'too_long' : remembered.judge(token, call)
    },
  }
}

type Ask = IntrospectionEndpoint['ask']

/** The verdict on one token, asked anew each time. */
function asking(
  { rules, issuers, place }: Settings,
  { clock }: Environment,
  decider: Decider,
  ask: Ask,
): Inside {
  const compare = claimsCompare(rules, clock)
  return {
    async judge(token, call): Promise<Outcome> {
      call.decider = decider
      const answer = await ask(token)
      // RFC 7662 section 2.2: a boolean; nothing else that looks true counts.
      if (own(answer, 'active') !== true) return 'inactive'
      if (!isAccessToken(own(answer, 'token_type'))) return 'not_an_access_token'
      const claims = frozenClaims(answer)
      // A name for people instead of a subject (RFC 7662 section 2.2): two of them must not become one caller.
      const isUnnamed = own(claims, 'sub') === undefined && own(claims, 'username') !== undefined
      const judged = isUnnamed ? 'no_identity' : judgeClaims(claims, rules, clock() / 1000)
      if (typeof judged === 'string') {
        const comparison = cut(compare(judged, claims))
        call.decider = { ...decider, report: (reason, told) => decider.report?.(reason, told, comparison) }
        return judged
      }
      // The endpoint speaks for its issuer: without one, users of one client would be the same caller.
      const issuer = judged.issuer ?? issuers?.[0] ?? place.url.origin
      return granted(new AccessToken({ ...judged, issuer, token, claims }), call)
    },
  }
}

/** What was compared is remembered with the refusal, for a moment: not all that an answer can hold. */
function cut(comparison: Comparison): Comparison {
  const { found } = comparison
  return found === undefined ? comparison : { ...comparison, found: found.slice(0, 500) }
}

/** RFC 6749 section 7.1; some servers say what RFC 8693 section 3 calls it. */
const accessTokenTypes: ReadonlySet<unknown> = new Set(['bearer', 'access_token'])

function isAccessToken(type: unknown): boolean {
  return type === undefined || (typeof type === 'string' && accessTokenTypes.has(type.toLowerCase()))
}
