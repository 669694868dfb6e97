import { describe, expect, it } from 'vitest'
import type { AuditEvent } from '../apikeys/audit-event.ts'
import type { KeyRecord } from '../apikeys/key-record.ts'
import type { KeyChanges, KeyStore, StoredRevocation } from '../apikeys/key-store.ts'
import { keyStoreOver, memoryKeyStore } from '../apikeys/stores/memory.ts'
import { memoryTables, type Tables } from '../apikeys/stores/memory-tables.ts'
import { fakeClock } from './fake-clock.ts'
import { type KeyStoreUnderTest, keyStoreContract } from './key-store-contract.ts'

/** Two processes on one database. */
function pair(worse: (good: KeyStore, tables: Tables) => Partial<KeyStore> = () => ({})): KeyStoreUnderTest {
  const tables = memoryTables()
  const clock = fakeClock()
  const made = () => {
    const good = keyStoreOver(tables, clock)
    return { ...good, ...worse(good, tables) }
  }
  return { store: made(), other: made(), clock }
}

/** Lets others in, as a database does between two statements. */
const wait = () => new Promise((resolve) => setImmediate(resolve))

/** A store whose records come out changed. */
function reading(change: (key: KeyRecord) => Partial<KeyRecord> | undefined) {
  return (good: KeyStore): Partial<KeyStore> => ({
    async find(id) {
      const key = await good.find(id)
      return key && ({ ...key, ...change(key) } as KeyRecord)
    },
  })
}

/** A store that commits something else than it was given. */
function committing(change: (changes: KeyChanges) => KeyChanges) {
  return (good: KeyStore): Partial<KeyStore> => ({ commit: async (given) => good.commit(change(given)) })
}

