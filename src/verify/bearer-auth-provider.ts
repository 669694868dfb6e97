import type { AccessToken } from '../core/access-token.ts'
import { checkOptions } from '../core/options.ts'
import { scopeList } from '../core/scopes.ts'
import type { CompleteTokenVerifier, TokenVerifier, Verdict, VerifyContext } from '../core/verifier.ts'
import { readEnvironment, type VerifierEnvironment } from './environment.ts'
import { type Inside, inside, type TransparentVerifier } from './inside.ts'
import { jwtVerifier } from './jwt.ts'
import { type JwtVerifierOptions, jwtOptionNames, keyOptionNames } from './jwt-options.ts'

/** The options of {@link BearerAuthProvider}: those of `jwtVerifier`. */
export type BearerAuthProviderOptions = JwtVerifierOptions

/** Names that are no option: a misspelt one is a type error, also where the options are inferred. */
type NoOthers<Options> = { readonly [Name in Exclude<keyof Options, keyof BearerAuthProviderOptions>]: never }

/** Options that name a key. The options in general may or may not: they are not among these. */
type WithKey = Readonly<{ publicKey: unknown } | { jwksUri: unknown } | { secret: unknown }>

/**
 * What `verifyToken` answers. A provider made with a key checks JWTs and answers completely; the class as a base to
 * extend leaves the answer as open as {@link TokenVerifier} does.
 */
type Answer<Options> = [Options] extends [WithKey] ? AccessToken | null : Verdict

/**
 * Decides which bearer tokens are good. Two ways to use it:
 *
 * 1. Made with a key, it verifies JWTs as `jwtVerifier` does.
 * 2. Extended, with `verifyToken` overridden, it is whatever you write: return an access token (only `token` is
 *    required), or `null` for a token that is not good. `requiredScopes` may be given to `super`: the server enforces
 *    them on whatever is returned. With a key given as well, `super.verifyToken(token)` is the JWT check.
 *
 * The type parameter is inferred; leave it out. What `verifyToken` answers is known exactly where the options are
 * written out in `new BearerAuthProvider({ … })`; where they come from a variable of their own type, `jwtVerifier` does.
 *
 * @example
 * ```ts
 * import { BearerAuthProvider } from 'mcp-bearer/verify'
 *
 * const auth = new BearerAuthProvider({
 *   jwksUri: 'https://idp.example.com/.well-known/jwks.json',
 *   issuer: 'https://idp.example.com/',
 *   algorithm: 'RS512',
 *   audience: 'my-mcp-server',
 * })
 *
 * const people = new Map([['sk-abc123', { email: 'alice@example.com' }]])
 *
 * class MyAuthProvider extends BearerAuthProvider {
 *   override async verifyToken(token: string) {
 *     const claims = people.get(token)
 *     return claims === undefined ? null : { token, claims }
 *   }
 * }
 * ```
 */
export class BearerAuthProvider<Options extends BearerAuthProviderOptions = BearerAuthProviderOptions>
  implements TokenVerifier
{
  readonly #verifier: CompleteTokenVerifier
  /** The scopes every token needs. */
  readonly requiredScopes: readonly string[]
  /** The issuers, when they are configured together with `jwksUri`; clients are sent there for a token. */
  declare readonly authorizationServers?: readonly string[]
  /** The issuers whose JWTs it takes, unless `verifyToken` is overridden. */
  declare readonly issuers?: readonly string[]
  /** Whether a token can be one of its JWTs, unless `verifyToken` is overridden; a subclass may define its own. */
  declare readonly recognizes?: (token: string) => boolean
  /** What composed verifiers ask instead of `verifyToken`, unless it is overridden. */
  declare readonly [inside]?: Inside

  /**
   * @param options see {@link JwtVerifierOptions}. A subclass that overrides `verifyToken` needs none; without a key
   *   it can give `requiredScopes` only, because nothing would use the rest
   * @param environment clock, logger, fetch, and a callback for refusals
   * @throws TypeError when an option is unknown, contradictory or of the wrong type, or when there is neither a key
   *   nor an override
   */
  constructor(options?: Options & NoOthers<Options>, environment: VerifierEnvironment = {}) {
    const given: BearerAuthProviderOptions = options ?? {}
    checkOptions('BearerAuthProvider', given, jwtOptionNames)
    readEnvironment('BearerAuthProvider', environment)
    const isOverridden = this.verifyToken !== BearerAuthProvider.prototype.verifyToken
    this.#verifier = verifierOf(given, environment, isOverridden)
    const { requiredScopes = [], authorizationServers } = this.#verifier
    this.requiredScopes = requiredScopes
    if (authorizationServers !== undefined) this.authorizationServers = authorizationServers
    if (!isOverridden) {
      const { issuers, recognizes, [inside]: within } = this.#verifier as TransparentVerifier
      Object.defineProperties(this, {
        issuers: { value: issuers },
        recognizes: { value: recognizes },
        [inside]: { value: within },
      })
    }
  }

  /** Stops a fetch that is under way. From then on tokens that need one are answered with `verifier_unavailable`. */
  close(): void {
    this.#verifier.close?.()
  }

  /**
   * Decides whether a token is good; `null` when it is not.
   * @throws AuthError `verifier_unavailable` when it cannot be told right now, `insufficient_scope` when a good token
   *   lacks `requiredScopes`
   */
  verifyToken(token: string, context?: VerifyContext): Promise<Answer<Options>>
  verifyToken(token: string, context?: VerifyContext): Promise<Verdict> {
    return this.#verifier.verifyToken(token, context)
  }
}

/** The JWT check behind `verifyToken`, or behind `super.verifyToken` of a subclass. */
function verifierOf(
  options: BearerAuthProviderOptions,
  environment: VerifierEnvironment,
  isOverridden: boolean,
): CompleteTokenVerifier {
  if (keyOptionNames.some((name) => options[name] !== undefined)) return jwtVerifier(options, environment)
  if (!isOverridden) {
    throw new TypeError(
      'BearerAuthProvider: give publicKey or jwksUri, or extend it and override verifyToken() as a method',
    )
  }
  const unused = jwtOptionNames.find((name) => name !== 'requiredScopes' && options[name] !== undefined)
  if (unused !== undefined) {
    throw new TypeError(`BearerAuthProvider: ${unused} has no effect without publicKey or jwksUri`)
  }
  return {
    requiredScopes: scopeList('requiredScopes', options.requiredScopes ?? []),
    async verifyToken() {
      throw new TypeError('BearerAuthProvider: super.verifyToken() needs publicKey, jwksUri or secret')
    },
  }
}
