import { changeFeed } from '../apikeys/change-feed.ts'
import { keyRates } from '../apikeys/key-rate.ts'
import { keyUses } from '../apikeys/key-uses.ts'
import { usageLeases } from '../apikeys/usage-lease.ts'
import type { AccessToken } from '../core/access-token.ts'
import { AuthError } from '../core/errors.ts'
import type { EventSink } from '../core/events.ts'
import type { CompleteTokenVerifier } from '../core/verifier.ts'
import { type Counters, keyAdmission } from './api-key-admission.ts'
import { keyCompare } from './api-key-compare.ts'
import { keyJudge } from './api-key-judge.ts'
import { isKey, nameOf } from './api-key-name.ts'
import { type ApiKeyVerifierOptions, type KeySettings, readKeyOptions } from './api-key-options.ts'
import { hardBound, keyReads } from './api-key-reads.ts'
import { judgeRecord } from './api-key-record.ts'
import { type KeyWatch, keyWatch } from './api-key-watch.ts'
import { type Environment, readEnvironment, type VerifierEnvironment } from './environment.ts'
import { type Decider, verifierFrom } from './inside.ts'
import { type KeyCache, keyCache } from './key-cache.ts'
import type { RefusalReason } from './refusal.ts'
import { refusalReporter } from './report.ts'

/** A verifier of API keys. */
export interface ApiKeyVerifier extends CompleteTokenVerifier {
  readonly requiredScopes: readonly string[]
  /** @throws AuthError `verifier_unavailable` while the store cannot be reached and nobody knows whether the key is still good */
  recheck(token: AccessToken): string | undefined
  /** Writes down what was counted, gives back what was taken in advance, and stops listening. From then on every key is answered with `verifier_unavailable`. Never rejects; twice is once. */
  close(): Promise<void>
}

/**
 * Verifies API keys made by `apiKeys` against the store they are in. What does not have the form of a key, or a wrong
 * checksum, is refused without a look-up. A key that was good is remembered for at most five seconds, and its secret
 * never: what was revoked, disabled or changed by this process holds from the next request on, on other nodes as soon as
 * they hear of it (a second or two), and after five seconds at the latest, whatever happens. Expiry is decided by the
 * time of the database, on every use.
 *
 * Nobody learns why a key is refused but the operator: on the wire every refusal is the same `invalid_token` (RFC 6750
 * section 3.1). It must not stand inside of `cached`, which would not count its uses and says so.
 *
 * @param options the store, and which of its keys are good here
 * @param environment clock, logger, callbacks; `rememberTokens` is how many keys are remembered; of one that is
 *   not, nothing is known between two questions about a stream that was opened with it, a minute apart
 * @throws TypeError naming the option that is missing, unknown or of the wrong type, or on a runtime without `node:crypto`
 *
 * @example
 * ```ts
 * import { apiKeys, memoryKeyStore } from 'mcp-bearer/keys'
 * import { apiKeyVerifier } from 'mcp-bearer/verify'
 *
 * const store = memoryKeyStore()
 * const verifier = apiKeyVerifier({ store })
 * const { key } = await apiKeys({ store }).create({ name: 'CI', owner: 'alice@example.com' })
 * await verifier.verifyToken(key)
 * ```
 */
export function apiKeyVerifier(
  options: ApiKeyVerifierOptions,
  environment: VerifierEnvironment = {},
): ApiKeyVerifier {
  const settings = readKeyOptions('apiKeyVerifier', options)
  const world = readEnvironment('apiKeyVerifier', environment)
  const { store, requiredScopes, isImported } = settings
  const { onEvent } = world
  const report = refusalReporter(world, keyCompare(settings))
  const decider: Decider = { method: 'api_key', report, sink: onEvent, requiredScopes, isSilent: true }
  const cache = keyCache(world.rememberTokens)
  const reads = keyReads(store, settings.maxAge, onEvent)
  const watch = keyWatch(store, changeFeed(store, { onEvent }), { cache, reads, onEvent })
  const counters = countersOf(settings, world)
  const admission = keyAdmission(settings, decider, counters, onEvent)
  const judge = keyJudge(settings, world, { cache, reads, watch, admission })
  let closing: Promise<void> | undefined

  const verifier = verifierFrom(
    {
      recognizes: (token) => isKey(token, settings),
      isCounting: true,
      judge(token, call) {
        call.decider = decider
        refuseClosed()
        return judge(token, call)
      },
    },
    {
      requiredScopes,
      // What was imported can look like anything.
      ...(!isImported && { recognizes: (token: string) => isKey(token, settings) === true }),
      recheck(token: AccessToken) {
        refuseClosed()
        return recheck(token, settings, { cache, watch, onEvent })
      },
      close: () => {
        watch.end()
        closing ??= closeAll(counters)
        return closing
      },
    },
  )
  return verifier as CompleteTokenVerifier as ApiKeyVerifier

  /** Nothing is heard of changes any more. */
  function refuseClosed(): void {
    if (closing !== undefined) throw new AuthError('verifier_unavailable', 'The verifier is closed')
  }
}

function countersOf({ store }: KeySettings, { onEvent }: Environment): Counters {
  return {
    uses: keyUses(store, { onEvent }),
    rates: keyRates(store, { onEvent }),
    leases: usageLeases(store, { onEvent }),
  }
}

async function closeAll({ uses, leases }: Counters): Promise<void> {
  await Promise.allSettled([uses.close(), leases.close()])
}

/**
 * What is known of a key whose token was accepted before, without asking anybody.
 * @throws AuthError `verifier_unavailable` when nothing was heard of it for so long that nobody can tell
 */
function recheck(
  token: AccessToken,
  settings: KeySettings,
  { cache, watch, onEvent }: { cache: KeyCache; watch: KeyWatch; onEvent: EventSink | undefined },
): RefusalReason | undefined {
  const now = settings.store.time()
  const { expiresAt } = token
  const name = nameOf(token.token, settings)
  const known = typeof name === 'object' ? cache.findId(name.id) : undefined
  // The record knows best: its expiry may have been moved.
  if (known === undefined) return expiresAt && !(now < expiresAt.getTime()) ? 'expired' : undefined
  const age = watch.ageOf(known)
  const reason = known.record === undefined ? 'revoked' : judgeRecord(known.record, settings, now)
  if (reason !== undefined || age < hardBound) return reason
  if (age >= hardBound + settings.lastKnownFor) throw new AuthError('verifier_unavailable')
  onEvent?.({ type: 'fail_open', component: 'keys' })
  return undefined
}
