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
    if (!hasUniqueMembers(text)) return undefined
    const value: unknown = JSON.parse(text)
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

/**
 * One pass over a text that is JSON or will be refused by `JSON.parse`: so this need not know the whole grammar, only
 * where strings, objects and lists begin and end.
 */
function hasUniqueMembers(text: string): boolean {
  /** One entry for each open bracket: the names seen in an object, `undefined` for a list. */
  const open: (Set<string> | undefined)[] = []
  let names: Set<string> | undefined
  /** Whether a string that comes now is the name of a member, should this be an object. */
  let nameNext = false
  for (let at = 0; at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case 0x7b: // {
      case 0x5b: // [
        names = text.charCodeAt(at) === 0x7b ? new Set() : undefined
        nameNext = true
        if (open.push(names) > maxDepth) return false
        break
      case 0x7d: // }
      case 0x5d: // ]
        open.pop()
        names = open[open.length - 1]
        nameNext = false
        break
      case 0x2c: // ,
        nameNext = true
        break
      case 0x22: {
        // "
        const end = endOfString(text, at)
        if (nameNext && names !== undefined && !addName(names, text.slice(at, end))) return false
        nameNext = false
        at = end - 1
      }
    }
  }
  return true
}

/** The place after the closing quote, or the end of the text. */
function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === 0x22) return at + 1
    if (code === 0x5c) at++ // whatever is escaped, it does not end the string
  }
  return text.length
}

/** Two spellings of one name are one name: `"\u0061lg"` is `"alg"`. */
function addName(names: Set<string>, quoted: string): boolean {
  const name = quoted.includes('\\') ? String(JSON.parse(quoted)) : quoted.slice(1, -1)
  return names.size < names.add(name).size
}
