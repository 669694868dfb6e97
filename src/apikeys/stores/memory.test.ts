import { describe, expect, test } from 'vitest'
import type { Clock } from '../../core/clock.ts'
import type { KeyRecord } from '../key-record.ts'
import { memoryKeyStore } from './memory.ts'
import { memoryBuckets } from './memory-buckets.ts'
import { mergedRevocation } from './revocation-merge.ts'

// What every store must do is in the contract of key stores; here is what only this one can do wrong.

const audit = [
  { event: 'key.create', outcome: 'success', severity: 'info', actor: { type: 'system' } },
] as const
const key: KeyRecord = {
  id: 'k',
  lineageId: 'k',
  prefix: 'mcpk',
  environment: 'live',
  hash: new Uint8Array(32),
  hashAlgorithm: 'sha256',
  isImported: false,
  name: 'k',
  owner: { id: 'alice' },
  clientId: 'k',
  scopes: [],
  metadata: {},
  isEnabled: true,
  state: 'active',
  useCount: 0,
  createdAt: 0,
  updatedAt: 0,
  rev: 1,
}

describe('the store in memory', () => {
  test('refuses options it does not know, and a clock that is none', () => {
    expect(() => memoryKeyStore({ clok: () => 0 } as object)).toThrow('memoryKeyStore: unknown option "clok"')
    expect(() => memoryKeyStore({ clock: 5 as unknown as Clock })).toThrow(TypeError)
  })

  test('is not the store next to it', async () => {
    const [one, other] = [memoryKeyStore(), memoryKeyStore()]
    await one.commit({ add: [key], audit })
    expect(await other.find('k')).toBeUndefined()
    expect(await other.readAudit({})).toEqual([])
  })

  test('does a step before anybody else does one: what is committed is there at once', async () => {
    const store = memoryKeyStore()
    const committed = store.commit({ add: [key], audit })
    const found = store.find('k')
    expect([await committed, (await found)?.id]).toEqual([true, 'k'])
  })

  test('rejects, and never throws at once', async () => {
    const store = memoryKeyStore()
    await expect(store.commit({ audit: [] })).rejects.toThrow(TypeError)
    await store.close()
    await expect(store.find('k')).rejects.toMatchObject({ code: 'verifier_unavailable' })
  })
})

describe('buckets in memory', () => {
  test('are as many as there are names, and each counts exactly', () => {
    const pour = memoryBuckets()
    const names = Array.from({ length: 20_000 }, (_, index) => `caller ${index}`)
    for (const name of names) expect(pour(name, 2, 3, 0).isPoured).toBe(true)
    expect(names.filter((name) => pour(name, 2, 3, 1).isPoured)).toEqual([])
  })

  test('a flood of names does not empty one that is full', () => {
    const pour = memoryBuckets()
    expect(pour('victim', 60, 60, 0).isPoured).toBe(true)
    for (let second = 0; second < 59; second++) {
      for (let index = 0; index < 500; index++) pour(`${second} ${index}`, 1, 1, second * 1000)
    }
    expect(pour('victim', 60, 60, 59_000)).toEqual({ isPoured: false, level: 1 })
  })

  test('a clock that was set back neither empties nor blocks', () => {
    const pour = memoryBuckets()
    pour('b', 60, 60, 100_000)
    expect(pour('b', 1, 60, 40_000).isPoured).toBe(false)
    expect(pour('b', 1, 60, 41_000).isPoured).toBe(true)
  })

  test('one that got smaller is empty after a minute, too', () => {
    const pour = memoryBuckets()
    pour('b', 1000, 1000, 0)
    expect(pour('b', 10, 10, 30_000)).toEqual({ isPoured: false, level: 5 })
    expect(pour('b', 10, 10, 60_000)).toEqual({ isPoured: true, level: 10 })
  })

  test('ten tenths are one: what is lost in fractions does not keep anybody out', () => {
    const pour = memoryBuckets()
    pour('b', 7, 7, 0)
    for (let step = 1; step < 700; step++) pour('b', 7, 7, (step * 60_000) / 700)
    expect(pour('b', 7, 7, 60_000).isPoured).toBe(true)
  })
})

describe('a revocation that is made again', () => {
  const before = { name: 'n', kind: 'cut_off', cutOff: 5, until: 100 } as const

  test('is the same as the first, when it is the first', () => {
    expect(mergedRevocation(undefined, before)).toEqual(before)
    expect(mergedRevocation(undefined, { name: 'n', kind: 'token' })).toEqual({ name: 'n', kind: 'token' })
  })

  test('keeps the later of each', () => {
    expect(mergedRevocation(before, { ...before, cutOff: 4, until: 101 })).toEqual({ ...before, until: 101 })
    expect(mergedRevocation(before, { ...before, cutOff: 6, until: 99 })).toEqual({ ...before, cutOff: 6 })
  })

  test('stays for ever when one of both does', () => {
    const forEver = { name: 'n', kind: 'cut_off', cutOff: 1 } as const
    expect(mergedRevocation(before, forEver)).toEqual({ name: 'n', kind: 'cut_off', cutOff: 5 })
    expect(mergedRevocation(forEver, before)).toEqual({ name: 'n', kind: 'cut_off', cutOff: 5 })
  })
})
