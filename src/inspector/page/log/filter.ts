import type { LogEntry } from '../net/log-entry.ts'

/** Whether a request did not get what it wanted. */
export function isFailure({ status, problem }: LogEntry): boolean {
  return problem !== undefined || (status !== undefined && status >= 400)
}

/**
 * The entries to show, the newest first.
 *
 * @param words each has to occur somewhere in the entry; any case
 */
export function filtered(
  entries: readonly LogEntry[],
  words: string,
  onlyFailures: boolean,
): readonly LogEntry[] {
  const wanted = words.toLowerCase().split(/\s+/).filter(Boolean)
  return entries
    .filter(
      (entry) => (!onlyFailures || isFailure(entry)) && (wanted.length === 0 || holds(textOf(entry), wanted)),
    )
    .reverse()
}

function holds(text: string, words: readonly string[]): boolean {
  return words.every((word) => text.includes(word))
}

function textOf(entry: LogEntry): string {
  const { method, path, purpose, status, requestHeaders, responseHeaders } = entry
  const headers = [...requestHeaders, ...responseHeaders].map((header) => header.join(': '))
  return [method, path, purpose, status, entry.problem, ...headers, entry.requestBody, entry.responseBody]
    .join('\n')
    .toLowerCase()
}
