import { AuthError } from 'mcp-bearer'
import { describe, expect, it } from 'vitest'
import { changeFeed } from '../../src/apikeys/change-feed.ts'
import type { KeyRecord } from '../../src/apikeys/key-record.ts'
import { faultyStore } from './faulty-store.ts'
import { changeKey, database, start, stopwatch, verifierOn, watched } from './verifier-world.ts'

/** Until what happens in the background has come to rest. */
const settled = () => new Promise((resolve) => setImmediate(resolve))

describe('FL-98 B-104 two nodes on one database', () => {
  it('a key that is revoked on one is refused on the other as soon as that one hears of it', async () => {
    const db = database()
    const { key, id } = await db.add()
    const [here, there] = [db.open(), db.open()]
    const one = await verifierOn(here)
    const other = await verifierOn(there)
    await one.warm(key)
    await other.warm(key)
    await changeKey(here, id, { state: 'revoked', revokedAt: start })
    expect(await one.verify(key)).toBeNull()
    await other.sync()
    expect(await other.verify(key)).toBeNull()
    expect(other.reason()).toBe('revoked')
  })

  it('and after five seconds when it hears of nothing, the remembered verdict included', async () => {
    const db = database()
    const { key, id } = await db.add()
    const watch = stopwatch()
    const other = await verifierOn(db.open())
    await other.warm(key)
    await db.change(id, { state: 'revoked', revokedAt: start })
    watch.pass(4900)
    expect(await other.verify(key)).not.toBeNull()
    watch.pass(101)
    expect(await other.verify(key)).toBeNull()
    expect(await other.verify(key)).toBeNull()
  })

  it('with clocks five minutes apart agree about when a key expires', async () => {
    const db = database()
    const { key } = await db.add({ expiresAt: start + 10_000 })
    const nodes = await Promise.all(
      [-300_000, 0, 300_000].map((off) => verifierOn(db.open(), {}, { clock: () => db.clock() + off })),
    )
    for (const node of nodes) await node.warm(key)
    db.pass(9999)
    for (const node of nodes) expect(await node.verify(key)).not.toBeNull()
    db.pass(1)
    for (const node of nodes) expect(await node.verify(key)).toBeNull()
  })

  it('two verifiers on one store object are both told', async () => {
    const db = database()
    const { key, id } = await db.add()
    const store = db.open()
    const [one, other] = [await verifierOn(store), await verifierOn(store)]
    await one.warm(key)
    await other.warm(key)
    await changeKey(store, id, { isEnabled: false })
    expect(await one.verify(key)).toBeNull()
    expect(await other.verify(key)).toBeNull()
  })
})

