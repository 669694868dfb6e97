import { importedId, parseKey } from '../apikeys/format.ts'
import { isBearerToken } from '../core/authorization.ts'
import { placeholderCause } from '../core/placeholder.ts'
import { nodeCrypto } from '../core/runtime.ts'
import type { KeySettings } from './api-key-options.ts'
import { readUnverified } from './compact.ts'
import type { RefusalReason } from './refusal.ts'

/** What a key is looked up by. */
export interface KeyName {
  readonly id: string
}

type Shape = Pick<KeySettings, 'prefix' | 'isImported'>

/**
 * Which key a text names, or why it names none. Typing errors, examples and whatever else is sent in the place of a key
 * end here, before anything is asked.
 */
export function nameOf(text: string, { prefix, isImported }: Shape): KeyName | RefusalReason {
  const parsed = parseKey(text)
  // One of our format that was imported keeps its id, whatever it begins with.
  const isNear = prefix === undefined || isImported
  if (typeof parsed === 'object' && (isNear || parsed.prefix === prefix)) return parsed
  if (isImported && parsed === 'malformed' && isBearerToken(text) && readUnverified(text) === undefined) {
    return { id: foreignId(text) }
  }
  if (typeof parsed === 'object') return 'unknown_key'
  return parsed === 'malformed' && isExample(text) ? 'placeholder' : parsed
}

/** Whether a text is what documentation writes in the place of a key. */
export function isExample(text: string): boolean {
  return typeof text === 'string' && placeholderCause(text) !== undefined
}

/**
 * Whether a text is a key, by its looks: `undefined` for what may have been imported, which can look like anything. A
 * key that is mistyped or cut off is one, or it would be shown to somebody else.
 */
export function isKey(text: string, { prefix, isImported }: Shape): boolean | undefined {
  if (typeof text !== 'string') return false
  if (prefix !== undefined && (text.startsWith(`${prefix}_live_`) || text.startsWith(`${prefix}_test_`))) {
    return true
  }
  const parsed = parseKey(text)
  if (prefix === undefined && (typeof parsed === 'object' || parsed === 'bad_checksum')) return true
  return isImported && isBearerToken(text) && readUnverified(text) === undefined ? undefined : false
}

function foreignId(text: string): string {
  const digest = nodeCrypto?.hash('sha256', text, 'buffer')
  if (digest === undefined) throw new TypeError('API keys need a runtime with node:crypto')
  return importedId(digest)
}
