import { describe, expect, it } from 'vitest'
import { changeFeed } from '../../src/apikeys/change-feed.ts'
import { changeKey, database, start, verifierOn, watched } from './verifier-world.ts'

/** Until what happens in the background has come to rest. */
const settled = () => new Promise((resolve) => setImmediate(resolve))
const unavailable = expect.objectContaining({ code: 'verifier_unavailable' })

describe('whoever holds a stream open while the node', () => {
  it('has begun to read a key that is revoked meanwhile is told of that revocation', async () => {
    const db = database()
    const { key, id } = await db.add()
    const store = watched(db.open())
    const { verifier, verify } = await verifierOn(store.store)
    await verify(key)
    await changeFeed(store.store).sync()
    await changeKey(store.store, id, { name: 'so that it is read again' })
    await settled()
    const release = store.hold()
    const opening = verify(key)
    await settled()
    await changeKey(db.admin, id, { state: 'revoked', revokedAt: start })
    await changeFeed(store.store).sync()
    release()
    const token = await opening
    await settled()
    // It was there before, or it is told at once; but it never goes on unseen.
    if (token !== null) expect(verifier.recheck(token)).toBe('revoked')
  })

  it('has begun to read a key for the first time, and it is revoked meanwhile, is told of that revocation', async () => {
    const db = database()
    const other = await db.add()
    const { key, id } = await db.add()
    const store = watched(db.open())
    const { verifier, verify, warm } = await verifierOn(store.store)
    await warm(other.key)
    const release = store.hold()
    const opening = verify(key)
    await settled()
    await changeKey(db.admin, id, { state: 'revoked', revokedAt: start })
    await changeFeed(store.store).sync()
    release()
    const token = await opening
    await settled()
    if (token !== null) expect(verifier.recheck(token)).toBe('revoked')
  })

  it('is being shut down is neither good nor bad: nothing is heard of any more', async () => {
    const db = database()
    const { key } = await db.add()
    const { verifier, warm } = await verifierOn(db.open())
    const token = await warm(key)
    await verifier.close()
    expect(() => verifier.recheck(token)).toThrow(unavailable)
  })
})