describe('recheck', () => {
  const changes: readonly [string, Partial<KeyRecord>][] = [
    ['revoked', { state: 'revoked' }],
    ['disabled', { isEnabled: false }],
    ['expired', { expiresAt: start }],
    ['wrong_audience', { audiences: ['https://other.example.com'] }],
  ]

  it.each(changes)(
    'says %s of a key that another node has changed so, once that is heard of',
    async (reason, more) => {
      const db = database()
      const { key, id } = await db.add()
      const { warm, verifier, sync } = await verifierOn(db.open())
      const token = await warm(key)
      await settled()
      expect(verifier.recheck(token)).toBeUndefined()
      await db.change(id, more)
      expect(verifier.recheck(token)).toBeUndefined()
      await sync()
      await settled()
      expect(verifier.recheck(token)).toBe(reason)
    },
  )

  it('says nothing of a key that has only another name', async () => {
    const db = database()
    const { key, id } = await db.add()
    const { warm, verifier, sync } = await verifierOn(db.open())
    const token = await warm(key)
    await db.change(id, { name: 'another' })
    await sync()
    await settled()
    expect(verifier.recheck(token)).toBeUndefined()
  })

  it('says expired when it is time, by the time of the database, without asking anybody', async () => {
    const db = database()
    const { key } = await db.add({ expiresAt: start + 1000 })
    const store = watched(db.open())
    const { warm, verifier } = await verifierOn(store.store)
    const token = await warm(key)
    const reads = store.asked.length
    db.pass(999)
    expect(verifier.recheck(token)).toBeUndefined()
    db.pass(1)
    expect(verifier.recheck(token)).toBe('expired')
    expect(store.asked.length).toBe(reads)
    // Also where the key is not remembered.
    const other = await verifierOn(db.open(), {}, { rememberTokens: 0 })
    expect(other.verifier.recheck(token)).toBe('expired')
  })

  it('says revoked of a key that was removed', async () => {
    const db = database()
    const { key, id } = await db.add()
    const store = watched(db.open())
    const { warm, verifier } = await verifierOn(store.store)
    const token = await warm(key)
    store.answerLists(async () => [])
    await changeKey(store.store, id, { name: 'x' })
    await settled()
    expect(verifier.recheck(token)).toBe('revoked')
  })

  it('also of one whose removal nobody told of, once it was presented', async () => {
    const db = database()
    const { key } = await db.add()
    const store = watched(db.open())
    const watch = stopwatch()
    const { warm, verify, verifier } = await verifierOn(store.store)
    const token = await warm(key)
    watch.pass(5001)
    store.answer(() => undefined)
    expect(await verify(key)).toBeNull()
    expect(verifier.recheck(token)).toBe('revoked')
  })

  it('tries again when the store could not be asked', async () => {
    const db = database()
    const { key, id } = await db.add()
    const inner = db.open()
    const store = watched(inner)
    const watch = stopwatch()
    const { warm, verifier } = await verifierOn(store.store)
    const token = await warm(key)
    await settled()
    store.answerLists(async () => {
      throw new AuthError('verifier_unavailable')
    })
    await changeKey(inner, id, { state: 'revoked' })
    await settled()
    expect(verifier.recheck(token)).toBeUndefined()
    store.answerLists(undefined)
    watch.pass(1001)
    expect(verifier.recheck(token)).toBeUndefined()
    await settled()
    expect(verifier.recheck(token)).toBe('revoked')
  })

  it('FL-98 B-104 reads the key again while nothing is heard of changes: revoked within five seconds', async () => {
    const db = database()
    const { key, id } = await db.add()
    const { watch, token, verifier, faulty } = await streaming(db, key)
    faulty.down('changes')
    await db.change(id, { state: 'revoked' })
    let passed = 0
    while (verifier.recheck(token) === undefined) {
      await settled()
      watch.pass(1000)
      passed += 1000
      expect(passed).toBeLessThanOrEqual(5000)
    }
    expect(verifier.recheck(token)).toBe('revoked')
  })

  it('of a good key nothing changes then: it is read again, once in a while', async () => {
    const db = database()
    const { key } = await db.add()
    const { watch, token, verifier, faulty } = await streaming(db, key)
    faulty.down('changes')
    const before = faulty.calls('list')
    for (let second = 0; second < 60; second++) {
      for (let event = 0; event < 10; event++) expect(verifier.recheck(token)).toBeUndefined()
      watch.pass(1000)
      await settled()
    }
    expect(faulty.calls('list') - before).toBeGreaterThan(10)
    expect(faulty.calls('list') - before).toBeLessThan(40)
  })

  it('FL-98 after five seconds without the database cannot tell, and asks it no more than once a second', async () => {
    const db = database()
    const { key, id } = await db.add()
    const { watch, token, verifier, faulty } = await streaming(db, key)
    faulty.down()
    await db.change(id, { state: 'revoked' })
    watch.pass(4900)
    expect(verifier.recheck(token)).toBeUndefined()
    await settled()
    watch.pass(101)
    const before = faulty.calls('list')
    for (let event = 0; event < 100; event++) {
      expect(() => verifier.recheck(token)).toThrow(expect.objectContaining({ code: 'verifier_unavailable' }))
      await settled()
    }
    expect(faulty.calls('list') - before).toBeLessThanOrEqual(1)
    faulty.up()
    watch.pass(1001)
    expect(() => verifier.recheck(token)).toThrow(AuthError)
    await settled()
    expect(verifier.recheck(token)).toBe('revoked')
  })

  it('a change that was heard of and cannot be read counts as nothing heard since', async () => {
    const db = database()
    const { key, id } = await db.add()
    const { watch, token, verifier, faulty, sync } = await streaming(db, key)
    faulty.down('list')
    await db.change(id, { state: 'revoked' })
    await sync()
    for (let second = 0; second < 5; second++) {
      expect(verifier.recheck(token)).toBeUndefined()
      await settled()
      watch.pass(1001)
      await sync()
    }
    expect(() => verifier.recheck(token)).toThrow(AuthError)
  })

  it('nobody is held up while a change is read that was heard of in time, however long ago the key was read', async () => {
    const db = database()
    const { key, id } = await db.add()
    const { watch, token, verifier, faulty, sync } = await streaming(db, key)
    for (let minute = 0; minute < 10; minute++) {
      watch.pass(60_000)
      await sync()
    }
    watch.pass(1000)
    const release = faulty.hold('list')
    await db.change(id, { name: 'another' })
    await sync()
    watch.pass(1000)
    expect(verifier.recheck(token)).toBeUndefined()
    // And again, which brings nothing new of the first.
    await db.change(id, { state: 'revoked' })
    await sync()
    watch.pass(2999)
    expect(verifier.recheck(token)).toBeUndefined()
    watch.pass(1)
    expect(() => verifier.recheck(token)).toThrow(AuthError)
    release()
    await settled()
    await settled()
    expect(verifier.recheck(token)).toBe('revoked')
  })

  it('B-104 knows within five seconds of a key that was revoked, also when it hears of nothing', async () => {
    const { db, id, token, verifier, watch } = await unheard()
    await db.change(id, { state: 'revoked' })
    watch.pass(2500)
    expect(verifier.recheck(token)).toBeUndefined()
    await settled()
    expect(verifier.recheck(token)).toBe('revoked')
  })

  it('goes on asking as long as it hears of nothing, once in a while', async () => {
    const { db, id, token, verifier, watch, lists } = await unheard()
    for (let seconds = 0; seconds < 60; seconds++) {
      watch.pass(1000)
      expect(verifier.recheck(token)).toBeUndefined()
      await settled()
    }
    expect(lists()).toBeGreaterThan(15)
    expect(lists()).toBeLessThan(25)
    await db.change(id, { isEnabled: false })
    watch.pass(4000)
    verifier.recheck(token)
    await settled()
    expect(verifier.recheck(token)).toBe('disabled')
  })

  /** A key that is known, on a node that hears of no change any more. */
  async function unheard() {
    const db = database()
    const { key, id } = await db.add()
    const inner = db.open()
    let asked = 0
    const store = watched({
      ...inner,
      list(query) {
        asked += 1
        return inner.list(query)
      },
    })
    const watch = stopwatch()
    const world = await verifierOn(store.store)
    const token = await world.warm(key)
    await settled()
    asked = 0
    return { ...world, db, id, token, watch, lists: () => asked }
  }

  it('asks about many keys at once, and not about each', async () => {
    const db = database()
    const made = await Promise.all(Array.from({ length: 1200 }, () => db.add()))
    const inner = db.open()
    const store = watched(inner)
    const { warm, verify, verifier, sync } = await verifierOn(store.store)
    await warm(made[0]?.key ?? '')
    await settled()
    const tokens = await Promise.all(made.map(({ key }) => verify(key)))
    const asked: number[] = []
    store.answerLists((query) => {
      asked.push(query.ids?.length ?? 0)
      return inner.list(query)
    })
    for (const { id } of made) await db.change(id, { state: 'revoked' })
    await sync()
    const isKnown = () => tokens.every((token) => token !== null && verifier.recheck(token) === 'revoked')
    while (!isKnown()) await settled()
    // The first one is asked about alone: the others are told of after it.
    expect(asked).toEqual([1, 500, 500, 199])
  })
})

