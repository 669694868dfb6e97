/** Deeper than any message a person or a model writes, and far less than the stack of a validator holds. */
const maxDepth = 128

/** Whether a JSON text nests no deeper than can be handled. Looks at brackets outside of strings, in one pass. */
export function isShallow(json: string): boolean {
  let depth = 0
  for (let at = 0; at < json.length; at++) {
    const code = json.charCodeAt(at)
    if (code === quote) at = endOfString(json, at)
    else if (code === openBrace || code === openBracket) {
      if (++depth > maxDepth) return false
    } else if (code === closeBrace || code === closeBracket) depth--
  }
  return true
}

/** The same for what somebody else has parsed. */
export function isShallowValue(value: unknown, left = maxDepth): boolean {
  if (typeof value !== 'object' || value === null) return true
  return left > 0 && Object.values(value).every((member) => isShallowValue(member, left - 1))
}

const [quote, backslash, openBracket, closeBracket, openBrace, closeBrace] = [34, 92, 91, 93, 123, 125]

/** The index of the quote that ends the string which begins at `start`; the end of the text when there is none. */
function endOfString(json: string, start: number): number {
  for (let end = json.indexOf('"', start + 1); end !== -1; end = json.indexOf('"', end + 1)) {
    let escapes = 0
    while (json.charCodeAt(end - 1 - escapes) === backslash) escapes++
    if (escapes % 2 === 0) return end
  }
  return json.length
}
