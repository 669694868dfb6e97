import type { DayOfUses, KeyUse } from '../key-store.ts'
import type { Query } from './postgres-driver.ts'
import { arrayLiteral, timestamp } from './postgres-rows.ts'
import { type DaysAsked, dayOf, dayOfUse, dayOfUses, keptDays } from './use-days.ts'

/** Adds uses of keys up, and writes them. */
export async function recordUses(query: Query, uses: readonly KeyUse[]): Promise<void> {
  const byId = new Map<string, KeyUse>()
  for (const use of uses) {
    const before = byId.get(use.id)
    byId.set(use.id, before === undefined ? use : together(before, use))
  }
  if (byId.size > 0)
    await query(writeUses, [
      JSON.stringify([...byId.values()].map((use) => ({ ...use, day: dayOfUse(use) }))),
    ])
}

/** How often keys were used on each day. */
export async function readDays(query: Query, { ids, days }: DaysAsked): Promise<readonly DayOfUses[]> {
  const [first] = days
  if (first === undefined) return []
  const known = ids.filter((id) => !id.includes('\0'))
  const rows = await query(findDays, [arrayLiteral(known), String(first), String(days.at(-1))])
  return rows.map(({ key_id, day, count }) => dayOfUses(String(key_id), Number(day), Number(count)))
}

/**
 * Forgets days that are too old, some at a time.
 * @param now milliseconds since 1970
 * @returns whether there may be more
 */
export async function forgetDays(query: Query, now: number): Promise<boolean> {
  const [row] = await query(forget, [String(dayOf(now) - keptDays)])
  return Number(row?.count) === slice
}

/** Rows that are forgotten at once. */
const slice = 1000

/** The address belongs to the time: that of an earlier use would be a lie. */
function together(one: KeyUse, other: KeyUse): KeyUse {
  const latest = other.at > one.at ? other : one
  return { ...latest, count: one.count + other.count }
}

/**
 * In the order of ids, so that nodes that write the same keys do not wait for each other forever. Whoever writes the day of
 * a key holds the key.
 */
const writeUses = {
  name: 'mcp_bearer_record',
  text: `with given as materialized (
  select * from json_to_recordset($1::text::json) as x(id text, count int8, at float8, address text, day int4)
), held as materialized (
  select k.id from mcp_bearer_keys k join given x on k.id = x.id order by k.id for no key update of k
), counted as (
  insert into mcp_bearer_uses as u (key_id, day, count)
  select held.id, x.day, x.count from held join given x on held.id = x.id
  on conflict (key_id, day) do update set count = u.count + excluded.count
) update mcp_bearer_keys k set use_count = k.use_count + x.count,
  last_used_ip = case when k.last_used_at >= ${timestamp('x.at')} then k.last_used_ip else x.address end,
  last_used_at = greatest(k.last_used_at, ${timestamp('x.at')})
  from given x join held on held.id = x.id where k.id = x.id`,
}

const findDays = {
  name: 'mcp_bearer_days',
  text: `select key_id, day, count from mcp_bearer_uses
  where key_id = any($1::text::text[]) and day between $2::text::int4 and $3::text::int4`,
}

/** What another node is forgetting is left to it. */
const forget = {
  name: 'mcp_bearer_forget',
  text: `with old as (
  select key_id, day from mcp_bearer_uses where day < $1::text::int4 limit ${slice} for update skip locked
), gone as (
  delete from mcp_bearer_uses u using old where u.key_id = old.key_id and u.day = old.day returning 1
) select count(*) as count from gone`,
}
