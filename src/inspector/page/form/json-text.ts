/** What a text is as JSON: a value, or what is wrong with it. */
export type ParsedJson =
  | { readonly value: unknown; readonly mistake?: undefined }
  | { readonly mistake: string; readonly offset: number }

/** Reads what a person wrote. A mistake is named with its line and column, in every browser alike. */
export function parseJson(text: string): ParsedJson {
  try {
    return { value: JSON.parse(text) as unknown }
  } catch {
    const offset = firstMistake(text)
    const before = text.slice(0, offset).split('\n')
    const where = `line ${before.length}, column ${before.at(-1)!.length + 1}`
    return { mistake: `This is not JSON: ${wordsFor(text, offset)} at ${where}.`, offset }
  }
}

function wordsFor(text: string, offset: number): string {
  const char = text.codePointAt(offset)
  if (char === undefined) return 'it ends too early'
  const shown = String.fromCodePoint(char)
  if (shown === "'") return 'texts stand in double quotes; there is a single one'
  if ((shown === '}' || shown === ']') && /,\s*$/.test(text.slice(0, offset)))
    return 'there is a comma before the end'
  return `unexpected ${shown === '\n' ? 'end of line' : `"${shown}"`}`
}

const space = /[ \t\n\r]*/y
const literal = /(?:true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)(?![\w.+-])/y
const string = /"(?:[^"\\\p{Cc}]|[\x7F-\x9F]|\\(?:["\\/bfnrt]|u[0-9A-Fa-f]{4}))*"/uy

/** What may come next: a value, the first in brackets, a name, what stands behind a value. */
type Expected = 'value' | 'first-item' | 'first-name' | 'name' | 'colon' | 'after'

/** Where a text stops to be JSON (RFC 8259): how far it can be read. */
function firstMistake(text: string): number {
  const open: ('{' | '[')[] = []
  let expected: Expected = 'value'
  let at = 0
  for (;;) {
    at = skipped(text, space, at)
    const step = stepAt(text, at, expected, open)
    if (step === undefined) return at
    ;[at, expected] = step
  }
}

function stepAt(
  text: string,
  at: number,
  expected: Expected,
  open: ('{' | '[')[],
): [number, Expected] | undefined {
  const char = text[at]
  const wantsValue = expected === 'value' || expected === 'first-item'
  if (expected === 'colon') return char === ':' ? [at + 1, 'value'] : undefined
  if (expected === 'after') return afterValue(char, at, open)
  if ((expected === 'first-item' && char === ']') || (expected === 'first-name' && char === '}')) {
    open.pop()
    return [at + 1, 'after']
  }
  if (wantsValue && (char === '{' || char === '[')) {
    open.push(char)
    return [at + 1, char === '{' ? 'first-name' : 'first-item']
  }
  const end = skipped(text, char === '"' || !wantsValue ? string : literal, at)
  return end === at ? undefined : [end, wantsValue ? 'after' : 'colon']
}

function afterValue(
  char: string | undefined,
  at: number,
  open: ('{' | '[')[],
): [number, Expected] | undefined {
  const inside = open.at(-1)
  if (inside === undefined) return undefined
  if (char === ',') return [at + 1, inside === '{' ? 'name' : 'value']
  if (char !== (inside === '{' ? '}' : ']')) return undefined
  open.pop()
  return [at + 1, 'after']
}

/** Where the pattern ends that begins here; here, when it does not. */
function skipped(text: string, pattern: RegExp, at: number): number {
  pattern.lastIndex = at
  return pattern.test(text) ? pattern.lastIndex : at
}
