import type { AccessToken } from '../core/access-token.ts'
import { AuthError } from '../core/errors.ts'
import { readUnverified } from './compact.ts'
import { readEnvironment, type VerifierEnvironment } from './environment.ts'
import { callWith } from './inside.ts'
import { jwtInside } from './jwt.ts'
import { jwtCompare } from './jwt-compare.ts'
import { type JwtVerifierOptions, readJwtOptions } from './jwt-options.ts'
import type { TokenRefusal } from './refusal.ts'
import { refusalOf } from './report.ts'

/** What became of a token, and why. Holds claims of the token, and never the token: for the operator's eyes. */
export interface TokenExplanation {
  /** `unavailable`: it cannot be told, because the keys cannot be fetched. `insufficient_scope`: good, and without a scope every token needs. */
  readonly verdict: 'accepted' | 'refused' | 'insufficient_scope' | 'unavailable'
  /** One sentence for a person. */
  readonly message: string
  /** What to do about it; absent when the token is accepted. */
  readonly remedy?: string
  /** Why the token is refused. */
  readonly refusal?: TokenRefusal
  /** The verified token, when it is accepted. */
  readonly accessToken?: AccessToken
  /** The header as it stands in the token; believed only when the verdict is `accepted`. */
  readonly header?: Readonly<Record<string, unknown>>
  /** The claims, likewise. */
  readonly claims?: Readonly<Record<string, unknown>>
}

/**
 * Says what `jwtVerifier` with these options makes of a token, which check refuses it, and what to do about it. It is
 * the very same judgement, not another one; nothing is remembered, logged or reported.
 *
 * @param options those of the verifier in question; what they would warn of is not repeated
 * @throws TypeError naming the option that is wrong
 *
 * @example
 * ```ts
 * import { explainToken } from 'mcp-bearer/verify'
 *
 * const { verdict, refusal } = await explainToken('eyJhbGciOi…', {
 *   jwksUri: 'https://idp.example.com/.well-known/jwks.json',
 *   issuer: 'https://idp.example.com',
 *   audience: 'https://mcp.example.com/mcp',
 * })
 * if (verdict === 'refused') console.log(refusal?.message, refusal?.remedy)
 * ```
 */
export async function explainToken(
  token: string,
  options: JwtVerifierOptions,
  environment: Pick<VerifierEnvironment, 'clock' | 'fetch' | 'allowPrivateNetwork'> = {},
): Promise<TokenExplanation> {
  const given = readEnvironment('explainToken', { ...environment, logger: () => {}, rememberTokens: 0 })
  // The whole bag of a verifier may be handed in: its reporters are told nothing.
  const world = { ...given, onRefused: undefined, onEvent: undefined }
  const settings = readJwtOptions(options, world)
  const read = typeof token === 'string' ? readUnverified(token) : undefined
  try {
    const outcome = await jwtInside(settings, world).judge(token, callWith(undefined))
    if (typeof outcome !== 'string') {
      return { verdict: 'accepted', message: 'The token is good.', accessToken: outcome, ...read }
    }
    const refusal = refusalOf(outcome, jwtCompare(settings, world.clock)(outcome, token), token)
    const { message, remedy } = refusal
    return { verdict: 'refused', message, remedy, refusal, ...read }
  } catch (error) {
    return { ...explainError(error), ...read }
  } finally {
    settings.keys.close()
  }
}

function explainError(error: unknown): Pick<TokenExplanation, 'verdict' | 'message' | 'remedy'> {
  if (!(error instanceof AuthError)) throw error
  if (error.code === 'insufficient_scope') {
    return {
      verdict: 'insufficient_scope',
      message: 'The token is good, and lacks a scope that every token needs.',
      remedy: `The client has to ask for: ${error.scopes?.join(' ')}`,
    }
  }
  if (error.code !== 'verifier_unavailable') throw error
  const { cause } = error
  return {
    verdict: 'unavailable',
    message: `${error.message}${cause instanceof Error ? `: ${cause.message}` : ''}.`,
    remedy: 'See that this machine reaches the issuer, and that jwksUri is right.',
  }
}
