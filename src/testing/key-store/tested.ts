import assert from 'node:assert/strict'
import type { AuditEntry } from '../../apikeys/audit-event.ts'
import type { KeyRecord } from '../../apikeys/key-record.ts'
import type { KeyStore, KeyUpdate, StoredRevocation } from '../../apikeys/key-store.ts'
import { AuthError } from '../../core/index.ts'
import type { FakeClock } from '../fake-clock.ts'

/** What a case looks at. */
export interface Tested {
  readonly store: KeyStore
  readonly other: KeyStore
  readonly clock?: FakeClock | undefined
}

/** Requirements as sentences, and what checks them. */
export type Cases = Readonly<Record<string, (tested: Tested) => Promise<void>>>

/** The names every object has: ordinary strings here. */
export const objectNames = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'valueOf']

const start = Date.UTC(2026, 0, 1)

/** A key with nothing it need not have. */
export function record(id: string, more: Partial<KeyRecord> = {}): KeyRecord {
  return {
    id,
    lineageId: id,
    prefix: 'mcpk',
    environment: 'live',
    hash: new Uint8Array(32).fill(7),
    hashAlgorithm: 'sha256',
    isImported: false,
    name: `key ${id}`,
    owner: { id: 'alice' },
    clientId: id,
    scopes: [],
    metadata: {},
    isEnabled: true,
    state: 'active',
    useCount: 0,
    createdAt: start,
    updatedAt: start,
    rev: 1,
    ...more,
  }
}

/** A key with everything there is. */
export function fullRecord(id: string): KeyRecord {
  return record(id, {
    lineageId: 'first0000000',
    prefix: 'acme',
    environment: 'test',
    hash: Uint8Array.from({ length: 32 }, (_, index) => index * 8 + 7),
    hashAlgorithm: 'hmac-sha256:2026-01',
    isImported: true,
    name: 'Grüße aus dem \u{1f511} "Büro"; drop table keys; --',
    owner: { type: 'team', id: "o'brien\\team" },
    tenant: 'tenant/1',
    clientId: 'client 1',
    scopes: ['files:read', 'files:write', ...objectNames],
    audiences: ['https://mcp.example.com/mcp'],
    tools: ['search', '*'],
    addresses: ['192.0.2.0/24', '2001:db8::/32'],
    rateLimit: 600,
    usageLimit: 1_000_000_000_000,
    usageLeft: 999_999_999_999,
    metadata: { plan: 'pro', nested: { list: [1, 'two', null, true, { three: 3.5 }] } },
    isEnabled: false,
    state: 'revoked',
    notBefore: start + 1,
    expiresAt: Date.UTC(9999, 11, 31, 23, 59, 59, 999),
    graceMs: 86_400_000,
    replacedBy: 'second000000',
    revokedAt: start + 2,
    revokedBy: 'bob',
    revokeReason: 'leaked',
    firstUsedAt: start + 3,
    lastUsedAt: start + 4,
    lastUsedAddress: '2001:db8::1',
    useCount: 5_000_000_000,
    createdAt: start - 1,
    createdBy: 'carol',
    updatedAt: start + 5,
    rev: 41,
  })
}

/** An event to record. */
export function entry(more: Partial<AuditEntry> = {}): AuditEntry {
  return {
    event: 'key.update',
    outcome: 'success',
    severity: 'info',
    actor: { type: 'system' },
    ...more,
  }
}

/** Adds keys, and fails when that cannot be done. */
export async function add(store: KeyStore, ...records: readonly KeyRecord[]): Promise<void> {
  assert.equal(await store.commit({ add: records, audit: [entry({ event: 'key.create' })] }), true)
}

/** Changes a key as it is now. */
export async function update(store: KeyStore, id: string, more: Partial<KeyRecord> = {}): Promise<void> {
  assert.equal(await tryUpdate(store, { record: { ...(await found(store, id)), ...more } }), true)
}

/** Changes a key, if it is still what the change was made from. */
export function tryUpdate(store: KeyStore, ...changes: readonly KeyUpdate[]): Promise<boolean> {
  return store.commit({ update: changes, audit: [entry()] })
}

/** Revokes JWTs. */
export async function revoke(store: KeyStore, ...revocations: readonly StoredRevocation[]): Promise<void> {
  assert.equal(await store.commit({ revoke: revocations, audit: [entry({ event: 'jwt.revoke' })] }), true)
}

/** The key, which must be there. */
export async function found(store: KeyStore, id: string): Promise<KeyRecord> {
  const key = await store.find(id)
  assert.ok(key !== undefined, `there is no key ${JSON.stringify(id)}`)
  return key
}

/** A record as a comparison takes it: whatever kind of bytes and objects a database has made it of. */
export function comparable<T extends KeyRecord | undefined>(key: T) {
  if (key === undefined) return undefined
  const { hash, ...rest } = key
  assert.ok(hash instanceof Uint8Array, 'the hash is no Uint8Array')
  return { ...structuredClone(rest), hash: Buffer.from(hash).toString('hex') }
}

/** Fails when the store holds another key than this one, in either process. */
export async function assertHolds({ store, other }: Tested, expected: KeyRecord): Promise<void> {
  for (const from of [store, other]) {
    assert.deepEqual(comparable(await from.find(expected.id)), comparable(expected))
  }
}

/** What a store that cannot be asked rejects with. */
export function isUnavailable(error: unknown): boolean {
  return error instanceof AuthError && error.code === 'verifier_unavailable'
}

/** As many numbers, from 0 on. */
export function numbers(count: number): readonly number[] {
  return Array.from({ length: count }, (_, index) => index)
}

/** Gives way to whatever else there is to do. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
