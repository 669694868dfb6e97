import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import type { SharedCounters } from '../core/counters.ts'
import { sha256 } from '../core/runtime.ts'
import { failureThrottle } from './failure-throttle.ts'

// As it is, and counted.
vi.mock('../core/runtime.ts', { spy: true })

const minute = 60_000

/** A throttle under a clock that only moves by hand. */
function throttle(perMinute: number, maxAddresses?: number) {
  const time = { now: 1_800_000_000_000 }
  const clock = () => time.now
  const made = failureThrottle({ perMinute, clock, ...(maxAddresses !== undefined && { maxAddresses }) })
  const fail = (address: string | undefined, times: number) => {
    for (let n = 0; n < times; n++) made.failed(address)
  }
  return { ...made, time, fail }
}

describe('failureThrottle', () => {
  it('A-46 blocks an address after so many failures, and says for how long', () => {
    const { blocked, fail } = throttle(5)
    fail('192.0.2.1', 4)
    expect(blocked('192.0.2.1', 'any')).toBeUndefined()
    fail('192.0.2.1', 1)
    expect(blocked('192.0.2.1', 'any')).toBe(12)
  })

  it('A-46 who waits as long as was said may try again', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 50 }),
        fc.integer({ min: 1, max: 500 }),
        (perMinute, failures) => {
          const { blocked, fail, time } = throttle(perMinute)
          fail('192.0.2.1', failures)
          const wait = blocked('192.0.2.1', 'any')
          expect(wait !== undefined).toBe(failures >= perMinute)
          time.now += (wait ?? 0) * 1000
          expect(blocked('192.0.2.1', 'any')).toBeUndefined()
        },
      ),
    )
  })

  it('A-46 guesses that were under way at once are paid for, and nobody is locked out for more than two minutes', () => {
    const { blocked, fail, time } = throttle(5)
    fail('192.0.2.1', 10)
    time.now += minute
    expect(blocked('192.0.2.1', 'any')).toBe(12)
    fail('192.0.2.1', 1_000_000)
    expect(blocked('192.0.2.1', 'any')).toBe(72)
  })

  it('FL-100 a few failures now and then never block', () => {
    const { blocked, fail, time } = throttle(5)
    for (let hour = 0; hour < 1000; hour++) {
      time.now += 12_000
      expect(blocked('192.0.2.1', 'any')).toBeUndefined()
      fail('192.0.2.1', 1)
    }
  })

  it('FL-100 one address does not block another', () => {
    const { blocked, fail } = throttle(5)
    fail('192.0.2.1', 100)
    expect(blocked('192.0.2.2', 'any')).toBeUndefined()
  })

  it('FL-102 looking alone counts nothing', () => {
    const { blocked } = throttle(1)
    for (let probe = 0; probe < 50; probe++) expect(blocked('192.0.2.1', '')).toBeUndefined()
  })

  it('an address that nobody knows is never blocked, and harms no other', () => {
    const { blocked, fail, succeeded } = throttle(1)
    fail(undefined, 1000)
    succeeded(undefined, 'good')
    expect(blocked(undefined, 'any')).toBeUndefined()
    expect(blocked('undefined', 'any')).toBeUndefined()
  })

  it('a success buys no guesses', () => {
    const { blocked, fail, succeeded } = throttle(5)
    for (let n = 0; n < 5; n++) {
      fail('192.0.2.1', 1)
      succeeded('192.0.2.1', 'good')
    }
    expect(blocked('192.0.2.1', 'guess')).toBe(12)
  })

  it('a clock that is set back frees nobody, and locks nobody out for longer', () => {
    const { blocked, fail, time } = throttle(5)
    fail('192.0.2.1', 5)
    time.now -= 86_400_000
    expect(blocked('192.0.2.1', 'any')).toBe(12)
    time.now += 12_000
    expect(blocked('192.0.2.1', 'any')).toBeUndefined()
  })
})

