import type { ApiKeys, ApiKeyUpdate, By, ImportedApiKey, NewApiKey, Rotation } from '../../apikeys/api-key.ts'
import { parseKey } from '../../apikeys/format.ts'
import { idOfKey } from '../../apikeys/lifecycle-leak.ts'
import { type AccessToken, AuthError } from '../../core/index.ts'
import type { RateLimiter } from '../../core/rate-limit.ts'
import { byOf, keyOf } from './caller.ts'
import { auditQueryOf, dateOf, filterOf, pageOf, usesOf } from './operation-query.ts'

/** There is no such key. */
export class NotFound extends Error {
  override readonly name = 'NotFound'
}

/** The key is not in a state in which this can be done. */
export class Conflict extends Error {
  override readonly name = 'Conflict'
}

/** One request, as an operation sees it. */
export interface Asking {
  readonly keys: ApiKeys
  /** The id in the path. */
  readonly id: string
  readonly body: Readonly<Record<string, unknown>>
  readonly query: URLSearchParams
  /** Who asks; `undefined` where anybody may. */
  readonly caller: AccessToken | undefined
  readonly requestId: string | undefined
  /** How often leaks may be reported. */
  readonly leaks: RateLimiter
}

/** Something the API can do. One table for routing and for its description. */
export interface Operation {
  readonly name: string
  readonly method: 'GET' | 'POST' | 'PATCH'
  /** Below the path of the API, without a slash at the start. */
  readonly path: string
  readonly summary: string
  /** What the caller needs; `undefined` where anybody may. */
  readonly scope: 'keys:admin' | 'keys:rotate:self' | undefined
  /** The names of the query it reads. */
  readonly query?: readonly string[]
  /** The name of the schema of its body. */
  readonly body?: 'NewKey' | 'KeyUpdate' | 'Rotation' | 'Reason' | 'Import' | 'Leak'
  readonly answer: { readonly status: number; readonly schema: string }
  run(asking: Asking): Promise<{ readonly status: number; readonly value: object }>
}

const admin = 'keys:admin'
/** Keys of one request. */
const mostImported = 1000
const created = { status: 201, schema: 'CreatedKey' }
const one = { status: 200, schema: 'Key' }

