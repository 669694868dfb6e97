import { isObject, type JsonObject, listOf, textOf } from '../mcp/message.ts'

/** A chain of references that is longer leads nowhere. */
const longestChain = 16

/**
 * A schema with its `$ref` followed, inside the same document only: nothing is ever fetched (MCP 2026-07-28 "Tools", on
 * `$ref`). What stands beside a `$ref` holds, too. An `allOf` of one is that one.
 */
export function resolved(root: unknown, schema: unknown): unknown {
  let at = schema
  for (let step = 0; step < longestChain; step++) {
    if (!isObject(at)) return at
    const next = followed(root, at)
    if (next === undefined) return at
    at = next
  }
  return true
}

function followed(root: unknown, schema: JsonObject): unknown {
  const reference = textOf(schema, '$ref')
  if (reference !== undefined) {
    const { $ref: _reference, ...beside } = schema
    return merged(targetOf(root, reference), beside)
  }
  const [only, ...more] = listOf(schema, 'allOf')
  if (only === undefined || more.length > 0) return undefined
  const { allOf: _all, ...beside } = schema
  return merged(only, beside)
}

function merged(target: unknown, beside: JsonObject): unknown {
  if (isObject(target)) return { ...target, ...beside }
  return Object.keys(beside).length === 0 ? target : beside
}

/** RFC 6901, in a fragment. What is not there stands for anything. */
function targetOf(root: unknown, reference: string): unknown {
  if (!/^#(?:\/|$)/.test(reference)) return true
  let at = root
  for (const part of reference.split('/').slice(1)) {
    const name = unescaped(part)
    const isThere = typeof at === 'object' && at !== null && Object.hasOwn(at, name)
    if (!isThere) return true
    at = (at as JsonObject)[name]
  }
  return at
}

function unescaped(part: string): string {
  try {
    return decodeURIComponent(part).replaceAll('~1', '/').replaceAll('~0', '~')
  } catch {
    return part
  }
}
