import { checkOptions, numberBetween, oneOrMany } from '../core/options.ts'
import type { ClaimRules } from './claims.ts'
import { accessTokenTypes, defaultTypes, type HeaderRules } from './header.ts'

/** The claims of a token: frozen, without prototype. */
export type Claims = Readonly<Record<string, unknown>>

/** What `jwtVerifier` asks of a token beyond signature, issuer, audience and time; each rule stands alone. */
export interface JwtRuleOptions {
  /** `rfc9068`: `typ` must be `at+jwt`, and `iss`, `exp`, `aud`, `sub`, `client_id`, `iat` and `jti` must be there (RFC 9068 section 4). Default: none. */
  readonly profile?: 'rfc9068'
  /** Seconds since `iat` after which a token is too old, whatever its `exp` says; `iat` is required then. Default: no such limit. */
  readonly maxTokenAge?: number
  /** Also take tokens without `exp`: they work until the key is replaced. Default: false. */
  readonly allowMissingExp?: boolean
  /** Values of the `typ` header to take instead of none, `JWT` and `at+jwt`; upper and lower case count the same. Tokens without `typ` are refused then. */
  readonly types?: string | readonly string[]
  /**
   * Where the scopes are, instead of `scope` and `scp`: `permissions`, `roles`, something nested. Returns a text with
   * spaces between, or a list; `undefined` for no scopes. Anything else refuses the token; what it throws is a bug, answered with 500.
   */
  readonly scopesFrom?: (claims: Claims) => unknown
  /**
   * A last word on a token that is good otherwise, such as the tenant it must come from. Returns `true` to let it pass
   * and `false` to refuse it; it cannot make a bad token good. Called on every use of the token.
   */
  readonly validate?: (claims: Claims) => boolean
}

/** The hook, as it is called. */
export type Validate = (claims: Claims) => boolean

const known = [
  'profile',
  'maxTokenAge',
  'allowMissingExp',
  'types',
  'scopesFrom',
  'validate',
] as const satisfies readonly (keyof JwtRuleOptions)[]

/** The rules, checked and copied. */
export interface Rules
  extends Pick<ClaimRules, 'allowMissingExp' | 'maxTokenAge' | 'required' | 'scopesFrom'> {
  readonly types: HeaderRules['types']
  readonly validate: Validate | undefined
}

/** @throws TypeError naming the rule that is unknown or of the wrong type */
export function readRules(options: JwtRuleOptions = {}): Rules {
  checkOptions('rules', options, known)
  for (const name of known) {
    // A variable that was not set must not switch a check off.
    if (name in options && options[name] === undefined) {
      throw new TypeError(`rules.${name} is undefined; leave it out if it is not meant`)
    }
  }
  const { profile, allowMissingExp = false, maxTokenAge, scopesFrom, validate } = options
  if (profile !== undefined && profile !== 'rfc9068') throw new TypeError("rules.profile must be 'rfc9068'")
  if (typeof allowMissingExp !== 'boolean') throw new TypeError('rules.allowMissingExp must be true or false')
  for (const [name, value] of Object.entries({ scopesFrom, validate })) {
    if (value !== undefined && typeof value !== 'function') {
      throw new TypeError(`rules.${name} must be a function of the claims`)
    }
  }
  const isProfiled = profile === 'rfc9068'
  if (isProfiled && allowMissingExp)
    throw new TypeError('rules.profile and rules.allowMissingExp exclude each other')
  return {
    types: typesOf(options.types, isProfiled),
    required: isProfiled ? profileClaims : [],
    allowMissingExp,
    maxTokenAge:
      maxTokenAge === undefined ? undefined : numberBetween('rules.maxTokenAge', maxTokenAge, 1, 315_360_000),
    scopesFrom,
    validate: validate && strict(validate),
  }
}

/** RFC 9068 section 2.2. */
const profileClaims = ['iss', 'exp', 'aud', 'sub', 'client_id', 'iat', 'jti']

function typesOf(value: unknown, isProfiled: boolean): HeaderRules['types'] {
  const types = oneOrMany('rules.types', value)
  if (types === undefined) return isProfiled ? accessTokenTypes : defaultTypes
  if (isProfiled)
    throw new TypeError('rules.profile and rules.types exclude each other: the profile says at+jwt')
  // RFC 7515 section 4.1.9: `application/` may be left out.
  const names = types.map((type) => type.toLowerCase().replace(/^application\//, ''))
  return new Set(names.flatMap((name) => [name, `application/${name}`]))
}

/** A promise is no `false`, and would let everything pass. */
function strict(validate: Validate): Validate {
  return (claims) => {
    const answer: unknown = validate(claims)
    if (typeof answer === 'boolean') return answer
    throw new TypeError('rules.validate must return true or false, at once')
  }
}
