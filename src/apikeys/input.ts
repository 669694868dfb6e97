import { checkOptions } from '../core/options.ts'
import { wordsHoldCredential } from './credential-shape.ts'

/**
 * Checks an object somebody gave and copies it: each member is read once, so that what was checked is what is used.
 * A member that is there and `undefined` is refused: an expiry or an address list that was meant, and got lost on the
 * way, must not become a key without one.
 *
 * @throws TypeError naming the member
 */
export function givenOptions<T extends object>(owner: string, given: T, known: readonly string[]): T {
  checkOptions(owner, given, known)
  const copy = { ...given }
  const unset = Object.keys(copy).find((name) => Reflect.get(copy, name) === undefined)
  if (unset !== undefined)
    throw new TypeError(`${owner}: ${unset} is undefined; leave it out if it is not meant`)
  return copy
}

/**
 * Reads a text that is shown to people and written to logs, of one line.
 * @throws TypeError naming the option, as {@link oneLine}, or when it holds what looks like a credential
 */
export function shortText(option: string, value: unknown, longest = 200): string {
  const text = oneLine(option, value, longest)
  refuseCredentials(option, [text])
  return text
}

/**
 * Reads a text that terminals and databases take as it is: of one line, without control characters, such as turn the
 * direction of what follows, or halves of characters. Whether a credential is in it, is another question.
 *
 * @throws TypeError naming the option, when it is no such text, or is blank
 */
export function oneLine(option: string, value: unknown, longest = 200): string {
  if (typeof value !== 'string' || value.length > longest || !/\S/.test(value)) {
    throw new TypeError(`${option} must be a text of 1 to ${longest} characters`)
  }
  if (unprintable.test(value)) {
    throw new TypeError(`${option} must not hold line breaks, control characters or halves of characters`)
  }
  return value
}

const unprintable = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069]/u

/** @throws TypeError when one of the texts, word by word, holds what looks like a credential; it is not shown */
export function refuseCredentials(option: string, texts: readonly string[]): void {
  if (wordsHoldCredential(texts)) throw new TypeError(`${option} holds what looks like a credential`)
}

/** Reads a list of {@link oneLine | lines}, each once. @throws TypeError when it is empty, too long, or holds anything else */
export function lineList(option: string, value: unknown, longest = 200): readonly string[] {
  const texts = someOf(option, value).map((item) => oneLine(option, item, longest))
  return Object.freeze([...new Set(texts)])
}

/**
 * A list with something in it. An empty one is refused: whether it means nothing or everything, half of the readers
 * would get it wrong.
 */
export function someOf(option: string, value: unknown): readonly unknown[] {
  if (!Array.isArray(value) || value.length === 0 || value.length > longestList) {
    throw new TypeError(`${option} must be a list of 1 to ${longestList} entries; leave it out for no limit`)
  }
  return Array.from(value)
}

/** Entries of a list. Each is compared on requests. */
export const longestList = 1000

/** Reads a whole number. @throws TypeError naming the option */
export function wholeNumber(option: string, value: unknown, low: number, high: number): number {
  if (Number.isSafeInteger(value) && (value as number) >= low && (value as number) <= high)
    return value as number
  throw new TypeError(`${option} must be a whole number from ${low} to ${high}`)
}

/** Reads a moment, in milliseconds since 1970. @throws TypeError when it is no valid `Date` of these centuries */
export function moment(option: string, value: unknown): number {
  const time = value instanceof Date ? value.getTime() : Number.NaN
  if (time >= 0 && time <= lastMoment) return time
  throw new TypeError(`${option} must be a Date between the years 1970 and 9999`)
}

/** 9999-12-31T23:59:59.999Z: what every database can keep. */
const lastMoment = 253_402_300_799_999
