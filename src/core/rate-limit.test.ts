import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { rateLimiter } from './rate-limit.ts'

const minute = 60_000

/** A limiter under a clock that only moves by hand. */
function limited(perMinute: number, maxKeys?: number) {
  const time = { now: 1_800_000_000_000 }
  const clock = () => time.now
  const limiter = rateLimiter({ perMinute, clock, ...(maxKeys !== undefined && { maxKeys }) })
  /** How many of so many requests pass. */
  const passing = (key: string, requests: number) =>
    Array.from({ length: requests }, () => limiter.take(key)).filter((wait) => wait === undefined).length
  return { time, passing, take: limiter.take }
}

describe('rateLimiter', () => {
  it('A-46 lets so many pass at once, and says how long the next has to wait', () => {
    const { passing, take } = limited(60)
    expect(passing('alice', 60)).toBe(60)
    expect(take('alice')).toBe(1)
    const slow = limited(1)
    expect([slow.take('alice'), slow.take('alice')]).toEqual([undefined, 60])
  })

  it('A-46 who waits as long as was said passes, and a moment less is not enough', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 100 }), fc.nat({ max: 120_000 }), (perMinute, pause) => {
        const { time, passing, take } = limited(perMinute)
        passing('alice', perMinute)
        time.now += pause
        passing('alice', perMinute)
        const wait = take('alice')
        if (wait === undefined) return
        expect(Number.isInteger(wait) && wait >= 1).toBe(true)
        time.now += wait * 1000
        expect(take('alice')).toBeUndefined()
      }),
    )
    const { time, take } = limited(1)
    take('alice')
    time.now += minute - 1
    expect(take('alice')).toBe(1)
  })

  it('FL-100 a slow steady caller always passes, however many windows go by', () => {
    for (const perMinute of [1, 7, 60, 600, 999]) {
      const { time, take } = limited(perMinute)
      const refused = Array.from({ length: 5000 }, () => {
        time.now += Math.ceil(minute / perMinute)
        return take('alice')
      }).filter((wait) => wait !== undefined)
      expect(refused).toEqual([])
    }
  })

  it('FL-100 there is no window at whose edge somebody waits: room comes back bit by bit', () => {
    const { time, passing } = limited(60)
    passing('alice', 60)
    for (let second = 0; second < 100; second++) {
      time.now += 1000
      expect(passing('alice', 5)).toBe(1)
    }
  })

  it('FL-100 one caller never starves another', () => {
    const { passing } = limited(10)
    expect(passing('mallory', 100_000)).toBe(10)
    expect(passing('alice', 10)).toBe(10)
  })

  it('asking while waiting changes nothing of how long it takes, to the millisecond', () => {
    const { time, passing, take } = limited(30)
    passing('alice', 30)
    const waits = Array.from({ length: 200 }, () => {
      time.now += 10
      return take('alice')
    })
    expect(waits).toEqual([...Array(99).fill(2), ...Array(100).fill(1), undefined])
  })

  it('no more than the rate and one burst pass in any time, whatever the clock and others do', () => {
    const step = fc.record({ key: fc.constantFrom('a', 'b', 'c', 'd', 'e'), pause: fc.nat({ max: 3000 }) })
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 400 }),
        fc.integer({ min: 1, max: 20 }),
        fc.constantFrom(2, 5),
        (steps, perMinute, maxKeys) => {
          const { time, take } = limited(perMinute, maxKeys)
          const start = time.now
          const passed = new Map<string, number>()
          for (const { key, pause } of steps) {
            time.now += pause
            if (take(key) === undefined) passed.set(key, (passed.get(key) ?? 0) + 1)
          }
          // Of its own bucket, and where there is none for everybody, of the shared one.
          const most = (maxKeys < 5 ? 2 : 1) * perMinute * (1 + (time.now - start) / minute)
          for (const count of passed.values()) expect(count).toBeLessThanOrEqual(most)
        },
      ),
    )
  })

  it('what is refused costs nothing', () => {
    const { time, passing, take } = limited(1)
    take('alice')
    passing('alice', 1000)
    time.now += minute
    expect(take('alice')).toBeUndefined()
  })
})

