import { AccessToken, frozenClaims } from '../core/access-token.ts'
import { stopwatch } from '../core/clock.ts'
import { AuthError } from '../core/errors.ts'
import type { LogEntry } from '../core/log.ts'
import { checkOptions, numberBetween, oneOrMany } from '../core/options.ts'
import { redact } from '../core/redact.ts'
import { scopeList } from '../core/scopes.ts'
import type { CompleteTokenVerifier } from '../core/verifier.ts'
import { type BackOff, backOff } from './back-off.ts'
import { cachedInside } from './cached.ts'
import { type ClaimRules, judgeClaims } from './claims.ts'
import type { ClientAuthentication } from './client-authentication.ts'
import { readUnverified } from './compact.ts'
import { type Place, statedPlace } from './discovery.ts'
import { type Environment, readEnvironment, type VerifierEnvironment } from './environment.ts'
import { fetchJson, StatusError } from './fetch-json.ts'
import { type Decider, granted, type Inside, type Outcome, verifierFrom } from './inside.ts'
import { isObject, type JsonObject, own } from './json.ts'
import { warnOfOpenAudience } from './jwt-options.ts'
import { refusalReporter } from './report.ts'

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
  /** Accepted values of `iss`, compared exactly. Default: what the answer says is taken, it comes from the endpoint itself. */
  readonly issuer?: string | readonly string[]
  /** Scopes every token must carry. A good token without them is `insufficient_scope`, 403. Default: none. */
  readonly requiredScopes?: readonly string[]
  /** Seconds by which clocks may disagree, 0 to 300. Default: 60. */
  readonly clockSkew?: number
  /** Seconds a good answer is remembered, never past its `exp`: how late a revocation is noticed. 1 to 60. Default: 30. */
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
  const { requiredScopes, maxAge, tokens, issuers } = settings
  const closing = new AbortController()
  const within = introspectionInside(settings, world, closing.signal)
  const limits = { maxAge, maxAgeOfRefusals, maxEntries: Math.max(1, world.rememberTokens) }
  return verifierFrom(cachedInside(within, undefined, limits, world), {
    requiredScopes,
    ...(issuers && { authorizationServers: issuers }),
    recognizes: (token) => tokens === 'all' || readUnverified(token) === undefined,
    close: () => closing.abort(),
  })
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
    allowMissingIssuer: true,
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

/** The verdict on one token, asked anew each time. */
function introspectionInside(settings: Settings, world: Environment, signal: AbortSignal): Inside {
  const { rules, requiredScopes, issuers, place } = settings
  const { clock, onEvent } = world
  const ask = asker(settings, world, signal)
  const decider: Decider = {
    method: 'introspection',
    report: refusalReporter(world),
    sink: onEvent,
    requiredScopes,
  }
  return {
    async judge(token, call): Promise<Outcome> {
      call.decider = decider
      const answer = await ask(token)
      // RFC 7662 section 2.2: a boolean; nothing else that looks true counts.
      if (own(answer, 'active') !== true) return 'inactive'
      if (!isAccessToken(own(answer, 'token_type'))) return 'not_an_access_token'
      const claims = frozenClaims(answer)
      const judged = judgeClaims(claims, rules, clock() / 1000)
      if (typeof judged === 'string') return judged
      // The endpoint speaks for its issuer: without one, users of one client would be the same caller.
      const issuer = judged.issuer ?? (issuers?.length === 1 ? issuers[0] : place.url.origin)
      return granted(new AccessToken({ ...judged, issuer, token, clockSkew: rules.clockSkew, claims }), call)
    },
  }
}

/** RFC 6749 section 7.1; some servers say what RFC 8693 section 3 calls it. */
const accessTokenTypes: ReadonlySet<unknown> = new Set(['bearer', 'access_token'])

function isAccessToken(type: unknown): boolean {
  return type === undefined || (typeof type === 'string' && accessTokenTypes.has(type.toLowerCase()))
}

/** Failures in a row before the endpoint is left alone: one odd token must not shut everybody out. */
const patience = 3

/** Puts the question. @throws AuthError `verifier_unavailable` unless there is an answer */
function asker(
  { place: { url, fetch }, client }: Settings,
  { clock, log, onEvent }: Environment,
  signal: AbortSignal,
): (token: string) => Promise<JsonObject> {
  const pause = backOff(clock, patience)

  return async (token) => {
    if (pause.wait() > 0) throw unavailable(pause, undefined)
    const started = stopwatch()
    const tell = (result: 'active' | 'inactive' | 'failed') =>
      onEvent?.({ type: 'introspection', result, seconds: (stopwatch() - started) / 1000 })
    try {
      const headers: Record<string, string> = {}
      const form = new URLSearchParams({ token, token_type_hint: 'access_token' })
      await client({ endpoint: url, headers, form, clock })
      const { json } = await fetchJson(url, fetch, { form, headers, signal })
      if (!isObject(json)) throw new Error('the answer is no JSON object')
      pause.succeeded()
      tell(own(json, 'active') === true ? 'active' : 'inactive')
      return json
    } catch (error) {
      tell('failed')
      pause.failed(error)
      if (pause.failures === 1) log(outage(url, error))
      throw unavailable(pause, error)
    }
  }
}

function unavailable(pause: BackOff, cause: unknown): AuthError {
  return new AuthError(
    'verifier_unavailable',
    'The authorization server cannot be asked about tokens right now',
    {
      retryAfter: Math.max(1, Math.ceil(pause.wait() / 1000)),
      ...(cause !== undefined && { cause }),
    },
  )
}

function outage(url: URL, error: unknown): LogEntry {
  // RFC 6749 section 5.2 and RFC 7662 section 2.3: whatever of the kind it is, it is about this server and not the token.
  const isOurs = error instanceof StatusError && error.status < 500 && error.status !== 429
  return {
    level: 'error',
    event: isOurs ? 'introspection_refused' : 'introspection_unavailable',
    message: isOurs
      ? 'The authorization server refuses this server: see the client option (id, secret or key, and how they are sent). Callers get 503'
      : 'The authorization server cannot be asked about tokens. Callers get 503 until it answers again',
    details: {
      url: `${url.origin}${url.pathname}`,
      reason: error instanceof Error ? redact(error.message) : 'unknown',
    },
  }
}
