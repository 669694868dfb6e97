import { describe, expect, it } from 'vitest'
import { apiKeys } from '../../src/apikeys/api-keys.ts'
import type { KeyStore } from '../../src/apikeys/key-store.ts'
import { keyStoreOver } from '../../src/apikeys/stores/memory.ts'
import { memoryTables } from '../../src/apikeys/stores/memory-tables.ts'
import { type UsageLeases, usageLeases } from '../../src/apikeys/usage-lease.ts'
import { fakeTime } from './fake-time.ts'
import { faultyStore } from './faulty-store.ts'

const limit = 200

async function world() {
  const time = fakeTime()
  const tables = memoryTables()
  const open = () => faultyStore(keyStoreOver(tables, time.clock))
  const own = open()
  const keys = apiKeys({ store: own.store })
  const { apiKey } = await keys.create({ name: 'CI', owner: 'alice', usageLimit: limit })
  const node = () => {
    const { store } = open()
    const leases = usageLeases(store, { schedule: time.schedule, stopwatch: time.stopwatch })
    return { use: (id: string, times: number) => used(leases, store, id, times), leases }
  }
  return { time, own, keys, id: apiKey.id, node }
}

/** How many of so many uses are granted. */
async function used(leases: UsageLeases, store: KeyStore, id: string, times: number): Promise<number> {
  let count = 0
  for (let n = 0; n < times; n++) {
    const record = await store.find(id)
    if (record !== undefined && (await leases.take(record))) count += 1
  }
  return count
}

describe('a usage limit', () => {
  it('is that of a key and all that replace it, however often it is rotated', async () => {
    const { keys, id, node } = await world()
    const { use } = node()
    let now = id
    let total = 0
    for (let rotation = 0; rotation < 10; rotation++) {
      const { apiKey } = await keys.rotate(now, { graceSeconds: 3600 })
      total += await use(now, 30)
      now = apiKey.id
    }
    total += await use(now, limit)
    expect(total).toBe(limit)
  })

  it('is shared by a key in grace and the one that replaces it: both work as long as there is something left', async () => {
    const { keys, id, node } = await world()
    const [one, other] = [node(), node()]
    expect(await one.use(id, 20)).toBe(20)
    const { apiKey } = await keys.rotate(id, { graceSeconds: 3600 })
    let total = 20
    for (let round = 0; round < 20; round++) {
      const [old, next] = [await one.use(id, 5), await other.use(apiKey.id, 5)]
      if (round < 10) expect([old, next]).toEqual([5, 5])
      total += old + next
    }
    expect(total).toBeLessThanOrEqual(limit)
    expect(total).toBeGreaterThan(limit - 5)
  })

  it('gets no more by what is taken while a key is rotated', async () => {
    const { keys, own, id, node } = await world()
    const { use } = node()
    const release = own.hold('commit')
    const rotating = keys.rotate(id, { graceSeconds: 3600 })
    expect(await use(id, 50)).toBe(50)
    release()
    const { apiKey } = await rotating
    expect(50 + (await use(apiKey.id, limit)) + (await use(id, limit))).toBe(limit)
  })

  it('is still there when a successor ended unused, for the key and for its next successor', async () => {
    const { keys, id, node } = await world()
    const { use } = node()
    const { apiKey } = await keys.rotate(id, { activate: 'on-first-use' })
    await keys.revoke(apiKey.id)
    expect(await use(id, 50)).toBe(50)
    const next = await keys.rotate(id, { graceSeconds: 0 })
    expect(next.apiKey).toMatchObject({ usageLimit: limit, usageLeft: limit - 50 })
    expect(await use(next.apiKey.id, 2 * limit)).toBe(limit - 50)
  })

  it('of a key that was replaced cannot be set: it would come on top of what its successor has', async () => {
    const { keys, id } = await world()
    const { apiKey } = await keys.rotate(id, { graceSeconds: 3600 })
    await expect(keys.update(id, { usageLimit: 5 })).rejects.toThrow(TypeError)
    expect(await keys.get(id)).toMatchObject({ status: 'grace', usageLeft: 0 })
    expect(await keys.update(apiKey.id, { usageLimit: 5 })).toMatchObject({ usageLeft: 5 })
  })

  it('is used up rather than there twice when nobody can tell where it went, and the new key is told all the same', async () => {
    const { keys, own, id, node } = await world()
    own.down('takeUses')
    const { key, apiKey } = await keys.rotate(id, { graceSeconds: 3600 })
    expect(key).toContain(apiKey.id)
    own.up()
    const { use } = node()
    expect((await use(id, limit)) + (await use(apiKey.id, limit))).toBeLessThanOrEqual(limit)
  })
})