describe('rateLimiter and a clock that jumps', () => {
  it('a clock that is set back frees nobody and locks nobody out', () => {
    const { time, passing, take } = limited(60)
    passing('alice', 60)
    time.now -= 365 * 86_400_000
    expect(take('alice')).toBe(1)
    time.now += 1000
    expect(take('alice')).toBeUndefined()
  })

  it('a clock that goes back again and again lets nothing leak', () => {
    const { time, passing } = limited(60)
    passing('alice', 60)
    for (let swing = 0; swing < 100; swing++) {
      time.now -= 500
      passing('alice', 1)
    }
    expect(passing('alice', 10)).toBe(0)
  })

  it('a clock that is set forward gives one burst, not more', () => {
    const { time, passing } = limited(60)
    passing('alice', 60)
    time.now += 365 * 86_400_000
    expect(passing('alice', 1000)).toBe(60)
  })

  it('a clock that is broken for a while frees nobody, and breaks nothing for good', () => {
    const { time, passing, take } = limited(60)
    const { now } = time
    passing('alice', 60)
    time.now = Number.NaN
    expect(passing('alice', 10)).toBe(0)
    time.now = now
    expect(take('alice')).toBe(1)
    time.now += 1000
    expect(take('alice')).toBeUndefined()
  })
})

describe('rateLimiter and floods of callers', () => {
  const flood = (take: (key: string) => unknown, from: number, count: number) => {
    for (let n = from; n < from + count; n++) take(`flood ${n}`)
  }

  it('inventing callers does not free one that is throttled', () => {
    const { time, passing, take } = limited(60, 100)
    passing('mallory', 60)
    let passed = 0
    for (let round = 0; round < 59; round++) {
      time.now += 1000
      flood(take, round * 1000, 1000)
      passed += passing('mallory', 10)
    }
    // One a second, as without the flood.
    expect(passed).toBe(59)
  })

  it('FL-100 a flood takes nothing from callers who have their bucket', () => {
    const { time, take } = limited(60, 100)
    take('alice')
    for (let second = 0; second < 300; second++) {
      flood(take, second * 1000, 1000)
      time.now += 1000
      expect(take('alice')).toBeUndefined()
    }
  })

  it('while all buckets are in use, newcomers share one', () => {
    const { passing, take } = limited(10, 100)
    flood(take, 0, 100)
    expect(passing('one', 6)).toBe(6)
    expect(passing('two', 6)).toBe(4)
    expect(take('three')).toBeGreaterThanOrEqual(1)
  })

  it('gives newcomers buckets of their own again as soon as some are empty', () => {
    const { time, passing, take } = limited(10, 100)
    passing('mallory', 10)
    flood(take, 0, 1000)
    // Those that were used once are empty after six seconds.
    time.now += 6000
    expect([passing('one', 10), passing('two', 10)]).toEqual([10, 10])
    expect(passing('mallory', 10)).toBe(1)
  })

  it('FL-100 finds the empty ones again after the clock was set back', () => {
    const { time, passing, take } = limited(10, 100)
    flood(take, 0, 1000)
    time.now -= 86_400_000
    flood(take, 1000, 10)
    time.now += 60_000
    expect([passing('one', 10), passing('two', 10)]).toEqual([10, 10])
  })

  it('searches for empty ones at most once a second, so a flood costs little', () => {
    const { take } = limited(1, 100_000)
    flood(take, 0, 100_000)
    const started = process.cpuUsage()
    flood(take, 100_000, 100_000)
    // A search for each would take minutes.
    expect(process.cpuUsage(started).user / 1e6).toBeLessThan(5)
  })
})

describe('options of rateLimiter', () => {
  it.each([
    [{ perMinute: 0 }, 'perMinute'],
    [{ perMinute: Number.NaN }, 'perMinute'],
    [{ perMinute: Number.POSITIVE_INFINITY }, 'perMinute'],
    [{ perMinute: '5' as never }, 'perMinute'],
    [{ perMinute: 1, maxKeys: 0 }, 'counted'],
    [{ perMinute: 1, maxKeys: 1e9 }, 'counted'],
  ])('refuses %j', (options, word) => {
    const make = () => rateLimiter({ clock: () => 0, ...options })
    expect(make).toThrow(TypeError)
    expect(make).toThrow(word)
  })
})
