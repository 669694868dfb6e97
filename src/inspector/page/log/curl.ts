import type { InspectorConfig } from '../../../server/pages/inspector-config.ts'
import { curlOf } from '../../report/curl.ts'
import type { LogEntry } from '../net/log-entry.ts'

/**
 * An entry as a line for a shell, with `$TOKEN` where the token was.
 *
 * @param origin of the page
 */
export function curlOfEntry(entry: LogEntry, { kind, url }: InspectorConfig, origin: string): string {
  const target = kind === 'bridge' && url !== undefined ? new URL(url).origin : origin
  return curlOf({
    method: entry.method,
    url: target + entry.path,
    headers: entry.requestHeaders,
    body: entry.requestBody,
  })
}
