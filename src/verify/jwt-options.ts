import type { Logger } from '../core/log.ts'
import { checkOptions, numberBetween, oneOrMany } from '../core/options.ts'
import { scopeList } from '../core/scopes.ts'
import { type JwsAlgorithm, readAlgorithms } from './algorithms.ts'
import type { ClaimRules } from './claims.ts'
import { discoveredKeys, statedKeys } from './discovery.ts'
import type { Environment } from './environment.ts'
import type { HeaderRules } from './header.ts'
import { remoteKeySet } from './jwks.ts'
import { type JwtRuleOptions, readRules, type Validate } from './jwt-rules.ts'
import { type KeySource, singleKey } from './key-set.ts'
import { importPublicKey, importSecret, type PublicJwk } from './keys.ts'

/** What a good JWT is. Exactly one of `publicKey`, `jwksUri` and `secret`; everything else has a default. */
export interface JwtVerifierOptions {
  /** The issuer's public key: PEM (SPKI), or a JWK as object or JSON text. RSA of 2048 bits or more, EC, Ed25519. */
  readonly publicKey?: string | PublicJwk
  /**
   * URL of the issuer's JSON Web Key Set; https, or http on this machine. Or `'discover'`: it is read from the metadata
   * of `issuer` (RFC 8414, OpenID Connect Discovery). Nothing is fetched before the first token arrives.
   */
  readonly jwksUri?: 'discover' | string | URL
  /** Shared secret for HMAC, at least as long as the hash (32, 48 or 64 bytes). Only with `algorithms` naming HS256, HS384 or HS512. */
  readonly secret?: string | Uint8Array
  /** Accepted values of `iss`, compared exactly. Left out, any issuer passes, and a warning says so. */
  readonly issuer?: string | readonly string[]
  /** The one accepted algorithm. Default: `RS256`. */
  readonly algorithm?: JwsAlgorithm
  /** The accepted algorithms, instead of `algorithm`. */
  readonly algorithms?: readonly JwsAlgorithm[]
  /** This server's own names in `aud`, compared exactly; one is enough. Left out, tokens for other services pass, and a warning says so. */
  readonly audience?: string | readonly string[]
  /** Scopes every token must carry. A good token without them is `insufficient_scope`, 403. Default: none. */
  readonly requiredScopes?: readonly string[]
  /** Seconds by which clocks may disagree, 0 to 300. Default: 60. */
  readonly clockSkew?: number
  /** Stricter or looser than the default, rule by rule. */
  readonly rules?: JwtRuleOptions
}

/** The names of all options. */
export const jwtOptionNames = [
  'publicKey',
  'jwksUri',
  'secret',
  'issuer',
  'algorithm',
  'algorithms',
  'audience',
  'requiredScopes',
  'clockSkew',
  'rules',
] as const satisfies readonly (keyof JwtVerifierOptions)[]

/** Options that say where keys come from. */
export const keyOptionNames = ['publicKey', 'jwksUri', 'secret'] as const

/** The options, checked and copied. */
export interface JwtSettings {
  readonly header: HeaderRules
  readonly keys: KeySource
  readonly rules: ClaimRules
  readonly validate: Validate | undefined
  readonly issuers: readonly string[] | undefined
  readonly requiredScopes: readonly string[]
  readonly authorizationServers: readonly string[] | undefined
}

/** @throws TypeError naming the option that is unknown, missing, contradictory or of the wrong type */
export function readJwtOptions(options: JwtVerifierOptions, environment: Environment): JwtSettings {
  checkOptions('jwtVerifier', options, jwtOptionNames)
  const { algorithm, clockSkew = 60, requiredScopes = [] } = options
  if (algorithm !== undefined && options.algorithms !== undefined) {
    throw new TypeError('algorithm and algorithms say the same; give one of them')
  }
  const algorithms =
    algorithm === undefined
      ? readAlgorithms('algorithms', options.algorithms)
      : readAlgorithms('algorithm', algorithm)
  const { types, validate, ...rules } = readRules(options.rules)
  for (const name of ['issuer', 'audience', 'requiredScopes'] as const) {
    // A variable that was not set must not switch a check off.
    if (name in options && options[name] === undefined) {
      throw new TypeError(`${name} is undefined; leave it out if it is not to be checked`)
    }
  }
  const issuers = oneOrMany('issuer', options.issuer)
  const audiences = oneOrMany('audience', options.audience)
  const settings: JwtSettings = {
    header: { algorithms, types },
    rules: {
      ...rules,
      issuers: issuers && new Set(issuers),
      audiences: audiences && new Set(audiences),
      clockSkew: numberBetween('clockSkew', clockSkew, 0, 300),
    },
    validate,
    issuers,
    requiredScopes: scopeList('requiredScopes', requiredScopes),
    authorizationServers: options.jwksUri === undefined ? undefined : issuers,
    keys: readKeySource(options, algorithms, issuers, environment),
  }
  warnOfOpenChecks(settings.rules, environment.log)
  return settings
}

function readKeySource(
  options: JwtVerifierOptions,
  algorithms: ReadonlySet<JwsAlgorithm>,
  issuers: readonly string[] | undefined,
  environment: Environment,
): KeySource {
  const given = keyOptionNames.filter((name) => options[name] !== undefined)
  if (given.length === 0) throw new TypeError('publicKey or jwksUri is missing: no key, no check')
  if (given.length > 1) throw new TypeError(`${given.join(' and ')} exclude each other; give one of them`)
  const symmetric = [...algorithms].some((name) => name.startsWith('HS'))
  if (symmetric !== (given[0] === 'secret')) {
    throw new TypeError(
      symmetric
        ? `HS algorithms need secret, and never work with ${given[0]}: what is public must not sign`
        : 'secret needs algorithms to name HS256, HS384 or HS512',
    )
  }
  if (options.secret !== undefined) return singleKey(importSecret(options.secret, algorithms))
  if (options.publicKey !== undefined) return singleKey(importPublicKey(options.publicKey, algorithms))
  const place =
    options.jwksUri === 'discover'
      ? discoveredKeys(issuers, environment)
      : statedKeys(options.jwksUri, environment)
  return remoteKeySet(place, algorithms, environment)
}

/** MCP authorization, "Access Token Privilege Restriction": allowed, and worth a word. */
function warnOfOpenChecks({ issuers, audiences }: ClaimRules, log: Logger): void {
  if (audiences === undefined) warnOfOpenAudience(log)
  if (issuers === undefined) {
    log({
      level: 'warn',
      event: 'issuer_unchecked',
      message: 'The iss claim is not compared with anything. Set issuer to the value the tokens carry',
    })
  }
}

/** Says, when a verifier is made, that `aud` is not compared. */
export function warnOfOpenAudience(log: Logger): void {
  log({
    level: 'warn',
    event: 'audience_unchecked',
    message:
      'Tokens the issuer made for other services, ID tokens among them, are accepted. Set audience to the name of this server in the aud claim, usually its URL',
  })
}