/** Fixed words stand before `{id}`. */
export const operations: readonly Operation[] = [
  {
    name: 'describe',
    method: 'GET',
    path: 'openapi.json',
    summary: 'This document',
    scope: undefined,
    answer: { status: 200, schema: 'Document' },
    run: async () => ({ status: 200, value: {} }),
  },
  {
    name: 'listKeys',
    method: 'GET',
    path: 'keys',
    summary: 'Some of the keys, in the order of their ids',
    scope: admin,
    query: ['owner', 'tenant', 'lineageId', 'status', 'stale', 'after', 'limit'],
    answer: { status: 200, schema: 'KeyPage' },
    run: async ({ keys, query }) => ok(await keys.list(filterOf(query), pageOf(query))),
  },
  {
    name: 'createKey',
    method: 'POST',
    path: 'keys',
    summary: 'Make a key. The answer is the only place where it can be seen',
    scope: admin,
    body: 'NewKey',
    answer: created,
    run: async (asking) => {
      const wanted = withDates(asking.body) as unknown as NewApiKey
      return { status: 201, value: await asking.keys.create(wanted, byOf(asking)) }
    },
  },
  {
    name: 'importKeys',
    method: 'POST',
    path: 'keys/import',
    summary: 'Take over keys that exist elsewhere, by their text or their SHA-256',
    scope: admin,
    body: 'Import',
    answer: { status: 200, schema: 'ImportResult' },
    run: async (asking) => {
      const list = asking.body.keys
      // Each is read, and told what is wrong with it, in one go: nobody else is served meanwhile.
      if (!Array.isArray(list) || list.length > mostImported) {
        throw new TypeError(`keys must be a list of at most ${mostImported}`)
      }
      const wanted = list.map((item) => withDates(item)) as unknown as ImportedApiKey[]
      const results = await asking.keys.import(wanted, byOf(asking))
      return ok({
        results: results.map((result) =>
          result.ok ? { ok: true, key: result.value } : { ok: false, error: result.error.message },
        ),
      })
    },
  },
  {
    name: 'rotateSelf',
    method: 'POST',
    path: 'keys/self/rotate',
    summary: 'Replace the very key this request is made with',
    scope: 'keys:rotate:self',
    body: 'Rotation',
    answer: created,
    run: async (asking) => {
      const id = keyOf(asking.caller)
      if (id === undefined) throw new Conflict('this request was not made with an API key')
      // A key cannot give itself a longer life.
      if ('expiresAt' in asking.body) throw new TypeError('a key that rotates itself cannot set expiresAt')
      return rotated({ ...asking, id })
    },
  },
  {
    name: 'reportLeak',
    method: 'POST',
    path: 'keys/leaked',
    summary: 'Revoke a key by showing it. The answer does not tell whether it existed',
    scope: undefined,
    body: 'Leak',
    answer: { status: 202, schema: 'Accepted' },
    run: async (asking) => {
      const { key } = asking.body
      if (typeof key !== 'string') throw new TypeError('key must be a text')
      await reported(asking, key)
      return { status: 202, value: { accepted: true } }
    },
  },
  {
    name: 'getKey',
    method: 'GET',
    path: 'keys/{id}',
    summary: 'All that is known of a key, but its secret',
    scope: admin,
    answer: one,
    run: async (asking) => ok(await existing(asking)),
  },
  {
    name: 'updateKey',
    method: 'PATCH',
    path: 'keys/{id}',
    summary: 'Change a key; null takes a limit away',
    scope: admin,
    body: 'KeyUpdate',
    answer: one,
    run: async (asking) => {
      const change = withDates(asking.body) as ApiKeyUpdate
      return ok(await changed(asking, (by) => asking.keys.update(asking.id, change, by)))
    },
  },
  {
    name: 'rotateKey',
    method: 'POST',
    path: 'keys/{id}/rotate',
    summary: 'Replace a key; the old one works for a while',
    scope: admin,
    body: 'Rotation',
    answer: created,
    run: rotated,
  },
  ...(['enable', 'disable', 'revoke'] as const).map(
    (what): Operation => ({
      name: `${what}Key`,
      method: 'POST',
      path: `keys/{id}/${what}`,
      summary: {
        enable: 'Switch a key on again',
        disable: 'Switch a key off until it is enabled again',
        revoke: 'End a key for good',
      }[what],
      scope: admin,
      body: 'Reason',
      answer: one,
      run: async (asking) => ok(await changed(asking, (by) => asking.keys[what](asking.id, by))),
    }),
  ),
  {
    name: 'readUses',
    method: 'GET',
    path: 'usage',
    summary: 'How often keys were used on each of the last days (UTC), today included',
    scope: admin,
    query: ['id', 'days'],
    answer: { status: 200, schema: 'Uses' },
    run: async ({ keys, query }) => {
      const { ids, days } = usesOf(query)
      const found = await keys.uses(ids, { days })
      if (found === undefined) throw new NotFound()
      return ok({ from: found.from, days: found.days, usage: Object.fromEntries(found.byId) })
    },
  },
  {
    name: 'readAudit',
    method: 'GET',
    path: 'audit',
    summary: 'What was done with keys, in the order it was recorded, or the newest first',
    scope: admin,
    query: [
      ...['keyId', 'lineageId', 'event', 'outcome', 'actorId', 'since', 'until'],
      ...['after', 'before', 'order', 'limit'],
    ],
    answer: { status: 200, schema: 'AuditPage' },
    run: async ({ keys, query }) => {
      const events = await keys.audit(auditQueryOf(query))
      return ok({ events: events.map((event) => ({ ...event, time: new Date(event.time) })) })
    },
  },
]

function ok(value: object): { status: 200; value: object } {
  return { status: 200, value }
}

/**
 * One that cannot even be a key costs no look-up, and no turn of those who report real ones. Nor does what can only be one
 * that was imported: that can look like anything, and so can garbage.
 */
async function reported(asking: Asking, key: string): Promise<void> {
  if (idOfKey(key) === undefined) return
  const wait = asking.leaks.take(typeof parseKey(key) === 'string' ? 'imported' : 'own')
  if (wait !== undefined) throw new AuthError('rate_limited', undefined, { retryAfter: wait })
  await asking.keys.revokeLeaked(key, byOf(asking))
}

async function rotated(asking: Asking): Promise<{ status: 201; value: object }> {
  const how = withDates(asking.body) as Rotation
  return { status: 201, value: await changed(asking, (by) => asking.keys.rotate(asking.id, how, by)) }
}

async function existing({ keys, id }: Asking): Promise<object> {
  const found = await keys.get(id)
  if (found === undefined) throw new NotFound()
  return found
}

/** A change of a key; tells one that is not there from one that is in no state for it. */
async function changed(asking: Asking, change: (by: By) => Promise<object>): Promise<object> {
  try {
    return await change(byOf(asking))
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    await existing(asking)
    throw new Conflict(error.message)
  }
}

/** JSON has no dates: ISO 8601 in their place. `reason` is for the audit log, and no member of a key. */
function withDates(value: unknown): Record<string, unknown> {
  if (typeof value !== 'object' || value === null) throw new TypeError('expected a JSON object')
  const { reason: _reason, ...rest } = value as Record<string, unknown>
  for (const name of ['expiresAt', 'notBefore']) {
    if (typeof rest[name] === 'string') rest[name] = dateOf(name, rest[name])
  }
  return rest
}
