import fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import type { KeyRecord } from '../../src/apikeys/key-record.ts'
import { keyUses } from '../../src/apikeys/key-uses.ts'
import { keyStoreOver } from '../../src/apikeys/stores/memory.ts'
import { memoryTables } from '../../src/apikeys/stores/memory-tables.ts'
import type { AuthEvent } from '../../src/core/index.ts'
import { fakeTime, settled } from './fake-time.ts'
import { faultyStore } from './faulty-store.ts'
import { keyRecord, someAudit } from './key-records.ts'

const used = { firstUsedAt: 1_700_000_000_000 }

async function made(records: readonly KeyRecord[], maxPending?: number) {
  const time = fakeTime()
  const tables = memoryTables()
  const database = keyStoreOver(tables, time.clock)
  if (records.length > 0) await database.commit({ add: records, audit: someAudit })
  const own = faultyStore(keyStoreOver(tables, time.clock))
  const events: AuthEvent[] = []
  const onEvent = (event: AuthEvent) => void events.push(event)
  const { schedule } = time
  const uses = keyUses(own.store, { onEvent, schedule, ...(maxPending && { maxPending }) })
  const find = async (id: string) => {
    const record = await database.find(id)
    if (record === undefined) throw new Error(`no key ${id}`)
    return record
  }
  const audit = async (event: string) =>
    (await database.readAudit({ limit: 1000 })).filter((one) => one.event === event)
  const dropped = () =>
    events.reduce((sum, event) => sum + (event.type === 'audit.dropped' ? event.count : 0), 0)
  return { time, database, own, events, uses, find, audit, dropped }
}

describe('what a caller calls a request', () => {
  test('is not written down when it is a key', async () => {
    const { uses, audit } = await made([keyRecord('a')])
    const requestId = `mcpk_live_${'a'.repeat(12)}_${'b'.repeat(38)}`
    uses.refused('unknown_key', undefined, { address: '192.0.2.1', requestId })
    uses.refused('wrong_secret', keyRecord('a'), { requestId: 'r-1' })
    await uses.flush()
    const events = await audit('auth.failure')
    expect(events.map((event) => event.requestId)).toEqual([undefined, 'r-1'])
    expect(events[0]?.address).toBe('192.0.2.1')
  })
})

