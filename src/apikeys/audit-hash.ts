import { sha256 } from '../core/runtime.ts'
import type { AuditEntry, AuditEvent } from './audit-event.ts'

/** The hash before the first event there ever was. */
export const chainStart = '0'.repeat(64)

/**
 * The hash of an event in its chain: SHA-256, in hex, of the hash of the event before and of all members of this one but
 * `hash` itself, as canonical JSON. The same in every store, so that a log can be checked wherever it was exported to.
 *
 * @param previous hash of the event before; {@link chainStart} for the first one
 * @throws TypeError where the runtime has no `node:crypto`
 */
export function chainedHash(previous: string, event: Omit<AuditEvent, 'hash'>): string {
  const hash = sha256(`${previous}\n${objectJson(event, 'hash')}`)
  if (hash === undefined) throw new TypeError('API keys need a runtime with node:crypto')
  return hash
}

/** An entry with its place in the chain. */
export function placed(entry: AuditEntry, sequence: number, time: number): Omit<AuditEvent, 'hash'> {
  // The other way round, spread first, it takes three times as long.
  const event = { sequence, time, ...entry }
  // Whatever else the entry holds, its place is this one.
  event.sequence = sequence
  event.time = time
  return event
}

/**
 * JSON without blanks, members in the order of their names (as RFC 8785 section 3.2 has it): what comes out is the same
 * before and after a database has kept the value, whatever order it gives the members.
 */
export function canonicalJson(value: unknown): string {
  return write(value) ?? 'null'
}

/** As `JSON.stringify` does it: what is no JSON is `undefined`. */
function write(value: unknown): string | undefined {
  if (typeof value === 'string') return textJson(value)
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  if (!isPlain(value)) return rewritten(JSON.stringify(value))
  if (!Array.isArray(value)) return objectJson(value)
  return `[${Array.from(value, (item) => write(item) ?? 'null').join(',')}]`
}

function rewritten(json: string | undefined): string | undefined {
  return json === undefined ? undefined : write(JSON.parse(json))
}

/** @param but a member that is left out */
function objectJson(value: object, but?: string): string {
  let members = ''
  for (const name of Object.keys(value).sort()) {
    const member = name === but ? undefined : write(Reflect.get(value, name))
    if (member === undefined) continue
    members += `${members === '' ? '' : ','}${textJson(name)}:${member}`
  }
  return `{${members}}`
}

/** What has a way of its own to become JSON, such as a `Date`, goes that way first. */
function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  const isUsual = prototype === Object.prototype || prototype === null || Array.isArray(value)
  return isUsual && typeof Reflect.get(value, 'toJSON') !== 'function'
}

function textJson(text: string): string {
  return unescaped.test(text) ? `"${text}"` : JSON.stringify(text)
}

/** What JSON writes as it is: no quotes, backslashes, control characters or halves of characters. */
const unescaped = /^[\x20\x21\x23-\x5b\x5d-\ud7ff\ue000-\uffff]*$/
