import { stopwatch } from '../../core/clock.ts'
import type { Change, ChangeBatch } from '../key-store.ts'
import type { DatabaseClock } from './postgres-clock.ts'
import type { Query } from './postgres-driver.ts'
import { milliseconds } from './postgres-rows.ts'

/**
 * Reads what was changed since a cursor.
 *
 * Numbers of a sequence are given before a transaction commits, so the highest one that can be seen says nothing of
 * those below it. The cursor is therefore the snapshot of the answer before (`pg_current_snapshot()`): told is what was
 * not visible in it and is visible now. Exact, however long a transaction was open, and nothing is read twice.
 * https://www.postgresql.org/docs/current/functions-info.html#FUNCTIONS-INFO-SNAPSHOT
 *
 * Transaction numbers begin anew in another cluster, and some are given again after a failover that lost them. So the
 * cursor names the start of the server it is of: after a restart anything may have changed. Which changes were pruned is
 * told by their sequence.
 */
export async function changesSince(
  query: Query,
  clock: DatabaseClock,
  cursor: string | undefined,
): Promise<ChangeBatch> {
  const since = parseCursor(cursor)
  const askedAt = stopwatch()
  const found = since && (await readable(query(changesAfter, [since.snapshot])))
  const rows = found ?? (await query(position))
  const [first] = rows
  clock.anchor(askedAt, Number(first?.now))
  const [server, sequence, pruned] = [first?.server, BigInt(first?.sequence ?? 0), BigInt(first?.pruned ?? 0)]
  // A cursor of some other server, or from before this one was set back, says nothing of what happened since.
  const isKnown =
    since !== undefined &&
    found !== undefined &&
    since.server === server &&
    since.sequence >= pruned &&
    since.sequence <= sequence
  return {
    cursor: `${server}/${sequence}/${first?.snapshot}`,
    changes: isKnown ? rows.filter(({ topic }) => typeof topic === 'string').map(toChange) : [],
    isComplete: isKnown || cursor === undefined,
  }
}

/** A snapshot the database cannot read is none of its own. */
function readable<T>(answer: Promise<T>): Promise<T | undefined> {
  return answer.catch((error: unknown) => {
    if (error instanceof TypeError) return undefined
    throw error
  })
}

interface Cursor {
  readonly server: string
  readonly sequence: bigint
  readonly snapshot: string
}

const cursorPattern = /^(\d{1,16})\/(\d{1,19})\/(\d{1,18}:\d{1,18}:(?:\d{1,18}(?:,\d{1,18})*)?)$/

function parseCursor(cursor: string | undefined): Cursor | undefined {
  const [, server, sequence, snapshot] = cursorPattern.exec(cursor ?? '') ?? []
  if (server === undefined || sequence === undefined || snapshot === undefined) return undefined
  return { server, sequence: BigInt(sequence), snapshot }
}

function toChange({ topic, ref }: Readonly<Record<string, string | null>>): Change {
  return { topic: topic as Change['topic'], ref: String(ref) }
}

/** Where the log ends now; one row, whatever there is. All in one statement, and so of one snapshot. */
const end = `select ${milliseconds('clock_timestamp()')} as now, ${milliseconds('pg_postmaster_start_time()')} as server,
  pg_current_snapshot()::text as snapshot, head.changes_pruned as pruned,
  greatest(head.changes_pruned, (select coalesce(max(seq), 0) from mcp_bearer_changes)) as sequence`

const position = { text: `${end} from mcp_bearer_head head` }

/** `xact >=` only so that an index finds them. */
const changesAfter = {
  name: 'mcp_bearer_changes',
  text: `${end}, c.topic, c.ref from mcp_bearer_head head left join mcp_bearer_changes c
  on c.xact >= pg_snapshot_xmin($1::text::pg_snapshot)
  and not pg_visible_in_snapshot(c.xact, $1::text::pg_snapshot)
  order by c.seq`,
}
