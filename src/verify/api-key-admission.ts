import type { KeyRates } from '../apikeys/key-rate.ts'
import type { KeyRecord } from '../apikeys/key-record.ts'
import type { KeyUses, UseContext } from '../apikeys/key-uses.ts'
import type { UsageLeases } from '../apikeys/usage-lease.ts'
import type { NamedKey } from '../apikeys/use-entries.ts'
import type { AccessToken, Grant } from '../core/access-token.ts'
import { AuthError } from '../core/errors.ts'
import type { EventSink } from '../core/events.ts'
import type { VerifyContext } from '../core/verifier.ts'
import { compareRecord } from './api-key-compare.ts'
import type { KeySettings } from './api-key-options.ts'
import { judgeAddress, judgeRecord } from './api-key-record.ts'
import { type Call, type Decider, granted, type Outcome } from './inside.ts'
import type { RefusalReason } from './refusal.ts'

type MaybeLater<T> = T | Promise<T>

/** Decides about somebody who has shown a key that is there. */
export interface Admission {
  /**
   * @param rehash the digest the key shall have from now on
   * @throws AuthError `insufficient_scope`, `rate_limited`
   */
  judge(
    token: string,
    record: KeyRecord,
    grant: Grant,
    call: Call,
    rehash?: UseContext['rehash'],
  ): MaybeLater<Outcome>
  /** Writes down that a key was refused that was looked for: one that is not there, or has another secret. */
  refused(reason: RefusalReason, record: NamedKey | undefined, call: Call): RefusalReason
}

/** Who counts. */
export interface Counters {
  readonly uses: KeyUses
  readonly rates: KeyRates
  readonly leases: UsageLeases
}

/**
 * Makes an {@link Admission}. All of it is asked on every use, remembered or not, in this order: what the key is, where
 * the caller is, what he may do, how often. A look at a token again (`isRecheck`) is no use: nothing is counted.
 */
export function keyAdmission(
  settings: KeySettings,
  decider: Decider,
  counters: Counters,
  onEvent: EventSink | undefined,
): Admission {
  const { store } = settings
  const { uses } = counters
  const isCounted = counting(counters, onEvent)
  return { judge, refused }

  function judge(
    token: string,
    record: KeyRecord,
    grant: Grant,
    call: Call,
    rehash?: UseContext['rehash'],
  ): MaybeLater<Outcome> {
    const { context } = call
    const reason = judgeRecord(record, settings, store.time()) ?? judgeAddress(record, context)
    if (reason !== undefined) return refusedFor(reason, record, call)
    const accepted = withScopes(grant.accessToken(token), record, call)
    if (context?.isRecheck) return accepted
    const use = useOf(context, rehash)
    const counted = isCounted(record, use)
    if (counted === true) return taken()
    return counted instanceof Promise ? counted.then((mayUse) => (mayUse ? taken() : spent())) : spent()

    function taken(): AccessToken {
      uses.accepted(record, use)
      return accepted
    }
    function spent(): RefusalReason {
      return refusedFor('usage_exhausted', record, call)
    }
  }

  function withScopes(accepted: AccessToken, record: KeyRecord, call: Call): AccessToken {
    try {
      return granted(accepted, call)
    } catch (error) {
      if (!call.context?.isRecheck) uses.refused('insufficient_scope', record, useOf(call.context))
      throw error
    }
  }

  /** What was compared is at hand now; it is told to whoever listens. */
  function refusedFor(reason: RefusalReason, record: KeyRecord, call: Call): RefusalReason {
    const { report } = decider
    const address = call.context?.address
    if (report !== undefined) {
      call.decider = {
        ...decider,
        report: (why, token) => report(why, token, compareRecord(reason, record, settings, address)),
      }
    }
    return refused(reason, record, call)
  }

  function refused(reason: RefusalReason, record: NamedKey | undefined, { context }: Call): RefusalReason {
    if (!context?.isRecheck) uses.refused(reason, record, useOf(context))
    return reason
  }
}

/**
 * Whether a key may be used once more. The rate first: what it refuses uses nothing up.
 * @throws AuthError `rate_limited`
 */
function counting({ uses, rates, leases }: Counters, onEvent: EventSink | undefined) {
  // Most keys have no limit of their own.
  return (record: KeyRecord, use: UseContext): MaybeLater<boolean> =>
    record.rateLimit === undefined ? leases.take(record) : rated(record, use)

  function rated(record: KeyRecord, use: UseContext): MaybeLater<boolean> {
    const wait = rates.take(record)
    return wait instanceof Promise ? wait.then(afterRate) : afterRate(wait)

    function afterRate(seconds: number | undefined): MaybeLater<boolean> {
      onEvent?.({ type: 'rate_limit', result: seconds === undefined ? 'allowed' : 'refused' })
      if (seconds === undefined) return leases.take(record)
      uses.limited(record, use)
      throw new AuthError('rate_limited', undefined, { retryAfter: seconds })
    }
  }
}

/** A copy: what is written later must not look at a request that is over. */
function useOf(context: VerifyContext | undefined, rehash?: UseContext['rehash']): UseContext {
  if (context === undefined && rehash === undefined) return unknownUse
  const { address, requestId } = context ?? {}
  return {
    ...(address !== undefined && { address }),
    ...(requestId !== undefined && { requestId }),
    ...(rehash !== undefined && { rehash }),
  }
}

const unknownUse: UseContext = Object.freeze({})
