import type { AccessToken, AuthEvent, LogEntry } from 'mcp-bearer'
import { onTestFinished, vi } from 'vitest'
import { changeFeed } from '../../src/apikeys/change-feed.ts'
import { makeKey } from '../../src/apikeys/format.ts'
import { keyHasher } from '../../src/apikeys/hash.ts'
import type { KeyRecord } from '../../src/apikeys/key-record.ts'
import type { KeyStore } from '../../src/apikeys/key-store.ts'
import { keyStoreOver } from '../../src/apikeys/stores/memory.ts'
import { memoryTables } from '../../src/apikeys/stores/memory-tables.ts'
import { type ApiKeyVerifier, apiKeyVerifier } from '../../src/verify/api-key.ts'
import type { ApiKeyVerifierOptions } from '../../src/verify/api-key-options.ts'
import type { TokenRefusal } from '../../src/verify/refusal.ts'

/** 2026-01-01T00:00Z */
export const start = Date.UTC(2026, 0, 1)
const audit = [
  { event: 'key.update', outcome: 'success', severity: 'info', actor: { type: 'system' } },
] as const

/** A database in memory, with a time of its own, and keys in it. */
export function database() {
  const tables = memoryTables()
  let now = start
  const clock = () => now
  const admin = keyStoreOver(tables, clock)
  return {
    clock,
    pass(milliseconds: number) {
      now += milliseconds
    },
    /** As another process opens it. */
    open: () => keyStoreOver(tables, clock),
    /** Makes a key; used before, so that its first use is no change. */
    async add(more: Partial<KeyRecord> = {}, key = makeKey('mcpk', more.environment ?? 'live').key) {
      const id = more.id ?? key.split('_')[2] ?? ''
      const record: KeyRecord = {
        id,
        lineageId: id,
        prefix: 'mcpk',
        environment: 'live',
        hash: keyHasher().hash(key),
        hashAlgorithm: 'sha256',
        isImported: false,
        name: 'CI',
        owner: { id: 'alice' },
        clientId: id,
        scopes: ['read'],
        metadata: {},
        isEnabled: true,
        state: 'active',
        useCount: 0,
        createdAt: start,
        updatedAt: start,
        firstUsedAt: start,
        rev: 1,
        ...more,
      }
      await admin.commit({ add: [record], audit })
      return { key, id, record }
    },
    change: (id: string, more: Partial<KeyRecord>) => changeKey(admin, id, more),
    admin,
  }
}

/** Changes a key, as the process does that has the store. */
export async function changeKey(store: KeyStore, id: string, more: Partial<KeyRecord>): Promise<void> {
  const record = await store.find(id)
  if (record === undefined) throw new Error('no such key')
  await store.commit({ update: [{ record: { ...record, ...more } }], audit })
}

/** A store whose reads are counted, and can be held, replaced, or made to fail. */
export function watched(store: KeyStore) {
  const asked: string[] = []
  let held: Promise<void> | undefined
  let instead: ((id: string) => unknown) | undefined
  const find: KeyStore['find'] = async (id) => {
    asked.push(id)
    const answer = instead === undefined ? await store.find(id) : await instead(id)
    await held
    return answer as KeyRecord | undefined
  }
  const all: KeyStore = { ...store, find, list: (query) => list(query) }
  let list: KeyStore['list'] = store.list
  return {
    store: all,
    asked,
    /** From now on reads are made, and what they found arrives when `release` is called. */
    hold() {
      let release = () => {}
      held = new Promise((resolve) => {
        release = () => {
          held = undefined
          resolve()
        }
      })
      return () => release()
    },
    answer(how: ((id: string) => unknown) | undefined) {
      instead = how
    },
    answerLists(how: KeyStore['list'] | undefined) {
      list = how ?? store.list
    },
  }
}

interface Stopwatch {
  pass(milliseconds: number): void
}

let running: Stopwatch | undefined

/** The time of whoever measures how long something takes: it passes by hand, however slow the machine is. */
export function stopwatch(): Stopwatch {
  if (running !== undefined) return running
  let now = performance.now()
  const spy = vi.spyOn(performance, 'now').mockImplementation(() => now)
  onTestFinished(() => {
    spy.mockRestore()
    running = undefined
  })
  running = {
    pass(milliseconds) {
      now += milliseconds
    },
  }
  return running
}

/** A verifier, and all it says. Asks for changes only when it is told to. */
export async function verifierOn(
  store: KeyStore,
  options: Omit<ApiKeyVerifierOptions, 'store'> = {},
  more: { readonly clock?: () => number; readonly rememberTokens?: number } = {},
) {
  stopwatch()
  const events: AuthEvent[] = []
  const logs: LogEntry[] = []
  const refusals: TokenRefusal[] = []
  const feed = changeFeed(store, { schedule: () => () => {} })
  const verifier: ApiKeyVerifier = apiKeyVerifier(
    { store, ...options },
    {
      ...more,
      onEvent: (event) => events.push(event),
      logger: (entry) => logs.push(entry),
      onRefused: (refusal) => refusals.push(refusal),
    },
  )
  onTestFinished(() => verifier.close())
  return {
    verifier,
    events,
    logs,
    refusals,
    sync: () => feed.sync(),
    verify: (key: string, context?: Parameters<ApiKeyVerifier['verifyToken']>[1]) =>
      verifier.verifyToken(key, context),
    /** Why the last key was refused. */
    reason: () => refusals.at(-1)?.reason,
    /** Shows a key, and the verifier has heard of all changes by then. */
    async warm(key: string): Promise<AccessToken> {
      await verifier.verifyToken(key)
      await feed.sync()
      const token = await verifier.verifyToken(key)
      if (token === null) throw new Error('the key is refused')
      return token
    },
  }
}
