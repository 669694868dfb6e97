import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { AuthError } from 'mcp-bearer'
import { describe, expect, it } from 'vitest'
import { makeKey } from '../../src/apikeys/format.ts'
import { keyHasher } from '../../src/apikeys/hash.ts'
import type { KeyRecord } from '../../src/apikeys/key-record.ts'
import { faultyStore } from './faulty-store.ts'
import { changeKey, database, start, stopwatch, verifierOn, watched } from './verifier-world.ts'

const outage = () => {
  throw new AuthError('verifier_unavailable')
}

describe('B-121 a key that was good', () => {
  it('is remembered for five seconds of a clock nobody can set, counted from before it was read', async () => {
    const db = database()
    const { key } = await db.add()
    const store = watched(db.open())
    const watch = stopwatch()
    const { warm, verify } = await verifierOn(store.store)
    await warm(key)
    const reads = store.asked.length
    watch.pass(4800)
    expect(await verify(key)).not.toBeNull()
    expect(store.asked.length).toBe(reads)
    watch.pass(300)
    expect(await verify(key)).not.toBeNull()
    expect(store.asked.length).toBe(reads + 1)
  })

  it('is remembered less long by as much as the read took', async () => {
    const db = database()
    const { key } = await db.add()
    const store = watched(db.open())
    const watch = stopwatch()
    const { verify, sync } = await verifierOn(store.store)
    await verify(key)
    await sync()
    const release = store.hold()
    const answer = verify(key)
    watch.pass(4000)
    release()
    expect(await answer).not.toBeNull()
    const reads = store.asked.length
    watch.pass(1100)
    await verify(key)
    expect(store.asked.length).toBe(reads + 1)
  })

  it('is read each time with maxAge 0, by each caller for himself', async () => {
    const db = database()
    const { key } = await db.add()
    const store = watched(db.open())
    const { warm, verify } = await verifierOn(store.store, { maxAge: 0 })
    await warm(key)
    const reads = store.asked.length
    await Promise.all([verify(key), verify(key), verify(key)])
    expect(store.asked.length).toBe(reads + 3)
  })

  it('is not good once it has expired, remembered or not, to the millisecond of the database', async () => {
    const db = database()
    const { key } = await db.add({ expiresAt: start + 3000 })
    const store = watched(db.open())
    const { warm, verify, reason } = await verifierOn(store.store)
    await warm(key)
    const reads = store.asked.length
    db.pass(2999)
    expect(await verify(key)).not.toBeNull()
    db.pass(1)
    expect(await verify(key)).toBeNull()
    expect(reason()).toBe('expired')
    expect(store.asked.length).toBe(reads)
  })

  it.each([-300_000, 300_000])(
    'is judged by the time of the database, with the clock of the node off by %i ms',
    async (off) => {
      const db = database()
      const { key } = await db.add({ notBefore: start + 1000, expiresAt: start + 60_000 })
      const clock = () => db.clock() + off
      const { verify, reason } = await verifierOn(db.open(), {}, { clock })
      expect(await verify(key)).toBeNull()
      expect(reason()).toBe('not_yet_valid')
      db.pass(1000)
      const token = await verify(key)
      // Whoever asks the token by the clock of this node must not be misled either.
      expect(token?.isExpired(clock())).toBe(false)
      db.pass(58_999)
      expect(await verify(key)).not.toBeNull()
      db.pass(1)
      expect(await verify(key)).toBeNull()
      expect(reason()).toBe('expired')
    },
  )

  it('is asked about once for all who come at the same time', async () => {
    const db = database()
    const { key } = await db.add()
    const store = watched(db.open())
    const { verify } = await verifierOn(store.store)
    const release = store.hold()
    const answers = Array.from({ length: 64 }, () => verify(key))
    release()
    expect((await Promise.all(answers)).every((token) => token?.token === key)).toBe(true)
    expect(store.asked.length).toBe(1)
  })

  it('B-104 and is revoked is refused from the next request on where that was done', async () => {
    const db = database()
    const { key, id } = await db.add()
    const store = db.open()
    const { warm, verify, reason } = await verifierOn(store)
    await warm(key)
    await changeKey(store, id, { state: 'revoked', revokedAt: start })
    expect(await verify(key)).toBeNull()
    expect(reason()).toBe('revoked')
  })

  it('is remembered by its digest: with another secret it is another key', async () => {
    const db = database()
    const [one, other] = [await db.add(), await db.add()]
    const { warm, verify } = await verifierOn(db.open())
    await warm(one.key)
    const mixed = one.key.slice(0, -1) + (one.key.endsWith('a') ? 'b' : 'a')
    expect(await verify(mixed)).toBeNull()
    expect((await verify(other.key))?.clientId).toBe(other.id)
  })

  it('is not remembered with rememberTokens 0', async () => {
    const db = database()
    const { key } = await db.add()
    const store = watched(db.open())
    const { warm, verify } = await verifierOn(store.store, {}, { rememberTokens: 0 })
    await warm(key)
    await verify(key)
    expect(store.asked.length).toBe(3)
    await verify(makeKey('mcpk', 'live').key)
    expect(store.asked.length).toBe(4)
  })

  it('is read each time while nobody knows what was changed: after thirty seconds without word', async () => {
    const db = database()
    const { key } = await db.add()
    const store = watched(db.open())
    const watch = stopwatch()
    const { warm, verify, sync } = await verifierOn(store.store)
    await warm(key)
    watch.pass(31_000)
    await verify(key)
    const reads = store.asked.length
    await verify(key)
    expect(store.asked.length).toBe(reads + 1)
    await sync()
    await verify(key)
    await verify(key)
    expect(store.asked.length).toBe(reads + 1)
  })
})

