import { addressAllowed } from '../apikeys/addresses.ts'
import type { KeyRecord } from '../apikeys/key-record.ts'
import { Grant } from '../core/access-token.ts'
import { AuthError } from '../core/errors.ts'
import type { VerifyContext } from '../core/verifier.ts'
import type { KeySettings } from './api-key-options.ts'
import type { RefusalReason } from './refusal.ts'

/**
 * Reads what a store answered. Stores are written by anybody, and what is not understood must not be a key: a list of
 * addresses that is missed for its type would be one that lets everybody in.
 *
 * @param id of the key that was asked for
 * @returns `undefined` when there is none
 * @throws AuthError `server_error`, naming the member that is wrong
 */
export function readRecord(found: unknown, id: string): KeyRecord | undefined {
  if (found === undefined || found === null || found === false) return undefined
  if (typeof found !== 'object') throw junk('what it answers')
  const record = found as Readonly<Record<string, unknown>>
  for (const [name, isGood] of members) if (!isGood(record[name])) throw junk(name)
  if ((found as Partial<KeyRecord>).id !== id) throw junk('id')
  return inShape(found as KeyRecord)
}

/**
 * The same record with all members, in one order. Stores leave out what is absent, so their records have hundreds of
 * shapes, and of those V8 finds each member by a search: on the path of a request that was a third of the time.
 */
function inShape(record: KeyRecord): KeyRecord {
  const shaped: { readonly [Name in keyof Required<KeyRecord>]: KeyRecord[Name] | undefined } = {
    id: record.id,
    lineageId: record.lineageId,
    prefix: record.prefix,
    environment: record.environment,
    hash: record.hash,
    hashAlgorithm: record.hashAlgorithm,
    isImported: record.isImported,
    name: record.name,
    owner: record.owner,
    tenant: record.tenant,
    clientId: record.clientId,
    scopes: record.scopes,
    audiences: record.audiences,
    tools: record.tools,
    addresses: record.addresses,
    rateLimit: record.rateLimit,
    usageLimit: record.usageLimit,
    usageLeft: record.usageLeft,
    metadata: record.metadata,
    isEnabled: record.isEnabled,
    state: record.state,
    notBefore: record.notBefore,
    expiresAt: record.expiresAt,
    graceMs: record.graceMs,
    replacedBy: record.replacedBy,
    revokedAt: record.revokedAt,
    revokedBy: record.revokedBy,
    revokeReason: record.revokeReason,
    firstUsedAt: record.firstUsedAt,
    lastUsedAt: record.lastUsedAt,
    lastUsedAddress: record.lastUsedAddress,
    useCount: record.useCount,
    createdAt: record.createdAt,
    createdBy: record.createdBy,
    updatedAt: record.updatedAt,
    rev: record.rev,
  }
  return shaped as KeyRecord
}

function junk(name: string): AuthError {
  return new AuthError('server_error', `The key store is broken: ${name} of a record is not what it must be`)
}

type Check = (value: unknown) => boolean

const isText: Check = (value) => typeof value === 'string' && value !== ''
const isNumber: Check = (value) => Number.isFinite(value)
const isObject: Check = (value) => typeof value === 'object' && value !== null && !Array.isArray(value)
const isList: Check = (value) => Array.isArray(value) && value.every((item) => typeof item === 'string')
const isOwner: Check = (value) => {
  const { id, type } = (isObject(value) ? value : {}) as { readonly id?: unknown; readonly type?: unknown }
  return isText(id) && (type === undefined || isText(type))
}
const isState: Check = (value) => states.has(value)
const states: ReadonlySet<unknown> = new Set(['active', 'pending', 'grace', 'revoked'])
const orNone =
  (check: Check): Check =>
  (value) =>
    value === undefined || check(value)

/** All that a decision is made of, or that goes into an access token. */
const members: readonly (readonly [name: keyof KeyRecord, isGood: Check])[] = [
  ['hash', (value) => value instanceof Uint8Array && value.length === 32],
  ['hashAlgorithm', isText],
  ['state', isState],
  ['isEnabled', (value) => typeof value === 'boolean'],
  ['environment', (value) => value === 'live' || value === 'test'],
  ['notBefore', orNone(isNumber)],
  ['expiresAt', orNone(isNumber)],
  ['audiences', orNone(isList)],
  ['addresses', orNone(isList)],
  ['tools', orNone(isList)],
  ['scopes', isList],
  ['rateLimit', orNone(isNumber)],
  ['usageLimit', orNone(isNumber)],
  ['lineageId', isText],
  ['name', isText],
  ['clientId', isText],
  ['owner', isOwner],
  ['tenant', orNone(isText)],
  ['metadata', isObject],
]

/**
 * Why a key is no good, whoever presents it; asked on every use of it.
 * @param now of the database, in milliseconds since 1970
 */
export function judgeRecord(
  record: KeyRecord,
  { environment, audience }: Pick<KeySettings, 'environment' | 'audience'>,
  now: number,
): RefusalReason | undefined {
  if (record.state === 'revoked') return 'revoked'
  if (!record.isEnabled) return 'disabled'
  // Written so that a time that is no number refuses: no comparison with it is true.
  if (record.notBefore !== undefined && !(now >= record.notBefore)) return 'not_yet_valid'
  if (record.expiresAt !== undefined && !(now < record.expiresAt)) return 'expired'
  if (record.environment !== environment) return 'wrong_environment'
  return isFor(record.audiences, audience) ? undefined : 'wrong_audience'
}

/**
 * MCP authorization, "Token Handling": a server takes only what was issued for it. A key that names servers is for these,
 * and one that names none is for the only server that uses its store, which has no name then.
 */
function isFor(audiences: readonly string[] | undefined, audience: string | undefined): boolean {
  if (audiences === undefined || audience === undefined) return audiences === audience
  return audiences.includes(audience)
}

/** Whether the caller may use the key from where he is. Nobody knows where he is when a stream is looked at again. */
export function judgeAddress(
  { addresses }: KeyRecord,
  context: VerifyContext | undefined,
): RefusalReason | undefined {
  if (addresses === undefined) return undefined
  const address = context?.address
  if (address === undefined && context?.isRecheck) return undefined
  return addressAllowed(addresses, address) ? undefined : 'address_not_allowed'
}

/**
 * Seconds. Whoever holds an access token compares its expiry with the clock of this machine, which may be wrong. The time
 * of the database decides, on every use and every recheck, so the clock may disagree as far as it ever may.
 */
const clockSkew = 300

/**
 * What a key stands for, all but the key.
 * @throws TypeError naming the member, when the record holds what no access token can have
 */
export function grantOfRecord(record: KeyRecord, token: string): Grant {
  const { scopes, tools, owner, expiresAt } = record
  return new Grant(
    {
      clientId: record.clientId,
      subject: owner.id,
      scopes,
      tools,
      ...(expiresAt !== undefined && { expiresAt: expiresAt / 1000, clockSkew }),
      claims: {
        key_id: record.id,
        lineage_id: record.lineageId,
        name: record.name,
        environment: record.environment,
        ...(owner.type !== undefined && { owner_type: owner.type }),
        ...(record.tenant !== undefined && { tenant_id: record.tenant }),
        metadata: record.metadata,
      },
    },
    token,
  )
}
