import type { ApiKey, ApiKeyFilter, ApiKeyPage, ApiKeyStatus } from './api-key.ts'
import type { AuditEvent, AuditEventName, AuditQuery } from './audit-event.ts'
import { givenOptions, wholeNumber } from './input.ts'
import type { KeyQuery } from './key-store.ts'
import { isId, type Lifecycle, timeOf } from './lifecycle.ts'
import { frozenData } from './metadata.ts'
import { staleReasons, toApiKey } from './view.ts'

/** See `ApiKeys.get`. What cannot be an id is not asked for. */
export async function get(life: Lifecycle, id: string): Promise<ApiKey | undefined> {
  if (typeof id !== 'string') throw new TypeError('get: id must be a string')
  const record = isId(id) ? await life.store.find(id) : undefined
  return record && toApiKey(record, timeOf(life))
}

/** See `ApiKeys.list`. */
export async function list(
  life: Lifecycle,
  filter: ApiKeyFilter = {},
  page: { readonly after?: string; readonly limit?: number } = {},
): Promise<ApiKeyPage> {
  const given = givenOptions('list', page, ['after', 'limit'])
  const limit = wholeNumber('list: limit', given.limit ?? 100, 1, largestPage)
  if (given.after !== undefined && typeof given.after !== 'string') {
    throw new TypeError('list: after must be the next of the page before')
  }
  const keys: ApiKey[] = []
  // One more than is wanted, to know whether there is a next page.
  for await (const key of scan(life, readFilter('list', filter), given.after, limit + 1)) {
    if (keys.length === limit) return frozenPage(keys, keys.at(-1)!.id)
    keys.push(key)
  }
  return frozenPage(keys)
}

/** See `ApiKeys.all`. */
export function all(life: Lifecycle, filter: ApiKeyFilter = {}): AsyncIterable<ApiKey> {
  const checked = readFilter('all', filter)
  return Object.freeze({ [Symbol.asyncIterator]: () => scan(life, checked) })
}

/** See `ApiKeys.audit`. */
export async function audit({ store }: Lifecycle, query: AuditQuery = {}): Promise<readonly AuditEvent[]> {
  const given = givenOptions('audit', query, [
    ...texts,
    'since',
    'until',
    'after',
    'before',
    'order',
    'limit',
  ])
  for (const name of texts) {
    if (given[name] !== undefined && typeof given[name] !== 'string')
      throw new TypeError(`audit: ${name} must be a string`)
  }
  const { since, until, after, before, order, limit, event, outcome } = given
  oneOf('audit: event', event, eventNames)
  oneOf('audit: outcome', outcome, ['success', 'failure'])
  oneOf('audit: order', order, ['asc', 'desc'])
  for (const [name, value] of Object.entries({ since, until })) {
    if (value !== undefined && !Number.isFinite(value))
      throw new TypeError(`audit: ${name} must be milliseconds since 1970`)
  }
  for (const [name, value] of Object.entries({ after, before })) {
    if (value !== undefined) wholeNumber(`audit: ${name}`, value, 0, Number.MAX_SAFE_INTEGER)
  }
  if (limit !== undefined) wholeNumber('audit: limit', limit, 1, largestPage)
  return frozenData(await store.readAudit(given)) as readonly AuditEvent[]
}

const texts = ['keyId', 'lineageId', 'event', 'outcome', 'actorId'] as const

const eventNames: readonly string[] = Object.keys({
  'key.create': 0,
  'key.import': 0,
  'key.update': 0,
  'key.enable': 0,
  'key.disable': 0,
  'key.rotate': 0,
  'key.revoke': 0,
  'key.first_use': 0,
  'key.used_in_grace': 0,
  'key.leak_reported': 0,
  'key.purge': 0,
  'auth.failure': 0,
  'auth.rate_limited': 0,
  'jwt.revoke': 0,
  'jwt.cutoff_set': 0,
  'audit.gap': 0,
} satisfies Record<AuditEventName, 0>)

const statuses: readonly string[] = Object.keys({
  active: 0,
  pending: 0,
  grace: 0,
  not_yet_valid: 0,
  disabled: 0,
  exhausted: 0,
  expired: 0,
  revoked: 0,
} satisfies Record<ApiKeyStatus, 0>)

const largestPage = 1000

/** An {@link ApiKeyFilter} that was checked: what the database decides, and what is decided here. */
interface CheckedFilter {
  readonly query: KeyQuery
  /** Absent when the query says it all. */
  readonly lets?: (key: ApiKey, now: number) => boolean
}

function readFilter(owner: string, filter: ApiKeyFilter): CheckedFilter {
  const given = givenOptions(owner, filter, ['owner', 'tenant', 'lineageId', 'status', 'stale'])
  const { owner: ownerId, tenant, lineageId, status, stale = false } = given
  for (const [name, value] of Object.entries({ owner: ownerId, tenant, lineageId })) {
    if (value !== undefined && typeof value !== 'string')
      throw new TypeError(`${owner}: ${name} must be a string`)
  }
  const wanted = status === undefined ? undefined : readStatuses(`${owner}: status`, status)
  if (typeof stale !== 'boolean') throw new TypeError(`${owner}: stale must be true or false`)
  return {
    query: {
      ...(ownerId !== undefined && { ownerId }),
      ...(tenant !== undefined && { tenant }),
      ...(lineageId !== undefined && { lineageId }),
    },
    ...((wanted !== undefined || stale) && {
      lets: (key: ApiKey, now: number) =>
        (wanted?.has(key.status) ?? true) && (!stale || staleReasons(key, now).length > 0),
    }),
  }
}

function readStatuses(option: string, status: ApiKeyFilter['status']): ReadonlySet<string> {
  const list: readonly unknown[] = Array.isArray(status) ? Array.from(status) : [status]
  if (list.length === 0) throw new TypeError(`${option} must name one at least`)
  for (const one of list) oneOf(option, one, statuses)
  return new Set(list as readonly string[])
}

function oneOf(option: string, value: unknown, known: readonly string[]): void {
  if (value !== undefined && !known.includes(value as string))
    throw new TypeError(`${option} must be one of ${known.join(', ')}`)
}

/** Keys in the order of their ids, read a page at a time. */
async function* scan(
  life: Lifecycle,
  { query, lets }: CheckedFilter,
  start?: string,
  wanted = largestPage,
): AsyncGenerator<ApiKey, void, undefined> {
  const limit = lets === undefined ? Math.min(wanted, largestPage) : largestPage
  let after = start
  while (true) {
    const records = await life.store.list({ ...query, limit, ...(after !== undefined && { after }) })
    const now = timeOf(life)
    for (const record of records) {
      const key = toApiKey(record, now)
      if (lets === undefined || lets(key, now)) yield key
    }
    after = records.at(-1)?.id
    if (records.length < limit) return
  }
}

function frozenPage(keys: readonly ApiKey[], next?: string): ApiKeyPage {
  return Object.freeze({ keys: Object.freeze(keys), ...(next !== undefined && { next }) })
}
