import { inspect } from 'node:util'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import type { LogEntry } from '../core/log.ts'
import { nodeCrypto } from '../core/runtime.ts'
import type { RefusalReason } from './refusal.ts'
import { type StaticToken, staticVerifier } from './static.ts'

const quiet = { logger: () => {} }
const token = 'dev-token-alice'

describe('staticVerifier', () => {
  it('B-124 answers with what is known of a token, and null for any other', async () => {
    const reasons: RefusalReason[] = []
    const verifier = staticVerifier(
      { [token]: { subject: 'alice', scopes: ['read'], claims: { email: 'alice@example.com' } } },
      { ...quiet, onRefused: ({ reason }) => reasons.push(reason) },
    )
    const accepted = await verifier.verifyToken(token)
    expect(accepted).toMatchObject({ token, subject: 'alice', clientId: 'alice', scopes: ['read'] })
    expect(accepted?.claims.email).toBe('alice@example.com')
    expect(await verifier.verifyToken('dev-token-bob')).toBeNull()
    expect(reasons).toEqual(['unknown_token'])
  })

  it.each([
    '__proto__',
    'constructor',
    'toString',
    '',
    ' ',
    'DEV-TOKEN-ALICE',
    `${token} `,
    'x'.repeat(1_000_000),
  ])('K11 FL-33 %# is nobody', async (unknown) => {
    expect(await staticVerifier({ [token]: {} }, quiet).verifyToken(unknown)).toBeNull()
  })

  it('B-124 two tokens of which nothing is known are two clients', async () => {
    const verifier = staticVerifier({ one: {}, two: {} }, quiet)
    const [one, two] = [await verifier.verifyToken('one'), await verifier.verifyToken('two')]
    expect(one?.clientId).not.toBe(two?.clientId)
  })

  it('B-103 honours expiry, and a token without one never expires', async () => {
    let time = 1_000_000
    const verifier = staticVerifier(
      { short: { expiresAt: new Date(2_000_000) }, long: {} },
      { ...quiet, clock: () => time },
    )
    expect(await verifier.verifyToken('short')).not.toBeNull()
    time = 2_000_000
    expect(await verifier.verifyToken('short')).toBeNull()
    expect(await verifier.verifyToken('long')).not.toBeNull()
  })

  it('says once that it is for development', () => {
    const logged: LogEntry[] = []
    staticVerifier({ [token]: {} }, { logger: (entry) => logged.push(entry) })
    expect(logged.map(({ level, event }) => [level, event])).toEqual([['warn', 'static_tokens']])
    expect(JSON.stringify(logged)).not.toContain(token)
  })

  it('B-101 compares digests of one length, in constant time, whatever is presented', async () => {
    const verifier = staticVerifier({ [token]: {} }, quiet)
    const compare = vi.spyOn(nodeCrypto!, 'timingSafeEqual')
    onTestFinished(() => compare.mockRestore())
    expect(await verifier.verifyToken(token)).not.toBeNull()
    expect(compare).toHaveBeenCalledTimes(1)
    const [one, other] = compare.mock.calls[0]!
    expect(one).toHaveLength(64)
    expect(other).toHaveLength(64)
    for (const candidate of ['a', `${token}a`, token.slice(1), 'k'.repeat(8192)]) {
      expect(await verifier.verifyToken(candidate)).toBeNull()
    }
  })

  it('B-100 FL-71 shows no token', () => {
    const verifier = staticVerifier({ [token]: { subject: 'alice' } }, quiet)
    expect(inspect(verifier, { depth: 9, showHidden: true })).not.toContain(token)
    expect(JSON.stringify(verifier)).not.toContain(token)
  })

  it('keeps its own copy of what it was given', async () => {
    const facts = { scopes: ['read'] }
    const verifier = staticVerifier({ [token]: facts }, quiet)
    facts.scopes.push('admin')
    expect((await verifier.verifyToken(token))?.scopes).toEqual(['read'])
  })

  it.each<[string, Record<string, unknown>]>([
    ['no token', {}],
    ['an empty token', { '': {} }],
    ['a token with a blank', { 'secret value': {} }],
    ['an unexpanded variable', { '${SECRET}': {} }],
    ['the name of nothing', { undefined: {} }],
    ['an unknown member', { secret: { scope: 'read' } }],
    ['scopes of a wrong type', { secret: { scopes: 'read' } }],
    ['nothing at all about a token', { secret: null }],
  ])('B-105 refuses %s when made, and does not show the token', (_name, tokens) => {
    const make = () => staticVerifier(tokens as Record<string, StaticToken>, quiet)
    expect(make).toThrow(TypeError)
    expect(make).not.toThrow(/secret/i)
  })
})