describe('failureThrottle and tokens that were accepted', () => {
  it('a neighbour behind a shared address does not lock out who works already', () => {
    const { blocked, fail, succeeded } = throttle(5)
    succeeded('192.0.2.1', 'good')
    fail('192.0.2.1', 1000)
    expect(blocked('192.0.2.1', 'good')).toBeUndefined()
    expect(blocked('192.0.2.1', 'other')).toBeGreaterThan(0)
  })

  it('they pass from their own address only', () => {
    const { blocked, fail, succeeded } = throttle(5)
    succeeded('192.0.2.1', 'good')
    fail('192.0.2.2', 5)
    expect(blocked('192.0.2.2', 'good')).toBe(12)
  })

  it('they pass for 15 minutes after they were accepted last', () => {
    const { blocked, fail, succeeded, time } = throttle(5)
    const isBlocked = () => {
      fail('192.0.2.1', 10)
      return blocked('192.0.2.1', 'good') !== undefined
    }
    succeeded('192.0.2.1', 'good')
    time.now += 10 * minute
    succeeded('192.0.2.1', 'good')
    time.now += 15 * minute - 1
    expect(isBlocked()).toBe(false)
    time.now += 1
    expect(isBlocked()).toBe(true)
  })

  it('a clock that is set back gives them no more time', () => {
    const { blocked, fail, succeeded, time } = throttle(5)
    succeeded('192.0.2.1', 'good')
    fail('192.0.2.1', 10)
    time.now -= 1
    expect(blocked('192.0.2.1', 'good')).toBeDefined()
  })

  it('one that is refused passes no more', () => {
    const { blocked, fail, succeeded, failed } = throttle(5)
    fail('192.0.2.1', 1)
    succeeded('192.0.2.1', 'revoked since')
    succeeded('192.0.2.1', 'good')
    fail('192.0.2.1', 5)
    failed('192.0.2.1', 'revoked since')
    failed('192.0.2.1', 'never seen')
    failed('192.0.2.9', 'good')
    expect(blocked('192.0.2.1', 'revoked since')).toBeDefined()
    expect(blocked('192.0.2.1', 'good')).toBeUndefined()
  })

  it('of one address so many are known, the last ones, and it takes no room from others', () => {
    const { blocked, fail, succeeded } = throttle(5, 200)
    succeeded('192.0.2.2', 'quiet')
    fail('192.0.2.1', 1)
    succeeded('192.0.2.1', 'used again')
    for (let n = 0; n < 1000; n++) {
      succeeded('192.0.2.1', `token ${n}`)
      succeeded('192.0.2.1', 'used again')
    }
    fail('192.0.2.1', 5)
    fail('192.0.2.2', 5)
    const passes = (token: string) => blocked('192.0.2.1', token) === undefined
    const known = Array.from({ length: 1000 }, (_, n) => `token ${n}`).filter(passes)
    expect(known).toEqual(Array.from({ length: 99 }, (_, n) => `token ${n + 901}`))
    expect(passes('used again')).toBe(true)
    expect(blocked('192.0.2.2', 'quiet')).toBeUndefined()
  })

  it('in all so many are known, those of addresses that were heard of last', () => {
    const { blocked, succeeded, fail } = throttle(5, 3)
    fail('192.0.2.1', 1)
    for (const n of [1, 2, 1, 3, 4]) succeeded(`192.0.2.${n}`, 'good')
    const passes = (n: number) => {
      fail(`192.0.2.${n}`, 5)
      return blocked(`192.0.2.${n}`, 'good') === undefined
    }
    expect([1, 3, 4, 2].map(passes)).toEqual([true, true, true, false])
  })

  it('addresses whose tokens were all refused take no room', () => {
    const { blocked, succeeded, failed, fail } = throttle(5, 3)
    succeeded('192.0.2.1', 'good')
    failed('192.0.2.1', 'good')
    for (const n of [2, 3, 4, 5]) succeeded(`192.0.2.${n}`, 'good')
    const passes = (n: number) => {
      fail(`192.0.2.${n}`, 5)
      return blocked(`192.0.2.${n}`, 'good') === undefined
    }
    expect([3, 4, 5].map(passes)).toEqual([true, true, true])
    expect(passes(2)).toBe(false)
  })

  it('cost nothing while no failures of their address are counted: one a second is looked at', () => {
    const { succeeded, failed, time } = throttle(5)
    const looked = () => {
      vi.mocked(sha256).mockClear()
      for (let n = 0; n < 1000; n++) succeeded('192.0.2.1', `token ${n}`)
      return vi.mocked(sha256).mock.calls.length
    }
    expect(looked()).toBe(1)
    expect(looked()).toBe(0)
    time.now += 1000
    expect(looked()).toBe(1)
    time.now -= 1
    expect(looked()).toBe(1)
    failed('192.0.2.2')
    expect(looked()).toBe(0)
    failed('192.0.2.1')
    expect(looked()).toBe(1000)
    // The failure has leaked away.
    time.now += 12_000
    expect(looked()).toBe(1)
  })

  it('are those of who works already, although nobody had failed yet', () => {
    const { blocked, fail, succeeded, time } = throttle(5)
    for (let second = 0; second < 3; second++) {
      for (let n = 0; n < 10; n++) succeeded('192.0.2.1', 'one client')
      time.now += 1000
    }
    succeeded('192.0.2.1', 'the next one')
    fail('192.0.2.1', 100)
    expect(blocked('192.0.2.1', 'one client')).toBeUndefined()
    expect(blocked('192.0.2.1', 'the next one')).toBeUndefined()
  })

  it('knows what a list without bounds knows, as long as the bounds are not reached', () => {
    const address = fc.constantFrom('192.0.2.1', '192.0.2.2', '192.0.2.3')
    const token = fc.constantFrom('a', 'b', 'c')
    const step = fc.record({ address, token, isGood: fc.boolean(), pause: fc.nat({ max: 5 * minute }) })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const { blocked, failed, succeeded, fail, time } = throttle(1, 9)
        const model = new Map<string, number>()
        for (const { address, token, isGood, pause } of steps) {
          time.now += pause
          const name = `${address} ${token}`
          if (isGood) {
            succeeded(address, token)
            model.set(name, time.now)
          } else {
            failed(address, token)
            model.delete(name)
          }
          fail(address, 2)
          const isKnown = time.now - (model.get(name) ?? 0) < 15 * minute
          expect(blocked(address, token) === undefined).toBe(isKnown)
        }
      }),
    )
  })
})

