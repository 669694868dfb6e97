/**
 * One challenge of a `WWW-Authenticate` header (RFC 9110 section 11.6.1). Parameter names are lower case; values are
 * unquoted text. `params` has no prototype.
 */
export interface Challenge {
  readonly scheme: string
  readonly params: Readonly<Record<string, string>>
  /** Some schemes carry one `token68` instead of parameters. */
  readonly token68?: string
}

/** A `Bearer` challenge in the words of RFC 6750 section 3 and RFC 9728 section 5.1. Everything in it is the server's claim. */
export interface BearerChallenge {
  readonly realm?: string
  /** The scopes the server asks for; empty when it names none. */
  readonly scopes: readonly string[]
  /** `invalid_token`, `insufficient_scope`, `invalid_request`, or a server's own word. */
  readonly error?: string
  readonly errorDescription?: string
  /** Where the protected resource metadata is; only ever an absolute http or https URL. Not checked further. */
  readonly resourceMetadata?: string
}

/** RFC 9110 section 5.6.2. */
const token = /[!#$%&'*+\-.^_`|~0-9A-Za-z]+/y
const token68 = /[A-Za-z0-9\-._~+/]+=*(?=[ \t]*(?:,|$))/y
const wholeToken = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
const wholeToken68 = /^[A-Za-z0-9\-._~+/]+=*$/
/** RFC 9110 section 5.6.4, without obs-text: what goes out is ASCII. */
const quotable = /^[\t\x20-\x7E]*$/
/** RFC 6750 section 3: the values of these parameters exclude `"` and `\`, they cannot even be escaped. */
const rfc6750Values: Readonly<Record<string, RegExp>> = {
  scope: /^[\x21\x23-\x5B\x5D-\x7E]+(?: [\x21\x23-\x5B\x5D-\x7E]+)*$/,
  error: /^[\x20\x21\x23-\x5B\x5D-\x7E]+$/,
  error_description: /^[\x20\x21\x23-\x5B\x5D-\x7E]+$/,
  error_uri: /^[\x21\x23-\x5B\x5D-\x7E]+$/,
}

/**
 * Writes one challenge as the value of a `WWW-Authenticate` header.
 *
 * @throws TypeError when a name or value cannot be written: a control character or non-ASCII text anywhere, a quote or
 *   backslash in `scope`, `error` or `error_description` (RFC 6750 section 3), no parameter at all for Bearer, a repeated
 *   name.
 *
 * @example
 * ```ts
 * import { formatChallenge } from 'mcp-bearer'
 *
 * formatChallenge({ scheme: 'Bearer', params: { realm: 'mcp', error: 'invalid_token' } })
 * // Bearer realm="mcp", error="invalid_token"
 * ```
 */
export function formatChallenge(challenge: Challenge): string {
  const { scheme, params, token68: single } = challenge
  if (!wholeToken.test(scheme)) throw new TypeError('challenge: the scheme is not a token of RFC 9110')
  // RFC 6750 section 3: the scheme must be followed by one or more auth-param values.
  if (scheme.toLowerCase() === 'bearer' && Object.keys(params).length === 0) {
    throw new TypeError('challenge: Bearer needs at least one parameter')
  }
  if (single !== undefined) {
    if (!wholeToken68.test(single) || Object.keys(params).length > 0) {
      throw new TypeError('challenge: token68 is malformed or stands beside parameters')
    }
    return `${scheme} ${single}`
  }
  const written = Object.entries(params).map(([name, value]) => formatParam(name, value))
  if (new Set(Object.keys(params).map((name) => name.toLowerCase())).size < written.length) {
    throw new TypeError('challenge: a parameter is repeated')
  }
  return written.length === 0 ? scheme : `${scheme} ${written.join(', ')}`
}

function formatParam(name: string, value: string): string {
  if (!wholeToken.test(name)) throw new TypeError('challenge: a parameter name is not a token of RFC 9110')
  const grammar = Object.hasOwn(rfc6750Values, name.toLowerCase())
    ? rfc6750Values[name.toLowerCase()]!
    : quotable
  if (!grammar.test(value)) throw new TypeError(`challenge: the value of ${name} cannot stand in a header`)
  return `${name}="${value.replace(/["\\]/g, '\\$&')}"`
}

/**
 * Reads `WWW-Authenticate` (RFC 9110 section 11.6.1): several lines, several challenges in a line, quoted strings with
 * escapes, blanks around `=`. Never throws and takes linear time; what does not parse is left out. A repeated
 * parameter keeps its first value.
 *
 * @param lines the header's value, or its values when it occurs more than once
 */
export function parseChallenges(lines: string | readonly string[]): Challenge[] {
  return (typeof lines === 'string' ? [lines] : lines).flatMap((line) => new ChallengeReader(line).read())
}

/**
 * The first `Bearer` challenge of a `WWW-Authenticate` header, in words; `undefined` when there is none.
 *
 * @example
 * ```ts
 * import { readBearerChallenge } from 'mcp-bearer'
 *
 * readBearerChallenge('Bearer error="insufficient_scope", scope="files:write"')?.scopes // ['files:write']
 * ```
 */
export function readBearerChallenge(lines: string | readonly string[]): BearerChallenge | undefined {
  return readTokenChallenge(lines, ['bearer'])
}

/**
 * As {@link readBearerChallenge}, for a credential that servers challenge under more than one scheme: a token bound to a
 * key is asked for as `DPoP`, often beside `Bearer` (RFC 9449 section 7.1), with the same parameters. The challenge that
 * says what is wrong counts; if several or none do, the scheme that is named first.
 *
 * @param schemes in lower case
 */
export function readTokenChallenge(
  lines: string | readonly string[],
  schemes: readonly string[],
): BearerChallenge | undefined {
  const all = parseChallenges(lines)
  const ours = schemes.flatMap((name) =>
    all.filter(({ scheme }) => scheme.toLowerCase() === name).slice(0, 1),
  )
  const found = ours.find(({ params }) => params.error !== undefined) ?? ours[0]
  if (!found) return undefined
  const { realm, scope, error, error_description: errorDescription, resource_metadata: url } = found.params
  return {
    ...(realm !== undefined && { realm }),
    scopes: (scope ?? '').split(' ').filter((part) => part !== ''),
    ...(error !== undefined && { error }),
    ...(errorDescription !== undefined && { errorDescription }),
    ...(url !== undefined && isHttpUrl(url) && { resourceMetadata: url }),
  }
}

function isHttpUrl(text: string): boolean {
  return /^https?:\/\//i.test(text) && URL.canParse(text)
}

/** Reads one header line from left to right, without going back. */
class ChallengeReader {
  readonly #line: string
  #at = 0
  readonly #found: { scheme: string; params: Record<string, string>; token68?: string }[] = []

  constructor(line: string) {
    this.#line = line
  }

  read(): Challenge[] {
    while (this.#skipSeparators()) {
      const word = this.#match(token)
      if (word === undefined) this.#skipToComma()
      else if (this.#skipEquals()) this.#readValue(word)
      else this.#openChallenge(word)
    }
    return this.#found
  }

  #openChallenge(scheme: string): void {
    const challenge: { scheme: string; params: Record<string, string>; token68?: string } = {
      scheme,
      params: Object.create(null) as Record<string, string>,
    }
    this.#found.push(challenge)
    if (!this.#skipBlanks()) return
    const single = this.#match(token68)
    // `Bearer realm` cannot be told from a token68; a lone word is one.
    if (single !== undefined) challenge.token68 = single
  }

  #readValue(name: string): void {
    const value = this.#line[this.#at] === '"' ? this.#quoted() : this.#match(token)
    const challenge = this.#found.at(-1)
    if (value === undefined) this.#skipToComma()
    else if (challenge && !(name.toLowerCase() in challenge.params))
      challenge.params[name.toLowerCase()] = value
  }

  /** Unterminated: everything up to the end is consumed, and there is no value. */
  #quoted(): string | undefined {
    let text = ''
    for (let at = this.#at + 1; at < this.#line.length; at++) {
      const char = this.#line[at]!
      if (char === '"') {
        this.#at = at + 1
        return text
      }
      text += char === '\\' ? (this.#line[++at] ?? '') : char
    }
    this.#at = this.#line.length
    return undefined
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at
    const found = pattern.exec(this.#line)?.[0]
    if (found !== undefined) this.#at += found.length
    return found
  }

  /** Moves past `BWS "=" BWS`; stays where it is when there is no `=`. */
  #skipEquals(): boolean {
    const start = this.#at
    this.#skipBlanks()
    if (this.#line[this.#at] !== '=') {
      this.#at = start
      return false
    }
    this.#at++
    this.#skipBlanks()
    return true
  }

  #skipBlanks(): boolean {
    const start = this.#at
    while (this.#line[this.#at] === ' ' || this.#line[this.#at] === '\t') this.#at++
    return this.#at > start
  }

  /** Moves to the next thing to read; false at the end of the line. */
  #skipSeparators(): boolean {
    while (this.#line[this.#at] === ',' || this.#line[this.#at] === ' ' || this.#line[this.#at] === '\t')
      this.#at++
    return this.#at < this.#line.length
  }

  #skipToComma(): void {
    const comma = this.#line.indexOf(',', this.#at)
    this.#at = comma === -1 ? this.#line.length : comma
  }
}
