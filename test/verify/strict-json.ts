/** How a JSON text is built. */
export interface Reading {
  /** Objects and lists within each other; a single one is 1, a bare value 0. */
  readonly depth: number
  /** Whether an object, anywhere, has two members of the same name. */
  readonly repeats: boolean
}

const blanks = /[ \t\n\r]*/y
const text = /"(?:[^"\\]|\\(?:["\\/bfnrt]|u[\dA-Fa-f]{4}))*"/y
const scalar = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y
/** Deeper than anybody asks about, and less than the stack holds. */
const bottom = 100

/**
 * Reads a JSON text by the grammar of RFC 8259, rule by rule: what the reader of the package is held against, and
 * written in another way than that one.
 * @returns `undefined` when it is no JSON text, or is nested more than 100 deep
 */
export function readStrictly(json: string): Reading | undefined {
  let at = 0
  let deepest = 0
  let repeats = false
  try {
    value(0)
    return at === json.length ? { depth: deepest, repeats } : undefined
  } catch {
    return undefined
  }

  /** RFC 8259 section 3, with the blanks around it. */
  function value(depth: number): void {
    take(blanks)
    const first = json.charAt(at)
    if (first === '{') members(depth + 1)
    else if (first === '[') items(depth + 1)
    else if (first === '"') string()
    else take(scalar)
    take(blanks)
  }

  /** Section 4. */
  function members(depth: number): void {
    const names = new Set<string>()
    let count = 0
    list(depth, '}', () => {
      take(blanks)
      names.add(string())
      count += 1
      take(blanks)
      expectNext(':')
      value(depth)
    })
    if (names.size < count) repeats = true
  }

  /** Section 5. */
  function items(depth: number): void {
    list(depth, ']', () => value(depth))
  }

  function list(depth: number, end: string, item: () => void): void {
    if (depth > bottom) throw new SyntaxError('too deep')
    deepest = Math.max(deepest, depth)
    at += 1
    take(blanks)
    if (json.charAt(at) !== end) {
      item()
      while (json.charAt(at) === ',') {
        at += 1
        item()
      }
    }
    expectNext(end)
  }

  /** Section 7: no control character stands in it as it is. */
  function string(): string {
    const quoted = take(text)
    if (holdsControl(quoted)) throw new SyntaxError('a control character')
    return quoted.includes('\\') ? JSON.parse(quoted) : quoted.slice(1, -1)
  }

  function expectNext(character: string): void {
    if (json.charAt(at) !== character) throw new SyntaxError(`no ${character}`)
    at += 1
  }

  function take(pattern: RegExp): string {
    pattern.lastIndex = at
    const [found] = pattern.exec(json) ?? []
    if (found === undefined) throw new SyntaxError('something else')
    at += found.length
    return found
  }
}

function holdsControl(quoted: string): boolean {
  for (let at = 0; at < quoted.length; at++) if (quoted.charCodeAt(at) < 0x20) return true
  return false
}
