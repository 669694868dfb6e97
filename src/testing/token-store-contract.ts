import assert from 'node:assert/strict'
import type { StoredTokens, TokenStore } from '../client/stores/token-store.ts'
import type { ContractCase } from './contract-case.ts'
import { assertShowsNoSecret } from './secrets.ts'

/** A token store with what a test needs. */
export interface StoreUnderTest {
  readonly store: TokenStore
  /** The same store as another process sees it. Default: the store itself. */
  readonly other?: TokenStore | undefined
  /** Removes what `make` has made. */
  close?(): void | Promise<void>
}

/**
 * What every `TokenStore` keeps to, as cases for any test runner: what was saved is loaded, keys do not mix, writers at
 * the same time lose nothing, and `exclusive` is.
 *
 * @param make makes a new, empty store for each case
 *
 * @example
 * ```ts
 * import { test } from 'node:test'
 * import { memoryTokenStore } from 'mcp-bearer/client'
 * import { tokenStoreContract } from 'mcp-bearer/testing'
 *
 * const make = () => ({ store: memoryTokenStore() })
 * for (const { name, run } of tokenStoreContract(make)) test(name, run)
 * ```
 */
export function tokenStoreContract(
  make: () => StoreUnderTest | Promise<StoreUnderTest>,
): readonly ContractCase[] {
  return Object.entries(cases).map(([name, check]) => ({
    name,
    async run() {
      const made = await make()
      try {
        await check(made.store, made.other ?? made.store)
      } finally {
        await made.close?.()
      }
    },
  }))
}

const key = 'https://mcp.example.com/mcp'
const full: StoredTokens = {
  accessToken: 'access-0123456789abcdef',
  expiresAt: Date.UTC(2026, 0, 1),
  refreshToken: 'refresh-0123456789abcdef',
  scopes: ['files:read', 'files:write'],
}

const cases: Readonly<Record<string, (store: TokenStore, other: TokenStore) => Promise<void>>> = {
  async 'has nothing under a key nobody has saved'(store) {
    for (const name of [key, '', '__proto__', 'constructor', 'toString']) {
      // Not compared with `equal`, which shows both: these would be the tokens of somebody.
      assert.ok((await store.load(name)) === undefined, 'the store has tokens nobody has saved')
    }
  },

  async 'loads what was saved, all of it, in every process'(store, other) {
    await store.save(key, full)
    assert.deepEqual(await store.load(key), full)
    assert.deepEqual(await other.load(key), full)
  },

  async 'replaces the whole'(store) {
    await store.save(key, full)
    await store.save(key, { accessToken: 'second-0123456789' })
    assert.deepEqual(await store.load(key), { accessToken: 'second-0123456789' })
  },

  async 'is not changed by what a caller does with its objects'(store) {
    const scopes = ['files:read']
    const tokens = { accessToken: 'access-0123456789abcdef', scopes }
    await store.save(key, tokens)
    scopes.push('files:write')
    tokens.accessToken = 'changed-0123456789'
    assert.deepEqual(await store.load(key), {
      ...tokens,
      accessToken: 'access-0123456789abcdef',
      scopes: ['files:read'],
    })
  },

  async 'forgets what is saved as undefined, and nothing else'(store, other) {
    await store.save(key, full)
    await store.save(`${key}/b`, full)
    await store.save(key, undefined)
    assert.equal(await store.load(key), undefined)
    assert.deepEqual(await other.load(`${key}/b`), full)
  },

  async 'keeps any two keys apart'(store) {
    const keys = ['a', 'A', 'a ', 'a/b', '../a', '', '__proto__', 'ä', 'a\0b', 'x'.repeat(2000)]
    for (const name of keys) await store.save(name, { accessToken: `token-${keys.indexOf(name)}` })
    for (const name of keys) {
      assert.deepEqual(await store.load(name), { accessToken: `token-${keys.indexOf(name)}` })
    }
  },

  async 'writers at the same time lose nothing'(store, other) {
    const numbers = Array.from({ length: 20 }, (_, index) => index)
    await Promise.all(
      numbers.map((n) => (n % 2 ? store : other).save(`key ${n}`, { accessToken: `token-${n}` })),
    )
    for (const n of numbers) assert.deepEqual(await store.load(`key ${n}`), { accessToken: `token-${n}` })
  },

  async 'runs exclusive work of a key one after another, in every process'(store, other) {
    let running = 0
    const work = async (from: TokenStore) => {
      running += 1
      assert.equal(running, 1, 'exclusive work runs twice at the same time')
      const seen = Number((await from.load(key))?.accessToken ?? '0')
      await from.save(key, { accessToken: String(seen + 1) })
      running -= 1
    }
    const all = Array.from({ length: 10 }, (_, index) => (index % 2 ? store : other))
    await Promise.all(all.map((from) => from.exclusive(key, () => work(from))))
    assert.equal((await store.load(key))?.accessToken, '10')
  },

  async 'runs exclusive work of different keys side by side'(store, other) {
    const result = await store.exclusive('one', () => other.exclusive('other', async () => 'both'))
    assert.equal(result, 'both')
  },

  async 'passes on what exclusive work gives and throws, and is free afterwards'(store, other) {
    const failure = new Error('no luck')
    const failing = async () => {
      throw failure
    }
    await assert.rejects(store.exclusive(key, failing), (error) => error === failure)
    assert.equal(await other.exclusive(key, async () => 'free'), 'free')
  },

  async 'shows no token'(store) {
    await store.save(key, full)
    await store.load(key)
    assertShowsNoSecret('the store', store, [full.accessToken, full.refreshToken!])
  },
}
