import { redact, redacted } from '../../../core/index.ts'
import { writtenForms } from '../../../core/redact.ts'
import { sessionHeader } from '../../session-header.ts'
import type { HeaderLines } from './log-entry.ts'

/** Headers whose value is a credential, whatever it looks like. */
const credentials = new Set([
  'authorization',
  'proxy-authorization',
  'cookie',
  'set-cookie',
  'x-api-key',
  sessionHeader,
])

/** Headers as they may be shown. The scheme in front of a credential stays: it is often what is wrong. */
export function shownHeaders(
  headers: Iterable<readonly [string, string]>,
  secrets: readonly string[],
): HeaderLines {
  return Array.from(headers, ([name, value]) => {
    if (!credentials.has(name.toLowerCase())) return [redact(name, secrets), redact(value, secrets)] as const
    const scheme = /^(?:bearer|basic|dpop) +(?=.)/i.exec(value)?.[0] ?? ''
    return [name, value === '' ? '' : `${scheme}${redacted}`] as const
  })
}

/** What a caller put into a header itself is as secret as the token: it may be one, or nearly one. */
export function credentialsIn(headers: HeaderLines): readonly string[] {
  return headers
    .filter(([name]) => credentials.has(name.toLowerCase()))
    .map(([, value]) => value.replace(/^\S+ +/, ''))
    .filter((value) => value.length >= 8)
}

/**
 * Text of a body as it may be shown.
 *
 * @param isWhole whether nothing can follow. If something can, or was cut off, the text may end in the middle of a token:
 *   a beginning of one at its end is taken out as well
 */
export function shownText(text: string, secrets: readonly string[], isWhole: boolean): string {
  const readable = asRead(text, secrets)
  const shown = redact(isWhole ? readable : withoutBeginning(readable, secrets), secrets)
  return shown === text ? shown : ownCopy(shown)
}

/** A text as whoever reads its JSON sees it, where that shows a secret which the text itself hides: `\\u0074oken`. */
function asRead(text: string, secrets: readonly string[]): string {
  const read = unescaped(text)
  return read !== text && formsOf(secrets).some((form) => read.includes(form)) ? read : text
}

/** Letters that JSON writes as numbers (RFC 8259 section 7), as letters. */
function unescaped(text: string): string {
  return text.replace(/\\u00[2-7][0-9a-f]/gi, (written) => {
    const char = String.fromCharCode(Number.parseInt(written.slice(2), 16))
    return /["\\\x7f]/.test(char) ? written : char
  })
}

/** A text that is made of slices of another one keeps that one in memory, tokens and all: this one keeps nothing. */
function ownCopy(text: string): string {
  return new TextDecoder().decode(new TextEncoder().encode(text))
}

/**
 * A value of JSON as it may be shown, names included: whoever answers may say a token again wherever it likes.
 *
 * @throws SyntaxError when the text is no JSON
 */
export function shownJson(text: string, secrets: readonly string[]): unknown {
  return JSON.parse(text, (_name, value: unknown) => {
    if (typeof value === 'string') return redact(value, secrets)
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
    return Object.fromEntries(Object.entries(value).map(([name, member]) => [redact(name, secrets), member]))
  })
}

/**
 * A value of JSON without these secrets, wherever it says them. What else looks like a credential stays: it is what was asked
 * for. Costs nothing where there is nothing.
 *
 * @throws SyntaxError when the text is no JSON; RangeError when it says a secret and is nested without end
 */
export function jsonWithout(text: string, secrets: readonly string[]): unknown {
  const forms = formsOf(secrets)
  const read = unescaped(text)
  if (!forms.some((form) => read.includes(form))) return JSON.parse(text)
  const clean = (said: string) => forms.reduce((left, form) => left.replaceAll(form, redacted), said)
  return JSON.parse(text, (_name, value: unknown) => {
    if (typeof value === 'string') return clean(value)
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
    return Object.fromEntries(Object.entries(value).map(([name, member]) => [clean(name), member]))
  })
}

/** Longer ones first, since they may hold a shorter one. */
function formsOf(secrets: readonly string[]): readonly string[] {
  return [...new Set(secrets.flatMap(writtenForms))].sort((one, other) => other.length - one.length)
}

/** Characters of such a key. */
const longestKey = 80

/** An API key of this package's format that is not all there yet: its pattern wants all of it. */
const beginningOfKey = /[a-z][a-z0-9]{1,15}_(?:live|test)_[0-9A-Za-z]{0,12}(?:_[0-9A-Za-z]{0,37})?$/

/** The text without what may be the beginning of a secret at its end. */
function withoutBeginning(text: string, secrets: readonly string[]): string {
  let end = beginningOfKey.exec(text.slice(-longestKey))?.index
  end = end === undefined ? text.length : end + Math.max(0, text.length - longestKey)
  for (const form of new Set(secrets.flatMap(writtenForms))) {
    for (let length = Math.min(form.length - 1, text.length); length > text.length - end; length -= 1) {
      if (text.endsWith(form.slice(0, length))) {
        end = text.length - length
        break
      }
    }
  }
  return text.slice(0, end)
}
