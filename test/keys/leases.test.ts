import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { keyStoreOver } from '../../src/apikeys/stores/memory.ts'
import { memoryTables } from '../../src/apikeys/stores/memory-tables.ts'
import { type UsageLeases, usageLeases } from '../../src/apikeys/usage-lease.ts'
import { fakeTime, settled } from './fake-time.ts'
import { faultyStore } from './faulty-store.ts'
import { keyRecord, someAudit } from './key-records.ts'

async function made(limit: number, nodes = 1) {
  const time = fakeTime()
  const tables = memoryTables()
  const database = keyStoreOver(tables, time.clock)
  const record = keyRecord('a', { usageLimit: limit, usageLeft: limit })
  await database.commit({ add: [record], audit: someAudit })
  const { schedule, stopwatch } = time
  const node = () => {
    const own = faultyStore(keyStoreOver(tables, time.clock))
    return { ...own, leases: usageLeases(own.store, { schedule, stopwatch }) }
  }
  const all = Array.from({ length: nodes }, node)
  const [first = node(), second = first] = all
  const left = async () => (await database.find('a'))?.usageLeft
  const find = async () => (await database.find('a')) ?? record
  return { time, database, record, all, first, second, left, find }
}

/** Takes one after another until there are none. */
async function drain(leases: UsageLeases, record: Parameters<UsageLeases['take']>[0]): Promise<number> {
  let taken = 0
  while (await leases.take(record)) taken += 1
  return taken
}

describe('uses of a key', () => {
  test('without a limit are not counted, and nobody is asked', async () => {
    const { first } = await made(1)
    expect(first.leases.take(keyRecord('b'))).toBe(true)
    expect(first.calls('takeUses')).toBe(0)
  })

  test('are as many as the limit says, and not one more', async () => {
    const { first, record, left } = await made(1234)
    expect(await drain(first.leases, record)).toBe(1234)
    expect(await left()).toBe(0)
  })

  test('are decided at once while there are some in advance', async () => {
    const { first, record } = await made(10_000)
    expect(await first.leases.take(record)).toBe(true)
    for (let n = 0; n < 99; n++) expect(first.leases.take(record)).toBe(true)
    expect(first.calls('takeUses')).toBe(1)
    expect(first.leases.take(record)).toBeInstanceOf(Promise)
  })

  test('are taken in blocks of a hundredth of what is left, which get small towards the end', async () => {
    const { first, record, left } = await made(2000)
    await first.leases.take(record)
    expect(await left()).toBe(1980)
    await drain(first.leases, record)
    const asked = first.calls('takeUses')
    // One by one it would be 2000.
    expect(asked).toBeLessThan(500)
    expect(asked).toBeGreaterThan(100)
  })

  test('that wait for the same answer share it', async () => {
    const { first, record, left } = await made(100)
    const all = await Promise.all(Array.from({ length: 60 }, () => first.leases.take(record)))
    expect(all).toEqual(Array(60).fill(true))
    expect(first.calls('takeUses')).toBeLessThanOrEqual(3)
    await first.leases.close()
    expect(await left()).toBe(40)
  })

  test('that are used up are not asked about for two seconds, and are there again when the limit is raised', async () => {
    const { time, first, record, database, find } = await made(3)
    await drain(first.leases, record)
    const asked = first.calls('takeUses')
    for (let n = 0; n < 100; n++) expect(first.leases.take(record)).toBe(false)
    await time.pass(1999)
    expect(first.leases.take(record)).toBe(false)
    expect(first.calls('takeUses')).toBe(asked)
    const raised = { ...(await find()), usageLimit: 10, usageLeft: 7 }
    await database.commit({ update: [{ record: raised, resetUsage: true }], audit: someAudit })
    await time.pass(1)
    // The record that is presented may be the one from before.
    expect(await first.leases.take(record)).toBe(true)
    expect(await drain(first.leases, await find())).toBe(6)
  })

  test('a limit that was lowered holds at once for whoever has the new record', async () => {
    const { first, record, database, find } = await made(10_000)
    await first.leases.take(record)
    const lowered = { ...(await find()), usageLimit: 5, usageLeft: 5 }
    await database.commit({ update: [{ record: lowered, resetUsage: true }], audit: someAudit })
    const now = await find()
    expect(await drain(first.leases, now)).toBe(5)
    // An older record brings nothing back.
    expect(await first.leases.take(record)).toBe(false)
  })

  test('of a key that does not exist any more are none', async () => {
    const { first } = await made(5)
    expect(await first.leases.take(keyRecord('gone', { usageLimit: 5, usageLeft: 5 }))).toBe(false)
  })
})

