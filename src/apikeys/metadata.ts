import { redact } from '../core/redact.ts'
import { holdsCredential } from './credential-shape.ts'

/** Bytes of JSON. It comes along with every request of the key. */
const mostBytes = 8192

/** Objects within objects. */
const mostLevels = 20

/** Half a character, or U+0000: PostgreSQL keeps neither. */
const unkeepable = /[\0\p{Cs}]/u

/**
 * Reads what else is to be known of a key: a frozen copy, which JSON gives back as it is. Without prototypes, so that
 * `__proto__` is a name like any other (CWE-1321).
 *
 * @throws TypeError when it is no plain JSON, is longer than 8 KiB, or holds what looks like a credential; the message
 *   repeats nothing of it
 */
export function readMetadata(option: string, value: unknown): Readonly<Record<string, unknown>> {
  if (!isPlainObject(value)) throw new TypeError(`${option} must be a plain object`)
  const copier: Copier = { option, left: mostBytes }
  const copy = copyOf(value, copier, 0) as Readonly<Record<string, unknown>>
  const json = JSON.stringify(copy)
  if (bytesOf(json) > mostBytes) throw tooLong(option)
  // Names count as well: `{ "password": "…" }` is a secret whatever it looks like.
  if (holdsCredential([json])) throw looksSecret(option)
  // Before JSON writes it as well: `Bearer`, a tab and a token look different afterwards.
  if (json.includes('\\') && holdsCredential(textsOf(copy))) throw looksSecret(option)
  known.add(copy)
  return copy
}

/** What was read here: nothing is in it that looks like a credential, and nobody can put something in. */
const known = new WeakSet<object>()

/** At most, where that is not too many. */
function bytesOf(text: string): number {
  const most = text.length * 3
  return most <= mostBytes ? most : new TextEncoder().encode(text).length
}

/** A copy of JSON that nobody can change, with all that looks like a credential taken out. */
export function redactedData(value: unknown): unknown {
  if (typeof value === 'object' && value !== null && known.has(value)) return value
  return holdsCredential(textsOf(value)) ? cleaned(value) : frozenData(value)
}

function cleaned(value: unknown): unknown {
  if (typeof value === 'string') return redact(value)
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return Object.freeze(value.map(cleaned))
  return Object.freeze(mapped(value, cleaned, redact))
}

/** All texts in a piece of JSON, names as well. */
export function textsOf(value: unknown): string[] {
  const texts: string[] = []
  addTexts(value, texts)
  return texts
}

function addTexts(value: unknown, texts: string[]): void {
  if (typeof value === 'string') texts.push(value)
  if (typeof value !== 'object' || value === null) return
  for (const name of Object.keys(value)) {
    if (!Array.isArray(value)) texts.push(name)
    addTexts(Reflect.get(value, name), texts)
  }
}

/** A copy of JSON that nobody can change. */
export function frozenData(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return Object.freeze(value.map(frozenData))
  return Object.freeze(mapped(value, frozenData))
}

interface Copier {
  readonly option: string
  /** Each value is a byte of JSON at least: what is endless, or contains itself, ends here. */
  left: number
}

function copyOf(value: unknown, copier: Copier, level: number): unknown {
  copier.left -= 1
  if (copier.left < 0 || level > mostLevels) throw tooLong(copier.option)
  if (typeof value === 'string') return checkedText(value, copier.option)
  if (value === null || typeof value === 'boolean' || Number.isFinite(value)) return value
  if (Array.isArray(value)) {
    if (value.length > copier.left) throw tooLong(copier.option)
    return Object.freeze(Array.from(value, (item) => copyOf(item, copier, level + 1)))
  }
  if (isPlainObject(value)) {
    return Object.freeze(
      mapped(
        value,
        (member) => copyOf(member, copier, level + 1),
        (name) => checkedText(name, copier.option),
      ),
    )
  }
  throw new TypeError(
    `${copier.option} must hold JSON only: texts, finite numbers, true, false, null, lists, objects`,
  )
}

function mapped(
  source: object,
  copyMember: (member: unknown) => unknown,
  nameOf: (name: string) => string = (name) => name,
): Record<string, unknown> {
  const copy = Object.setPrototypeOf({}, null) as Record<string, unknown>
  for (const name of Object.keys(source)) copy[nameOf(name)] = copyMember(Reflect.get(source, name))
  return copy
}

function checkedText(text: string, option: string): string {
  if (text.length > mostBytes) throw tooLong(option)
  if (unkeepable.test(text)) throw new TypeError(`${option} must not hold U+0000 or halves of characters`)
  return text
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || prototype === Object.prototype
}

function tooLong(option: string): TypeError {
  return new TypeError(`${option} must be at most 8 KiB of JSON, and not deeper than ${mostLevels} levels`)
}

function looksSecret(option: string): TypeError {
  return new TypeError(`${option} holds what looks like a credential; keep secrets elsewhere`)
}
