import { execFileSync } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { chmod, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import { jwtVerifier } from '../../src/verify/index.ts'
import { cli, keyFile, minted, tokenFolder } from './token-support.ts'

const at = tokenFolder()
const posix = process.platform !== 'win32'

describe('mcp-bearer token keygen', () => {
  it('writes the private key for its owner alone, and the public one beside it in two forms', async () => {
    const ran = await cli(['keygen', '--out', at('dev.pem'), '--json'])
    expect(ran).toMatchObject({ exit: 0, err: '' })
    const pem = await readFile(at('dev.pem'), 'utf8')
    expect(pem).toMatch(/^-----BEGIN PRIVATE KEY-----/)
    if (posix) expect((await stat(at('dev.pem'))).mode & 0o777).toBe(0o600)
    expect((await readdir(dirname(at('x')))).sort()).toEqual(['dev.jwks.json', 'dev.pem', 'dev.pub.pem'])
    const publicKey = await readFile(at('dev.pub.pem'), 'utf8')
    const jwks = JSON.parse(await readFile(at('dev.jwks.json'), 'utf8'))
    expect(ran.json()).toEqual({
      algorithm: 'RS256',
      kid: jwks.keys[0].kid,
      files: { privateKey: at('dev.pem'), publicKey: at('dev.pub.pem'), jwks: at('dev.jwks.json') },
      publicKey,
      jwks,
    })
    expect(Object.keys(jwks.keys[0]).sort()).toEqual(['alg', 'e', 'kid', 'kty', 'n', 'use'])
  })

  it('never prints the private key, unless that is what is asked for', async () => {
    const shown = [
      await cli(['keygen', '--algorithm', 'ES256', '--out', at('a.pem')]),
      await cli(['keygen', '--algorithm', 'ES256', '--out', at('b.pem'), '--json']),
      await cli(['keygen', '--algorithm', 'ES256', '--out', at('c.pem'), '--print', 'public']),
      await cli(['keygen', '--algorithm', 'ES256', '--out', at('d.pem'), '--print', 'jwks']),
    ]
    for (const [index, { out, err, exit }] of shown.entries()) {
      const secret = (await readFile(at(`${'abcd'[index]}.pem`), 'utf8')).split('\n')[1]!
      expect(exit).toBe(0)
      expect(out + err).not.toContain(secret)
      expect(out + err).not.toContain('PRIVATE KEY-----')
    }
    const printed = await cli(['keygen', '--algorithm', 'ES256', '--out', '-'])
    expect(printed).toMatchObject({ exit: 0, err: '' })
    expect(printed.out).toMatch(/^-----BEGIN PRIVATE KEY-----\n[\s\S]*\n-----END PRIVATE KEY-----$/)
    expect((await readdir(dirname(at('x')))).filter((name) => name.includes('-'))).toEqual([])
  })

  it('prints the public key or the key set alone, for a pipe', async () => {
    const key = await cli(['keygen', '--out', at('a.pem'), '--algorithm', 'EdDSA', '--print', 'public'])
    expect(key.out).toMatch(/^-----BEGIN PUBLIC KEY-----\n.*\n-----END PUBLIC KEY-----$/)
    const set = await cli(['keygen', '--out', at('b.pem'), '--algorithm', 'EdDSA', '--print', 'jwks'])
    expect(JSON.parse(set.out)).toMatchObject({ keys: [{ kty: 'OKP', crv: 'Ed25519', alg: 'EdDSA' }] })
    expect((await readdir(dirname(at('x')))).sort()).toEqual(['a.pem', 'b.pem'])
  })

  it.each(['key.pem', 'key.pub.pem', 'key.jwks.json'])('writes nothing when %s exists', async (there) => {
    await writeFile(at(there), 'mine')
    const ran = await cli(['keygen', '--algorithm', 'EdDSA', '--out', at('key.pem')])
    expect(ran).toMatchObject({ exit: 2, out: '' })
    expect(ran.err).toContain(`${at(there)} exists already; --force replaces it`)
    expect(await readdir(dirname(at('x')))).toEqual([there])
    expect(await readFile(at(there), 'utf8')).toBe('mine')
  })

  it('does not write through a link, not even one that leads nowhere', async () => {
    await symlink(at('elsewhere'), at('key.pem'))
    expect((await cli(['keygen', '--algorithm', 'EdDSA', '--out', at('key.pem')])).exit).toBe(2)
    expect(await readdir(dirname(at('x')))).toEqual(['key.pem'])
  })

  it('replaces with --force, and the new private key is its owner’s alone whatever the old one was', async () => {
    await keyFile(at('key.pem'), 'EdDSA')
    const before = await readFile(at('key.pem'), 'utf8')
    await chmod(at('key.pem'), 0o644)
    expect((await cli(['keygen', '--algorithm', 'EdDSA', '--out', at('key.pem'), '--force'])).exit).toBe(0)
    expect(await readFile(at('key.pem'), 'utf8')).not.toBe(before)
    if (!posix) return
    expect((await stat(at('key.pem'))).mode & 0o777).toBe(0o600)
    expect((await stat(at('key.pub.pem'))).mode & 0o777).toBe(0o644)
  })

  it('says what is wrong with its words', async () => {
    const wrong = async (...argv: string[]) => {
      const { exit, out, err } = await cli(['keygen', ...argv])
      expect([exit, out]).toEqual([2, ''])
      return err
    }
    expect(await wrong('--algorithm', 'none')).toContain('--algorithm must be one of RS256, ')
    expect(await wrong('--algorithm', 'HS256')).toContain('--algorithm must be one of')
    expect(await wrong('--out', at('no/such/key.pem'))).toContain('there is no such folder')
    expect(await wrong('--out', '')).toContain('--out must be')
    expect(await wrong('--out', '-', '--print', 'jwks')).toContain('--out - prints the private key')
    expect(await wrong('--print', 'private')).toContain('--print must be one of public, jwks')
    expect(await wrong('key.pem')).toContain('too many words')
  })
})

describe('mcp-bearer token mint', () => {
  it('prints the token alone, and what is in it to standard error', async () => {
    const key = await keyFile(at('key.pem'), 'RS256')
    const argv = ['--subject', 'alice', '--issuer', 'https://id.example.com', '--audience', 'me']
    const ran = await cli(['mint', '--key', key, ...argv, '--scope', 'a b', '--scope', 'c', '--kid', 'first'])
    expect(ran.out).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+$/)
    const publicKey = await readFile(at('key.pub.pem'), 'utf8')
    const verifier = jwtVerifier({ publicKey, issuer: 'https://id.example.com', audience: 'me' })
    const good = await verifier.verifyToken(ran.out)
    expect(good).toMatchObject({ subject: 'alice', scopes: ['a', 'b', 'c'] })
    expect(JSON.parse(Buffer.from(ran.out.split('.')[0]!, 'base64url').toString())).toMatchObject({
      alg: 'RS256',
      kid: 'first',
    })
    expect(ran.err).toContain('Signed with RS256')
    for (const fact of [/sub +alice/, /aud +me/, /scope +a b c/, /exp +.*in 60 min/])
      expect(ran.err).toMatch(fact)
    expect(ran.err).not.toContain(ran.out.split('.')[2])
    expect(ran.err).not.toContain('refuse it')
  })

  it.each(['RS256', 'PS384', 'ES256', 'ES384', 'ES512', 'EdDSA'])('signs with %s', async (algorithm) => {
    const key = await keyFile(at('key.pem'), algorithm)
    const token = await minted(key, ...(algorithm === 'PS384' ? ['--algorithm', algorithm] : []))
    const ran = await cli(['verify', '-', '--public-key', at('key.pub.pem'), '--algorithm', algorithm], {
      input: token,
    })
    expect(ran.exit, ran.out).toBe(0)
  })

  it('says which checks a token will not pass, because nothing was said', async () => {
    const ran = await cli(['mint', '--key', await keyFile(at('key.pem'))])
    expect(ran.err).toContain('Without --issuer')
    expect(ran.err).toContain('Without --audience')
    const claims = JSON.parse(Buffer.from(ran.out.split('.')[1]!, 'base64url').toString())
    expect(Object.keys(claims).sort()).toEqual(['exp', 'iat', 'sub'])
  })

  it('takes any claim: texts, JSON, names that are URLs, and those that win over the others', async () => {
    const key = await keyFile(at('key.pem'))
    const ran = await cli([
      ...[
        'mint',
        '--key',
        key,
        '--json',
        '--claim',
        'https://example.com/roles:=["a"]',
        '--claim',
        'q=a=b:=c',
      ],
      ...['--claim', '__proto__:={"x":1}', '--claim', 'sub=bob', '--claim', 'n:=7'],
    ])
    const { claims, token } = ran.json() as { claims: object; token: string }
    const signed = JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString())
    expect(signed).toEqual(claims)
    expect(Object.entries(claims)).toEqual(
      expect.arrayContaining([
        ['https://example.com/roles', ['a']],
        ['q', 'a=b:=c'],
        ['__proto__', { x: 1 }],
        ['sub', 'bob'],
        ['n', 7],
      ]),
    )
  })

  it('makes tokens that are over, and says so of one that is too long for servers', async () => {
    const key = await keyFile(at('key.pem'))
    const over = await minted(key, '--expires-in=-2h')
    const [, claims] = over.split('.').map((part) => Buffer.from(part, 'base64url').toString())
    const { exp, iat } = JSON.parse(claims!)
    expect(exp - iat).toBe(-7200)
    const long = await cli(['mint', '--key', key, '--claim', `x=${'y'.repeat(9000)}`])
    expect(long.exit).toBe(0)
    expect(long.err).toContain('longer than the 8192 characters')
  })

  it('takes the key from the environment and from standard input as well', async () => {
    const pem = await readFile(await keyFile(at('key.pem')), 'utf8')
    vi.stubEnv('SIGNING_KEY', pem)
    expect((await cli(['mint', '--key', 'env:SIGNING_KEY'])).exit).toBe(0)
    expect((await cli(['mint', '--key', `file:${at('key.pem')}`])).exit).toBe(0)
    expect((await cli(['mint', '--key', '-'], { input: pem })).exit).toBe(0)
  })

  it('reads what OpenSSL writes: PKCS #8, PKCS #1 and SEC 1', async () => {
    for (const [type, options] of [
      ['rsa', { modulusLength: 2048 }],
      ['ec', { namedCurve: 'P-256' }],
    ] as const) {
      const { privateKey } = generateKeyPairSync(type as 'rsa', options as { modulusLength: number })
      for (const format of ['pkcs8', type === 'rsa' ? 'pkcs1' : 'sec1'] as const) {
        await writeFile(at('key.pem'), privateKey.export({ type: format as 'pkcs8', format: 'pem' }), {
          mode: 0o600,
        })
        expect((await cli(['mint', '--key', at('key.pem')])).exit).toBe(0)
      }
    }
  })

  it('says what is wrong with a key, and shows nothing of it', async () => {
    const rsa = generateKeyPairSync('rsa', { modulusLength: 1024 })
    const pem = (key: typeof rsa.privateKey, cipher = {}) =>
      key.export({ type: 'pkcs8', format: 'pem', ...cipher }) as string
    const good = await readFile(await keyFile(at('good.pem')), 'utf8')
    const cases: [string, RegExp][] = [
      [pem(rsa.privateKey), /at least 2048 bits/],
      [pem(rsa.privateKey, { cipher: 'aes-256-cbc', passphrase: 'x' }), /has a passphrase/],
      [rsa.publicKey.export({ type: 'spki', format: 'pem' }) as string, /holds a public key/],
      [pem(generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).privateKey), /no EC key on P-256/],
      [pem(generateKeyPairSync('x25519').privateKey as never), /no RSA, EC or Ed25519 key/],
      [good.replace(/\n.{20}/, '\n'), /not a readable private key/],
      ['', /not a readable private key/],
    ]
    for (const [text, why] of cases) {
      await writeFile(at('bad.pem'), text, { mode: 0o600 })
      const ran = await cli(['mint', '--key', at('bad.pem')])
      expect([ran.exit, ran.out]).toEqual([2, ''])
      expect(ran.err).toMatch(why)
      for (const line of text.split('\n').filter((each) => each.length > 20 && !each.startsWith('-'))) {
        expect(ran.err).not.toContain(line)
      }
    }
    const inline = await cli(['mint', '--key', good])
    expect(inline.exit).toBe(2)
    expect(inline.err).not.toContain(good.split('\n')[1])
  })

  it('says what is wrong with its words', async () => {
    const key = await keyFile(at('key.pem'))
    const wrong = async (...argv: string[]) => {
      const { exit, out, err } = await cli(['mint', ...argv])
      expect([exit, out]).toEqual([2, ''])
      return err
    }
    expect(await wrong()).toContain('which key?')
    expect(await wrong('--key', at('none.pem'))).toContain('does not exist')
    expect(await wrong('--key', key, '--expires-in', 'soon')).toContain('--expires-in must be')
    expect(await wrong('--key', key, '--claim', 'x')).toContain('--claim must be written')
    expect(await wrong('--key', key, '--claim', 'x:={')).toContain('not valid JSON')
    expect(await wrong('--key', key, '--claim', 'x=1', '--claim', 'x=2')).toContain('twice')
    expect(await wrong('--key', key, '--algorithm', 'RS256')).toContain('signs with ES256')
    expect(await wrong('--key', key, '--scope', 'ä')).toContain('scopes')
  })

  it('warns of a key that others on this machine can read', async () => {
    const key = await keyFile(at('key.pem'))
    await chmod(key, 0o644)
    expect((await cli(['mint', '--key', key])).err).toContain(
      'others on this machine can read the private key',
    )
  })
})

describe('the help', () => {
  it('is there for each part, and an unknown part is not repeated', async () => {
    const { token } = await import('../../src/cli/commands/token.ts')
    for (const name of ['keygen', 'mint', 'verify', 'explain']) {
      expect(token.help).toContain(name)
      expect(token.helpFor?.([name])).toContain(`Usage: mcp-bearer token ${name}`)
    }
    const lost = await cli(['eyJhbGciOiJub25lIn0.e30.'])
    expect(lost).toMatchObject({ exit: 2, out: '' })
    expect(lost.err).not.toContain('eyJ')
    expect((await cli([])).exit).toBe(0)
  })

  it('its lines for a shell are words of a shell', async () => {
    const { shellWord } = await import('../../src/cli/command-name.ts')
    for (const word of ['key.pem', "it's $HOME; `id`", 'a b', '*', '', '~/x', '-x']) {
      expect(execFileSync('sh', ['-c', `printf %s ${shellWord(word)}`]).toString()).toBe(word)
    }
  })
})
