import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type KeyRates, keyRates } from '../../src/apikeys/key-rate.ts'
import type { KeyRecord } from '../../src/apikeys/key-record.ts'
import { keyStoreOver } from '../../src/apikeys/stores/memory.ts'
import { memoryTables } from '../../src/apikeys/stores/memory-tables.ts'
import { fakeTime, settled } from './fake-time.ts'
import { faultyStore } from './faulty-store.ts'
import { keyRecord } from './key-records.ts'

function made(nodes = 1) {
  const time = fakeTime()
  const tables = memoryTables()
  const { stopwatch } = time
  const all = Array.from({ length: nodes }, () => {
    const own = faultyStore(keyStoreOver(tables, time.clock))
    return { ...own, rates: keyRates(own.store, { stopwatch }) }
  })
  const [first, second] = all
  if (first === undefined) throw new Error('no node')
  return { time, all, first, second: second ?? first }
}

const limited = (rateLimit: number, id = 'a') => keyRecord(id, { rateLimit })

/** How many of so many requests pass that come one after another. */
async function passing(rates: KeyRates, record: KeyRecord, times: number): Promise<number> {
  let passed = 0
  for (let n = 0; n < times; n++) if ((await rates.take(record)) === undefined) passed += 1
  return passed
}

describe('FL-100 a key with a rate limit', () => {
  test('without one is not counted, and nobody is asked', () => {
    const { first } = made()
    expect(first.rates.take(keyRecord('a'))).toBeUndefined()
    expect(first.calls('pour')).toBe(0)
  })

  test.each([1, 2, 7, 60, 100, 1000, 10_000])('of %i a minute passes as often at once', async (limit) => {
    const { first } = made()
    expect(await passing(first.rates, limited(limit), 2 * limit)).toBe(limit)
  })

  test('is told how long to wait: whole seconds, after which one passes', async () => {
    const { time, first } = made()
    await passing(first.rates, limited(10), 10)
    const seconds = await first.rates.take(limited(10))
    expect(seconds).toBe(6)
    await time.pass(5900)
    expect(await first.rates.take(limited(10))).toBe(1)
    await time.pass(100)
    expect(await first.rates.take(limited(10))).toBeUndefined()
    expect(await first.rates.take(limited(10))).toBe(6)
  })

  test('a flood of refused requests asks the database no more than a few times', async () => {
    const { time, first } = made()
    await passing(first.rates, limited(60), 60)
    const before = first.calls('pour')
    for (let n = 0; n < 100; n++) {
      for (let many = 0; many < 100; many++) await first.rates.take(limited(60))
      await time.pass(10)
    }
    expect(first.calls('pour') - before).toBeLessThan(10)
  })

  test.each([1, 2, 5])('one who stays just below the limit always passes, over %i nodes', async (nodes) => {
    const { time, all } = made(nodes)
    for (let n = 0; n < 600; n++) {
      expect(await all[n % nodes]?.rates.take(limited(60))).toBeUndefined()
      await time.pass(1001)
    }
  })

  test('a slow one passes beside many nodes, each with a call now and then in pairs', async () => {
    const { time, all } = made(10)
    for (let n = 0; n < 200; n++) {
      const rates = all[n % 10]?.rates
      expect(await rates?.take(limited(1000))).toBeUndefined()
      expect(await rates?.take(limited(1000))).toBeUndefined()
      await time.pass(400)
    }
  })

  test('two keys do not touch each other; a key and the one that replaces it share the limit', async () => {
    const { first } = made()
    await passing(first.rates, limited(10, 'flood'), 100)
    expect(await passing(first.rates, limited(10, 'calm'), 10)).toBe(10)
    const rotated = { ...limited(10, 'new'), lineageId: 'flood' }
    expect(await first.rates.take(rotated)).toBeGreaterThan(0)
  })

  test('a key and the one that replaces it, with a limit of its own, let pass no more than both limits together', async () => {
    const { first } = made()
    const old = { ...limited(5, 'old'), lineageId: 'line' }
    const next = { ...limited(200, 'next'), lineageId: 'line' }
    let passed = 0
    for (let round = 0; round < 20; round++) {
      passed += await passing(first.rates, next, 200)
      passed += await passing(first.rates, old, 5)
    }
    expect(passed).toBeLessThanOrEqual(205)
  })

  test('asks for several at once when it is busy', async () => {
    const { first } = made()
    await passing(first.rates, limited(10_000), 5000)
    expect(first.calls('pour')).toBeLessThan(60)
  })

  test('requests that come together share a question, and none passes twice', async () => {
    const { first } = made()
    const all = await Promise.all(Array.from({ length: 50 }, () => first.rates.take(limited(30))))
    expect(all.filter((one) => one === undefined)).toHaveLength(30)
    expect(first.calls('pour')).toBeLessThan(10)
  })

  test('what was paid for in advance is void after three seconds', async () => {
    const { time, first } = made()
    await passing(first.rates, limited(1000), 40)
    const before = first.calls('pour')
    time.skip(3000)
    await first.rates.take(limited(1000))
    expect(first.calls('pour')).toBe(before + 1)
  })

  test('a new limit holds at once', async () => {
    const { first } = made()
    await passing(first.rates, limited(1000), 100)
    expect(await passing(first.rates, limited(5), 100)).toBe(5)
    expect(await first.rates.take(limited(2000))).toBeUndefined()
  })

  test('forgetting a key lets no more pass', async () => {
    const time = fakeTime()
    const store = keyStoreOver(memoryTables(), time.clock)
    const rates = keyRates(store, { stopwatch: time.stopwatch, maxKeys: 1 })
    let passed = 0
    for (let n = 0; n < 50; n++) {
      if ((await rates.take(limited(10))) === undefined) passed += 1
      await rates.take(limited(10, `other ${n}`))
    }
    expect(passed).toBe(10)
  })

  test.each(['__proto__', 'constructor'])('named %s is one like any other', async (id) => {
    const { first } = made()
    expect(await passing(first.rates, limited(3, id), 10)).toBe(3)
  })
})

