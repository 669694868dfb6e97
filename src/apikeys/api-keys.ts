import { oneOrMany } from '../core/options.ts'
import type { ApiKeys, KeyPolicy } from './api-key.ts'
import { checkPrefix } from './format.ts'
import { keyHasher, type Pepper } from './hash.ts'
import { givenOptions, lineList } from './input.ts'
import type { KeyEnvironment } from './key-record.ts'
import type { KeyStore } from './key-store.ts'
import type { Lifecycle } from './lifecycle.ts'
import { setEnabled, update } from './lifecycle-change.ts'
import { create, createMany } from './lifecycle-create.ts'
import { importKeys } from './lifecycle-import.ts'
import { revokeLeaked } from './lifecycle-leak.ts'
import { all, audit, get, list } from './lifecycle-list.ts'
import { purge } from './lifecycle-purge.ts'
import { revoke, revokeMany } from './lifecycle-revoke.ts'
import { rotate } from './lifecycle-rotate.ts'
import { uses } from './lifecycle-uses.ts'
import { keyPolicy } from './policy.ts'

/** What {@link apiKeys} needs to know. */
export interface ApiKeysOptions {
  /** Where the keys are kept: `memoryKeyStore()`, `sqliteKeyStore(file)`, `postgresKeyStore(url)`, or your own. Stays yours to close. */
  readonly store: KeyStore
  /** What keys of your project begin with: 2 to 16 lower-case letters and digits, the first one a letter. Default: `mcpk`. */
  readonly prefix?: string
  /** Default: `live`. Servers take keys of one kind only. */
  readonly environment?: KeyEnvironment
  /** The servers keys are for that name none themselves. Needed where several servers share a store. Default: none. */
  readonly audience?: string | readonly string[]
  /** Secrets of your servers that go into the digests, the newest first; the same that verifiers have. Default: none. */
  readonly peppers?: readonly Pepper[]
  /** What keys must be like. Default: anything goes. */
  readonly policy?: KeyPolicy
}

/**
 * Issues, changes and ends API keys. Each change is one transaction, and its audit event is part of it. Keys are seen
 * once, when they are made; kept is a digest.
 *
 * @throws TypeError naming the option that is wrong, unknown, or there and `undefined`
 *
 * @example
 * ```ts
 * import { apiKeys, memoryKeyStore } from 'mcp-bearer/keys'
 *
 * const keys = apiKeys({ store: memoryKeyStore(), policy: { maxLifetimeSeconds: 90 * 86_400 } })
 * const { key, apiKey } = await keys.create({ name: 'CI', owner: 'alice@example.com', scopes: ['files:read'] })
 * console.log(key) // the only time it can be seen
 *
 * const next = await keys.rotate(apiKey.id, { graceSeconds: 3600 }) // the old key works for another hour
 * await keys.revoke(next.apiKey.id, { reason: 'project ended', actor: { type: 'user', id: 'alice@example.com' } })
 * ```
 */
export function apiKeys(options: ApiKeysOptions): ApiKeys {
  const life = readOptions(options)
  return Object.freeze<ApiKeys>({
    create: (key, by) => create(life, key, by),
    createMany: (keys, by) => createMany(life, keys, by),
    import: (keys, by) => importKeys(life, keys, by),
    get: (id) => get(life, id),
    list: (filter, page) => list(life, filter, page),
    all: (filter) => all(life, filter),
    update: (id, change, by) => update(life, id, change, by),
    disable: (id, by) => setEnabled(life, id, false, by),
    enable: (id, by) => setEnabled(life, id, true, by),
    rotate: (id, how, by) => rotate(life, id, how, by),
    revoke: (id, by) => revoke(life, id, by),
    revokeMany: (ids, by) => revokeMany(life, ids, by),
    revokeLeaked: (key, by) => revokeLeaked(life, key, by),
    audit: (query) => audit(life, query),
    uses: (ids, range) => uses(life, ids, range),
    purge: (olderThanSeconds, by) => purge(life, olderThanSeconds, by),
  })
}

function readOptions(options: ApiKeysOptions): Lifecycle {
  const given = givenOptions('apiKeys', options, [
    'store',
    'prefix',
    'environment',
    'audience',
    'peppers',
    'policy',
  ])
  const { store, prefix = 'mcpk', environment = 'live', audience, peppers, policy } = given
  if (typeof store?.commit !== 'function' || typeof store.time !== 'function') {
    throw new TypeError('apiKeys: store must be a KeyStore')
  }
  if (environment !== 'live' && environment !== 'test') {
    throw new TypeError("apiKeys: environment must be 'live' or 'test'")
  }
  const audiences = oneOrMany('apiKeys: audience', audience)
  return {
    store,
    hasher: keyHasher(peppers, true),
    policy: keyPolicy('apiKeys: policy', policy),
    prefix: checkPrefix('apiKeys', prefix),
    environment,
    audiences: audiences && lineList('apiKeys: audience', audiences, 2000),
  }
}
