import { redacted } from '../../core/index.ts'
import { writtenForms } from '../../core/redact.ts'
import { escapeLayers } from './escapes.ts'

/** Shorter ones are words like `prod`; they stand in innocent texts as well, and no secret is that short. */
const shortest = 6
/** So much of the beginning of a secret is part of it: what was cut short, as in `sk-abc12345…`. */
const shortestBeginning = 12

/** What must not come back in an error: the value of each header, and the pieces of it that may be credentials. */
export function secretsOf(headers: readonly (readonly [name: string, value: string])[]): readonly string[] {
  return headers.flatMap(([, value]) => [value, ...piecesOf(value), ...passwordOf(value)])
}

function piecesOf(value: string): string[] {
  const pieces = value.split(/[\s;,=]+/).filter((piece) => !/^bearer$/i.test(piece))
  // The parts of a JWT. Of other values the same would be words of host names.
  return [...pieces, ...pieces.flatMap((piece) => piece.split('.').filter((part) => part.length >= 16))]
}

/** RFC 7617 section 2: user and password in base64, which a server decodes before it complains of them. */
function passwordOf(value: string): string[] {
  const [, encoded] = /^basic\s+([\w+/=-]+)$/i.exec(value.trim()) ?? []
  if (encoded === undefined) return []
  try {
    const text = new TextDecoder().decode(Uint8Array.from(atob(encoded), (char) => char.charCodeAt(0)))
    return [text, text.slice(text.indexOf(':') + 1)]
  } catch {
    // Not base64: then nobody decodes it.
    return []
  }
}

/**
 * Takes known secrets out of what a server wrote: a debug page or an error text may repeat the request. Also in the
 * forms JSON, HTML, URLs, base64 and hexadecimal digits give them, and when only their beginning is shown.
 */
export function conceal(text: string, secrets: readonly string[]): string {
  const long = secrets.filter((secret) => secret.length >= shortest)
  if (text === '' || long.length === 0) return text
  const forms = [...new Set(long.flatMap(formsOf))]
  const ranges = escapeLayers(text).flatMap(({ text: layer, at }) =>
    forms.flatMap((form) => placesOf(layer, form).map(([start, end]): Range => [at(start), at(end)])),
  )
  return ranges.length === 0 ? text : without(text, ranges)
}

/** Whether a text holds a secret that is too long to stand there by chance. */
export function repeatsSecret(text: string, secrets: readonly string[]): boolean {
  const long = secrets.filter((secret) => secret.length >= 16)
  return conceal(text, long) !== text
}

function formsOf(secret: string): readonly string[] {
  const bytes = new TextEncoder().encode(secret)
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
  return [...writtenForms(secret), ...shifted(bytes, 1), ...shifted(bytes, 2), hex, hex.toUpperCase()]
}

/** Bytes of a secret that are put into base64; of a longer one its beginning is found. */
const longestEncoded = 12_288

/**
 * What base64 makes of a secret in the middle of something, as of a whole request: its groups begin elsewhere then.
 * The first and the last character, which depend on what stands around it, are left out.
 */
function shifted(bytes: Uint8Array, by: 1 | 2): readonly string[] {
  const part = bytes.subarray(0, longestEncoded)
  const base64 = btoa('\0'.repeat(by) + String.fromCharCode(...part))
  const own = base64.slice(by + 1, Math.floor(((by + part.length) * 8) / 6))
  return own.length < 8 ? [] : [own, own.replaceAll('+', '-').replaceAll('/', '_')]
}

type Range = readonly [start: number, end: number]

/** Where a secret stands in a text, or as much of its beginning as is one. */
function placesOf(text: string, secret: string): Range[] {
  const beginning = secret.slice(0, shortestBeginning)
  const ranges: Range[] = []
  let end = 0
  for (let at = text.indexOf(beginning); at !== -1; at = text.indexOf(beginning, end)) {
    let length = beginning.length
    while (length < secret.length && text[at + length] === secret[length]) length++
    end = at + length
    ranges.push([at, end])
  }
  return ranges
}

/** Replaces the ranges; what overlaps is one. */
function without(text: string, ranges: Range[]): string {
  let clean = ''
  let done = 0
  for (const [start, end] of ranges.sort(([one], [other]) => one - other)) {
    if (start >= done) clean += text.slice(done, start) + redacted
    done = Math.max(done, end)
  }
  return clean + text.slice(done)
}
