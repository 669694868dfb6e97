import { type AccessToken, grantOf } from '../core/access-token.ts'
import { type Clock, systemClock } from '../core/clock.ts'
import type { CompleteTokenVerifier, TokenVerifier } from '../core/verifier.ts'
import {
  type Call,
  checkVerifier,
  granted,
  insideOf,
  type Outcome,
  traitsOf,
  verifierFrom,
} from './inside.ts'
import { type RefusalReason, reasonOf } from './refusal.ts'
import type { Revocations } from './revocations.ts'

/**
 * Refuses tokens that were revoked, whatever another verifier says of them. The list is looked at on every use of a
 * token, so a revocation holds from the next request on, for tokens whose verdict is remembered too.
 *
 * @param verifier who judges tokens otherwise
 * @param revocations what was revoked; {@link memoryRevocations} or a list of your own
 * @param clock used for the expiry of what a verifier of your own accepts
 * @throws TypeError when one of them is missing or of the wrong type
 */
export function revocable(
  verifier: TokenVerifier,
  revocations: Revocations,
  clock: Clock = systemClock,
): CompleteTokenVerifier {
  checkVerifier('revocable', verifier)
  if (typeof revocations?.reasonFor !== 'function') {
    throw new TypeError('revocable: revocations must have a method reasonFor; memoryRevocations() makes one')
  }
  if (typeof clock !== 'function') throw new TypeError('revocable: clock must be a function')
  const within = insideOf(verifier, clock)

  return verifierFrom(
    {
      ...(within.recognizes && { recognizes: within.recognizes }),
      ...(within.isCounting && { isCounting: true }),
      judge(token, call) {
        const { scopesLater } = call
        // A token that was revoked is no good, and not merely short of a scope.
        call.scopesLater = true
        const outcome = within.judge(token, call)
        return outcome instanceof Promise
          ? outcome.then((judged) => settle(judged, token, call, scopesLater))
          : settle(outcome, token, call, scopesLater)
      },
    },
    {
      ...traitsOf(verifier),
      recheck(token) {
        const changed = verifier.recheck?.(token) ?? undefined
        return changed === undefined ? reasonFor(token) : reasonOf(changed)
      },
    },
  )

  function settle(outcome: Outcome, token: string, call: Call, scopesLater: boolean): Outcome {
    call.scopesLater = scopesLater
    if (typeof outcome === 'string') return outcome
    return reasonFor(outcome) ?? presentedReason(outcome, token) ?? granted(outcome, call)
  }

  /** A list that says anything else than a word, or a promise of one, refuses: it must not be mistaken for silence. */
  function reasonFor(token: AccessToken): RefusalReason | undefined {
    const reason = revocations.reasonFor(token) ?? undefined
    return reason === undefined ? undefined : reasonOf(reason)
  }

  /** A verifier may put another token in the place of the one it got; either may be the one that was revoked. */
  function presentedReason(accepted: AccessToken, token: string): RefusalReason | undefined {
    if (accepted.token === token) return undefined
    return reasonFor(grantOf(accepted).accessToken(token))
  }
}