/** Broken stores: the mistake, the case that finds it, and what is worse about the store. */
const broken: readonly [
  mistake: string,
  name: string,
  worse: (good: KeyStore, tables: Tables) => Partial<KeyStore>,
][] = [
  [
    'looks keys up in an object',
    'has nothing under an id',
    (_good, { keys }) => ({
      find: async (id) => (Object.fromEntries(keys) as Record<string, KeyRecord>)[id],
    }),
  ],
  ['keeps nothing', 'finds what was added', () => ({ commit: async () => true })],
  ['forgets who revoked', 'finds what was added', reading(() => ({ revokedBy: '' }))],
  [
    'gives NULL for what is absent',
    'leaves absent',
    reading(({ tenant }) => (tenant === undefined ? ({ tenant: null } as object) : {})),
  ],
  [
    'takes an empty list of tools for none',
    'tells nothing from none',
    (good) => ({
      async find(id) {
        const { tools, ...key } = (await good.find(id))!
        return tools?.length ? { ...key, tools } : key
      },
    }),
  ],
  [
    'keeps digests as text',
    'keeps every byte',
    reading(({ hash }) => ({ hash: Buffer.from(Buffer.from(hash).toString('utf8')) })),
  ],
  [
    'assigns metadata',
    'keeps metadata',
    reading(({ metadata }) => ({ metadata: Object.assign({}, metadata) })),
  ],
  [
    'hands out its own objects',
    'is not changed by what a caller does with its objects',
    (_good, { keys }) => ({ find: async (id) => keys.get(id) }),
  ],
  [
    'orders ids as a language does',
    'lists keys in the order',
    (good) => ({
      list: async (query) =>
        [...(await good.list({ ...query, limit: 1000 }))]
          .sort((one, other) => one.id.localeCompare(other.id))
          .slice(0, query.limit ?? 100),
    }),
  ],
  [
    'ignores whose keys are asked for',
    'lists the keys of an owner',
    (good) => ({ list: () => good.list({}) }),
  ],
  [
    'takes no ids for all ids',
    'lists the keys with certain ids',
    (good) => ({ list: ({ ids, ...query }) => good.list(ids?.length ? { ids, ...query } : query) }),
  ],
  [
    'gives as much as it is asked for',
    'refuses to list',
    (good) => ({ list: async (query) => good.list({ ...query, limit: 1000 }) }),
  ],
  [
    'commits one part after the other',
    'leaves nothing of a commit that adds',
    (good) => ({
      async commit({ add = [], ...changes }) {
        for (const one of add) {
          if (!(await good.commit({ add: [one], audit: changes.audit }))) return false
        }
        return good.commit(changes)
      },
    }),
  ],
  [
    'records events though nothing is done',
    'leaves nothing of a commit that updates what has changed',
    (good) => ({
      async commit(changes) {
        const isDone = await good.commit(changes)
        if (!isDone) await good.appendAudit(changes.audit)
        return isDone
      },
    }),
  ],
  [
    'writes before it can fail',
    'leaves nothing of a commit that fails',
    (good, { keys }) => ({
      async commit(changes) {
        if (changes.audit.length > 1) for (const one of changes.add ?? []) keys.set(one.id, one)
        return good.commit(changes)
      },
    }),
  ],
  [
    'changes keys unseen',
    'refuses a commit nobody would see',
    (good) => ({
      commit: async (changes) =>
        good.commit(
          changes.audit.length > 0
            ? changes
            : {
                ...changes,
                audit: [
                  { event: 'key.update', outcome: 'success', severity: 'info', actor: { type: 'system' } },
                ],
              },
        ),
    }),
  ],
  [
    'adds what it should update',
    'leaves nothing of a commit that updates a key which is not there',
    (good, { keys }) => ({
      async commit(changes) {
        for (const { record } of changes.update ?? []) if (!keys.has(record.id)) keys.set(record.id, record)
        return good.commit(changes)
      },
    }),
  ],
  [
    'merges updates',
    'an update writes the whole record',
    (_good, { keys }) => ({
      async commit(changes) {
        return _good.commit({
          ...changes,
          update: (changes.update ?? []).map(({ record }) => ({
            record: { ...keys.get(record.id), ...record },
          })),
        })
      },
    }),
  ],
  [
    'sets counts back',
    'an update leaves alone',
    committing((given) => ({
      ...given,
      update: (given.update ?? []).map((one) => ({ ...one, resetUsage: true })),
    })),
  ],
  [
    'never resets usage',
    'an update that resets',
    committing((given) => ({ ...given, update: (given.update ?? []).map(({ record }) => ({ record })) })),
  ],
  [
    'tells before it is done',
    'tells who listens',
    (good) => {
      const listeners = new Set<Parameters<KeyStore['onChange']>[0]>()
      return {
        onChange(changed) {
          listeners.add(changed)
          return () => listeners.delete(changed)
        },
        async commit(changes) {
          for (const { record } of changes.update ?? []) {
            for (const listener of listeners) listener({ topic: 'key', ref: record.id })
          }
          for (const { name } of changes.revoke ?? []) {
            for (const listener of listeners) listener({ topic: 'revocation', ref: name })
          }
          await wait()
          return good.commit(changes)
        },
      }
    },
  ],
  [
    'reads, waits and writes',
    'lets exactly one of many updates win',
    (good, { keys }) => ({
      async commit(changes) {
        const revs = (changes.update ?? []).map(({ record }) => keys.get(record.id)?.rev === record.rev)
        await wait()
        if (revs.includes(false)) return false
        const update = (changes.update ?? []).map((one) => ({
          record: { ...one.record, rev: keys.get(one.record.id)!.rev },
        }))
        return good.commit({ ...changes, update })
      },
    }),
  ],
  [
    'lets the last one add',
    'lets exactly one of many add',
    (good, { keys }) => ({
      async commit(changes) {
        for (const { id } of changes.add ?? []) keys.delete(id)
        return good.commit(changes)
      },
    }),
  ],
  [
    'counts in two steps',
    'loses no use',
    (good, { keys }) => ({
      async recordUses(uses) {
        for (const { id, count, at } of uses) {
          const key = keys.get(id)!
          await wait()
          keys.set(id, { ...key, useCount: key.useCount + count, lastUsedAt: at })
        }
        return good.recordUses([])
      },
    }),
  ],
  [
    'moves the last use back',
    'moves the last use forward',
    (good, { keys }) => ({
      async recordUses(uses) {
        await good.recordUses(uses)
        for (const { id, at } of uses) keys.set(id, { ...keys.get(id)!, lastUsedAt: at })
      },
    }),
  ],
  ['counts no days', 'counts uses by day', () => ({ usesByDay: async () => [] })],
  [
    'counts days of keys that are not there',
    'counts uses by day',
    (good, { uses }) => ({
      async recordUses(told) {
        await good.recordUses(told)
        for (const use of told) if (use.id === 'gone') uses.count(use)
      },
    }),
  ],
  [
    'tells the days of all keys',
    'counts uses by day',
    (good) => ({ usesByDay: (_ids, since) => good.usesByDay!(['a', 'b'], since) }),
  ],
  [
    'has days that begin an hour late',
    'a day begins and ends at midnight',
    (good) => ({
      recordUses: (told) => good.recordUses(told.map((use) => ({ ...use, at: use.at - 3_600_000 }))),
    }),
  ],
  [
    'keeps the days of keys that are gone',
    'forgets the days of a key',
    (_good, { uses }) => {
      uses.keep = () => {}
      return {}
    },
  ],
  [
    'keeps days for ever',
    'forgets days after 400',
    (_good, { uses }) => {
      uses.tidy = () => {}
      return {
        usesByDay: async (ids, since) => {
          const first = Date.parse(since) / 86_400_000 - 1000
          return uses.find({ ids, days: Array.from({ length: 2000 }, (_, at) => first + at) })
        },
      }
    },
  ],
  [
    'lets anybody ask for anything',
    'is asked for a hundred keys',
    (good) => ({ usesByDay: (ids, since) => good.usesByDay!(ids.slice(0, 100), since) }),
  ],
  [
    'counts a key once a call',
    'counts every use of a key',
    (good) => ({
      recordUses: (uses) => good.recordUses([...new Map(uses.map((use) => [use.id, use])).values()]),
    }),
  ],
  [
    'takes in two steps',
    'those who take at the same time',
    (good, { keys }) => ({
      async takeUses(id, wanted) {
        const left = keys.get(id)?.usageLeft ?? 0
        await wait()
        const taken = Math.min(left, wanted)
        keys.set(id, { ...keys.get(id)!, usageLeft: left - taken })
        await good.recordUses([])
        return taken
      },
    }),
  ],
  [
    'takes back without a limit',
    'takes back what was not used',
    (good, { keys }) => ({
      async takeUses(id, wanted) {
        if (wanted > 0) return good.takeUses(id, wanted)
        const key = keys.get(id)!
        keys.set(id, { ...key, usageLeft: key.usageLeft! - wanted })
        return wanted
      },
    }),
  ],
  [
    'gives unlimited uses to keys that are gone',
    'takes nothing of a key that is not there',
    (good) => ({
      takeUses: async (id, wanted) =>
        (await good.find(id)) === undefined ? wanted : good.takeUses(id, wanted),
    }),
  ],
  [
    'counts what did not fit',
    'pours into a bucket what fits',
    (good) => {
      let level = 0
      return {
        pour: async (name, amount, capacity) => {
          level += amount
          return { ...(await good.pour(name, amount, capacity)), isPoured: level <= capacity }
        },
      }
    },
  ],
  [
    'has one bucket',
    'keeps buckets apart',
    (good) => ({ pour: (_name, ...rest) => good.pour('b', ...rest) }),
  ],
  [
    'empties buckets once a minute',
    'leaks all the time',
    (good) => {
      const levels = new Map<string, number>()
      return {
        async pour(name, amount, capacity) {
          const window = `${name} ${Math.floor(good.time() / 60_000)}`
          const level = (levels.get(window) ?? 0) + amount
          if (level > capacity) return { isPoured: false, level: level - amount }
          levels.set(window, level)
          return { isPoured: true, level }
        },
      }
    },
  ],
  [
    'has buckets of its own in each process',
    'those who pour at the same time',
    () => ({ pour: memoryKeyStore().pour }),
  ],
  [
    'pours in two steps',
    'those who pour at the same time',
    (good) => {
      let level = 0
      return {
        async pour(_name, amount, capacity) {
          const before = level
          await wait()
          await good.find('')
          if (before + amount <= capacity) level = before + amount
          return { isPoured: before + amount <= capacity, level }
        },
      }
    },
  ],
  [
    'tells of its own changes only',
    'tells what any process has changed',
    (good, { changes }) => {
      const own = new Set<string>()
      const last = () => String(changes.last)
      return {
        async commit(given) {
          for (const { record } of given.update ?? []) own.add(record.id)
          return good.commit(given)
        },
        async changes(cursor) {
          const found = await good.changes(cursor)
          return {
            ...found,
            cursor: last(),
            changes: found.changes.filter(({ topic, ref }) => topic !== 'key' || own.has(ref)),
            // Instead of waiting for what never comes.
            isComplete: found.changes.every(({ topic, ref }) => topic !== 'key' || own.has(ref)),
          }
        },
      }
    },
  ],
  [
    'says that all is there when it is not',
    'says so when changes were pruned',
    (good) => ({ changes: async (cursor) => ({ ...(await good.changes(cursor)), isComplete: true }) }),
  ],
  [
    'begins anew with a cursor it does not know',
    'never says that it is complete',
    (good) => ({
      async changes(cursor) {
        const found = await good.changes(cursor)
        return found.isComplete ? found : good.changes(undefined)
      },
    }),
  ],
  [
    'tells uses as changes',
    'uses are no changes',
    (good, { changes }) => ({
      async recordUses(uses) {
        await good.recordUses(uses)
        changes.add(
          uses.map(({ id }) => ({ topic: 'key', ref: id })),
          good.time(),
        )
      },
    }),
  ],
  [
    'forgets why',
    'reads events as they were recorded',
    (good) => ({
      readAudit: async (query) =>
        (await good.readAudit(query)).map(({ reason: _lost, ...event }): AuditEvent => event),
    }),
  ],
  [
    'removes an event',
    'chains events without a gap',
    (good) => ({
      readAudit: async (query) => (await good.readAudit(query)).filter(({ sequence }) => sequence !== 2),
    }),
  ],
  [
    'numbers anew',
    'chains events without a gap',
    (good) => ({
      async readAudit(query) {
        const events = (await good.readAudit(query)).filter(({ sequence }) => sequence !== 2)
        return events.map((event, index) => ({ ...event, sequence: index + 1 }))
      },
    }),
  ],
  [
    'tears calls apart',
    'chains events of processes that record at the same time',
    (good) => ({
      async appendAudit(entries) {
        for (const entry of entries) {
          await good.appendAudit([entry])
          await wait()
        }
      },
    }),
  ],
  [
    'begins the chain anew when it is empty',
    'goes on with the chain',
    (good, tables) => ({
      async prune(limits) {
        const counts = await good.prune(limits)
        tables.lastHash = '0'.repeat(64)
        return counts
      },
    }),
  ],
  [
    'does not know another order of events',
    'reads the newest first',
    (good) => ({ readAudit: ({ order: _, ...query }) => good.readAudit(query) }),
  ],
  [
    'reads events anew where it should read on',
    'reads the newest first',
    (good) => ({ readAudit: ({ before: _, ...query }) => good.readAudit(query) }),
  ],
  [
    'turns round what comes first',
    'reads the newest first',
    (good) => ({
      readAudit: async ({ order, ...query }) => {
        const events = await good.readAudit(query)
        return order === 'desc' ? events.toReversed() : events
      },
    }),
  ],
  [
    'includes the end of a span of time',
    'finds events by all',
    (good) => ({
      readAudit: ({ until, ...query }) =>
        good.readAudit(until === undefined ? query : { ...query, until: until + 1 }),
    }),
  ],
  [
    'replaces a revocation',
    'revoking again never revokes less',
    (good, { revocations }) => ({
      async commit(changes) {
        for (const { name } of changes.revoke ?? []) revocations.delete(name)
        return good.commit(changes)
      },
    }),
  ],
  [
    'merges in two steps',
    'those who revoke the same at the same time',
    (good, { revocations }) => ({
      async commit(changes) {
        const before = new Map(revocations)
        await wait()
        for (const { name } of changes.revoke ?? []) {
          const found = before.get(name)
          if (found) revocations.set(name, found)
          else revocations.delete(name)
        }
        return good.commit(changes)
      },
    }),
  ],
  [
    'lets revocations without an end go at once',
    'a revocation that is over',
    (good) => ({
      revocations: async () => (await good.revocations()).filter(({ until }) => (until ?? 0) > good.time()),
    }),
  ],
  [
    'rounds a cut-off',
    'knows what was revoked',
    (good) => ({
      revocations: async () =>
        (await good.revocations()).map(
          (one): StoredRevocation =>
            one.cutOff === undefined ? one : { ...one, cutOff: Math.floor(one.cutOff) },
        ),
    }),
  ],
  [
    'removes what is at the limit',
    'removes keys that were revoked',
    (good) => ({
      prune: ({ keys, ...limits }) => good.prune(keys === undefined ? limits : { ...limits, keys: keys + 1 }),
    }),
  ],
  [
    'removes what stays for ever',
    'removes revocations',
    (good, { revocations }) => ({
      async prune(limits) {
        for (const [name, { until }] of revocations) if (until === undefined) revocations.delete(name)
        return good.prune(limits)
      },
    }),
  ],
  [
    'prunes whatever it is told',
    'removes nothing that is younger',
    (good) => ({ prune: () => good.prune({ changes: Number.MAX_VALUE, audit: Number.MAX_VALUE }) }),
  ],
  [
    'has no key when it cannot be asked',
    'cannot be asked when it is closed',
    (good) => ({ find: (id) => good.find(id).catch(() => undefined) }),
  ],
  ['goes by the clock of its own node', 'has one time', (good) => ({ time: () => good.time() + 5000 })],
  ['shows its keys', 'shows no digest', (_good, { keys }) => ({ keys }) as Partial<KeyStore>],
]

