import { describe, expect, it } from 'vitest'
import { memoryTokenStore, type StoredTokens, type TokenStore } from '../client/stores/token-store.ts'
import { tokenStoreContract } from './token-store-contract.ts'

type Entries = Map<string, StoredTokens>

/** A store over a map, which the broken ones share with their other half. */
function storeOver(entries: Entries, worse: Partial<TokenStore>): TokenStore {
  const inner = memoryTokenStore()
  return {
    load: async (key) => entries.get(key),
    async save(key, tokens) {
      if (tokens === undefined) entries.delete(key)
      else entries.set(key, structuredClone(tokens))
    },
    exclusive: inner.exclusive,
    ...worse,
  }
}

/** One broken store or more for each case: the mistake, the case that finds it, and the store. */
const broken: readonly [mistake: string, name: string, worse: (entries: Entries) => Partial<TokenStore>][] = [
  [
    'looks keys up in an object',
    'has nothing',
    (entries) => ({
      load: async (key) => (Object.fromEntries(entries) as Record<string, StoredTokens>)[key],
    }),
  ],
  ['keeps nothing', 'loads what was saved', () => ({ save: async () => {} })],
  [
    'forgets the refresh token',
    'loads what was saved',
    (entries) => ({
      async save(key, tokens) {
        const { refreshToken: _lost, ...rest } = tokens!
        entries.set(key, rest)
      },
    }),
  ],
  [
    'merges',
    'replaces the whole',
    (entries) => ({
      save: async (key, tokens) => void entries.set(key, { ...entries.get(key), ...tokens! }),
    }),
  ],
  [
    'keeps the object of the caller',
    'is not changed',
    (entries) => ({ save: async (key, tokens) => void entries.set(key, tokens!) }),
  ],
  ['forgets all', 'forgets what is saved', (entries) => ({ save: async () => entries.clear() })],
  [
    'keeps undefined',
    'forgets what is saved',
    (entries) => ({ save: async (key, tokens) => void (tokens && entries.set(key, tokens)) }),
  ],
  [
    'does not tell A from a',
    'keeps any two keys apart',
    (entries) => ({
      load: async (key) => entries.get(key.toLowerCase()),
      save: async (key, tokens) => void entries.set(key.toLowerCase(), tokens!),
    }),
  ],
  [
    'reads, waits and writes',
    'writers at the same time',
    (entries) => ({
      async save(key, tokens) {
        const before = [...entries]
        await new Promise(setImmediate)
        entries.clear()
        for (const [name, one] of [...before, [key, tokens!] as const]) entries.set(name, one)
      },
    }),
  ],
  ['excludes nobody', 'runs exclusive work of a key', () => ({ exclusive: async (_key, work) => work() })],
  [
    'gives nothing back',
    'passes on',
    () => ({
      exclusive: async <T>(_key: string, work: () => Promise<T>) => {
        await work()
        return undefined as T
      },
    }),
  ],
  [
    'wraps errors',
    'passes on',
    () => ({
      exclusive: async (_key, work) =>
        work().catch((error) => {
          throw new Error('failed', { cause: error })
        }),
    }),
  ],
  ['shows its entries', 'shows no token', (entries) => ({ entries }) as Partial<TokenStore>],
]

describe('the contract of token stores', () => {
  it.each(
    tokenStoreContract(() => ({ store: memoryTokenStore() })).map(({ name, run }) => [name, run] as const),
  )('the store in memory %s', async (_name, run) => {
    await expect(run()).resolves.toBeUndefined()
  })

  it.each(broken)('finds a store that %s', async (_mistake, name, worse) => {
    const make = () => {
      const entries: Entries = new Map()
      return { store: storeOver(entries, worse(entries)) }
    }
    const found = tokenStoreContract(make).find((one) => one.name.startsWith(name))
    await expect(found?.run()).rejects.toMatchObject({ name: 'AssertionError' })
  })

  it('finds a store whose other half sees another truth, and closes both', async () => {
    let open = 0
    const make = () => {
      open += 1
      const close = () => {
        open -= 1
      }
      return { store: memoryTokenStore(), other: memoryTokenStore(), close }
    }
    const found = tokenStoreContract(make).find(({ name }) => name.startsWith('loads what was saved'))
    await expect(found?.run()).rejects.toMatchObject({ name: 'AssertionError' })
    expect(open).toBe(0)
  })

  it('finds a store that lets different keys wait for each other', async () => {
    const inner = memoryTokenStore()
    const waiting = new Set<string>()
    const exclusive = async <T>(key: string, work: () => Promise<T>) => {
      if (waiting.size > 0) throw new Error('would wait for ever')
      waiting.add(key)
      return work()
    }
    const found = tokenStoreContract(() => ({ store: { ...inner, exclusive } })).find(({ name }) =>
      name.includes('side by side'),
    )
    await expect(found?.run()).rejects.toThrow('for ever')
  })
})
