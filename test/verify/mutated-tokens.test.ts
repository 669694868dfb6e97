import { describe, expect, it } from 'vitest'
import { judgeMany, volumes } from './differential.ts'

describe('mutated tokens of HS256', () => {
  it('B-11 B-27 B-45 are accepted when jose and the rules accept them, and never else', {
    timeout: 300_000,
  }, async () => {
    const outcomes = await judgeMany('HS256')
    expect(outcomes.total).toBe(volumes.HS256)
    // Else the mutations have become so tame, or so wild, that they prove little.
    expect(outcomes.share('accepted')).toBeGreaterThan(0.1)
    expect(outcomes.share('accepted')).toBeLessThan(0.5)
    expect(outcomes.missing({ except: ['no_matching_key'] })).toEqual([])
  })

  it('are 200,000 together with those of the other files', () => {
    expect(Object.values(volumes).reduce((sum, volume) => sum + volume)).toBeGreaterThanOrEqual(200_000)
  })
})
