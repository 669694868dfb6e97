import { describe, expect, it } from 'vitest'
import type { KeyRecord } from './key-record.ts'
import { changesForAudit, recordForAudit, staleReasons, statusOf, toApiKey } from './view.ts'

const now = Date.UTC(2026, 0, 1)
const day = 86_400_000
const record: KeyRecord = {
  ...{ id: '0123456789AB', lineageId: '0123456789AB', prefix: 'mcpk', environment: 'live' },
  ...{ hash: new Uint8Array(32).fill(7), hashAlgorithm: 'sha256', isImported: false, name: 'CI' },
  ...{ owner: { id: 'alice' }, clientId: '0123456789AB', scopes: [], metadata: {}, isEnabled: true },
  ...{ state: 'active', useCount: 0, createdAt: now, updatedAt: now, rev: 1, expiresAt: now + 365 * day },
}

describe('statusOf', () => {
  it('says of several things the one that is hardest to undo', () => {
    const everything: KeyRecord = {
      ...record,
      ...{
        state: 'grace',
        expiresAt: now - 1,
        isEnabled: false,
        notBefore: now + 1,
        usageLimit: 1,
        usageLeft: 0,
      },
    }
    const { expiresAt: _over, ...unexpired } = everything
    const steps: readonly [KeyRecord, string][] = [
      [{ ...everything, state: 'revoked' }, 'revoked'],
      [everything, 'expired'],
      [unexpired, 'disabled'],
      [{ ...unexpired, isEnabled: true }, 'exhausted'],
      [{ ...unexpired, isEnabled: true, usageLeft: 1 }, 'not_yet_valid'],
      [{ ...unexpired, isEnabled: true, usageLeft: 1, notBefore: now }, 'grace'],
      [{ ...record, state: 'pending' }, 'pending'],
      [record, 'active'],
    ]
    for (const [one, status] of steps) expect(statusOf(one, now)).toBe(status)
  })

  it('begins and ends to the millisecond, and a clock that says NaN ends it', () => {
    const { expiresAt = 0 } = record
    expect(statusOf(record, expiresAt - 1)).toBe('active')
    expect(statusOf(record, expiresAt)).toBe('expired')
    expect(statusOf(record, Number.NaN)).toBe('expired')
    const { usageLeft: _none, ...broken } = { ...record, usageLimit: 5, usageLeft: 5 }
    expect(statusOf(broken, now)).toBe('exhausted')
  })
})

describe('toApiKey', () => {
  it('shows neither digest nor what belongs to the store', () => {
    const shown = toApiKey({ ...record, graceMs: 5 }, now)
    for (const name of ['hash', 'hashAlgorithm', 'rev', 'graceMs', 'state', 'isEnabled']) {
      expect(shown).not.toHaveProperty(name)
    }
    expect(Object.values(shown)).not.toContain(undefined)
  })
})

describe('staleReasons', () => {
  const reasonsOf = (part: Partial<KeyRecord>, at = now) =>
    staleReasons(toApiKey({ ...record, ...part }, at), at)

  it('names what is worth a look, and nothing of a key that is in order', () => {
    const { expiresAt: _never, ...forever } = record
    expect(reasonsOf({})).toEqual([])
    expect(staleReasons(toApiKey(forever, now), now)).toEqual(['never_expires'])
    expect(reasonsOf({}, now + day - 1)).toEqual([])
    expect(reasonsOf({}, now + day)).toEqual(['never_used'])
    expect(reasonsOf({ notBefore: now + day }, now + day)).toEqual([])
    expect(reasonsOf({ firstUsedAt: now }, now + day)).toEqual([])
    expect(reasonsOf({ lastUsedAt: now }, now + 90 * day - 1)).toEqual([])
    expect(reasonsOf({ firstUsedAt: now - day, lastUsedAt: now }, now + 90 * day)).toEqual(['idle_90_days'])
    expect(reasonsOf({ state: 'grace' })).toEqual(['in_grace'])
    for (const scope of ['*', 'files:*', 'files.*', 'files/*']) {
      expect(reasonsOf({ scopes: ['read', scope] })).toEqual(['unlimited_scope'])
    }
    expect(reasonsOf({ scopes: ['*files', 'a*'] })).toEqual([])
  })

  it('says nothing of keys that are over', () => {
    expect(reasonsOf({ state: 'revoked', scopes: ['*'] })).toEqual([])
    expect(reasonsOf({ scopes: ['*'] }, now + 366 * day)).toEqual([])
  })
})

describe('what the audit log keeps', () => {
  it('no digest, and no credential in metadata, whoever has written it', () => {
    const key = `mcpk_live_${'0'.repeat(12)}_${'x'.repeat(38)}`
    const told = recordForAudit({ ...record, metadata: { note: [`see ${key}`], [key]: 1, kept: { a: 1 } } })
    expect(told).not.toHaveProperty('hash')
    expect(JSON.stringify(told)).not.toContain('xxxx')
    expect(told.metadata).toEqual({ note: ['see [redacted]'], '[redacted]': 1, kept: { a: 1 } })
    expect(told).toMatchObject({
      name: 'CI',
      owner: { id: 'alice' },
      state: 'active',
      hashAlgorithm: 'sha256',
    })
  })

  it('of a change, what differs and nothing else', () => {
    const { expiresAt: _gone, ...after } = {
      ...record,
      name: 'x',
      scopes: ['a'],
      updatedAt: now + 1,
      useCount: 9,
    }
    expect(changesForAudit(record, after)).toEqual({
      before: { name: 'CI', expiresAt: record.expiresAt },
      after: { name: 'x', scopes: ['a'] },
    })
    expect(changesForAudit(record, { ...record })).toEqual({ before: {}, after: {} })
  })
})