describe('failureThrottle and floods of addresses', () => {
  it('inventing addresses frees none that is blocked', () => {
    const { blocked, fail, time } = throttle(5, 100)
    fail('192.0.2.1', 10)
    for (let n = 0; n < 50; n++) {
      time.now += 1000
      for (let other = 0; other < 1000; other++) fail(`flood ${n} ${other}`, 1)
      expect(blocked('192.0.2.1', 'any')).toBeDefined()
    }
  })

  it('while all counts are in use the other addresses share one, and who works already goes on', () => {
    const { blocked, fail, succeeded, time } = throttle(5, 100)
    succeeded('192.0.2.9', 'good')
    for (let n = 0; n < 100; n++) fail(`flood ${n}`, 1)
    expect(blocked('192.0.2.8', 'any')).toBeUndefined()
    fail('192.0.2.7', 5)
    expect(blocked('192.0.2.8', 'any')).toBe(12)
    expect(blocked('192.0.2.9', 'good')).toBeUndefined()
    expect(blocked('flood 1', 'any')).toBeUndefined()
    time.now += 12_000
    expect(blocked('192.0.2.8', 'any')).toBeUndefined()
  })
})

describe('options of failureThrottle', () => {
  it.each([
    [{ perMinute: 0 }, 'perMinute'],
    [{ perMinute: 1, maxAddresses: 0 }, 'counted'],
    [{ perMinute: 1, maxAddresses: 100_001 }, 'counted'],
  ])('refuses %j', (options, word) => {
    const make = () => failureThrottle({ clock: () => 0, ...options })
    expect(make).toThrow(TypeError)
    expect(make).toThrow(word)
  })
})