describe('a change while a key is read', () => {
  it('fill race: what was read before is not remembered', async () => {
    const db = database()
    const { key, id } = await db.add()
    const inner = db.open()
    const store = watched(inner)
    const { verify, sync, reason } = await verifierOn(store.store)
    await verify(key)
    await sync()
    const release = store.hold()
    const early = verify(key)
    await changeKey(inner, id, { state: 'revoked', revokedAt: start })
    release()
    // It came before the revocation.
    expect(await early).not.toBeNull()
    expect(await verify(key)).toBeNull()
    expect(reason()).toBe('revoked')
  })

  it('join race: whoever comes after it does not wait for what was asked before', async () => {
    const db = database()
    const { key, id } = await db.add()
    const inner = db.open()
    const store = watched(inner)
    const { verify, sync, reason } = await verifierOn(store.store)
    await verify(key)
    await sync()
    const release = store.hold()
    const early = verify(key)
    await changeKey(inner, id, { isEnabled: false })
    const late = verify(key)
    release()
    expect(await early).not.toBeNull()
    expect(await late).toBeNull()
    expect(reason()).toBe('disabled')
    // And the early one must not put its own answer in the place of the later one.
    expect(await verify(key)).toBeNull()
  })

  it('whoever comes much later does not wait for a read that hangs, and what it brings counts no more', async () => {
    const db = database()
    const { key } = await db.add()
    const store = watched(db.open())
    const watch = stopwatch()
    const { verify, sync } = await verifierOn(store.store)
    await verify(key)
    await sync()
    const release = store.hold()
    const early = verify(key)
    watch.pass(5001)
    const late = verify(key)
    release()
    await expect(early).rejects.toMatchObject({ code: 'verifier_unavailable' })
    expect(await late).not.toBeNull()
  })
})

