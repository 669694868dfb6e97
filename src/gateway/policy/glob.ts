/** Whether a text fits a pattern. Looks at each character a bounded number of times: no text makes it slow. */
export type Glob = (text: string) => boolean

/**
 * Compiles a pattern for names: `*` is any text, everything else stands for itself, and the whole name has to fit.
 */
export function nameGlob(pattern: string): Glob {
  return globOf(pattern.split(/\*+/).map((literal, at) => ({ isWide: at > 0, literal })))
}

/**
 * Compiles a pattern for URIs: `*` is any text without `/`, `**` any text, everything else stands for itself.
 * @param spelling how the text between stars is spelled in the URIs that will come
 */
export function uriGlob(pattern: string, spelling: (literal: string) => string = (literal) => literal): Glob {
  const parts = pattern.split(/(\*+)/)
  const pieces: Piece[] = [{ isWide: false, literal: spelling(parts[0]!) }]
  for (let at = 1; at < parts.length; at += 2) {
    pieces.push({ isWide: parts[at]!.length > 1, literal: spelling(parts[at + 1]!) })
  }
  return globOf(pieces)
}

/** The text after a star; before the first one there is none. */
interface Piece {
  /** Whether the star before it stands for `/` as well. */
  readonly isWide: boolean
  readonly literal: string
}

function globOf([first, ...others]: readonly Piece[]): Glob {
  const start = first!.literal
  const [only] = others
  if (only === undefined) return (text) => text === start
  if (others.length === 1 && only.literal === '' && only.isWide) return (text) => text.startsWith(start)
  return (text) => text.startsWith(start) && fits(text, start.length, others)
}

/**
 * Keeps all places at which the pieces so far can end, and lets the next star begin at each of them. Trying them one
 * after the other instead takes a time that grows with the power of the stars.
 */
function fits(text: string, from: number, pieces: readonly Piece[]): boolean {
  let ends = new Uint8Array(text.length + 1)
  ends[from] = 1
  for (const { isWide, literal } of pieces) {
    const next = new Uint8Array(text.length + 1)
    let isOpen = false
    for (let at = 0; at + literal.length <= text.length; at++) {
      if (!isWide && at > 0 && text[at - 1] === '/') isOpen = false
      if (ends[at] === 1) isOpen = true
      if (isOpen && text.startsWith(literal, at)) next[at + literal.length] = 1
    }
    ends = next
  }
  return ends[text.length] === 1
}

/** Whether some name fits both patterns for names. */
export function globsMeet(one: string, other: string): boolean {
  // What is left of both can meet at these pairs of places.
  let row = new Set<number>([0])
  for (let at = 0; at <= one.length; at++) {
    const isStar = one[at] === '*'
    const next = new Set<number>()
    for (let column = 0; column <= other.length; column++) {
      if (!row.has(column)) continue
      if (at === one.length && column === other.length) return true
      const isOther = other[column] === '*'
      if (isOther || (isStar && column < other.length)) row.add(column + 1)
      if (isStar || (isOther && at < one.length)) next.add(column)
      if (!isStar && !isOther && at < one.length && one[at] === other[column]) next.add(column + 1)
    }
    row = next
  }
  return false
}