describe('last use', () => {
  test('is written at most once a minute for each key, with how often, the last time and address', async () => {
    const { time, own, uses, find } = await made([keyRecord('a', used), keyRecord('b', used)])
    for (let second = 0; second < 59; second++) {
      uses.accepted(await find('a'), { address: `192.0.2.${second}` })
      await time.pass(1000)
    }
    uses.accepted(await find('b'), {})
    expect(own.calls('recordUses')).toBe(0)
    await time.pass(1000)
    expect(own.calls('recordUses')).toBe(1)
    const last = time.clock() - 2000
    expect(await find('a')).toMatchObject({ useCount: 59, lastUsedAt: last, lastUsedAddress: '192.0.2.58' })
    expect(await find('b')).toMatchObject({ useCount: 1 })
    expect(await find('b')).not.toHaveProperty('lastUsedAddress')
    await time.pass(600_000)
    expect(own.calls('recordUses')).toBe(1)
  })

  test('asks for no timer while there is nothing to write', async () => {
    const { time, uses, find } = await made([keyRecord('a', used)])
    expect(time.scheduled).toBe(0)
    uses.accepted(await find('a'), {})
    expect(time.scheduled).toBe(1)
    await time.pass(120_000)
    expect(time.scheduled).toBe(0)
  })

  test('is kept while the database is away, and lost by nobody', async () => {
    const { time, own, uses, find, events } = await made([keyRecord('a', used)])
    const record = await find('a')
    own.down('recordUses')
    for (let n = 0; n < 5; n++) {
      uses.accepted(record, {})
      await time.pass(60_000)
    }
    expect(events.filter((event) => event.type === 'store' && event.result === 'failed')).toHaveLength(5)
    own.up()
    uses.accepted(record, {})
    await time.pass(60_000)
    expect((await find('a')).useCount).toBe(6)
  })

  test('of more keys than are counted is written sooner', async () => {
    const records = Array.from({ length: 10 }, (_, n) => keyRecord(`k${n}`, used))
    const { own, uses, find, dropped } = await made(records, 5)
    for (const record of records) uses.accepted(record, {})
    await settled()
    expect(own.calls('recordUses')).toBe(1)
    await uses.flush()
    expect((await find('k0')).useCount + (await find('k9')).useCount).toBeGreaterThan(0)
    expect(dropped()).toBeLessThanOrEqual(5)
  })

  test('of the oldest is lost when there is no room, and that is told', async () => {
    const records = Array.from({ length: 8 }, (_, n) => keyRecord(`k${n}`, used))
    const { time, own, uses, find, dropped } = await made(records, 5)
    own.down()
    for (const record of records) uses.accepted(record, {})
    await settled()
    await time.pass(10_000)
    expect(dropped()).toBe(3)
    for (const id of ['x', 'y']) uses.accepted(keyRecord(id, used), {})
    await time.pass(10_000)
    expect(dropped()).toBe(5)
    own.up()
    await uses.flush()
    const counts = await Promise.all(records.map(async ({ id }) => (await find(id)).useCount))
    expect(counts.reduce((sum, count) => sum + count)).toBe(3)
  })

  test('while it cannot be written and goes on is added up', async () => {
    const { own, uses, find } = await made([keyRecord('a', used)])
    const open = own.hold('recordUses')
    for (let n = 0; n < 3; n++) uses.accepted(await find('a'), {})
    const flushing = expect(uses.flush()).rejects.toMatchObject({ code: 'verifier_unavailable' })
    await settled()
    for (let n = 0; n < 4; n++) uses.accepted(await find('a'), {})
    own.down('recordUses')
    open()
    await flushing
    own.up()
    await uses.flush()
    expect((await find('a')).useCount).toBe(7)
  })

  test('whatever fails and when: no use is counted twice, and none is lost while there is room', async () => {
    const step = fc.oneof(
      { weight: 3, arbitrary: fc.constantFrom('a', 'b', 'c') },
      fc.constantFrom('down', 'up', 'flush', 'minute'),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const records = ['a', 'b', 'c'].map((id) => keyRecord(id, used))
        const { time, own, uses, find } = await made(records)
        const expected = new Map<string, number>()
        for (const one of steps) {
          if (one === 'down') own.down('recordUses')
          else if (one === 'up') own.up()
          else if (one === 'flush') void uses.flush().catch(() => {})
          else if (one === 'minute') await time.pass(60_000)
          else {
            uses.accepted(keyRecord(one, used), {})
            expected.set(one, (expected.get(one) ?? 0) + 1)
          }
        }
        own.up()
        await uses.close()
        for (const { id } of records) expect((await find(id)).useCount).toBe(expected.get(id) ?? 0)
      }),
      { numRuns: 60 },
    )
  })
})

