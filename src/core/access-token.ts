import type { Clock } from './clock.ts'
import { numberBetween } from './options.ts'
import { redacted } from './redacted.ts'
import { sha256 } from './runtime.ts'
import { parseScopes } from './scopes.ts'

/** What a verifier knows of an accepted token. Only `token` is required; everything else has a default. */
export interface AccessTokenInit {
  /** The credential as it was presented. */
  readonly token: string
  /** The application that holds the token. Default: `client_id`, `azp`, `appid`, `cid` or `sub` of the claims, else derived from a digest of the token. */
  readonly clientId?: string | undefined
  /** The person or thing the token speaks for. Default: the `sub` claim. */
  readonly subject?: string | undefined
  /** Who issued the token. Default: the `iss` claim. */
  readonly issuer?: string | undefined
  /** Granted scopes. Default: none. */
  readonly scopes?: readonly string[] | undefined
  /** When the token stops working; a `Date`, or seconds since 1970 as in the `exp` claim. Default: never. */
  readonly expiresAt?: Date | number | undefined
  /** Seconds for which the token is still honoured after `expiresAt`, for clocks that disagree. Default: 0. */
  readonly clockSkew?: number | undefined
  /** Everything else that is known. Default: nothing. */
  readonly claims?: object | undefined
  /** The only tools the token may use; then it opens nothing else, no resource, prompt or route. Default: whatever its scopes allow. */
  readonly tools?: readonly string[] | undefined
}

/** What `util.inspect` and `console.log` ask an object for. */
const inspectCustom: unique symbol = Symbol.for('nodejs.util.inspect.custom')

/** Own member or `undefined`; a claim named `constructor` is no surprise then. */
function stringClaim(
  claims: Readonly<Record<string, unknown>>,
  ...names: readonly string[]
): string | undefined {
  for (const name of names) {
    const value = Object.hasOwn(claims, name) ? claims[name] : undefined
    if (typeof value === 'string' && value !== '') return value
  }
  return undefined
}

/**
 * All that is known of an access token but the token itself: checked and frozen once, and made into an
 * {@link AccessToken} on each use. For those who remember a verdict and must not keep the token.
 */
export class Grant implements Omit<AccessTokenInit, 'token'> {
  readonly clientId: string
  readonly subject: string | undefined
  readonly issuer: string | undefined
  readonly scopes: readonly string[]
  readonly claims: Readonly<Record<string, unknown>>
  readonly tools: readonly string[] | undefined
  /** Seconds since 1970. */
  readonly expiresAt: number | undefined
  /** Seconds. */
  readonly clockSkew: number
  /** Milliseconds since 1970, the skew granted. */
  readonly endsAt: number

  /**
   * @param token what the client id is derived from, where nothing names one
   * @throws TypeError when a member has the wrong type
   */
  constructor(init: Omit<AccessTokenInit, 'token'>, token: string) {
    this.expiresAt = secondsOf(init.expiresAt)
    this.clockSkew =
      init.clockSkew === undefined ? 0 : numberBetween('AccessToken: clockSkew', init.clockSkew, 0, 300)
    this.endsAt = ((this.expiresAt ?? Number.POSITIVE_INFINITY) + this.clockSkew) * 1000
    this.claims = frozenClaims(init.claims)
    this.scopes = frozenScopes(init.scopes)
    this.tools = frozenTools(init.tools)
    this.subject = optionalText('subject', init.subject) ?? stringClaim(this.claims, 'sub')
    this.issuer = optionalText('issuer', init.issuer) ?? stringClaim(this.claims, 'iss')
    this.clientId =
      optionalText('clientId', init.clientId) ??
      stringClaim(this.claims, 'client_id', 'azp', 'appid', 'cid') ??
      this.subject ??
      digestId(token)
    Object.freeze(this)
  }

  /** The access token, for somebody who presents it. Nothing is checked or copied again. */
  accessToken(token: string): AccessToken {
    return new AccessToken(new Presented(this, token))
  }
}

/** A token beside what is known of it already. */
class Presented implements Pick<AccessTokenInit, 'token'> {
  readonly grant: Grant
  readonly token: string

  constructor(grant: Grant, token: string) {
    this.grant = grant
    this.token = token
  }
}

/** The {@link Grant} of an access token. */
export let grantOf: (token: AccessToken) => Grant