describe('what is not used', () => {
  test('is given back when a key was idle for a minute', async () => {
    const { time, first, record, left } = await made(10_000)
    await first.leases.take(record)
    expect(await left()).toBe(9900)
    await time.pass(50_000)
    expect(first.leases.take(record)).toBe(true)
    await time.pass(50_000)
    expect(await left()).toBe(9900)
    await time.pass(30_000)
    expect(await left()).toBe(9998)
    expect(time.scheduled).toBe(0)
    expect(await first.leases.take(record)).toBe(true)
  })

  test('is given back on close; then there is nothing to be taken', async () => {
    const { time, first, record, left } = await made(10_000)
    for (let n = 0; n < 7; n++) await first.leases.take(record)
    await first.leases.close()
    expect(await left()).toBe(9993)
    expect(time.scheduled).toBe(0)
    await expect(first.leases.take(record)).rejects.toMatchObject({ code: 'verifier_unavailable' })
    await first.leases.close()
    expect(await left()).toBe(9993)
  })

  test('and is on its way when it is closed is given back too', async () => {
    const { first, record, left } = await made(10_000)
    const open = first.hold('takeUses')
    const taking = first.leases.take(record)
    const closing = first.leases.close()
    open()
    const isTaken = await taking
    await closing
    expect(await left()).toBe(isTaken ? 9999 : 10_000)
  })

  test('is not used again when nobody knows whether it was given back', async () => {
    const { time, first, record, left } = await made(10_000)
    await first.leases.take(record)
    first.down('takeUses')
    await time.pass(70_000)
    first.up()
    await time.pass(70_000)
    await first.leases.take(record)
    await first.leases.close()
    // A block of 100 is lost, and one use of the second.
    expect(await left()).toBe(9899)
  })

  test('of too many keys is given back for the oldest', async () => {
    const time = fakeTime()
    const database = keyStoreOver(memoryTables(), time.clock)
    const records = Array.from({ length: 10 }, (_, n) =>
      keyRecord(`k${n}`, { usageLimit: 1000, usageLeft: 1000 }),
    )
    await database.commit({ add: records, audit: someAudit })
    const leases = usageLeases(database, { schedule: time.schedule, maxKeys: 3 })
    for (const record of records) await leases.take(record)
    await settled()
    const left = await Promise.all(records.map(async ({ id }) => (await database.find(id))?.usageLeft))
    expect(left).toEqual([...Array(7).fill(999), 990, 990, 990])
  })
})

test('a database that is away fails what is not there in advance, and nothing else', async () => {
  const { first, record } = await made(10_000)
  await first.leases.take(record)
  first.down()
  for (let n = 0; n < 99; n++) expect(first.leases.take(record)).toBe(true)
  const several = await Promise.allSettled([1, 2, 3].map(() => first.leases.take(record)))
  for (const one of several) {
    expect(one).toMatchObject({ status: 'rejected', reason: { code: 'verifier_unavailable' } })
  }
  first.up()
  expect(await first.leases.take(record)).toBe(true)
})

test.each([Number.NaN, -1, undefined, Number.POSITIVE_INFINITY])(
  'a store that answers %s has given no more than it was asked for, and nobody asks it without end',
  async (answer) => {
    const { first, record } = await made(5)
    let asked = 0
    first.store.takeUses = async () => {
      asked += 1
      if (asked > 50) throw new Error('without end')
      return answer as number
    }
    const taken = [await first.leases.take(record), await first.leases.take(record)]
    expect(taken).toEqual(answer === Number.POSITIVE_INFINITY ? [true, true] : [false, false])
    expect(asked).toBeLessThanOrEqual(2)
  },
)

test('over several nodes, whatever is asked and fails in whatever order: never more than the limit, and none lost', async () => {
  const step = fc.record({ node: fc.integer({ min: 0, max: 2 }), times: fc.integer({ min: 1, max: 30 }) })
  const act = fc.oneof({ weight: 4, arbitrary: step }, fc.constantFrom('settle' as const, 'minute' as const))
  const limits = fc.integer({ min: 1, max: 700 })
  await fc.assert(
    fc.asyncProperty(limits, fc.array(act, { minLength: 1, maxLength: 40 }), async (limit, acts) => {
      const { time, record, all, left, find } = await made(limit, 3)
      const takes: Promise<boolean>[] = []
      for (const one of acts) {
        if (one === 'settle') await settled()
        else if (one === 'minute') await time.pass(70_000)
        else {
          const presented = one.times % 2 === 0 ? record : await find()
          for (let n = 0; n < one.times; n++) {
            takes.push(Promise.resolve(all[one.node]?.leases.take(presented) ?? false))
          }
        }
      }
      const granted = (await Promise.all(takes)).filter(Boolean).length
      expect(granted).toBeLessThanOrEqual(limit)
      await Promise.all(all.map(({ leases }) => leases.close()))
      expect(await left()).toBe(limit - granted)
    }),
    { numRuns: 100 },
  )
})

test.each([
  [{ maxKeys: 0 }, /maxKeys/],
  [{ block: 1 }, /block/],
])('misuse is a TypeError: %j', (options, message) => {
  expect(() =>
    usageLeases(
      keyStoreOver(memoryTables(), () => 0),
      options as object,
    ),
  ).toThrow(message)
})