describe('first use', () => {
  test('is written at once, with an event, and once however many requests there are', async () => {
    const { time, uses, find, audit, own } = await made([keyRecord('a')])
    const record = await find('a')
    const at = time.clock()
    for (let n = 0; n < 100; n++) uses.accepted(record, { address: '192.0.2.1', requestId: 'r1' })
    await settled()
    expect((await find('a')).firstUsedAt).toBe(at)
    const events = await audit('key.first_use')
    expect(events).toHaveLength(1)
    expect(events[0]).toMatchObject({ keyId: 'a', address: '192.0.2.1', requestId: 'r1', outcome: 'success' })
    // An older record may be presented for a while.
    uses.accepted(record, {})
    await settled()
    expect(own.calls('find')).toBe(1)
    expect(own.calls('commit')).toBe(1)
  })

  test('of a pending key begins the grace of the one it replaces, in the same transaction', async () => {
    const old = keyRecord('old', { ...used, replacedBy: 'new' })
    const fresh = keyRecord('new', { lineageId: 'old', state: 'pending', graceMs: 60_000 })
    const { time, uses, find, audit, own } = await made([old, fresh])
    time.skip(5000)
    uses.accepted(await find('new'), {})
    await settled()
    expect(own.calls('commit')).toBe(1)
    expect(await find('new')).toMatchObject({ state: 'active', firstUsedAt: time.clock(), rev: 2 })
    expect(await find('old')).toMatchObject({ state: 'grace', expiresAt: time.clock() + 60_000, rev: 2 })
    const [change] = (await audit('key.update')).filter(({ keyId }) => keyId === 'old')
    expect(change).toMatchObject({ actor: { id: 'new' }, changes: { after: { state: 'grace' } } })
  })

  test('grace shortens a life, and never lengthens it', async () => {
    const until = 1_800_000_010_000
    const old = keyRecord('old', { ...used, replacedBy: 'new', expiresAt: until })
    const fresh = keyRecord('new', { lineageId: 'old', state: 'pending', graceMs: 60_000 })
    const { uses, find } = await made([old, fresh])
    uses.accepted(await find('new'), {})
    await settled()
    expect(await find('old')).toMatchObject({ state: 'grace', expiresAt: until })
  })

  test('a replaced key that was revoked stays revoked', async () => {
    const old = keyRecord('old', { ...used, replacedBy: 'new', state: 'revoked', revokedAt: 1 })
    const fresh = keyRecord('new', { lineageId: 'old', state: 'pending', graceMs: 60_000 })
    const { uses, find } = await made([old, fresh])
    uses.accepted(await find('new'), {})
    await settled()
    expect(await find('old')).toMatchObject({ state: 'revoked', rev: 1 })
    expect(await find('old')).not.toHaveProperty('expiresAt')
    expect(await find('new')).toMatchObject({ state: 'active' })
  })

  test('the replaced key is found in a lineage of more than a thousand', async () => {
    const others = Array.from({ length: 1200 }, (_, n) => keyRecord(`k${n}`, { ...used, lineageId: 'zz' }))
    const old = keyRecord('zz', { ...used, replacedBy: 'new' })
    const fresh = keyRecord('new', { lineageId: 'zz', state: 'pending', graceMs: 1000 })
    const { uses, find } = await made([...others, old, fresh])
    uses.accepted(await find('new'), {})
    await uses.flush()
    expect(await find('zz')).toMatchObject({ state: 'grace' })
  })

  test('is tried again when somebody changes the key meanwhile', async () => {
    const { own, database, uses, find } = await made([keyRecord('a')])
    const open = own.hold('commit')
    uses.accepted(await find('a'), {})
    await settled()
    await database.commit({
      update: [{ record: { ...(await find('a')), name: 'renamed' } }],
      audit: someAudit,
    })
    open()
    await settled()
    expect(await find('a')).toMatchObject({ name: 'renamed', rev: 3 })
    expect((await find('a')).firstUsedAt).toBeDefined()
  })

  test('of a key that is revoked meanwhile changes nothing', async () => {
    const { own, database, uses, find, audit } = await made([keyRecord('a')])
    const open = own.hold('commit')
    uses.accepted(await find('a'), {})
    await settled()
    const revoked = { ...(await find('a')), state: 'revoked', revokedAt: 1 } as const
    await database.commit({ update: [{ record: revoked }], audit: someAudit })
    open()
    await settled()
    expect(await find('a')).toMatchObject({ state: 'revoked', rev: 2 })
    expect(await audit('key.first_use')).toEqual([])
  })

  test('of many keys at once leaves the database to those who wait for it', async () => {
    const records = Array.from({ length: 300 }, (_, n) => keyRecord(`k${n}`))
    const { own, uses, find } = await made(records)
    let running = 0
    let most = 0
    const { commit } = own.store
    Object.assign(own.store, {
      async commit(changes: Parameters<typeof commit>[0]) {
        running += 1
        most = Math.max(most, running)
        await settled()
        running -= 1
        return commit(changes)
      },
    })
    for (const record of records) uses.accepted(record, {})
    await uses.flush()
    expect(most).toBeLessThanOrEqual(4)
    for (const { id } of records) expect((await find(id)).firstUsedAt).toBeDefined()
  })

  test('is tried every ten seconds while the database is away, and not by each request', async () => {
    const { time, own, uses, find } = await made([keyRecord('a')])
    const record = await find('a')
    own.down('find')
    for (let n = 0; n < 100; n++) {
      uses.accepted(record, {})
      await settled()
    }
    expect(own.calls('find')).toBe(1)
    await time.pass(10_000)
    expect(own.calls('find')).toBe(2)
    own.up()
    await uses.close()
    expect((await find('a')).firstUsedAt).toBeDefined()
  })
})