describe('keys that are not there', () => {
  it('are asked about once in two seconds', async () => {
    const db = database()
    const store = watched(db.open())
    const watch = stopwatch()
    const { verify, warm, events, sync } = await verifierOn(store.store)
    const { key } = makeKey('mcpk', 'live')
    await expect(warm(key)).rejects.toThrow('refused')
    await sync()
    await verify(key)
    const reads = store.asked.length
    watch.pass(1900)
    await verify(key)
    expect(events.some((event) => event.type === 'cache.hit' && event.cache === 'negative')).toBe(true)
    expect(store.asked.length).toBe(reads)
    watch.pass(200)
    await verify(key)
    expect(store.asked.length).toBe(reads + 1)
  })

  it('10,000 of them, and more, push out no good key and are forgotten', async () => {
    const db = database()
    const { key } = await db.add()
    const store = watched(db.open())
    const { warm, verify } = await verifierOn(store.store, {}, { rememberTokens: 1 })
    await warm(key)
    const bad = Array.from({ length: 10_500 }, () => makeKey('mcpk', 'live').key)
    await Promise.all(bad.map((one) => verify(one)))
    const reads = store.asked.length
    expect(await verify(key)).not.toBeNull()
    // The newest are remembered, the oldest are not: there is a bound, and it holds.
    await verify(bad.at(-1) ?? '')
    expect(store.asked.length).toBe(reads)
    await verify(bad[0] ?? '')
    expect(store.asked.length).toBe(reads + 1)
  })

  it('whoever invents them costs a look-up each, and one event of the audit log altogether', async () => {
    const db = database()
    const store = faultyStore(db.open())
    const { verify, verifier } = await verifierOn(store.store)
    const bad = Array.from({ length: 1000 }, () => makeKey('mcpk', 'live').key)
    await Promise.all(bad.map((one) => verify(one, { address: '192.0.2.1' })))
    expect(store.calls('find')).toBe(1000)
    await verifier.close()
    const written = await db.admin.readAudit({ event: 'auth.failure', limit: 100 })
    expect(written.map(({ count = 1 }) => count)).toEqual([1, 999])
    for (const name of ['commit', 'recordUses', 'takeUses', 'pour', 'list'] as const) {
      expect(store.calls(name)).toBe(0)
    }
  })

  it('that have another secret than the one with their id are remembered without what it holds', async () => {
    setFlagsFromString('--expose-gc')
    const collect: () => void = runInNewContext('gc')
    const db = database()
    const { key, record } = await db.add()
    const found: WeakRef<object>[] = []
    const store = watched(db.open())
    store.answer(() => {
      const metadata = { large: 'x'.repeat(8000) }
      found.push(new WeakRef(metadata))
      return { ...record, hash: keyHasher().hash(`${key}x`), metadata }
    })
    const { verify } = await verifierOn(store.store)
    for (let n = 0; n < 3; n++) expect(await verify(key)).toBeNull()
    for (let n = 0; n < 100 && found.some((one) => one.deref() !== undefined); n++) {
      await new Promise((resolve) => setImmediate(resolve))
      collect()
    }
    expect(found.length).toBeGreaterThan(0)
    expect(found.map((one) => one.deref())).toEqual(found.map(() => undefined))
  })

  it('of good keys so many are remembered as rememberTokens says', async () => {
    const db = database()
    const keys = await Promise.all(Array.from({ length: 5 }, () => db.add()))
    const store = watched(db.open())
    const { warm, verify } = await verifierOn(store.store, {}, { rememberTokens: 2 })
    await warm(keys[0]?.key ?? '')
    for (const { key } of keys) await verify(key)
    const reads = store.asked.length
    for (const { key } of keys.slice(-2)) await verify(key)
    expect(store.asked.length).toBe(reads)
    await verify(keys[0]?.key ?? '')
    expect(store.asked.length).toBe(reads + 1)
  })
})

