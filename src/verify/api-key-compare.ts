import { parseKey } from '../apikeys/format.ts'
import type { KeyRecord } from '../apikeys/key-record.ts'
import { placeholderAdvice, placeholderCause } from '../core/placeholder.ts'
import { nameOf } from './api-key-name.ts'
import type { KeySettings } from './api-key-options.ts'
import type { RefusalReason } from './refusal.ts'
import type { Compare, Comparison } from './report.ts'

/** What was compared where no record is at hand. The id of a key is public, and all that is told of it. */
export function keyCompare(settings: KeySettings): Compare {
  return (reason, token) => {
    switch (reason) {
      case 'placeholder': {
        const cause = placeholderCause(token)
        return cause === undefined ? {} : { hint: placeholderAdvice[cause] }
      }
      case 'unknown_key':
      case 'wrong_secret':
        return compareNames(token, settings)
      default:
        return {}
    }
  }
}

function compareNames(token: string, settings: KeySettings): Comparison {
  const name = nameOf(token, settings)
  if (typeof name === 'object') return { hint: hintAt(name.id) }
  const parsed = parseKey(token)
  if (typeof parsed !== 'object' || settings.prefix === undefined) return {}
  return { expected: settings.prefix, found: parsed.prefix, hint: hintAt(parsed.id) }
}

/** What was compared of a key that is in the store. */
export function compareRecord(
  reason: RefusalReason,
  record: KeyRecord,
  { environment, audience, store }: KeySettings,
  address: string | undefined,
): Comparison {
  const hint = hintAt(record.id)
  const now = `now ${timeText(store.time())}`
  switch (reason) {
    case 'not_yet_valid':
      return { expected: now, found: timeText(record.notBefore), hint }
    case 'expired':
      return { expected: now, found: timeText(record.expiresAt), hint }
    case 'wrong_environment':
      return { expected: environment, found: record.environment, hint }
    case 'wrong_audience':
      return { expected: audience ?? 'none', found: record.audiences?.join(', ') ?? 'none', hint }
    case 'address_not_allowed':
      return { expected: record.addresses?.join(', ') ?? '', found: address ?? 'not known', hint }
    default:
      return { hint }
  }
}

function hintAt(id: string): string {
  return `the key is ${id}: mcp-bearer keys show ${id}`
}

function timeText(milliseconds: number | undefined): string {
  const time = new Date(milliseconds ?? Number.NaN)
  return Number.isNaN(time.getTime()) ? 'no time' : time.toISOString()
}
