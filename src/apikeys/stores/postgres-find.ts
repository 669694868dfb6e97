import { stopwatch } from '../../core/clock.ts'
import type { KeyRecord } from '../key-record.ts'
import type { DatabaseClock } from './postgres-clock.ts'
import type { Query, Row } from './postgres-driver.ts'
import { arrayLiteral, fromJson, keyAsJson, milliseconds } from './postgres-rows.ts'
import { largestPage } from './queries.ts'

/**
 * Reads keys by their ids. While an answer is under way, those that are asked for in one turn of the event loop are one
 * question: a server under load then asks a tenth as much, and one that is not waits for nobody. Every answer tells the
 * time of the database.
 *
 * Nobody gets the answer to a question that was asked before: it may be older than the call.
 */
export function finder(query: Query, clock: DatabaseClock): (id: string) => Promise<KeyRecord | undefined> {
  let waiting: Batch | undefined
  let underWay = 0

  async function ask({ ids, resolve, reject }: Batch): Promise<void> {
    underWay++
    try {
      const askedAt = stopwatch()
      const [first = ''] = ids
      const rows = ids.size === 1 ? await query(findOne, [first]) : await query(findMany, [arrayLiteral(ids)])
      clock.anchor(askedAt, Number(rows[0]?.now))
      resolve(new Map(rows.filter((row) => row.id !== null).map((row) => [String(row.id), row])))
    } catch (error) {
      reject(error)
    } finally {
      underWay--
    }
  }
  function answerFor(id: string): Promise<ReadonlyMap<string, Row>> {
    if (waiting && waiting.ids.size < largestPage) {
      waiting.ids.add(id)
      return waiting.answer
    }
    const batch = newBatch(id)
    if (underWay === 0) void ask(batch)
    else {
      waiting = batch
      setImmediate(() => {
        if (waiting === batch) waiting = undefined
        void ask(batch)
      })
    }
    return batch.answer
  }

  return async (id) => {
    // No id of the database holds it, and no text it is sent may.
    if (id.includes('\0')) return undefined
    const row = (await answerFor(id)).get(id)
    // A record for each: nobody holds a part of what another was given.
    return row && fromJson(String(row.key))
  }
}

interface Batch {
  readonly ids: Set<string>
  readonly answer: Promise<ReadonlyMap<string, Row>>
  readonly resolve: (rows: ReadonlyMap<string, Row>) => void
  readonly reject: (error: unknown) => void
}

function newBatch(id: string): Batch {
  let resolve: Batch['resolve'] = () => {}
  let reject: Batch['reject'] = () => {}
  const answer = new Promise<ReadonlyMap<string, Row>>((done, failed) => {
    resolve = done
    reject = failed
  })
  return { ids: new Set([id]), answer, resolve, reject }
}

/** One row at least, for the time. */
const foundBy = (condition: string) =>
  `select ${milliseconds('clock_timestamp()')} as now, k.id as id,
  case when k.id is not null then ${keyAsJson} end as key
  from (select 1) as one left join mcp_bearer_keys k on ${condition}`

const findOne = { name: 'mcp_bearer_find', text: foundBy('k.id = $1::text') }
const findMany = { name: 'mcp_bearer_find_many', text: foundBy('k.id = any($1::text::text[])') }
