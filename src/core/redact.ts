import { redacted } from './redacted.ts'

/**
 * What a credential looks like. The first group, if there is one, is what leads up to it and stays. Texts come from
 * anywhere, so each pattern takes linear time: what can repeat is either bounded or cannot begin again inside itself.
 */
const patterns: readonly RegExp[] = [
  // A credential after its scheme, whatever it looks like: quoted, encoded, doubled, in prose. Neither the name of this
  // package, nor the media type `dpop+jwt`, nor the parameters of a challenge.
  /(?<!mcp-)\b((?:(?:Bearer|Basic|DPoP)(?:[\s+:=]|%20)+)+(?:tokens?[\s:=]+)?(?:\\?["'`])?)(?!jwt(?![\w.~+/=-]))(?!(?:realm|scope|error\w*|resource_metadata)=\\?")[^\s"'`,;]+/gi,
  // A compact JWS or JWE: `{"` in base64url, then its other parts.
  /eyJ[\w-]{10,}(?:\.[\w-]*){0,4}/g,
  // The same with a blank or a line break after the brace.
  /(?:(?<![A-Za-z0-9])|(?<=%[\dA-Fa-f]{2}))e(?:yA|w[0ko])[\w-]{16,}(?:\.[\w-]*){0,4}/g,
  // An API key of this package's own format, and the prefixes other services use for theirs.
  /[a-z][a-z0-9]{1,15}_(?:live|test)_[0-9A-Za-z]{12}_[0-9A-Za-z]{38}/g,
  /(?:(?<![A-Za-z0-9])|(?<=%[\dA-Fa-f]{2}))(?:sk|pk|rk|ghp|gho|ghs|ghu|github_pat|glpat|xox[abps])[-_][\w-]{6,}/g,
  // A value whose name says what it is: in a URL or a form, in JSON or printed objects, in a header.
  /((?:token|secret|password|api[-_]?key|[?&]key)(?:=|%3D)["']?)[^\s&"']+/gi,
  /((?:token|secret|password|api[-_]?key|authorization)\\?["']?\s*:\s*(?:\[\s*)?\\?["'])[^"'\\]+/gi,
  /(\bx-api-key\s*:\s*)[^\s"',;]+/gi,
  // The user and password of a URL.
  /(:\/\/)[^\s/?#"']+(?=@)/g,
  // Private keys: PEM, and the private members of a JWK (RFC 7518 section 6).
  /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g,
  /(\\?"(?:d|p|q|dp|dq|qi|k)\\?"\s*:\s*\\?")[\w-]{16,}/g,
]

/** What must not be seen of a token: all of it, and each part of it that is long enough to be one. */
export function secretsOf(token: string): string[] {
  return [token, ...token.split('.').filter((part) => part.length >= 8)]
}

/**
 * Takes everything out of a text that looks like a credential: bearer values, JWTs, known API-key shapes, values named
 * `token`, `secret`, `password` or `api_key`, passwords in URLs, private keys, and the given secrets themselves. For
 * logs and for messages that leave the process. A secret nobody names and that looks like nothing stays: give it.
 *
 * @param text what is about to be written
 * @param secrets values known to be secret; each occurrence is replaced, percent-encoded and JSON-escaped ones too.
 *   Empty ones are ignored
 */
export function redact(text: string, secrets: readonly string[] = []): string {
  const ranges: Range[] = []
  for (const form of new Set(secrets.flatMap(writtenForms))) {
    for (let at = text.indexOf(form); at !== -1; at = text.indexOf(form, at + 1)) {
      ranges.push([at, at + form.length])
    }
  }
  for (const pattern of patterns) {
    // Nearly always there is nothing, and to say so `matchAll` takes ten times as long.
    if (text.search(pattern) !== -1) ranges.push(...rangesOf(pattern, text))
  }
  return ranges.length === 0 ? text : cut(text, ranges)
}

type Range = readonly [start: number, end: number]

function rangesOf(pattern: RegExp, text: string): Range[] {
  return Array.from(
    text.matchAll(pattern),
    (match): Range => [match.index + (match[1]?.length ?? 0), match.index + match[0].length],
  )
}

/** Replaces the ranges; what overlaps or touches is one. They were found in the whole text, so no find hides another. */
function cut(text: string, ranges: Range[]): string {
  let clean = ''
  let done = -1
  for (const [start, end] of ranges.sort(([one], [other]) => one - other)) {
    if (start > done) clean += text.slice(Math.max(done, 0), start) + redacted
    done = Math.max(done, end)
  }
  return clean + text.slice(done)
}

/** A secret as it is, and as URLs, forms, JSON and base64 write it. */
export function writtenForms(secret: string): string[] {
  if (secret === '') return []
  const form = new URLSearchParams([['', secret]]).toString().slice(1)
  const json = JSON.stringify(secret).slice(1, -1)
  return [
    secret,
    form,
    form.replaceAll('+', '%20').replaceAll('%7E', '~'),
    json,
    json.replaceAll('/', '\\/'),
    ...base64Forms(secret),
  ]
}

/** With and without its padding, in both alphabets. What is short is short in base64 as well, and stands in any text. */
function base64Forms(secret: string): string[] {
  if (secret.length < 6) return []
  const bytes = new TextEncoder().encode(secret)
  const base64 = btoa(String.fromCharCode(...bytes.subarray(0, longestEncoded))).replace(/=+$/, '')
  return [base64, base64.replaceAll('+', '-').replaceAll('/', '_')]
}

/** What is longer is found by its beginning; a multiple of 3, so that the beginning ends where a group of base64 does. */
const longestEncoded = 12_288
