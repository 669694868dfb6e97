import { isBearerToken, maxTokenLength, redacted } from '../core/index.ts'

/**
 * One token that does not change: an API key, a token of a CI job. What people paste is cleaned: surrounding white
 * space, quotes, and a `Bearer ` in any case are taken off. The token is not enumerable and does not show in
 * `util.inspect`, `JSON.stringify` or string conversion. When the server refuses it, the request is not repeated.
 *
 * @example
 * ```ts
 * import { BearerAuth, Client } from 'mcp-bearer/client'
 *
 * const client = new Client('https://mcp.example.com/mcp', { auth: new BearerAuth('sk-abc123') })
 * ```
 */
export class BearerAuth {
  readonly #token: string

  /**
   * @param token the token (RFC 6750 section 2.1: letters, digits, `-._~+/`, then `=`), at most 8192 bytes
   * @param option how error messages call the value. Default: `BearerAuth: token`
   * @throws TypeError when it is empty, an unexpanded placeholder, or otherwise cannot be a token; says what is wrong
   *   and never shows the value
   */
  constructor(token: string, option = 'BearerAuth: token') {
    const read = readToken(token)
    if (read.fault !== undefined) throw new TypeError(`${option} ${read.fault}`)
    this.#token = read.token
    Object.freeze(this)
  }

  /** The token, clean. */
  async token(): Promise<string> {
    return this.#token
  }

  toJSON(): Record<string, unknown> {
    return { token: redacted }
  }

  toString(): string {
    return `BearerAuth(${redacted})`
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString()
  }
}

/** A clean token, or why there is none, as the rest of a sentence that begins with the option's name. */
export type ReadToken =
  | { readonly token: string; readonly fault?: undefined }
  | { readonly fault: string; readonly token?: undefined }

/** Takes a token out of what was pasted or read from a variable or file. Never throws. */
export function readToken(value: unknown): ReadToken {
  if (typeof value !== 'string') {
    return { fault: `must be a string, and is ${value === null ? 'null' : typeof value}` }
  }
  const token = isBearerToken(value) ? value : unwrap(value)
  const fault = faultOf(token)
  return fault === undefined ? { token } : { fault }
}

function unwrap(pasted: string): string {
  const bare = unquote(pasted)
  return unquote(bare.replace(/^(?:bearer[ \t]+)+/i, ''))
}

function unquote(text: string): string {
  const trimmed = text.trim()
  const [first] = trimmed
  const quoted = trimmed.length >= 2 && (first === '"' || first === "'") && trimmed.endsWith(first)
  return quoted ? trimmed.slice(1, -1).trim() : trimmed
}

/** What is left over when a variable was not set, in this language and others. */
const leftovers = new Set(['undefined', 'null', 'none', 'nil', 'nan', 'true', 'false'])

function faultOf(token: string): string | undefined {
  const word = token.toLowerCase()
  if (token === '' || word === 'bearer') return 'is empty'
  if (leftovers.has(word)) return `is the word "${word}": a variable that was not set?`
  if (word === 'oauth') return 'is the word "oauth", which is not a token'
  if (isBearerToken(token)) return undefined
  if (/\$\{?\w|\{\{|\{env:|^%\w+%$|^<.*>$/i.test(token)) return 'holds a placeholder that was not filled in'
  if ([...token].some((char) => char < ' ' || char === '\x7F'))
    return 'holds a line break or another control character'
  if (/\s/.test(token)) return 'holds white space'
  if (token.length > maxTokenLength) return `is longer than ${maxTokenLength} characters`
  return 'holds characters that a token cannot have (RFC 6750 section 2.1)'
}