describe('close', () => {
  it('stops listening, flushes uses, gives back leases, answers nobody any more, and is once', async () => {
    const db = database()
    const { key, id } = await db.add({ usageLimit: 1000, usageLeft: 1000 })
    const plain = await db.add()
    const store = db.open()
    const { warm, verify, verifier } = await verifierOn(store)
    const token = await warm(key)
    await verify(plain.key)
    await verify(key)
    const closing = verifier.close()
    expect(verifier.close()).toBe(closing)
    await closing
    expect(await store.find(id)).toMatchObject({ useCount: 3, usageLeft: 997, lastUsedAt: start })
    for (const one of [key, plain.key]) {
      await expect(verify(one)).rejects.toMatchObject({ code: 'verifier_unavailable' })
    }
    await changeKey(store, id, { state: 'revoked' })
    await settled()
    // Nothing was heard of it, and so nobody can tell.
    expect(() => verifier.recheck(token)).toThrow(expect.objectContaining({ code: 'verifier_unavailable' }))
    // The store is still somebody else's.
    expect(await store.find(id)).toBeDefined()
    expect(changeFeed(store)).toBeDefined()
  })

  it('never rejects, whatever becomes of the store', async () => {
    const db = database()
    const { key } = await db.add({ usageLimit: 1000, usageLeft: 1000 })
    const store = db.open()
    const { warm, verifier } = await verifierOn(store)
    await warm(key)
    await store.close()
    await expect(verifier.close()).resolves.toBeUndefined()
  })
})

/** Somebody who was let in and stays, on a database that can be gone. */
async function streaming(db: ReturnType<typeof database>, key: string) {
  const faulty = faultyStore(db.open())
  const watch = stopwatch()
  const { warm, verifier, sync } = await verifierOn(faulty.store)
  const token = await warm(key)
  await settled()
  return { watch, token, verifier, faulty, sync }
}