describe('a digest that is not made with the newest pepper', () => {
  const rehash = { hash: new Uint8Array(32).fill(2), hashAlgorithm: 'hmac-sha256:p2' } as const

  test('is replaced once, with an event that shows no digest', async () => {
    const { own, uses, find, audit } = await made([keyRecord('a', used)])
    const record = await find('a')
    for (let n = 0; n < 10; n++) uses.accepted(record, { rehash })
    await settled()
    expect(await find('a')).toMatchObject({ hashAlgorithm: 'hmac-sha256:p2', rev: 2 })
    expect([...(await find('a')).hash]).toEqual([...rehash.hash])
    expect(own.calls('commit')).toBe(1)
    const [event] = (await audit('key.update')).filter(({ reason }) => reason === 're-hash')
    expect(event).toMatchObject({
      keyId: 'a',
      changes: { before: { hashAlgorithm: 'sha256' }, after: { hashAlgorithm: 'hmac-sha256:p2' } },
    })
    expect(JSON.stringify(event?.changes)).not.toMatch(/"hash"|2,2/)
  })

  test('stays when another one is there than the key was compared with', async () => {
    const { uses, find } = await made([keyRecord('a', { ...used, hash: new Uint8Array(32).fill(9) })])
    uses.accepted(keyRecord('a', used), { rehash })
    await settled()
    expect(await find('a')).toMatchObject({ hashAlgorithm: 'sha256', rev: 1 })
  })

  test('and a first use at the same time are both written', async () => {
    const { uses, find } = await made([keyRecord('a')])
    uses.accepted(await find('a'), { rehash })
    await settled()
    expect(await find('a')).toMatchObject({ hashAlgorithm: 'hmac-sha256:p2', rev: 3 })
    expect((await find('a')).firstUsedAt).toBeDefined()
  })
})

describe('what happens again and again', () => {
  test('use in grace: one event at once, then at most one a minute, with how often', async () => {
    const { time, uses, find, audit } = await made([keyRecord('a', { ...used, state: 'grace' })])
    const record = await find('a')
    for (let second = 0; second < 150; second++) {
      uses.accepted(record, { address: `192.0.2.${second}` })
      await time.pass(1000)
    }
    await uses.flush()
    const events = await audit('key.used_in_grace')
    expect(events.reduce((sum, { count = 1 }) => sum + count, 0)).toBe(150)
    for (const [at, event] of events.slice(1, -1).entries()) {
      expect(event.time - (events[at]?.time ?? 0)).toBeGreaterThanOrEqual(60_000)
    }
    expect(events.at(-1)).toMatchObject({ keyId: 'a', address: '192.0.2.149' })
    expect(events.length).toBeLessThanOrEqual(4)
  })

  test('refusals: for each key and reason by itself, and for keys nobody knows by reason', async () => {
    const { time, uses, audit } = await made([])
    const [a, b] = [keyRecord('a', used), keyRecord('b', used)]
    for (let n = 0; n < 50; n++) {
      uses.refused('expired', a, {})
      uses.refused('revoked', a, {})
      uses.refused('expired', b, {})
      uses.refused('unknown_key', undefined, { address: `192.0.2.${n}` })
      uses.refused('malformed', undefined, {})
    }
    await time.pass(80_000)
    const events = await audit('auth.failure')
    expect(events).toHaveLength(10)
    expect(events.filter(({ count }) => count === 49)).toHaveLength(5)
    expect(events.filter(({ keyId, reason }) => keyId === 'a' && reason === 'revoked')).toHaveLength(2)
    expect(events.findLast(({ reason }) => reason === 'unknown_key')).toMatchObject({
      address: '192.0.2.49',
      outcome: 'failure',
    })
  })

  test('who only knows the id of a key is not told of as that key', async () => {
    const { uses, audit } = await made([])
    uses.refused('wrong_secret', keyRecord('a'), {})
    uses.refused('expired', keyRecord('a'), {})
    uses.limited(keyRecord('a'), { requestId: 'r' })
    await uses.flush()
    const [wrong, expired] = await audit('auth.failure')
    expect(wrong).toMatchObject({ keyId: 'a', severity: 'warning' })
    expect(wrong?.actor).toEqual({ type: 'key' })
    expect(expired?.actor).toMatchObject({ type: 'key', id: 'a' })
    expect(await audit('auth.rate_limited')).toMatchObject([{ keyId: 'a', requestId: 'r' }])
  })

  test('more keys than are counted become one event for each reason', async () => {
    const { time, uses, audit } = await made([], 3)
    for (let n = 0; n < 100; n++) {
      uses.refused('expired', keyRecord(`k${n}`), {})
      uses.refused('revoked', keyRecord(`k${n}`), {})
      await settled()
    }
    await time.pass(80_000)
    const events = await audit('auth.failure')
    expect(events.reduce((sum, { count = 1 }) => sum + count, 0)).toBe(200)
    const shared = events.filter(({ keyId }) => keyId === undefined)
    expect(new Set(shared.map(({ reason }) => reason))).toEqual(new Set(['expired', 'revoked']))
    expect(events.length).toBeLessThan(10)
  })

  test('a flood while the database is away fills no memory; what is missing is counted, told and recorded', async () => {
    const { time, own, uses, audit, dropped, events } = await made([], 10)
    own.down()
    for (let n = 0; n < 500; n++) uses.refused(`reason ${n}`, keyRecord(`k${n}`), {})
    await time.pass(20_000)
    expect(own.calls('appendAudit')).toBeLessThan(5)
    expect(events.some(({ type }) => type === 'audit.dropped')).toBe(true)
    own.up()
    await uses.flush()
    const gaps = await audit('audit.gap')
    const recorded = (await audit('auth.failure')).reduce((sum, { count = 1 }) => sum + count, 0)
    const missing = gaps.reduce((sum, { count = 1 }) => sum + count, 0)
    expect(recorded).toBe(10)
    expect(recorded + missing).toBe(500)
    expect(dropped()).toBe(missing)
    expect(gaps[0]).toMatchObject({ severity: 'critical' })
  })

  test('events are written in the order they came, one transaction at a time', async () => {
    const { own, uses, audit } = await made([])
    const open = own.hold('appendAudit')
    for (let n = 0; n < 5; n++) uses.refused(`reason ${n}`, undefined, {})
    await settled()
    expect(own.calls('appendAudit')).toBe(1)
    open()
    await uses.flush()
    expect((await audit('auth.failure')).map(({ reason }) => reason)).toEqual(
      [0, 1, 2, 3, 4].map((n) => `reason ${n}`),
    )
  })
})

