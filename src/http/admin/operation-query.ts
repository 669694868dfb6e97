import type { ApiKeyFilter, ApiKeyStatus } from '../../apikeys/api-key.ts'
import type { AuditEventName } from '../../apikeys/audit-event.ts'

/** A time in ISO 8601. @throws TypeError naming the member */
export function dateOf(name: string, text: string): Date {
  const date = new Date(text)
  if (!/^\d{4}-\d\d-\d\dT/.test(text) || Number.isNaN(date.getTime()))
    throw new TypeError(`${name} must be a time such as 2027-01-31T00:00:00Z`)
  return date
}

/** Which keys. @throws TypeError */
export function filterOf(query: URLSearchParams): ApiKeyFilter {
  const status = query.getAll('status')
  const stale = query.get('stale')
  if (stale !== null && stale !== 'true' && stale !== 'false')
    throw new TypeError('stale must be true or false')
  return {
    ...textsOf(query, 'owner', 'tenant', 'lineageId'),
    ...(status.length > 0 && { status: status as ApiKeyStatus[] }),
    ...(stale !== null && { stale: stale === 'true' }),
  }
}

/** Which part of a list. @throws TypeError */
export function pageOf(query: URLSearchParams): { after?: string; limit?: number } {
  return { ...textsOf(query, 'after'), ...numbersOf(query, 'limit') }
}

/** Which events. @throws TypeError */
export function auditQueryOf(query: URLSearchParams) {
  const times = ['since', 'until'].flatMap((name) => {
    const text = query.get(name)
    return text === null ? [] : [[name, dateOf(name, text).getTime()]]
  })
  const outcome = query.get('outcome')
  if (outcome !== null && outcome !== 'success' && outcome !== 'failure')
    throw new TypeError('outcome must be success or failure')
  const order = query.get('order')
  if (order !== null && order !== 'asc' && order !== 'desc') throw new TypeError('order must be asc or desc')
  const event = query.get('event')
  return {
    ...textsOf(query, 'keyId', 'lineageId', 'actorId'),
    ...(event !== null && { event: event as AuditEventName }),
    ...(outcome !== null && { outcome: outcome as 'success' | 'failure' }),
    ...(Object.fromEntries(times) as { since?: number; until?: number }),
    ...(order !== null && { order: order as 'asc' | 'desc' }),
    ...numbersOf(query, 'after', 'before', 'limit'),
  }
}

function textsOf<Name extends string>(
  query: URLSearchParams,
  ...names: readonly Name[]
): { [N in Name]?: string } {
  const pairs = names.flatMap((name) => {
    const text = query.get(name)
    return text === null ? [] : [[name, text]]
  })
  return Object.fromEntries(pairs) as { [N in Name]?: string }
}

function numbersOf<Name extends string>(
  query: URLSearchParams,
  ...names: readonly Name[]
): { [N in Name]?: number } {
  const pairs = Object.entries(textsOf(query, ...names)).map(([name, text]) => {
    if (!/^\d{1,15}$/.test(String(text))) throw new TypeError(`${name} must be a whole number`)
    return [name, Number(text)]
  })
  return Object.fromEntries(pairs) as { [N in Name]?: number }
}

/** Whose uses, and of how many days. @throws TypeError */
export function usesOf(query: URLSearchParams): { readonly ids: readonly string[]; readonly days: number } {
  const { days = 30 } = numbersOf(query, 'days')
  if (days < 1 || days > mostDays) throw new TypeError(`days must be a whole number from 1 to ${mostDays}`)
  return { ids: query.getAll('id'), days }
}

/** Of one question for uses. */
const mostDays = 90
