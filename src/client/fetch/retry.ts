import { type Call, isReplayable, type Settings, takeToken, useOf } from './attempt.ts'
import type { Answer } from './refusal.ts'
import { pause } from './retry-after.ts'

/**
 * Whether an answer is worth another attempt, and what it takes: another token, more scopes, a nonce, some patience.
 * Only of requests the server refused before it did anything; whatever else went wrong, a call may have been carried
 * out. Each reason counts once for a request, so a server that always refuses sees a handful of requests at most.
 */
export async function isWorthRepeating(settings: Settings, call: Call, answer: Answer): Promise<boolean> {
  const { status } = answer.response
  if (status === 401) return afterRefusal(settings, call, answer)
  if (answer.code === 'insufficient_scope') return afterMissingScope(settings, call, answer)
  if (answer.code === 'rate_limited' || answer.code === 'verifier_unavailable') {
    return afterRetryAfter(settings, call, answer)
  }
  return false
}

async function afterRefusal({ keeper }: Settings, call: Call, { challenge }: Answer): Promise<boolean> {
  // RFC 9449 section 9: nothing is wrong with the token, the proof needs a nonce.
  if (challenge?.error === 'use_dpop_nonce') {
    const isFirst = call.hasNonce && !call.isNonced
    call.isNonced = true
    return isFirst && isReplayable(call.init.body)
  }
  if (keeper === undefined || call.token === undefined || call.isRenewed) return false
  call.isRenewed = true
  const asked = keeper.scopes
  const better = await keeper.renew(call.token, challenge, useOf(call))
  return isBetter(call, better, asked)
}

async function afterMissingScope(
  { keeper, stepUp }: Settings,
  call: Call,
  { scopes = [] }: Answer,
): Promise<boolean> {
  const { token, asked, init } = call
  if (!stepUp || call.isWidened || keeper === undefined || token === undefined) return false
  if (scopes.length === 0 || !isReplayable(init.body)) return false
  call.isWidened = true
  const better = await keeper.widen(token, asked, scopes, useOf(call))
  return isBetter(call, better, keeper.scopes)
}

function isBetter(call: Call, better: string | undefined, asked: readonly string[]): boolean {
  if (better === undefined || !isReplayable(call.init.body)) return false
  call.token = better
  call.asked = asked
  return true
}

async function afterRetryAfter(settings: Settings, call: Call, { retryAfter = 0 }: Answer): Promise<boolean> {
  const milliseconds = retryAfter * 1000
  if (call.hasWaited || milliseconds === 0 || milliseconds > settings.maxWait) return false
  if (!isReplayable(call.init.body)) return false
  call.hasWaited = true
  await pause(milliseconds, call.signal)
  await takeToken(settings, call)
  return true
}