describe('while the database is away', () => {
  test('each node counts by itself, and at once', async () => {
    const { first, second } = made(2)
    first.down()
    second.down()
    expect(await passing(first.rates, limited(20), 50)).toBe(20)
    expect(await passing(second.rates, limited(20), 50)).toBe(20)
    expect(first.rates.take(limited(20))).toBe(3)
  })

  test('what passed before counts: an outage is no second helping', async () => {
    const { first } = made()
    expect(await passing(first.rates, limited(20), 15)).toBe(15)
    first.down()
    expect(await passing(first.rates, limited(20), 50)).toBe(5)
  })

  test('it is asked once a second, nobody waits for it, and it counts again when it is there', async () => {
    const { time, first, second } = made(2)
    first.down()
    await first.rates.take(limited(60))
    for (let n = 0; n < 50; n++) {
      expect(first.rates.take(limited(60))).not.toBeInstanceOf(Promise)
      await time.pass(100)
    }
    expect(first.calls('pour')).toBeLessThanOrEqual(6)
    first.up()
    await time.pass(1000)
    first.rates.take(limited(60))
    await settled()
    await passing(second.rates, limited(60), 100)
    expect(await passing(first.rates, limited(60), 50)).toBeLessThanOrEqual(1)
  })

  test('a question that hangs keeps nobody waiting who comes after the failure', async () => {
    const { time, first } = made()
    first.down()
    await first.rates.take(limited(60))
    const open = first.hold('pour')
    await time.pass(2000)
    for (let n = 0; n < 10; n++) expect(first.rates.take(limited(60))).toBeUndefined()
    open()
  })
})

/**
 * By how many it was too many, from any moment to any later one: what fits at once passes, and what has leaked since, from
 * three seconds before on.
 */
function mostAbove(passes: readonly number[], limit: number): number {
  let most = Number.NEGATIVE_INFINITY
  for (const [first, from] of passes.entries()) {
    for (let last = first; last < passes.length; last++) {
      const leaked = (((passes[last] ?? 0) - from + 3000) * limit) / 60_000
      most = Math.max(most, last - first + 1 - Math.floor(limit + leaked + 1e-6))
    }
  }
  return most
}

test('over several nodes and any pauses: never more than one bucket lets pass', async () => {
  const limits = fc.integer({ min: 1, max: 200 })
  const act = fc.record({
    node: fc.integer({ min: 0, max: 2 }),
    times: fc.integer({ min: 1, max: 60 }),
    pause: fc.constantFrom(0, 0, 1, 100, 1000, 2999, 3001, 20_000),
    together: fc.boolean(),
  })
  await fc.assert(
    fc.asyncProperty(limits, fc.array(act, { minLength: 1, maxLength: 30 }), async (limit, acts) => {
      const { time, all } = made(3)
      const record = limited(limit)
      const passes: number[] = []
      for (const { node, times, pause, together } of acts) {
        const rates = all[node]?.rates
        const takes = []
        for (let n = 0; n < times; n++) {
          const take = Promise.resolve(rates?.take(record)).then((seconds) => {
            if (seconds === undefined) passes.push(time.stopwatch())
            else expect(seconds).toBeGreaterThanOrEqual(1)
          })
          takes.push(take)
          if (!together) await take
        }
        await Promise.all(takes)
        if (pause > 0) await time.pass(pause)
      }
      expect(mostAbove(passes, limit)).toBeLessThanOrEqual(0)
    }),
    { numRuns: 60 },
  )
})

test.each([
  [{ maxKeys: 0 }, /maxKeys/],
  [{ perMinute: 1 }, /perMinute/],
])('misuse is a TypeError: %j', (options, message) => {
  expect(() =>
    keyRates(
      keyStoreOver(memoryTables(), () => 0),
      options as object,
    ),
  ).toThrow(message)
})
