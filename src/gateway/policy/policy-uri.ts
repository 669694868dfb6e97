import { normalUri } from '../../server/uri-template.ts'
import { uriGlob } from './glob.ts'

/**
 * A URI as a policy compares it. Servers differ in what they take for the same: what is allowed has to be so in the
 * first two spellings, and what is denied is so in any of the three.
 */
export interface UriSpellings {
  /** Percent-encoding as in {@link normalUri}, the scheme in lower case, the host of a web address as browsers write it. */
  readonly strict: string
  /** Decoded altogether, `\` and `//` as `/`, in lower case: what a file system may make of it. */
  readonly loose: string
  /** The loose one without query, fragment and slash at the end. */
  readonly bare: string
}

/**
 * Spells a URI.
 *
 * @param isTemplate whether it is the text of a URI template, which stands for itself
 * @returns `undefined` for what servers may read in different ways, and nobody has to write: text that is no absolute
 *   URI (RFC 3986 section 4.3) or too long, dot segments, broken percent-encoding, control characters, a user name
 */
export function uriSpellings(uri: unknown, isTemplate = false): UriSpellings | undefined {
  if (typeof uri !== 'string' || uri.length > longestUri || unfit.test(uri)) return undefined
  const decoded = scheme.test(uri) ? decodedOf(uri) : undefined
  if (decoded === undefined || isUnsafe(decoded)) return undefined
  if (!isTemplate && web.test(uri)) return webSpellings(uri)
  return spellings(lowered(uri), decoded)
}

/** A pattern for URIs in all spellings. */
export interface SpelledGlob {
  allows(uri: UriSpellings): boolean
  denies(uri: UriSpellings): boolean
}

/**
 * Compiles a pattern for URIs: `*` is any text without `/`, `**` any text. A star that is percent-encoded is no star.
 */
export function spelledGlob(pattern: string): SpelledGlob {
  const text = lowered(pattern)
  const strict = uriGlob(text, (literal) => normalUri(literal) ?? literal)
  const loose = uriGlob(text, looseLiteral)
  const bare = uriGlob(text.replace(/\/$/, ''), looseLiteral)
  return {
    allows: (uri) => strict(uri.strict) && loose(uri.loose),
    denies: (uri) => strict(uri.strict) || loose(uri.loose) || bare(uri.bare),
  }
}

/** What is wrong with a pattern for URIs: no URI that may be asked for could ever fit it. */
export function uriPatternProblem(pattern: string): string | undefined {
  if (!/^[A-Za-z*][A-Za-z0-9+.*-]*:/.test(pattern) && !pattern.startsWith('*'))
    return 'must begin with a scheme, such as file:///, or with a star'
  const decoded = decodedOf(pattern)
  if (decoded === undefined || unfit.test(pattern) || isUnsafe(decoded))
    return 'fits no URI: dot segments, broken percent-encoding and spaces at the ends are always refused'
  return undefined
}

/** Longer ones are nobody's. */
const longestUri = 2048
const scheme = /^[A-Za-z][A-Za-z0-9+.-]*:/
/** Schemes whose addresses every parser rewrites (WHATWG URL, "special scheme"). */
const web = /^(?:https?|wss?|ftp|file):/i
/** Parsers of URLs drop control characters anywhere, and white space at the ends. */
const unfit = /\p{Cc}|^\s|\s$/u
const control = /\p{Cc}/u
/** RFC 3986 section 3.3; a `;` begins a parameter, which some servers take off. */
const dotSegment = /(?:^|[/\\:])\.{1,2}(?:[/\\?#;]|$)/

function isUnsafe(decoded: string): boolean {
  return control.test(decoded) || dotSegment.test(decoded)
}

function webSpellings(uri: string): UriSpellings | undefined {
  if (!URL.canParse(uri)) return undefined
  const { href, username, password } = new URL(uri)
  const decoded = username === '' && password === '' ? decodedOf(href) : undefined
  return decoded === undefined ? undefined : spellings(href, decoded)
}

function spellings(written: string, decoded: string): UriSpellings | undefined {
  const strict = normalUri(written)
  const loose = looseOf(decoded)
  const bare = loose.replace(/[?#].*$/su, '').replace(/\/$/, '')
  return strict === undefined ? undefined : { strict, loose, bare }
}

/** Scheme and, where it is one of a web address, host in lower case (RFC 3986 section 6.2.2.1). */
function lowered(uri: string): string {
  const [start = ''] = /^(?:(?:https?|wss?|ftp|file):\/\/[^/?#]*|[A-Za-z][A-Za-z0-9+.-]*:)/i.exec(uri) ?? []
  return start.toLowerCase() + uri.slice(start.length)
}

/** How often more it is decoded: as often as any chain of servers does by mistake. */
const mostRounds = 4

/** Decoded until nothing is left to decode; `undefined` when it is not encoded properly, or far too often. */
function decodedOf(uri: string): string | undefined {
  let text = decodedRun(uri)
  for (let round = 0; round < mostRounds && text !== undefined; round++) {
    if (!text.includes('%')) return text
    const next: string = text.replace(/(?:%[0-9A-Fa-f]{2})+/g, (run) => decodedRun(run) ?? run)
    if (next === text) return text
    text = next
  }
  return undefined
}

function decodedRun(run: string): string | undefined {
  try {
    return decodeURIComponent(run)
  } catch {
    return undefined
  }
}

function looseLiteral(literal: string): string {
  return looseOf(decodedOf(literal) ?? literal)
}

function looseOf(decoded: string): string {
  return decoded
    .normalize('NFC')
    .toLowerCase()
    .replace(/[/\\]+/g, '/')
}
