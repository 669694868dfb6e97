import { numberBetween } from '../core/options.ts'
import { scopeList } from '../core/scopes.ts'
import type { KeyPolicy } from './api-key.ts'
import { givenOptions, longestList } from './input.ts'

/** A {@link KeyPolicy} that was checked, and what follows from it. Times are milliseconds. */
export interface CheckedPolicy {
  /**
   * When a key that was made at `madeAt` expires, if it shall do so at `wanted`.
   * @throws TypeError naming the option, when the policy forbids it
   */
  expiry(option: string, madeAt: number, wanted: number | undefined): number | undefined
  /** The same for a key that takes over the life span of another: what is too long is cut to what is allowed. */
  inherited(option: string, madeAt: number, span: number | undefined): number | undefined
  /** @throws TypeError naming the option and the first scope that is not allowed */
  checkScopes(option: string, scopes: readonly string[]): void
  /** How long a replaced key lives on. @throws TypeError when the seconds are out of bounds */
  grace(option: string, seconds: number | undefined): number
}

/** A hundred years, in seconds. */
export const longestLife = 3_155_760_000

const defaultMaxGrace = 2_592_000
const defaultGrace = 86_400

/**
 * Checks a policy when the object is made, and makes it into decisions.
 * @throws TypeError naming the option that is wrong
 */
export function keyPolicy(owner: string, policy: KeyPolicy = {}): CheckedPolicy {
  const given = givenOptions(owner, policy, [
    'maxLifetimeSeconds',
    'requireExpiry',
    'maxGraceSeconds',
    'allowedScopes',
  ])
  const { maxLifetimeSeconds: life, requireExpiry = false, maxGraceSeconds = defaultMaxGrace } = given
  if (life !== undefined) numberBetween(`${owner}: maxLifetimeSeconds`, life, 1, longestLife)
  if (typeof requireExpiry !== 'boolean') throw new TypeError(`${owner}: requireExpiry must be true or false`)
  numberBetween(`${owner}: maxGraceSeconds`, maxGraceSeconds, 0, longestLife)
  const allowed = allowedScopes(owner, given)

  const latest = (madeAt: number) => (life === undefined ? undefined : madeAt + Math.floor(life * 1000))
  const expiry: CheckedPolicy['expiry'] = (option, madeAt, wanted) => {
    const last = latest(madeAt)
    const at = wanted ?? last
    if (at === undefined && requireExpiry) throw new TypeError(`${option}: a key must expire; say when`)
    if (at !== undefined && last !== undefined && at > last) {
      throw new TypeError(`${option} must be at most ${life} seconds after the key was made`)
    }
    return at
  }

  return Object.freeze({
    expiry,
    inherited(option: string, madeAt: number, span: number | undefined) {
      const last = latest(madeAt) ?? Number.POSITIVE_INFINITY
      return expiry(option, madeAt, span === undefined ? undefined : Math.min(madeAt + span, last))
    },
    checkScopes(option: string, scopes: readonly string[]) {
      const other = allowed && scopes.find((scope) => !allowed.has(scope))
      if (other !== undefined) throw new TypeError(`${option}: the scope "${other}" is not allowed here`)
    },
    grace(option: string, seconds: number | undefined) {
      const taken = seconds ?? Math.min(defaultGrace, maxGraceSeconds)
      return Math.floor(numberBetween(option, taken, 0, maxGraceSeconds) * 1000)
    },
  })
}

function allowedScopes(owner: string, { allowedScopes: scopes }: KeyPolicy): ReadonlySet<string> | undefined {
  if (scopes === undefined) return undefined
  const option = `${owner}: allowedScopes`
  if (Array.isArray(scopes) && scopes.length > longestList)
    throw new TypeError(`${option} must be at most ${longestList} scopes`)
  return new Set(scopeList(option, scopes))
}