describe('the contract of key stores', () => {
  const oneStore = () => {
    const clock = fakeClock()
    return { store: memoryKeyStore({ clock }), clock }
  }
  const makes: readonly [what: string, make: () => KeyStoreUnderTest][] = [
    ['the store in memory', oneStore],
    ['two stores on one memory', () => pair()],
    ['the store in memory, by the clock of this machine,', () => ({ store: memoryKeyStore() })],
  ]
  describe.each(makes)('%s', (_what, make) => {
    it.each(keyStoreContract(make).map(({ name, run }) => [name, run] as const))('%s', async (_name, run) => {
      await expect(run()).resolves.toBeUndefined()
    })
  })

  it.each(broken)('finds a store that %s', async (_mistake, name, worse) => {
    const found = keyStoreContract(() => pair(worse)).find((one) => one.name.startsWith(name))
    await expect(found?.run()).rejects.toMatchObject({ name: 'AssertionError' })
  })

  it('finds a store whose other half sees another truth, and closes what was made', async () => {
    let open = 0
    const make = () => {
      open += 1
      const close = () => {
        open -= 1
      }
      return { store: memoryKeyStore(), other: memoryKeyStore(), close }
    }
    for (const name of ['finds what was added', 'leaves absent', 'lists keys in the order']) {
      const found = keyStoreContract(make).find((one) => one.name.startsWith(name))
      await expect(found?.run()).rejects.toMatchObject({ name: 'AssertionError' })
    }
    expect(open).toBe(0)
  })

  it('has no two cases of one name', () => {
    const names = keyStoreContract(oneStore).map(({ name }) => name)
    expect(new Set(names).size).toBe(names.length)
    expect(names.length).toBeGreaterThan(50)
  })
})
