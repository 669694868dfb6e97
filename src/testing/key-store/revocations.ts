import assert from 'node:assert/strict'
import type { KeyStore, StoredRevocation } from '../../apikeys/key-store.ts'
import { type Cases, entry, numbers, objectNames, revoke } from './tested.ts'

async function named(store: KeyStore, name: string): Promise<StoredRevocation | undefined> {
  const all = (await store.revocations()).filter((one) => one.name === name)
  assert.ok(all.length <= 1, 'one name has two entries')
  return all[0] && { ...all[0] }
}

/** JWTs that are good no longer. */
export const revocationCases: Cases = {
  async 'knows what was revoked, in every process'({ store, other }) {
    const until = Math.floor(store.time()) + 3_600_000
    const revocations: readonly StoredRevocation[] = [
      { name: '["https://idp.example.com","jti ü\u{1f511}"]', kind: 'token', until },
      { name: 'for ever', kind: 'token' },
      { name: 'cut', kind: 'cut_off', cutOff: 1_700_000_000.5 },
      { name: 'cut until', kind: 'cut_off', cutOff: 0, until },
      { name: 'CUT', kind: 'cut_off', cutOff: 1, until },
      ...objectNames.map((name): StoredRevocation => ({ name, kind: 'token' })),
    ]
    await revoke(store, ...revocations)
    for (const from of [store, other]) {
      for (const one of revocations) assert.deepEqual(await named(from, one.name), one)
      assert.equal((await from.revocations()).length, revocations.length)
    }
  },

  async 'a revocation that is over is told no more'({ store, clock }) {
    const now = store.time()
    await revoke(
      store,
      { name: 'over', kind: 'token', until: now - 1000 },
      { name: 'soon', kind: 'cut_off', cutOff: 1, until: now + 60_000 },
      { name: 'never', kind: 'token' },
    )
    const names = async () => (await store.revocations()).map(({ name }) => name).sort()
    assert.deepEqual(await names(), ['never', 'soon'])
    if (clock === undefined) return
    clock.advance(60_001)
    assert.deepEqual(await names(), ['never'])
  },

  async 'revoking again never revokes less: the later end counts, and the later cut-off'({ store, other }) {
    const now = Math.floor(store.time())
    const [sooner, later] = [now + 60_000, now + 120_000]
    const cut = (cutOff: number, until?: number): StoredRevocation => ({
      name: 'n',
      kind: 'cut_off',
      cutOff,
      ...(until === undefined ? {} : { until }),
    })
    await revoke(store, cut(200, sooner))
    await revoke(other, cut(100, later))
    assert.deepEqual(await named(store, 'n'), cut(200, later))
    await revoke(store, cut(300, sooner))
    assert.deepEqual(await named(other, 'n'), cut(300, later))
    await revoke(other, cut(1))
    assert.deepEqual(await named(store, 'n'), cut(300))
    await revoke(store, cut(400, later))
    assert.deepEqual(await named(other, 'n'), cut(400))
  },

  async 'revoking one name twice in a commit counts both'({ store }) {
    const until = Math.floor(store.time()) + 60_000
    await revoke(
      store,
      { name: 'n', kind: 'cut_off', cutOff: 2, until },
      { name: 'n', kind: 'cut_off', cutOff: 1, until: until + 1 },
    )
    assert.deepEqual(await named(store, 'n'), { name: 'n', kind: 'cut_off', cutOff: 2, until: until + 1 })
  },

  async 'those who revoke the same at the same time lose nothing'({ store, other }) {
    const until = Math.floor(store.time()) + 60_000
    await Promise.all(
      numbers(20).map((n) =>
        (n % 2 ? store : other).commit({
          revoke: [
            { name: 'n', kind: 'cut_off', cutOff: (n * 7) % 20, until: until + ((n * 11) % 20) },
            { name: `own ${n}`, kind: 'token' },
          ],
          audit: [entry({ event: 'jwt.cutoff_set' })],
        }),
      ),
    )
    assert.deepEqual(await named(other, 'n'), { name: 'n', kind: 'cut_off', cutOff: 19, until: until + 19 })
    assert.equal((await store.revocations()).length, 21)
  },
}