describe('failureThrottle of several nodes', () => {
  const perMinute = 5

  /** Counts that forget nothing, on their own clock. */
  function counters() {
    const levels = new Map<string, number>()
    const asked: [name: string, amount: number, capacity: number][] = []
    const shared: SharedCounters = {
      async pour(name, amount, capacity) {
        asked.push([name, amount, capacity])
        const level = levels.get(name) ?? 0
        const isPoured = level + amount <= capacity
        if (isPoured) levels.set(name, level + amount)
        return { isPoured, level: isPoured ? level + amount : level }
      },
    }
    return { shared, asked }
  }

  const time = { now: 1_800_000_000_000 }
  const node = (shared: SharedCounters) => failureThrottle({ perMinute, clock: () => time.now, shared })

  /** Answers that promises of promises have been through. */
  async function settled(): Promise<void> {
    for (let turn = 0; turn < 50; turn++) await undefined
  }

  it('B-107 an address that is blocked on one is blocked on the others after its first failure there', async () => {
    const { shared } = counters()
    const [one, two] = [node(shared), node(shared)]
    for (let n = 0; n < perMinute; n++) one.failed('192.0.2.1')
    await settled()
    expect(two.blocked('192.0.2.1', 'any')).toBeUndefined()
    two.failed('192.0.2.1')
    await settled()
    expect(two.blocked('192.0.2.1', 'any')).toBeGreaterThan(0)
    expect(two.blocked('192.0.2.2', 'any')).toBeUndefined()
  })

  it('B-107 who was accepted there before passes on all the same', async () => {
    const { shared } = counters()
    const [one, two] = [node(shared), node(shared)]
    two.succeeded('192.0.2.1', 'good')
    for (let n = 0; n < perMinute; n++) one.failed('192.0.2.1')
    await settled()
    two.failed('192.0.2.1', 'guess')
    await settled()
    expect(two.blocked('192.0.2.1', 'guess')).toBeGreaterThan(0)
    expect(two.blocked('192.0.2.1', 'good')).toBeUndefined()
  })

  it('says nothing of an address but a digest, and asks once for what happens at once', async () => {
    const { shared, asked } = counters()
    const one = node(shared)
    for (let n = 0; n < 100; n++) one.failed('192.0.2.1')
    await settled()
    const name = `failures:${sha256('192.0.2.1')?.slice(0, 32)}`
    expect(asked).toEqual([
      [name, 1, 10],
      [name, 10, 10],
    ])
  })

  it('B-107 while the others cannot be reached it counts by itself, and nothing piles up', async () => {
    let waiting = 0
    const hangs = node({
      pour: () => {
        waiting += 1
        return new Promise(() => {})
      },
    })
    for (let n = 0; n < 1000; n++) hangs.failed(`2001:db8:0:${n.toString(16)}::/64`)
    for (let n = 0; n < perMinute; n++) hangs.failed('192.0.2.1')
    await settled()
    expect(waiting).toBe(100)
    expect(hangs.blocked('192.0.2.1', 'any')).toBeGreaterThan(0)

    let asked = 0
    const down = node({
      pour: () => {
        asked += 1
        throw new Error('password wrong')
      },
    })
    for (let n = 0; n < perMinute; n++) {
      down.failed('192.0.2.1')
      await settled()
    }
    expect(asked).toBe(perMinute)
    expect(down.blocked('192.0.2.1', 'any')).toBeGreaterThan(0)
  })

  it('a store that answers nonsense blocks nobody', async () => {
    for (const level of [Number.NaN, undefined, 'x', Number.NEGATIVE_INFINITY]) {
      const one = node({ pour: async () => ({ isPoured: true, level: level as number }) })
      one.failed('192.0.2.1')
      await settled()
      expect(one.blocked('192.0.2.1', 'any')).toBeUndefined()
    }
    const high = node({ pour: async () => ({ isPoured: true, level: Number.POSITIVE_INFINITY }) })
    high.failed('192.0.2.1')
    await settled()
    expect(high.blocked('192.0.2.1', 'any')).toBeLessThanOrEqual(72)
  })
})