describe('B-106 K13 a store that fails', () => {
  it('is verifier_unavailable: within the five seconds for keys nobody remembers, afterwards for all', async () => {
    const db = database()
    const [one, other] = [await db.add(), await db.add()]
    const store = watched(db.open())
    const watch = stopwatch()
    const { warm, verify, events } = await verifierOn(store.store)
    await warm(one.key)
    store.answer(outage)
    expect(await verify(one.key)).not.toBeNull()
    await expect(verify(other.key)).rejects.toMatchObject({ code: 'verifier_unavailable' })
    watch.pass(5001)
    await expect(verify(one.key)).rejects.toMatchObject({ code: 'verifier_unavailable' })
    expect(events.at(-1)).toMatchObject({ type: 'failed', method: 'api_key', error: 'verifier_unavailable' })
    expect(events).toContainEqual(
      expect.objectContaining({ type: 'store', operation: 'find', result: 'failed' }),
    )
    store.answer(undefined)
    expect(await verify(one.key)).not.toBeNull()
    expect(await verify(other.key)).not.toBeNull()
  })

  it.each([null, undefined, false])('says %s: there is no such key', async (answer) => {
    const db = database()
    const { key } = await db.add()
    const store = watched(db.open())
    store.answer(() => answer)
    const { verify, reason } = await verifierOn(store.store)
    expect(await verify(key)).toBeNull()
    expect(reason()).toBe('unknown_key')
  })

  const junk: readonly [string, unknown][] = [
    ['a digest that is too short', { hash: new Uint8Array(31) }],
    ['a digest that is text', { hash: 'x'.repeat(32) }],
    ['no digest', { hash: undefined }],
    ['another id', { id: 'somebodyelse' }],
    ['a state nobody knows', { state: 'ACTIVE' }],
    ['no word about being enabled', { isEnabled: undefined }],
    ['1 for being enabled', { isEnabled: 1 }],
    ['text for an expiry', { expiresAt: '2099-01-01' }],
    ['NaN for an expiry', { expiresAt: Number.NaN }],
    ['null for a beginning', { notBefore: null }],
    ['text for addresses', { addresses: '0.0.0.0/0' }],
    ['text for audiences', { audiences: 'https://a.example.com' }],
    ['text for tools', { tools: 'search' }],
    ['numbers for scopes', { scopes: [7] }],
    ['text for a rate', { rateLimit: 'many' }],
    ['no owner', { owner: undefined }],
    ['an owner without a name', { owner: {} }],
    ['no client', { clientId: '' }],
    ['a list for metadata', { metadata: [] }],
    ['an environment nobody knows', { environment: 'prod' }],
  ]
  it.each([...junk, ['true', true], ['a text', 'yes'], ['a number', 1]] as const)(
    'and answers with %s accepts nobody, and blames nobody else',
    async (_name, wrong) => {
      const db = database()
      const { key, record } = await db.add()
      const store = watched(db.open())
      store.answer(() => (typeof wrong === 'object' ? { ...record, ...wrong } : wrong))
      const { verify, warm, refusals, events } = await verifierOn(store.store)
      for (let use = 0; use < 3; use++) {
        const error: unknown = await verify(key).catch((thrown: unknown) => thrown)
        expect(error).toBeInstanceOf(Error)
        expect(error instanceof AuthError ? error.code : 'server_error').toBe('server_error')
        expect(String(error)).not.toContain(key)
      }
      expect(refusals).toEqual([])
      expect(events.at(-1)?.type).toBe('failed')
      store.answer(undefined)
      expect(await warm(key)).not.toBeNull()
    },
  )

  it('and throws anything else is broken, not unreachable: no last known key is served for it', async () => {
    const db = database()
    const { key } = await db.add()
    const store = watched(db.open())
    const watch = stopwatch()
    const { warm, verify } = await verifierOn(store.store, { serveLastKnownFor: 3600 })
    await warm(key)
    watch.pass(6000)
    store.answer(() => {
      throw new RangeError('a bug')
    })
    await expect(verify(key)).rejects.toThrow(RangeError)
  })
})

describe('serveLastKnownFor', () => {
  async function served(more: Partial<KeyRecord> = {}) {
    const db = database()
    const made = await db.add(more)
    const inner = db.open()
    const store = watched(inner)
    const watch = stopwatch()
    const world = await verifierOn(store.store, { serveLastKnownFor: 60 })
    await world.warm(made.key)
    return { db, inner, store, watch, ...made, ...world }
  }

  it('takes keys that were good before, while the store cannot be reached, and says so', async () => {
    const { store, watch, verify, key, events, logs } = await served()
    store.answer(outage)
    watch.pass(40_000)
    expect(await verify(key)).not.toBeNull()
    expect(await verify(key)).not.toBeNull()
    expect(events.filter(({ type }) => type === 'fail_open')).toHaveLength(2)
    expect(logs.filter(({ event }) => event === 'keys_served_unchecked')).toHaveLength(1)
    watch.pass(21_000)
    await expect(verify(key)).rejects.toMatchObject({ code: 'verifier_unavailable' })
  })

  it('not when they have expired, nor for other keys', async () => {
    const { db, store, watch, verify, key, reason } = await served({ expiresAt: start + 1000 })
    const other = await db.add()
    store.answer(outage)
    watch.pass(10_000)
    await expect(verify(other.key)).rejects.toMatchObject({ code: 'verifier_unavailable' })
    db.pass(1000)
    expect(await verify(key)).toBeNull()
    expect(reason()).toBe('expired')
  })

  it('never one that something was heard of since', async () => {
    const { inner, store, watch, verify, key, id } = await served()
    store.answer(outage)
    store.answerLists(async () => outage())
    await changeKey(inner, id, { state: 'revoked', revokedAt: start })
    watch.pass(10_000)
    await expect(verify(key)).rejects.toMatchObject({ code: 'verifier_unavailable' })
  })

  it('is off unless it is asked for', async () => {
    const db = database()
    const { key } = await db.add()
    const store = watched(db.open())
    const watch = stopwatch()
    const { warm, verify, events } = await verifierOn(store.store)
    await warm(key)
    store.answer(outage)
    watch.pass(5001)
    await expect(verify(key)).rejects.toMatchObject({ code: 'verifier_unavailable' })
    expect(events.some(({ type }) => type === 'fail_open')).toBe(false)
  })
})
