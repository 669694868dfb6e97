import { useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { useEffect } from 'preact/hooks'
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
 * What the audit log says, the newest of what was read first. The server tells it from the oldest on, so more is newer.
 *
 * @param query which events, as the API has it, without `limit` and `after`
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
  const load = async (before: readonly AuditFacts[], isWanted: () => boolean) => {
    fetched.value = { events: before, isLoading: true, isMore: false }
    const { value, problem } = await askKeys<{ events: AuditFacts[] }>({
      method: 'GET',
      path: `audit?${pageQuery(query, before)}`,
    })
    if (!isWanted()) return
    const events = [...before, ...(value?.events ?? [])]
    fetched.value = { events, isLoading: false, isMore: value?.events.length === pageSize, problem }
  }
  useEffect(() => {
    let isWanted = true
    void load([], () => isWanted)
    return () => {
      isWanted = false
    }
  }, [query, version])
  const { events, isLoading, isMore, problem } = fetched.value
  return (
    <div class="stack">
      <p class="quiet small" role="status">
        {isLoading ? 'Loading' : `${events.length} ${events.length === 1 ? 'entry' : 'entries'}`}
      </p>
      {problem && <ProblemNotice problem={problem} />}
      {isMore && (
        <p>
          <button type="button" class="button" onClick={() => void load(events, () => true)}>
            Newer entries
          </button>
        </p>
      )}
      <AuditEntries events={events} showKey={showKey} />
    </div>
  )
}

function pageQuery(query: string, before: readonly AuditFacts[]): URLSearchParams {
  const page = new URLSearchParams(query)
  page.set('limit', String(pageSize))
  const last = before.at(-1)
  if (last) page.set('after', String(last.sequence))
  return page
}
