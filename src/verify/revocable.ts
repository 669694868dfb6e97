import { type Clock, systemClock } from '../core/clock.ts'
import type { CompleteTokenVerifier, TokenVerifier } from '../core/verifier.ts'
import {
  type Call,
  callWith,
  checkVerifier,
  granted,
  insideOf,
  type Outcome,
  traitsOf,
  verifierFrom,
} from './inside.ts'
import { reasonOf } from './refusal.ts'
import type { Revocations } from './revocations.ts'

/**
 * Refuses tokens that were revoked, whatever another verifier says of them. The list is looked at on every use of a
 * token, so a revocation holds from the next request on, for tokens whose verdict is remembered too.
 *
 * @param verifier who judges tokens otherwise
 * @param revocations what was revoked; {@link memoryRevocations} or a list of your own
 * @throws TypeError when one of them is missing
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
  const within = insideOf(verifier, clock)
  const settle = (outcome: Outcome, inner: Call, call: Call): Outcome => {
    call.decider = inner.decider
    call.cache = inner.cache
    if (typeof outcome === 'string') return outcome
    return revocations.reasonFor(outcome) ?? granted(outcome, call)
  }
  return verifierFrom(
    {
      judge(token, call) {
        // A token that was revoked is no good, and not merely short of a scope.
        const inner = callWith(call.context, true)
        const outcome = within.judge(token, inner)
        return outcome instanceof Promise
          ? outcome.then((judged) => settle(judged, inner, call))
          : settle(outcome, inner, call)
      },
    },
    {
      ...traitsOf(verifier),
      recheck(token) {
        const changed = verifier.recheck?.(token)
        return changed === undefined ? revocations.reasonFor(token) : reasonOf(changed)
      },
    },
  )
}
