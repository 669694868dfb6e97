import { identity, token } from '../state.ts'
import { short } from '../ui/plain.ts'
import type { Item } from './item.ts'
import { refusedScopes } from './lists.ts'

/**
 * Why the holder of this token cannot use it, in a few words; `undefined` when nothing is known against it. A component
 * that calls this is drawn again when that changes.
 */
export function lockOf(item: Item): string | undefined {
  const refused = refusedScopes.value.get(item.key)
  if (refused !== undefined) return needs(refused)
  if (!item.isLocked) return undefined
  const held = new Set(identity.value?.scopes ?? [])
  const missing = item.scopes.filter((scope) => !held.has(scope))
  // The server may know that one scope contains another; then the names do not say what is missing.
  if (missing.length > 0) return needs(missing)
  if (token.value === '') return 'needs a token'
  return item.isConditional ? 'not for this caller' : 'not offered to this caller'
}

function needs(scopes: readonly string[]): string {
  return scopes.length === 0 ? 'needs another scope' : `needs ${short(scopes.join(' '), 300)}`
}
