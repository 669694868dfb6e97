import { readFile, writeFile } from 'node:fs/promises'
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { makeKey } from '../../src/apikeys/format.ts'
import { LocalIssuer, RSAKeyPair } from '../../src/issuer/index.ts'
import { cli, forged, keyFile, minted, shows, tokenFolder } from './token-support.ts'

const at = tokenFolder()
let key: string
let publicKey: string[]
beforeEach(async () => {
  key = await keyFile(at('key.pem'))
  publicKey = ['--public-key', at('key.pub.pem')]
})

const verify = (token: string, ...argv: string[]) => cli(['verify', '-', ...argv], { input: token })

describe('mcp-bearer token verify', () => {
  it('says that a token is good, and what was not asked', async () => {
    const token = await minted(key, '--issuer', 'https://a.example', '--audience', 'me', '--scope', 'r w')
    const all = ['--issuer', 'https://a.example', '--audience', 'me', '--scope', 'r']
    const asked = await verify(token, ...publicKey, ...all, '--algorithm', 'ES256')
    expect([asked.exit, asked.err]).toEqual([0, ''])
    expect(asked.out).toMatch(/^Good\./)
    expect(asked.out).toMatch(/exp .*in 60 min/)
    expect(asked.out).not.toContain('Not asked')
    const half = await verify(token, ...publicKey)
    expect(half.exit).toBe(0)
    expect(half.out).toContain('Not asked: whom it is for')
    expect(half.out).toContain('Not asked: who made it')
    expect(half.out).toContain('signed with ES256: a server has to be told')
  })

  it('says exactly why it is not, in the operator’s words, and never shows the token', async () => {
    const ours = ['--issuer', 'https://a.example', '--audience', 'me']
    const cases: [string, string[], number, RegExp][] = [
      [
        await minted(key, ...ours, '--expires-in=-2h'),
        [],
        11,
        /\(expired\)[\s\S]*expected +now 2[\s\S]*found +2/,
      ],
      [
        await minted(key, ...ours, '--audience', 'x'),
        ['--audience', 'y'],
        11,
        /\(wrong_audience\)[\s\S]*expected +y/,
      ],
      [
        await minted(key, '--issuer', 'https://a.example/'),
        ['--issuer', 'https://a.example'],
        11,
        /slash at the end/,
      ],
      [await minted(key, ...ours), ['--scope', 'admin'], 12, /\(insufficient_scope\)[\s\S]*admin/],
      [
        await minted(key, ...ours),
        ['--algorithm', 'RS256', '--public-key', at('rsa.pub.pem')],
        11,
        /\(algorithm_not/,
      ],
      [await minted(await keyFile(at('other.pem')), ...ours), [], 11, /\(bad_signature\)/],
      [forged({ alg: 'none' }, { sub: 'x' }), [], 11, /\(algorithm_not_allowed\)/],
      ['hello', [], 11, /\(malformed\)/],
      ['$' + '{TOKEN}', [], 11, /name of a variable instead of its value/],
      [makeKey('mcpk', 'live').key, [], 11, /This is an API key, not a JWT/],
    ]
    await keyFile(at('rsa.pem'), 'RS256')
    for (const [token, argv, exit, why] of cases) {
      const given = argv.includes('--public-key') ? argv : [...publicKey, ...argv]
      const people = await verify(token, ...given)
      expect([people.exit, people.err], people.out).toEqual([exit, ''])
      expect(people.out).toMatch(why)
      const program = await verify(token, ...given, '--json')
      expect(program.exit).toBe(exit)
      expect(program.json()).toMatchObject({ ok: false, message: expect.any(String) })
      if (token === 'hello') continue
      expect(shows(people.out + program.out, token)).toBe(false)
    }
  })

  it('has one JSON document for programs', async () => {
    const token = await minted(key, '--subject', 'alice')
    const good = await verify(token, ...publicKey, '--json')
    expect(good.json()).toMatchObject({
      ok: true,
      verdict: 'accepted',
      claims: { sub: 'alice' },
      header: { alg: 'ES256' },
    })
    const bad = await verify(token, ...publicKey, '--audience', 'me', '--json')
    expect(bad.json()).toMatchObject({
      ok: false,
      verdict: 'refused',
      reason: 'wrong_audience',
      expected: 'me',
      found: 'none',
    })
    const holding = await minted(key, '--claim', `upstream=ghp_${'a1B2'.repeat(9)}`)
    for (const argv of [[], ['--json']])
      expect((await verify(holding, ...publicKey, ...argv)).out).not.toContain('a1B2')
    const misused = await verify(token, '--json')
    expect(misused).toMatchObject({ exit: 2, err: '' })
    expect(misused.json()).toEqual({
      error: { code: 'usage', message: expect.stringContaining('whose key?') },
    })
  })

  it('finds keys by URL and by the metadata of the issuer, and says when it cannot', async () => {
    const local = await LocalIssuer.start({ keyPair: await RSAKeyPair.generate(), logger: () => {} })
    onTestFinished(() => local.close())
    const token = await local.mint({ audience: 'me' })
    expect((await verify(token, '--issuer', local.issuer, '--audience', 'me')).exit).toBe(0)
    expect((await verify(token, '--jwks', local.jwksUri)).exit).toBe(0)
    await local.close()
    for (const where of [
      ['--issuer', local.issuer],
      ['--jwks', local.jwksUri],
    ]) {
      const ran = await verify(token, ...where)
      expect(ran.exit).toBe(21)
      expect(ran.out).toMatch(/^It cannot be told: .*fetched/)
    }
    expect((await verify(token, '--jwks', 'http://192.0.2.1/jwks')).exit).toBe(2)
    expect((await verify(token, '--jwks', 'https://10.0.0.1/jwks')).err).toContain('private')
  })

  it('takes the key as PEM, as a JWK and in a key set, by its kid', async () => {
    const token = await minted(key)
    const jwks = JSON.parse(await readFile(at('key.jwks.json'), 'utf8'))
    const other = JSON.parse(await readFile(`${(await keyFile(at('o.pem'))).slice(0, -4)}.jwks.json`, 'utf8'))
    const withKey = async (document: object) => {
      await writeFile(at('k.json'), JSON.stringify(document))
      return verify(token, '--public-key', at('k.json'))
    }
    expect((await withKey(jwks)).exit).toBe(0)
    expect((await withKey(jwks.keys[0])).exit).toBe(0)
    expect((await withKey({ keys: [...other.keys, ...jwks.keys] })).exit).toBe(0)
    const lost = await withKey({ keys: [...other.keys, ...other.keys] })
    expect(lost.exit).toBe(2)
    expect(lost.err).toContain(`no single key of the token's kid; it has ${other.keys[0].kid}`)
    expect((await withKey({ keys: [null, 7] })).exit).toBe(2)
    expect((await withKey({ keys: [] })).err).toContain('it has no keys')
    const secret = await verify(token, '--public-key', key)
    expect(secret.exit).toBe(2)
    expect(secret.err).toContain('holds a private key')
  })

  it('FL-106 takes the token from the environment, a file and standard input; on the command line it warns', async () => {
    const token = await minted(key)
    vi.stubEnv('A_TOKEN', token)
    await writeFile(at('token.txt'), `${token}\n`, { mode: 0o600 })
    for (const where of ['env:A_TOKEN', `file:${at('token.txt')}`]) {
      expect(await cli(['verify', where, ...publicKey])).toMatchObject({ exit: 0, err: '' })
    }
    const seen = await cli(['verify', token, ...publicKey])
    expect(seen.exit).toBe(0)
    expect(seen.err).toContain('a token on the command line can be seen')
    expect(shows(seen.out + seen.err, token)).toBe(false)
    const scheme = await verify(`Bearer ${token}`, ...publicKey)
    expect([scheme.exit, scheme.err]).toEqual([
      0,
      expect.stringContaining('"Bearer" stands before the token'),
    ])
    expect(await verify(' \n', ...publicKey)).toMatchObject({
      exit: 10,
      out: expect.stringContaining('it is empty'),
    })
  })

  it('says what is wrong with its words', async () => {
    const wrong = async (...argv: string[]) => {
      const { exit, out, err } = await verify('x', ...argv)
      expect([exit, out]).toEqual([2, ''])
      return err
    }
    expect(await wrong()).toContain('whose key?')
    expect(await wrong('--jwks', 'https://a.example/', ...publicKey)).toContain('give one')
    expect(await wrong('--jwks', 'ftp://a.example/')).toContain('https')
    expect(await wrong('--public-key', at('none'))).toContain('does not exist')
    expect(await wrong(...publicKey, '--algorithm', 'none')).toContain('unknown algorithm')
    expect(await wrong('--issuer', 'a', '--issuer', 'b')).toContain('exactly one issuer')
  })
})