/**
 * A verified access token: who calls, and what they may do. Frozen, `claims` deeply. The raw token can be read as
 * `token`, and only so: it is not enumerable, and `JSON.stringify`, `util.inspect`, spread and string conversion do
 * not show it.
 *
 * @example
 * ```ts
 * import { AccessToken } from 'mcp-bearer/server'
 *
 * new AccessToken({ token: 'sk-abc123', claims: { email: 'alice@example.com' }, scopes: ['read'] })
 * ```
 */
export class AccessToken implements AccessTokenInit {
  readonly #token: string
  readonly #grant: Grant
  readonly clientId: string
  declare readonly subject?: string
  declare readonly issuer?: string
  readonly scopes: readonly string[]
  readonly claims: Readonly<Record<string, unknown>>
  /** The only tools it may use, and nothing else, when it is bound to some. */
  declare readonly tools?: readonly string[]

  static {
    grantOf = (token) => token.#grant
  }

  /** @throws TypeError when a member has the wrong type; the message names it and never shows the token */
  constructor(init: AccessTokenInit) {
    const { grant, token } = init instanceof Presented ? init : present(init)
    const { subject, issuer, tools } = grant
    this.#token = token
    this.#grant = grant
    this.clientId = grant.clientId
    this.scopes = grant.scopes
    this.claims = grant.claims
    if (subject !== undefined) this.subject = subject
    if (issuer !== undefined) this.issuer = issuer
    if (tools !== undefined) this.tools = tools
    Object.freeze(this)
  }

  /** The credential as it was presented. Never write it anywhere. */
  get token(): string {
    return this.#token
  }

  /** When the token stops working; `undefined` when it does not expire. A fresh `Date` each time: changing it changes nothing. */
  get expiresAt(): Date | undefined {
    const { expiresAt } = this.#grant
    return expiresAt === undefined ? undefined : new Date(expiresAt * 1000)
  }

