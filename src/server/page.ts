import { RpcError, rpcCode } from './rpc-error.ts'
import type { JsonObject } from './types.ts'

/** One page of a list. */
export interface Page {
  readonly items: readonly JsonObject[]
  readonly nextCursor: string | undefined
}

/**
 * Cuts a list into pages (MCP "Pagination"). A cursor names the last line of the page before; so lines that come or go in
 * between are neither sent twice nor left out.
 *
 * @throws RpcError when the cursor is none of this list's
 */
export function page(list: readonly JsonObject[], cursor: string | undefined, size: number): Page {
  if (cursor === undefined && list.length <= size) return { items: list, nextCursor: undefined }
  const start = cursor === undefined ? 0 : list.findIndex((line) => cursorOf(line) === cursor) + 1
  if (cursor !== undefined && start === 0) throw new RpcError(rpcCode.invalidParams, 'Invalid cursor')
  const items = list.slice(start, start + size)
  const last = items.at(-1)
  const isLast = start + size >= list.length || last === undefined
  return { items, nextCursor: isLast ? undefined : cursorOf(last) }
}

/** Opaque to clients. */
function cursorOf({ uri, uriTemplate, name }: JsonObject): string {
  const key = new TextEncoder().encode(String(uri ?? uriTemplate ?? name))
  return btoa(String.fromCharCode(...key))
}
