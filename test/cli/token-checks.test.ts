import { writeFile } from 'node:fs/promises'
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { apiKeys } from '../../src/apikeys/api-keys.ts'
import type { ApiKeys, CreatedApiKey } from '../../src/apikeys/index.ts'
import type { KeyStore } from '../../src/apikeys/key-store.ts'
import { openKeyStore } from '../../src/apikeys/open-key-store.ts'
import { ECKeyPair, LocalIssuer, RSAKeyPair } from '../../src/issuer/index.ts'
import { cli, forged, shows, tokenFolder } from './token-support.ts'

const at = tokenFolder()
const explain = (token: string, ...argv: string[]) => cli(['explain', '-', ...argv], { input: token })
const now = () => Math.floor(Date.now() / 1000)

/** `form ✓, algorithm ✗` as lines say it: the marks, by check. */
function marks(out: string): Record<string, string> {
  const lines = out.split('checks of the server, in their order\n')[1]?.split('\n\n')[0]?.split('\n') ?? []
  return Object.fromEntries(
    lines.map((line) => {
      const [, mark = '', check = ''] = /^ {2}(.) (\w+)/.exec(line) ?? []
      return [check, mark]
    }),
  )
}

/** All checks before one are passed, those after it are not reached; those nobody asked for are the same everywhere. */
function expectStop(out: string, at: string, notAsked: readonly string[] = ['rules']) {
  const told = Object.entries(marks(out))
  const stop = told.findIndex(([check]) => check === at)
  expect(stop, out).toBeGreaterThanOrEqual(0)
  expect(told).toEqual(
    told.map(([check], place) => [
      check,
      place === stop ? '✗' : notAsked.includes(check) || place > stop ? '-' : '✓',
    ]),
  )
}