describe('a request', () => {
  test('is neither slowed nor failed by a database that is away, a store that throws, or a sink that does', () => {
    const time = fakeTime()
    const broken = {
      ...keyStoreOver(memoryTables(), time.clock),
      time: () => {
        throw new Error('no time')
      },
      appendAudit: () => {
        throw new Error('at once')
      },
    }
    const onEvent = () => {
      throw new Error('sink')
    }
    const uses = keyUses(broken, { onEvent, schedule: time.schedule })
    const record = keyRecord('a', { state: 'grace' })
    expect(uses.accepted(record, {})).toBeUndefined()
    expect(uses.refused('expired', record, {})).toBeUndefined()
    expect(uses.limited(record, {})).toBeUndefined()
  })

  test('after close is not written down', async () => {
    const { time, own, uses, find } = await made([keyRecord('a')])
    await uses.close()
    uses.accepted(await find('a'), {})
    uses.refused('expired', undefined, {})
    await time.pass(120_000)
    expect(time.scheduled).toBe(0)
    expect(own.calls('commit') + own.calls('recordUses') + own.calls('appendAudit')).toBe(0)
  })

  test('close writes all that waits, and says when it could not; it can be tried again', async () => {
    const { own, uses, find, audit } = await made([keyRecord('a')])
    own.down()
    uses.accepted(await find('a'), {})
    uses.refused('expired', await find('a'), {})
    await expect(uses.close()).rejects.toMatchObject({ code: 'verifier_unavailable' })
    own.up()
    await uses.close()
    expect(await find('a')).toMatchObject({ useCount: 1 })
    expect((await find('a')).firstUsedAt).toBeDefined()
    expect(await audit('auth.failure')).toHaveLength(1)
  })

  test('the default timer keeps no process alive', () => {
    const timers = vi.spyOn(globalThis, 'setInterval')
    const uses = keyUses(keyStoreOver(memoryTables(), () => 0))
    uses.accepted(keyRecord('a', used), {})
    const [timer] = timers.mock.results.map(({ value }) => value as NodeJS.Timeout)
    timers.mockRestore()
    expect(timer?.hasRef()).toBe(false)
    return uses.close()
  })
})

test.each([
  [{ maxPending: 0 }, /maxPending/],
  [{ max: 1 }, /max/],
])('misuse is a TypeError: %j', (options, message) => {
  expect(() =>
    keyUses(
      keyStoreOver(memoryTables(), () => 0),
      options as object,
    ),
  ).toThrow(message)
})
