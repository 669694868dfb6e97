import { useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { AuditEntries } from './audit-entries.tsx'
import { type AuditFacts, askKeys, type Problem } from './keys-api.ts'
import { ProblemNotice } from './problem-notice.tsx'

/** Entries of one question. */
const pageSize = 200

interface Fetched {
  readonly events: readonly AuditFacts[]
  readonly isLoading: boolean
  /** Whether the server may have more. */
  readonly isMore: boolean
  readonly problem?: Problem | undefined
}

/**
 * What the audit log says, the newest first.
 *
 * @param query which events, as the API has it, without `limit`, `order` and `before`
 * @param version reads anew when it becomes another one
 * @param showKey whether each entry names its key
 */
export function AuditLog({
  query,
  version = '',
  showKey,
}: {
  readonly query: string
  readonly version?: string
  readonly showKey: boolean
}): JSX.Element {
  const fetched = useSignal<Fetched>({ events: [], isLoading: true, isMore: false })
  const question = useRef(0)
  const load = async (before: readonly AuditFacts[]) => {
    question.current += 1
    const mine = question.current
    fetched.value = { events: before, isLoading: true, isMore: false }
    const { value, problem } = await askKeys<{ events: AuditFacts[] }>({
      method: 'GET',
      path: `audit?${pageQuery(query, before)}`,
    })
    // What was asked for since then is not mixed with it.
    if (mine !== question.current) return
    const events = [...before, ...(value?.events ?? [])]
    fetched.value = { events, isLoading: false, isMore: value?.events.length === pageSize, problem }
  }
  useEffect(() => {
    void load([])
  }, [query, version])
  const { events, isLoading, isMore, problem } = fetched.value
  return (
    <div class="stack">
      <p class="quiet small" role="status">
        {isLoading ? 'Loading' : `${events.length} ${events.length === 1 ? 'entry' : 'entries'}`}
      </p>
      <AuditEntries events={events} showKey={showKey} />
      {problem && <ProblemNotice problem={problem} />}
      {isMore && (
        <p>
          <button type="button" class="button" onClick={() => void load(events)}>
            More
          </button>
        </p>
      )}
    </div>
  )
}

function pageQuery(query: string, before: readonly AuditFacts[]): URLSearchParams {
  const page = new URLSearchParams(query)
  page.set('limit', String(pageSize))
  page.set('order', 'desc')
  const last = before.at(-1)
  if (last) page.set('before', String(last.sequence))
  return page
}