describe('mcp-bearer token explain, of a JWT at a server', () => {
  const issuer = 'https://a.example'
  const asked = ['--issuer', issuer, '--audience', 'me', '--scope', 'r']
  let pair: ECKeyPair
  let server: string[]
  beforeEach(async () => {
    pair = await ECKeyPair.generate()
    await writeFile(at('pub.pem'), pair.publicKey)
    server = ['--public-key', at('pub.pem'), ...asked]
  })
  const mint = (claims: Record<string, unknown> = {}, by: ECKeyPair = pair) =>
    by.createToken({ issuer, audience: 'me', scopes: ['r'], subject: 'alice', additionalClaims: claims })

  it('passes every check when it is good', async () => {
    const token = await mint()
    const ran = await explain(token, ...server)
    expect([ran.exit, ran.err]).toEqual([0, ''])
    expect(ran.out).toMatch(/^A JWT\.\n\nheader/)
    expect(ran.out).toMatch(/\n\nGood\.\n/)
    expect(Object.values(marks(ran.out)).sort().join('')).toBe(`-${'✓'.repeat(11)}`)
    expect(marks(ran.out).rules).toBe('-')
    expect(shows(ran.out, token)).toBe(false)
    const { verified, server: answer } = (await explain(token, ...server, '--json')).json() as {
      verified: boolean
      server: { ok: boolean; checks: unknown[] }
    }
    expect([verified, answer.ok]).toEqual([true, true])
    expect(answer.checks).toContainEqual({ check: 'signature', outcome: 'passed' })
    expect(answer.checks).toContainEqual({ check: 'rules', outcome: 'not_asked' })
  })

  it.each<[string, string, () => Promise<string> | string, RegExp]>([
    ['malformed', 'form', () => 'hello', /neither a well-formed/],
    ['too_long', 'form', () => `${'x'.repeat(9000)}.a.b`, /longer than 8 KiB/],
    ['algorithm_not_allowed', 'algorithm', () => forged({ alg: 'none' }, { sub: 'x' }), /found +none/],
    ['critical_header', 'header', () => forged({ alg: 'ES256', crit: ['x'] }, {}), /crit or b64/],
    ['wrong_type', 'header', () => forged({ alg: 'ES256', typ: 'rt+jwt' }, {}), /found +rt\+jwt/],
    ['wrong_issuer', 'issuer', () => forged({ alg: 'ES256' }, { iss: `${issuer}/` }), /slash at the end/],
    ['no_matching_key', 'key', () => forged({ alg: 'RS256' }, { iss: issuer }), /No key/],
    ['bad_signature', 'signature', async () => mint({}, await ECKeyPair.generate()), /does not verify/],
    ['expired', 'time', () => mint({ exp: now() - 200, iat: now() - 900 }), /✗ time +expired 3 min ago/],
    ['not_yet_valid', 'time', () => mint({ nbf: now() + 900 }), /nbf/],
    ['invalid_time', 'time', () => mint({ exp: Date.now() + 900_000 }), /seconds/],
    ['wrong_audience', 'audience', () => mint({ aud: 'you' }), /expected +me\n +found +you/],
    ['not_an_access_token', 'kind', () => mint({ token_use: 'id' }), /ID token/],
    ['sender_constrained', 'kind', () => mint({ cnf: { jkt: 'x' } }), /bound to a key/],
    ['no_identity', 'identity', () => mint({ sub: '' }), /neither a subject nor a client/],
    ['invalid_scope', 'identity', () => mint({ scope: 7 }), /neither a text nor a list/],
    ['insufficient_scope', 'scopes', () => mint({ scope: 'w' }), /ask for: r/],
  ])('%s: the check "%s" refuses it', async (reason, check, make, words) => {
    const token = await make()
    const ran = await explain(token, ...server)
    expect([ran.exit, ran.err]).toEqual([reason === 'insufficient_scope' ? 12 : 11, ''])
    expectStop(ran.out, check)
    expect(ran.out).toContain(`Not good (${reason})`)
    expect(ran.out).toMatch(words)
    expect(ran.out).not.toContain('Not verified')
    if (token !== 'hello') expect(shows(ran.out, token)).toBe(false)
    const program = (await explain(token, ...server, '--json')).json()
    expect(program).toMatchObject({ verified: false, server: { ok: false } })
  })

  it('says what was not asked, and what a server would have to be told', async () => {
    const { out, exit } = await explain(await mint(), '--public-key', at('pub.pem'))
    expect(exit).toBe(0)
    expect(marks(out)).toMatchObject({ issuer: '-', audience: '-', scopes: '-', signature: '✓' })
    expect(out).toContain('Not asked: whom it is for')
    expect(out).toContain('signed with ES256: a server has to be told')
  })

  it('an outage is no verdict: the key cannot be told, and nothing after it', async () => {
    const local = await LocalIssuer.start({ keyPair: await RSAKeyPair.generate(), logger: () => {} })
    onTestFinished(() => local.close())
    const token = await local.mint({ audience: 'me' })
    const good = await explain(token, '--jwks', local.jwksUri, '--audience', 'me')
    expect(good.exit).toBe(0)
    await local.close()
    const ran = await explain(token, '--jwks', local.jwksUri, '--audience', 'me')
    expect(ran.exit).toBe(21)
    expect(marks(ran.out)).toMatchObject({ form: '✓', algorithm: '✓', key: '?', signature: '-', time: '-' })
    expect(ran.out).toContain('It cannot be told')
  })

  it('asks the JWTs of a gateway by its file, and needs no other secret of it', async () => {
    const token = await mint()
    const config = at('gateway.json')
    const auth = {
      publicKey: at('pub.pem'),
      issuer,
      audience: 'me',
      algorithms: ['ES256'],
      requiredScopes: ['r'],
    }
    await writeFile(config, JSON.stringify({ url: 'https://up.example/mcp?k=${NOT_SET_HERE}', auth }))
    const good = await explain(token, '--config', config)
    expect([good.exit, good.err]).toEqual([0, ''])
    expect(marks(good.out)).toMatchObject({ issuer: '✓', scopes: '✓' })
    expectStop((await explain(await mint({ aud: 'you' }), '--config', config)).out, 'audience')
    const introspect = { endpoint: 'https://id.example/introspect', clientSecret: '${NOT_SET_HERE}' }
    await writeFile(config, JSON.stringify({ auth: { introspect } }))
    const asked = await explain('b7Qx0pPzL4mN2vRt8sYw', '--config', config)
    expect(asked.exit).toBe(2)
    expect(asked.err).toContain('nothing is sent there from here')
  })

  it('says what is wrong with its words', async () => {
    const wrong = async (...argv: string[]) => {
      const { exit, out, err } = await explain('x', ...argv)
      expect([exit, out]).toEqual([2, ''])
      return err
    }
    expect(await wrong('--audience', 'me')).toContain('whose key?')
    expect(await wrong('--jwks', 'https://a.example/', ...server)).toContain('give one')
    expect(await wrong('--config', at('none.yaml'), '--audience', 'me')).toContain('leave --audience out')
    expect(await wrong('--config', at('none.yaml'))).toContain('none.yaml')
    expect(await wrong('--db', at('none.db'))).toContain('there is no database')
    expect((await explain('', ...server)).exit).toBe(10)
  })
})

