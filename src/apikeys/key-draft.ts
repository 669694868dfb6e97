import { numberBetween, oneOrMany } from '../core/options.ts'
import { scopeList } from '../core/scopes.ts'
import { checkAddresses } from './addresses.ts'
import type { NewApiKey } from './api-key.ts'
import { wordsHoldCredential } from './credential-shape.ts'
import { givenOptions, lineList, moment, oneLine, refuseCredentials, someOf, wholeNumber } from './input.ts'
import type { KeyOwner, KeyRecord } from './key-record.ts'
import type { Lifecycle } from './lifecycle.ts'
import { readMetadata, textsOf } from './metadata.ts'
import { longestLife } from './policy.ts'

/** What somebody wants of a key, checked: the members of a {@link KeyRecord} that are not given by its being made. */
export type KeyDraft = Pick<KeyRecord, 'name' | 'owner' | 'scopes' | 'metadata'> & Partial<KeyRecord>

/** How each member is read, and which members of a record come of it. */
const readers = {
  name: (option, value) => ({ name: oneLine(option, value) }),
  owner: (option, value) => ({ owner: readOwner(option, value) }),
  tenant: (option, value) => ({ tenant: oneLine(option, value) }),
  clientId: (option, value) => ({ clientId: oneLine(option, value) }),
  scopes: (option, value) => ({ scopes: readScopes(option, value) }),
  tools: (option, value) => ({ tools: readTools(option, value) }),
  audience: (option, value) => ({ audiences: readAudiences(option, value) }),
  addresses: (option, value) => ({ addresses: readAddresses(option, value) }),
  rateLimit: (option, value) => ({ rateLimit: wholeNumber(option, value, 1, 1_000_000) }),
  usageLimit(option, value) {
    const limit = wholeNumber(option, value, 1, Number.MAX_SAFE_INTEGER)
    return { usageLimit: limit, usageLeft: limit }
  },
  notBefore: (option, value) => ({ notBefore: moment(option, value) }),
  metadata: (option, value) => ({ metadata: readMetadata(option, value) }),
} satisfies Record<string, (option: string, value: unknown) => Partial<KeyRecord>>

const readable = Object.entries(readers)
/** What {@link readNewKey} knows. */
export const newKeyMembers: readonly string[] = [...Object.keys(readers), 'expiresAt', 'expiresInSeconds']

/**
 * Reads those of the members that are there, `null` ones left out.
 * @throws TypeError naming the member that is wrong
 */
export function readMembers(owner: string, given: object): Partial<KeyRecord> {
  const read: Partial<KeyRecord> = {}
  for (const [name, reader] of readable) {
    const value: unknown = Object.hasOwn(given, name) ? Reflect.get(given, name) : undefined
    if (value !== undefined && value !== null) Object.assign(read, reader(`${owner}: ${name}`, value))
  }
  const { metadata: _seenAlready, ...shown } = read
  const texts = textsOf(shown)
  // Together, which is cheap, as nearly always nothing is found; then one by one, to say where.
  if (wordsHoldCredential(texts)) {
    for (const [name, value] of Object.entries(shown)) refuseCredentials(`${owner}: ${name}`, textsOf(value))
  }
  return read
}

/**
 * Reads a new key, and what the policy makes of it.
 *
 * @param owner of the members, for messages
 * @throws TypeError naming the member that is wrong or that the policy forbids
 */
export function readNewKey(
  owner: string,
  key: NewApiKey,
  { policy, audiences }: Lifecycle,
  now: number,
): KeyDraft {
  const given = givenOptions(owner, key, newKeyMembers)
  const unset = Object.keys(readers).find((name) => Reflect.get(given, name) === null)
  if (unset !== undefined) throw new TypeError(`${owner}: ${unset} is null; leave it out if it is not meant`)
  const read = readMembers(owner, given)
  const { name, owner: whose, scopes = noScopes, metadata = noMetadata } = read
  if (name === undefined) throw new TypeError(`${owner}: name is missing`)
  if (whose === undefined) throw new TypeError(`${owner}: owner is missing`)
  policy.checkScopes(`${owner}: scopes`, scopes)
  const expiresAt = policy.expiry(`${owner}: expiresAt`, now, readExpiry(owner, given, now))
  checkSpan(owner, read.notBefore, expiresAt)
  return {
    ...(audiences && { audiences }),
    ...read,
    name,
    owner: whose,
    scopes,
    metadata,
    ...(expiresAt !== undefined && { expiresAt }),
  }
}

const noScopes: readonly string[] = Object.freeze([])
const noMetadata: KeyRecord['metadata'] = Object.freeze({})

/** @throws TypeError when a key would be over before it begins */
export function checkSpan(owner: string, notBefore: number | undefined, expiresAt: number | undefined): void {
  if (notBefore !== undefined && expiresAt !== undefined && !(notBefore < expiresAt)) {
    throw new TypeError(`${owner}: notBefore must be before the key expires`)
  }
}

/** A moment that is to come. @throws TypeError when it is none */
export function futureMoment(option: string, value: unknown, now: number): number {
  const at = moment(option, value)
  if (at > now) return at
  throw new TypeError(`${option} must be in the future`)
}

function readExpiry(owner: string, given: NewApiKey, now: number): number | undefined {
  const { expiresAt, expiresInSeconds: seconds } = given
  if (expiresAt !== undefined && seconds !== undefined) {
    throw new TypeError(`${owner}: expiresAt and expiresInSeconds exclude each other`)
  }
  if (expiresAt !== undefined) return futureMoment(`${owner}: expiresAt`, expiresAt, now)
  if (seconds === undefined) return undefined
  return now + Math.floor(numberBetween(`${owner}: expiresInSeconds`, seconds, 1, longestLife) * 1000)
}

function readOwner(option: string, value: unknown): KeyOwner {
  if (typeof value === 'string') return Object.freeze({ id: oneLine(option, value) })
  const { type, id } = givenOptions(option, value as KeyOwner, ['type', 'id'])
  const owner = { id: oneLine(`${option}.id`, id) }
  return Object.freeze(type === undefined ? owner : { type: oneLine(`${option}.type`, type), ...owner })
}

/** An empty list is what it says: no scopes. */
function readScopes(option: string, value: unknown): readonly string[] {
  const scopes = scopeList(option, value)
  return scopes.length === 0 ? scopes : lineList(option, scopes)
}

/** Who writes a pattern expects something of it; it would be the name of no tool. */
function readTools(option: string, value: unknown): readonly string[] {
  const tools = lineList(option, value)
  if (!tools.some((name) => name.includes('*'))) return tools
  throw new TypeError(`${option} must hold whole names, as tools/list shows them: there are no patterns`)
}

/** Resources are named by URLs, which are longer than names. */
const longestAudience = 2000

function readAudiences(option: string, value: unknown): readonly string[] {
  return lineList(option, oneOrMany(option, value), longestAudience)
}

function readAddresses(option: string, value: unknown): readonly string[] {
  const owner = option.slice(0, option.lastIndexOf(':'))
  return checkAddresses(owner, someOf(option, value) as readonly string[])
}
