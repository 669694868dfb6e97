/** A token as it was meant. */
export interface CleanToken {
  readonly token: string
  /** What was left out, a sentence each; empty when it was clean. */
  readonly changes: readonly string[]
}

/**
 * Takes off what stands around a token when it was copied with its surroundings: blanks and line breaks, quotes,
 * `Bearer`, the name of the header. Nothing within it is changed. Never throws.
 *
 * @param text somebody pasted, or a file holds
 */
export function cleanToken(text: string): CleanToken {
  const found = new Set<keyof typeof told>()
  let token = text
  for (let round = 0; round < mostRounds; round++) {
    const before = token
    for (const layer of layers) {
      const without = layer.take(token)
      if (without === token) continue
      found.add(layer.what === 'scheme' && found.has('scheme') ? 'schemes' : layer.what)
      token = without
    }
    if (token === before) break
  }
  if (found.has('schemes')) found.delete('scheme')
  return { token, changes: [...found].map((what) => told[what]) }
}

/** Quotes around a header around quotes: what is deeper is no slip of a hand. */
const mostRounds = 4

const told = {
  blanks: 'Blanks stand around the token and were left out: they are no part of it.',
  quotes: 'Quotes stand around the token and were left out: they are no part of it.',
  header: 'The name of the header stands before the token and was left out.',
  scheme:
    '"Bearer" stands before the token and was left out: it belongs in an Authorization header, not where a token alone is asked for.',
  schemes: '"Bearer" stands before the token more than once and was left out: a server would refuse that.',
} as const

const layers: readonly {
  readonly what: 'blanks' | 'header' | 'quotes' | 'scheme'
  take(text: string): string
}[] = [
  { what: 'blanks', take: (text) => text.trim() },
  { what: 'header', take: (text) => text.replace(/^(?:(["'])Authorization\1|Authorization)\s*:\s*/i, '') },
  { what: 'quotes', take: withoutQuotes },
  { what: 'scheme', take: (text) => text.replace(/^Bearer(?:[ \t]+|$)/i, '') },
]

/** Those of programs, and those that text editors make of them. */
const quotes: ReadonlyMap<string, string> = new Map([
  ['"', '"'],
  ["'", "'"],
  ['`', '`'],
  ['\u201C', '\u201D'],
  ['\u2018', '\u2019'],
])

function withoutQuotes(text: string): string {
  const closing = quotes.get(text.charAt(0))
  return closing !== undefined && text.length > 1 && text.endsWith(closing) ? text.slice(1, -1) : text
}