describe('mcp-bearer token explain, of an API key at its database', () => {
  let db: string
  beforeEach(() => {
    db = at('keys.db')
    vi.stubEnv('MCP_BEARER_DB', undefined)
    vi.stubEnv('MCP_BEARER_PEPPER', undefined)
  })

  async function made(
    options: Partial<Parameters<ApiKeys['create']>[0]> = {},
    after?: (keys: ApiKeys, created: CreatedApiKey, store: KeyStore) => Promise<unknown>,
  ): Promise<CreatedApiKey> {
    const store = await openKeyStore(db)
    try {
      const keys = apiKeys({ store })
      const created = await keys.create({ name: 'ci', owner: 'bob', scopes: ['read'], ...options })
      await after?.(keys, created, store)
      return created
    } finally {
      await store.close()
    }
  }
  const unasked = ['scopes']

  it('says what is known of it, and counts no use', async () => {
    const { key, apiKey } = await made({ usageLimit: 3 })
    const good = await explain(key, '--db', db)
    expect([good.exit, good.err]).toEqual([0, ''])
    expect(good.out).toMatch(/in the database\n +id +/)
    expect(good.out).toMatch(/status +active/)
    expect(good.out).toMatch(/\n\nGood\./)
    expect(Object.values(marks(good.out)).sort().join('')).toBe(`-${'✓'.repeat(11)}`)
    for (let i = 0; i < 5; i++) expect((await explain(key, '--db', db, '--scope', 'read')).exit).toBe(0)
    const store = await openKeyStore(db)
    onTestFinished(() => store.close())
    expect(await apiKeys({ store }).get(apiKey.id)).toMatchObject({ useCount: 0, usageLeft: 3 })
    expect(good.out).not.toContain(key.split('_')[3])
    expect((await explain(key, '--db', db, '--scope', 'admin')).exit).toBe(12)
  })

  it.each<[string, string, Parameters<typeof made>[1], Parameters<typeof made>[0]]>([
    ['revoked', 'revoked', (keys, { apiKey }) => keys.revoke(apiKey.id), {}],
    ['disabled', 'enabled', (keys, { apiKey }) => keys.disable(apiKey.id), {}],
    ['not_yet_valid', 'time', undefined, { notBefore: new Date(Date.now() + 3_600_000) }],
    ['wrong_audience', 'audience', undefined, { audience: 'https://other.example' }],
  ])('%s: the check "%s" refuses it', async (reason, check, after, options) => {
    const { key } = await made(options, after)
    const ran = await explain(key, '--db', db)
    expect([ran.exit, ran.err]).toEqual([11, ''])
    expectStop(ran.out, check, unasked)
    expect(ran.out).toContain(`Not good (${reason})`)
    expect(ran.out).not.toContain(key.split('_')[3])
  })

  it('one of another environment, with another secret, of nobody, mistyped, used up', async () => {
    const { key } = await made({}, undefined)
    const other = await made({ usageLimit: 1 }, async (_keys, { apiKey }, store) => {
      expect(await store.takeUses(apiKey.id, 1)).toBeTruthy()
    })
    const test = await explain(key, '--db', db, '--env', 'test')
    expectStop(test.out, 'environment', unasked)
    expectStop((await explain(other.key, '--db', db)).out, 'uses', unasked)
    const mistyped = key.slice(0, -1) + (key.endsWith('0') ? '1' : '0')
    expectStop((await explain(mistyped, '--db', db)).out, 'checksum', unasked)
    const { makeKey } = await import('../../src/apikeys/format.ts')
    expectStop((await explain(makeKey('mcpk', 'live').key, '--db', db)).out, 'found', unasked)
    expectStop((await explain('YOUR_API_KEY', '--db', db)).out, 'form', unasked)
  })

  it('a JWT goes to the key that signs them, an API key to its database; with one place only it is said', async () => {
    const { key } = await made()
    const pair = await ECKeyPair.generate()
    await writeFile(at('pub.pem'), pair.publicKey)
    const both = ['--db', db, '--public-key', at('pub.pem')]
    expect((await explain(key, ...both)).exit).toBe(0)
    expect((await explain(await pair.createToken({}), ...both)).exit).toBe(0)
    const lost = await explain(key, '--public-key', at('pub.pem'))
    expect([lost.exit, marks(lost.out).form]).toEqual([11, '✗'])
    expect(lost.out).toContain('This is an API key, not a JWT')
  })

  it('asks the database of a gateway by its file', async () => {
    const { key } = await made()
    vi.stubEnv('KEYS_DB', db)
    await writeFile(at('gateway.json'), JSON.stringify({ auth: { keys: 'env:KEYS_DB' } }))
    const ran = await explain(key, '--config', at('gateway.json'), '--json')
    expect(ran.exit).toBe(0)
    expect(ran.json()).toMatchObject({
      verified: true,
      kind: 'api_key',
      server: { verdict: 'accepted', apiKey: { status: 'active', createdAt: expect.stringMatching(/^2/) } },
    })
  })
})
