import { parseKey } from '../../apikeys/format.ts'
import type { KeyOwner } from '../../apikeys/key-record.ts'
import { UsageError } from '../command.ts'
import { textsOf } from '../values.ts'

/**
 * The id of a key.
 * @throws UsageError that does not repeat the word: it may be a whole key
 */
export function keyIdOf(word: string): string {
  if (/^[0-9A-Za-z]{12}$/.test(word)) return word
  const key = parseKey(word)
  throw new UsageError(
    typeof key === 'string'
      ? 'an id has 12 letters and digits; mcp-bearer keys list shows them'
      : `this is a whole key, and its id is asked for: ${key.id}. A key on a command line may have been seen: think of rotating it`,
  )
}

/**
 * An owner, as `id` or `type:id`; an id that has a colon itself is written `:id`.
 * @throws UsageError naming the option
 */
export function ownerOf(text: string, option = '--owner'): KeyOwner {
  const [, type, rest] = /^([\w-]{0,64}):(.*)$/s.exec(text) ?? []
  const id = rest ?? text
  if (id === '') throw new UsageError(`${option} must be an id, or type:id such as service:build`)
  return type === undefined || type === '' ? { id } : { type, id }
}

/** An owner in a word that {@link ownerOf} reads. */
export function ownerText({ type, id }: KeyOwner): string {
  if (type !== undefined) return `${type}:${id}`
  return id.includes(':') ? `:${id}` : id
}

/** Scopes of an option that is given several times, or holds several separated by blanks. */
export function scopesOf(values: readonly string[]): string[] {
  return [...new Set(values.flatMap((value) => value.split(/\s+/)).filter((scope) => scope !== ''))]
}

/**
 * Requests a minute, as `60/min` or `60`.
 * @throws UsageError
 */
export function rateOf(text: string): number {
  const [, count] = /^(\d{1,9})(?:\/min)?$/.exec(text) ?? []
  if (count === undefined) throw new UsageError('--rate-limit must be requests a minute, such as 60/min')
  return Number(count)
}

/**
 * A whole number.
 * @throws UsageError naming the option
 */
export function countOf(text: string, option: string, most = Number.MAX_SAFE_INTEGER): number {
  const count = Number(text)
  if (!/^\d{1,16}$/.test(text) || count < 1 || count > most)
    throw new UsageError(`${option} must be a whole number from 1 to ${most}`)
  return count
}

/**
 * One of a list.
 * @throws UsageError naming the option and the list
 */
export function oneOf<const T extends string>(text: string, option: string, known: readonly T[]): T {
  const found = known.find((word) => word === text)
  if (found === undefined) throw new UsageError(`${option} must be one of ${known.join(', ')}`)
  return found
}

/**
 * Metadata of `name=text` words.
 * @throws UsageError
 */
export function metadataOf(words: readonly string[]): Record<string, string> {
  try {
    return textsOf(words)
  } catch {
    throw new UsageError('--meta must be written name=text, each name once')
  }
}

/** `one key`, `12 keys`. */
export function keysText(count: number): string {
  return count === 1 ? 'one key' : `${count} keys`
}

/** Lists of at most so many. */
export function* chunks<T>(items: readonly T[], size: number): Generator<T[]> {
  for (let at = 0; at < items.length; at += size) yield items.slice(at, at + size)
}
