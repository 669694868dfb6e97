import type { AccessToken } from '../core/access-token.ts'
import type { TokenVerifier, Verdict, VerifyContext } from '../core/verifier.ts'
import { type ApiKeyVerifier, apiKeyVerifier } from './api-key.ts'
import { type ApiKeyVerifierOptions, readKeyOptions } from './api-key-options.ts'
import type { VerifierEnvironment } from './environment.ts'
import { type Inside, inside, type TransparentVerifier } from './inside.ts'

/**
 * The class face of `apiKeyVerifier`, to be made with `new` or extended. A subclass that overrides `verifyToken` has the
 * last word, and gets the verdict about the key from `super.verifyToken(token, context)`.
 *
 * @example
 * ```ts
 * import { openKeyStore } from 'mcp-bearer/keys'
 * import { ApiKeyAuthProvider } from 'mcp-bearer/verify'
 *
 * const store = await openKeyStore('keys.db')
 * const auth = new ApiKeyAuthProvider({ store, audience: 'https://mcp.example.com/mcp' })
 * ```
 */
export class ApiKeyAuthProvider implements TokenVerifier {
  readonly #verifier: ApiKeyVerifier
  /** The scopes every key needs. */
  readonly requiredScopes: readonly string[]
  /** Whether a text can be one of its keys, unless keys of others are imported or `verifyToken` is overridden; a subclass may define its own. */
  declare readonly recognizes?: (token: string) => boolean
  /** What composed verifiers ask instead of `verifyToken`, unless it is overridden. */
  declare readonly [inside]?: Inside

  /**
   * @param options see {@link ApiKeyVerifierOptions}; `store` is needed, by a subclass too
   * @param environment clock, logger, and callbacks
   * @throws TypeError naming the option that is missing, unknown, of the wrong type or out of bounds
   */
  constructor(options: ApiKeyVerifierOptions, environment: VerifierEnvironment = {}) {
    readKeyOptions('ApiKeyAuthProvider', options)
    this.#verifier = apiKeyVerifier(options, environment)
    this.requiredScopes = this.#verifier.requiredScopes
    if (this.verifyToken !== ApiKeyAuthProvider.prototype.verifyToken) return
    const { recognizes, [inside]: within } = this.#verifier as ApiKeyVerifier & TransparentVerifier
    Object.defineProperties(this, {
      ...(recognizes && { recognizes: { value: recognizes } }),
      [inside]: { value: within },
    })
  }

  /**
   * Decides whether a key is good; `null` when it is not.
   * @throws AuthError `verifier_unavailable` when it cannot be told right now, `insufficient_scope` when a good key lacks
   *   `requiredScopes`, `rate_limited` with `retryAfter` when it is used too often
   */
  verifyToken(token: string, context?: VerifyContext): Promise<AccessToken | null>
  verifyToken(token: string, context?: VerifyContext): Promise<Verdict> {
    return this.#verifier.verifyToken(token, context)
  }

  /** Why a key that was accepted before is not good any more, if it is not. Asks nobody. */
  recheck(token: AccessToken): string | undefined {
    return this.#verifier.recheck(token)
  }

  /** As of `apiKeyVerifier`: writes down what was counted. The store stays open. */
  close(): Promise<void> {
    return this.#verifier.close()
  }
}
