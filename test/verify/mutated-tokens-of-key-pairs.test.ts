import { describe, expect, it } from 'vitest'
import { judgeMany, volumes } from './differential.ts'

describe.each(['EdDSA', 'ES256', 'RS256'] as const)('mutated tokens of %s', (algorithm) => {
  it('B-04 B-10 B-11 are accepted when jose and the rules accept them, and never else', {
    timeout: 300_000,
  }, async () => {
    const outcomes = await judgeMany(algorithm)
    expect(outcomes.total).toBe(volumes[algorithm])
    // Else the mutations have become so tame, or so wild, that they prove little.
    expect(outcomes.share('accepted')).toBeGreaterThan(0.1)
    expect(outcomes.share('accepted')).toBeLessThan(0.5)
    expect(outcomes.missing()).toEqual([])
  })
})
