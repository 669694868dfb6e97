import { describe, expect, it } from 'vitest'
import { backoff } from '../../src/gateway/command/child-backoff.ts'
import { fakeClock } from '../../src/testing/fake-clock.ts'

describe('backoff', () => {
  it('waits 0, 1, 2, 4, … 60 seconds for crashes in a row, of one name by itself', () => {
    const clock = fakeClock()
    const pauses = backoff(clock)
    const waits = Array.from({ length: 10 }, () => {
      pauses.crashed('a', 10, 'why')
      const wait = pauses.pause('a')?.ms ?? 0
      clock.advance(wait)
      expect(pauses.pause('a')).toBe(undefined)
      return wait / 1000
    })
    expect(waits).toEqual([0, 1, 2, 4, 8, 16, 32, 60, 60, 60])
    expect(pauses.pause('b')).toBe(undefined)
  })

  it('begins anew after a process that lived for a minute, and after five minutes without a crash', () => {
    const clock = fakeClock()
    const pauses = backoff(clock)
    const crash = (livedMs: number) => {
      pauses.crashed('a', livedMs, 'why')
      return pauses.pause('a')?.ms ?? 0
    }
    expect([crash(0), crash(59_999), crash(60_000), crash(0)]).toEqual([0, 1000, 0, 1000])
    clock.advance(1000 + 299_999)
    expect(crash(0)).toBe(2000)
    clock.advance(2000 + 300_000)
    expect(crash(0)).toBe(0)
  })

  it('remembers so many names and forgets the oldest', () => {
    const pauses = backoff(fakeClock(), 2)
    for (const name of ['a', 'a', 'b', 'b', 'a', 'c', 'c']) pauses.crashed(name, 0, 'why')
    expect(['a', 'b', 'c'].map((name) => pauses.pause(name)?.ms)).toEqual([2000, undefined, 1000])
  })

  it('holds nobody for longer when the clock is set back', () => {
    const clock = fakeClock()
    const pauses = backoff(clock)
    pauses.crashed('a', 0, 'why')
    pauses.crashed('a', 0, 'why')
    clock.advance(-3_600_000)
    expect(pauses.pause('a')).toBe(undefined)
  })
})