  /** Whether the token is over at the time `now` (milliseconds since 1970), the verifier's clock skew granted. */
  isExpired(now: number): boolean {
    // Written so that a clock that says NaN refuses: no comparison with it is true.
    return !(now < this.#grant.endsAt)
  }

  /** What may be shown: everything but the token. */
  toJSON(): Record<string, unknown> {
    const { clientId, subject, issuer, scopes, expiresAt, claims, tools } = this
    const shown = { token: redacted, clientId, subject, issuer, scopes, expiresAt, claims }
    return tools === undefined ? shown : { ...shown, tools }
  }

  toString(): string {
    return `AccessToken(${this.clientId}, token ${redacted})`
  }

  [inspectCustom](_depth: unknown, options: unknown, inspect: unknown): unknown {
    const shown = this.toJSON()
    return typeof inspect === 'function' ? `AccessToken ${inspect(shown, options)}` : shown
  }
}

/**
 * Who a request belongs to: `iss` and `sub` (RFC 7519 section 4.1.2: `sub` is unique only within its issuer), else the
 * client, and of one client each subject by itself. Never the token, which rotates. The parts are encoded so that no two
 * of these look alike.
 */
export function principalOf({ issuer, subject, clientId }: AccessToken): string {
  return issuer !== undefined && subject !== undefined
    ? JSON.stringify(['sub', issuer, subject])
    : JSON.stringify(['client', clientId, issuer ?? null, subject ?? null])
}

/**
 * Completes what a verifier returned. `null`, `undefined` and `false` refuse, and so does an expired `expiresAt`.
 *
 * @throws TypeError when the result is anything else: a bug of the verifier, to be answered with 500
 */
export function completeVerdict(verdict: unknown, clock: Clock): AccessToken | null {
  if (verdict === null || verdict === undefined || verdict === false) return null
  const token = verdict instanceof AccessToken ? verdict : new AccessToken(verdict as AccessTokenInit)
  return token.isExpired(clock()) ? null : token
}

function present(init: AccessTokenInit): Presented {
  if (typeof init !== 'object' || init === null || Array.isArray(init)) {
    throw new TypeError('AccessToken: expected an object { token, … }')
  }
  if ('expires_at' in init || 'exp' in init || 'client_id' in init || 'scope' in init) refuseOtherNames(init)
  const token = text('token', init.token)
  return new Presented(new Grant(init, token), token)
}

/** Two credentials never share a principal by default, and the token cannot be read back from its digest. */
function digestId(token: string): string {
  const digest = sha256(token)
  if (digest === undefined) {
    throw new TypeError('AccessToken: give clientId; without node:crypto none can be derived from the token')
  }
  return `token-${digest.slice(0, 32)}`
}

/** What others call the members. Dropped silently, an `expires_at` would be a token that never expires. */
function refuseOtherNames(init: object): never {
  const others = { expires_at: 'expiresAt', exp: 'expiresAt', client_id: 'clientId', scope: 'scopes' }
  const [name, ours] = Object.entries(others).find(([other]) => other in init)!
  throw new TypeError(`AccessToken: there is no ${name}; it is called ${ours}`)
}

function text(name: string, value: unknown): string {
  if (typeof value === 'string' && value !== '') return value
  throw new TypeError(`AccessToken: ${name} must be a non-empty string`)
}

function optionalText(name: string, value: unknown): string | undefined {
  return value === undefined ? undefined : text(name, value)
}

function frozenScopes(scopes: unknown): readonly string[] {
  if (scopes === undefined) return noScopes
  if (!Array.isArray(scopes)) throw new TypeError('AccessToken: scopes must be a list of strings')
  const list = Array.from(scopes)
  if (!list.every((scope) => typeof scope === 'string')) {
    throw new TypeError('AccessToken: scopes must be a list of strings')
  }
  // One text may hold several; most lists are as they should be.
  const single = list.some((scope) => scope === '' || scope.includes(' ')) ? list.flatMap(parseScopes) : list
  const unique = new Set(single)
  return Object.freeze(unique.size === single.length ? single : [...unique])
}

function frozenTools(tools: unknown): readonly string[] | undefined {
  if (tools === undefined) return undefined
  const list: readonly unknown[] = Array.isArray(tools) ? Array.from(tools) : [undefined]
  if (!list.every((name) => typeof name === 'string')) {
    throw new TypeError('AccessToken: tools must be a list of names')
  }
  return Object.freeze(list as string[])
}

/**
 * A deep copy of claims that nobody can change.
 * @throws TypeError when they are no object, hold functions, or are nested too deeply
 */
export function frozenClaims(claims: unknown): Readonly<Record<string, unknown>> {
  if (claims === undefined) return noClaims
  if (typeof claims !== 'object' || claims === null || Array.isArray(claims)) {
    throw new TypeError('AccessToken: claims must be an object')
  }
  return frozenCopy(claims, 0) as Readonly<Record<string, unknown>>
}

const noScopes: readonly string[] = Object.freeze([])

const noClaims: Readonly<Record<string, unknown>> = Object.freeze(
  Object.create(null) as Record<string, unknown>,
)

/** Seconds beyond this are milliseconds by mistake: 9999-12-31T23:59:59Z. */
const lastSecond = 253_402_300_799

/** Seconds since 1970. */
function secondsOf(expiresAt: unknown): number | undefined {
  if (expiresAt === undefined) return undefined
  const value = expiresAt instanceof Date ? expiresAt.getTime() / 1000 : expiresAt
  if (typeof value !== 'number' || !Number.isFinite(value) || value > lastSecond) {
    throw new TypeError('AccessToken: expiresAt must be a Date, or seconds since 1970')
  }
  return value
}

/** Objects within objects: more than any issuer writes, and far less than the stack holds. */
const maxDepth = 100

/**
 * A copy nobody can change: the caller's own record stays as it is, and no handler can rewrite who calls. Without
 * prototypes, so that a claim named `__proto__` or `constructor` is a claim like any other (CWE-1321).
 */
function frozenCopy(value: object, depth: number): unknown {
  if (depth === maxDepth) {
    throw new TypeError('AccessToken: claims are nested too deeply, or contain themselves')
  }
  if (Array.isArray(value)) return Object.freeze([...value].map((item) => copyOf(item, depth)))
  if (value instanceof Date) return dateText(value)
  // Not Object.create(null): V8 makes a hash table of it, three times as slow to fill and nearly twice as big.
  const copy = Object.setPrototypeOf({}, null) as Record<string, unknown>
  const source = value as Readonly<Record<string, unknown>>
  for (const name of Object.keys(source)) copy[name] = copyOf(source[name], depth)
  return Object.freeze(copy)
}

function copyOf(value: unknown, depth: number): unknown {
  if (typeof value === 'object' && value !== null) return frozenCopy(value, depth + 1)
  if (typeof value === 'function' || typeof value === 'symbol') {
    throw new TypeError('AccessToken: claims must hold data, not functions')
  }
  return value
}

function dateText(date: Date): string {
  if (Number.isNaN(date.getTime())) throw new TypeError('AccessToken: claims hold an invalid Date')
  return date.toISOString()
}
