/** A JSON object from outside. Read its members with {@link own}. */
export type JsonObject = Readonly<Record<string, unknown>>

/** An own member, or `undefined`: nothing a prototype holds is ever a claim (CWE-1321). */
export function own(object: JsonObject, name: string): unknown {
  return Object.hasOwn(object, name) ? object[name] : undefined
}

/** Whether a value is an object, and not a list. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Deepest nesting taken; the outermost object is level 1. */
const maxDepth = 32
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * Reads bytes that must be one JSON object in UTF-8 without byte order mark, nested at most 32 deep, no member named
 * twice in an object. RFC 7515 section 4 leaves duplicate members to "reject or take the last"; taking one lets two
 * readers of the same token see different claims.
 *
 * @returns the object, or `undefined` when the bytes are anything else. Never throws.
 */
export function parseJsonObject(bytes: Uint8Array): JsonObject | undefined {
  try {
    const text = utf8.decode(bytes)
    const names = countNames(text, maxDepth)
    if (names === undefined) return undefined
    const value: unknown = JSON.parse(text)
    // Of members with one name, however it is spelt, the parser keeps the last: then some are missing.
    return isObject(value) && countMembers(value) === names ? value : undefined
  } catch {
    return undefined
  }
}

/**
 * How many names of members stand in a text that is JSON, or will be refused by `JSON.parse`: each is followed by a
 * colon, and outside of strings there are no others.
 * @returns `undefined` when it is nested too deeply
 */
export function countNames(text: string, deepest: number): number | undefined {
  let names = 0
  let depth = 0
  for (let at = 0; at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case 0x22: // "
        at = endOfString(text, at)
        break
      case 0x3a: // :
        names += 1
        break
      case 0x7b: // {
      case 0x5b: // [
        depth += 1
        if (depth > deepest) return undefined
        break
      case 0x7d: // }
      case 0x5d: // ]
        depth -= 1
    }
  }
  return names
}

/** The place of the closing quote, or the end of the text. */
function endOfString(text: string, start: number): number {
  let end = text.indexOf('"', start + 1)
  while (end !== -1 && isEscaped(text, end)) end = text.indexOf('"', end + 1)
  return end === -1 ? text.length : end
}

/** Whether an odd number of backslashes stands in front. */
function isEscaped(text: string, at: number): boolean {
  let first = at
  while (text.charCodeAt(first - 1) === 0x5c) first -= 1
  return (at - first) % 2 === 1
}

/** The members of all objects within. */
export function countMembers(value: object): number {
  if (Array.isArray(value)) return value.reduce<number>((sum, item) => sum + membersWithin(item), 0)
  const object = value as JsonObject
  const names = Object.keys(object)
  let sum = names.length
  for (const name of names) sum += membersWithin(object[name])
  return sum
}

function membersWithin(value: unknown): number {
  return typeof value === 'object' && value !== null ? countMembers(value) : 0
}
