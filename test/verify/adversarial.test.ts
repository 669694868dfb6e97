import { constants, createHmac, generateKeyPairSync, sign } from 'node:crypto'
import { jwtVerifier, type RefusalReason } from 'mcp-bearer/verify'
import { beforeEach, describe, expect, it } from 'vitest'
import { audience, clock, encodePart, forge, goodClaims, issuer, now, type Part, quiet } from './forge.ts'

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const stranger = generateKeyPairSync('rsa', { modulusLength: 2048 })
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const ed = generateKeyPairSync('ed25519')
const pem = String(rsa.publicKey.export({ type: 'spki', format: 'pem' }))
const publicJwk = rsa.publicKey.export({ format: 'jwk' })

const goodHeader = { alg: 'RS256', typ: 'at+jwt', kid: 'k1' }
const withHeader = (members: object) => forge(rsa.privateKey, { ...goodHeader, ...members }, goodClaims)
const withClaims = (members: object) => forge(rsa.privateKey, goodHeader, { ...goodClaims, ...members })
const withParts = (header: Part, payload: Part) => forge(rsa.privateKey, header, payload)
const without = (name: string) => withClaims({ [name]: undefined })
const good = () => withHeader({})
/** The claims as text, for what `JSON.stringify` would not write. */
const claimsText = (extra: string) => JSON.stringify(goodClaims).replace(/\}$/, `,${extra}}`)
const nested = (depth: number) => `"deep":${'['.repeat(depth)}${']'.repeat(depth)}`
const parts = () => good().split('.') as [string, string, string]
const hmac = (key: Buffer | string) => {
  const input = `${encodePart({ alg: 'HS256', typ: 'JWT' })}.${encodePart(goodClaims)}`
  return `${input}.${createHmac('sha256', key).update(input).digest('base64url')}`
}
const unsigned = (alg: unknown) => `${encodePart({ alg, typ: 'JWT' })}.${encodePart(goodClaims)}`

const refusals: RefusalReason[] = []
const verifier = jwtVerifier(
  { publicKey: pem, issuer, audience },
  { clock, logger: quiet, onRefused: (reason) => refusals.push(reason) },
)
const es256 = jwtVerifier(
  { publicKey: ec.publicKey.export({ format: 'jwk' }), algorithm: 'ES256', issuer, audience },
  { clock, logger: quiet, onRefused: (reason) => refusals.push(reason) },
)
const eddsa = jwtVerifier(
  { publicKey: ed.publicKey.export({ format: 'jwk' }), algorithm: 'EdDSA', issuer, audience },
  { clock, logger: quiet, onRefused: (reason) => refusals.push(reason) },
)

beforeEach(() => {
  refusals.length = 0
})

type Row = readonly [name: string, token: () => string, reason: RefusalReason]

const refused: readonly Row[] = [
  ['B-01 an algorithm that is not named, rightly signed', () => withHeader({ alg: 'RS512' }), 'algorithm'],
  ['B-01 PS256 where RS256 is named', () => withHeader({ alg: 'PS256' }), 'algorithm'],
  ['B-02 alg none', () => `${unsigned('none')}.AA`, 'algorithm'],
  ['B-02 alg none with an empty signature', () => `${unsigned('none')}.`, 'malformed'],
  ['B-02 alg nOnE', () => `${unsigned('nOnE')}.AA`, 'algorithm'],
  ['B-02 alg empty', () => withHeader({ alg: '' }), 'algorithm'],
  ['B-02 alg missing', () => withHeader({ alg: undefined }), 'algorithm'],
  ['B-02 alg a list', () => withHeader({ alg: ['RS256'] }), 'algorithm'],
  ['B-03 alg in other case', () => withHeader({ alg: 'rs256' }), 'algorithm'],
  ['B-03 alg with a blank', () => withHeader({ alg: 'RS256 ' }), 'algorithm'],
  ['B-04 HMAC keyed with the PEM', () => hmac(pem), 'algorithm'],
  ['B-04 HMAC keyed with the trimmed PEM', () => hmac(pem.trim()), 'algorithm'],
  [
    'B-04 HMAC keyed with the DER',
    () => hmac(rsa.publicKey.export({ type: 'spki', format: 'der' })),
    'algorithm',
  ],
  ['B-04 HMAC keyed with the JWK', () => hmac(JSON.stringify(publicJwk)), 'algorithm'],
  ['B-11 a foreign signature', () => forge(stranger.privateKey, goodHeader, goodClaims), 'signature'],
  [
    'B-11 an exchanged payload',
    () => [parts()[0], encodePart({ ...goodClaims, scope: 'admin' }), parts()[2]].join('.'),
    'signature',
  ],
  ['B-11 a shortened signature', () => good().slice(0, -(parts()[2].length % 4) - 4), 'signature'],
  ['B-11 an empty signature', () => `${parts()[0]}.${parts()[1]}.`, 'malformed'],
  ['B-12 five parts', () => `${good()}.${parts()[1]}.${parts()[2]}`, 'malformed'],
  ['B-12 the JSON serialisation', () => JSON.stringify({ payload: parts()[1] }), 'malformed'],
  ['B-12 a detached payload', () => `${parts()[0]}..${parts()[2]}`, 'malformed'],
  ['B-12 a nested JWT', () => withParts({ ...goodHeader, cty: 'JWT' }, good()), 'malformed'],
  ['B-12 cty JWT around good claims', () => withHeader({ cty: 'jwt' }), 'malformed'],
  [
    'B-20 the key of an attacker in jwk',
    () =>
      forge(
        stranger.privateKey,
        { ...goodHeader, jwk: stranger.publicKey.export({ format: 'jwk' }) },
        goodClaims,
      ),
    'signature',
  ],
  ['B-21 an unknown critical parameter', () => withHeader({ crit: ['exp'], exp: 1 }), 'critical'],
  ['B-21 crit naming an absent parameter', () => withHeader({ crit: ['b64'] }), 'critical'],
  ['B-21 crit naming one thing twice', () => withHeader({ crit: ['b64', 'b64'], b64: true }), 'critical'],
  ['B-21 an empty crit', () => withHeader({ crit: [] }), 'critical'],
  ['B-21 crit that is no list', () => withHeader({ crit: 'b64', b64: true }), 'critical'],
  ['B-22 b64 false', () => withHeader({ b64: false }), 'critical'],
  ['B-22 b64 false and critical', () => withHeader({ b64: false, crit: ['b64'] }), 'critical'],
  ['B-23 kid a number', () => withHeader({ kid: 1 }), 'malformed'],
  ['B-23 kid null', () => withHeader({ kid: null }), 'malformed'],
  ...['dpop+jwt', 'oauth-id-jag+jwt', 'logout+jwt', 'secevent+jwt', 'kb+jwt', 'JWT ', 'application/jwt'].map(
    (typ): Row => [`B-25 typ ${typ}`, () => withHeader({ typ }), 'type'],
  ),
  ['B-25 typ a number', () => withHeader({ typ: 1 }), 'type'],
  ['B-27 two alg members', () => withParts('{"alg":"none","alg":"RS256"}', goodClaims), 'malformed'],
  ['B-27 two aud members', () => withParts(goodHeader, claimsText('"aud":"other"')), 'malformed'],
  [
    'B-27 two exp members, one escaped',
    () => withParts(goodHeader, claimsText('"\\u0065xp":1')),
    'malformed',
  ],
  [
    'B-27 two members in a nested object',
    () => withParts(goodHeader, claimsText('"a":[{"b":1,"b":2}]')),
    'malformed',
  ],
  ['B-30 padding', () => `${good()}=`, 'malformed'],
  ['B-30 a line break at the end', () => `${good()}\n`, 'malformed'],
  ['B-30 a blank in front', () => ` ${good()}`, 'malformed'],
  ['B-30 a plus', () => good().replace(/[-_A-Z](?=[^.]*$)/, '+'), 'malformed'],
  ['B-30 two parts', () => parts().slice(0, 2).join('.'), 'malformed'],
  ['B-31 another spelling of the signature', () => otherSpelling(good()), 'malformed'],
  ['B-32 a list as payload', () => withParts(goodHeader, '[]'), 'malformed'],
  ['B-32 null as payload', () => withParts(goodHeader, 'null'), 'malformed'],
  ['B-32 a text as header', () => withParts('"RS256"', goodClaims), 'malformed'],
  ['B-32 trailing data', () => withParts(goodHeader, `${JSON.stringify(goodClaims)} {}`), 'malformed'],
  ['B-32 a byte order mark', () => withParts(goodHeader, `\uFEFF${JSON.stringify(goodClaims)}`), 'malformed'],
  [
    'B-32 invalid UTF-8',
    () => withParts(goodHeader, Buffer.from(claimsText('"x":"\xff"'), 'latin1')),
    'malformed',
  ],
  ['B-33 nested 33 deep', () => withParts(goodHeader, claimsText(nested(32))), 'malformed'],
  ['B-33 more than 8 KiB', () => withClaims({ pad: 'x'.repeat(8192) }), 'too_long'],
  ['B-33 1 MB', () => 'a'.repeat(1_000_000), 'too_long'],
  ...[
    `${issuer}/`,
    issuer.toUpperCase(),
    'https://as.example.com:443',
    'http://as.example.com',
    [issuer],
    null,
  ].map((iss): Row => [`B-40 iss ${JSON.stringify(iss)}`, () => withClaims({ iss }), 'issuer']),
  ['B-40 no iss', () => without('iss'), 'issuer'],
  ...[
    null,
    '',
    [],
    [[audience]],
    { 0: audience },
    [audience, 1],
    [audience, null],
    `${audience}/`,
    `${audience}?x`,
    'https://mcp.example.com',
    'https://mcp.example.com:443/mcp',
    'http://mcp.example.com/mcp',
    'HTTPS://mcp.example.com/mcp',
    '*',
    'app-1',
  ].map((aud): Row => [`B-41 B-43 aud ${JSON.stringify(aud)}`, () => withClaims({ aud }), 'audience']),
  ['B-41 no aud', () => without('aud'), 'audience'],
  ['B-45 no exp', () => without('exp'), 'no_expiry'],
  ['B-45 exp at the end of the skew', () => withClaims({ exp: now - 60 }), 'expired'],
  ['B-45 exp 0', () => withClaims({ exp: 0, iat: undefined }), 'expired'],
  ...['"9999999999"', 'null', 'true', '[]', '-1', '1e999', '1800000300000'].map(
    (exp): Row => [
      `B-45 exp ${exp}`,
      () => withParts(goodHeader, JSON.stringify(goodClaims).replace(/"exp":\d+/, `"exp":${exp}`)),
      'time_claim',
    ],
  ),
  ['B-46 nbf beyond the skew', () => withClaims({ nbf: now + 61 }), 'not_yet_valid'],
  ['B-46 nbf a text', () => withClaims({ nbf: String(now) }), 'time_claim'],
  ['B-47 iat in the future', () => withClaims({ iat: now + 61 }), 'not_yet_valid'],
  ['B-47 exp not after iat', () => withClaims({ iat: now, exp: now }), 'time_claim'],
  ['B-47 iat a boolean', () => withClaims({ iat: true }), 'time_claim'],
  ...['', 1, null, ['user-1'], 'x'.repeat(256)].map(
    (sub): Row => [`B-49 sub ${JSON.stringify(sub).slice(0, 12)}`, () => withClaims({ sub }), 'identity'],
  ),
  ['B-49 neither subject nor client', () => withClaims({ sub: undefined, client_id: undefined }), 'identity'],
  ['B-50 client_id a number', () => withClaims({ client_id: 7 }), 'identity'],
  ['B-50 azp a list beside client_id', () => withClaims({ azp: ['app'] }), 'identity'],
  ...[7, true, null, {}, ['a', 1], [['a']], ['a b']].map(
    (scope): Row => [`B-53 scope ${JSON.stringify(scope)}`, () => withClaims({ scope }), 'scope_claim'],
  ),
  ['B-53 scp a number', () => withClaims({ scope: undefined, scp: 1 }), 'scope_claim'],
  ...['ID', 'Refresh', 'Offline', 'Logout'].map(
    (typ): Row => [`B-55 FL-44 payload typ ${typ}`, () => withClaims({ typ }), 'token_kind'],
  ),
  ['B-55 FL-44 token_use id', () => withClaims({ token_use: 'id' }), 'token_kind'],
  ['B-56 bound by DPoP', () => withClaims({ cnf: { jkt: 'x' } }), 'bound'],
  ['B-56 bound to a certificate', () => withClaims({ cnf: { 'x5t#S256': 'x' } }), 'bound'],
  ['B-56 cnf that is no object', () => withClaims({ cnf: 'x' }), 'bound'],
]

/** The last character changed in a bit that carries nothing. */
function otherSpelling(token: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  const last = alphabet.indexOf(token.slice(-1))
  return token.slice(0, -1) + alphabet[last + 1]
}

describe('tokens that must be refused', () => {
  it.each(refused)('%s', async (_name, token, reason) => {
    expect(await verifier.verifyToken(token())).toBeNull()
    expect(refusals).toEqual([reason])
  })
})

describe('signatures that must be refused', () => {
  const es = () => forge(ec.privateKey, { alg: 'ES256' }, goodClaims)
  const split = (token: string) => [
    token.slice(0, token.lastIndexOf('.')),
    token.slice(token.lastIndexOf('.') + 1),
  ]
  const replaced = (token: string, change: (signature: Buffer) => Buffer) => {
    const [input, signature = ''] = split(token)
    return `${input}.${change(Buffer.from(signature, 'base64url')).toString('base64url')}`
  }

  it.each<[string, (signature: Buffer) => Buffer]>([
    ['zero r', (raw) => Buffer.concat([Buffer.alloc(32), raw.subarray(32)])],
    ['zero s', (raw) => Buffer.concat([raw.subarray(0, 32), Buffer.alloc(32)])],
    ['zero r and s', () => Buffer.alloc(64)],
    ['one byte less', (raw) => raw.subarray(0, 63)],
    ['one byte more', (raw) => Buffer.concat([raw, Buffer.alloc(1)])],
  ])('B-10 ES256 with %s', async (_name, change) => {
    expect(await es256.verifyToken(es())).not.toBeNull()
    expect(await es256.verifyToken(replaced(es(), change))).toBeNull()
    expect(refusals).toEqual(['signature'])
  })

  it('B-10 ES256 as DER', async () => {
    const [input = ''] = split(es())
    const der = sign('sha256', Buffer.from(input), ec.privateKey)
    expect(await es256.verifyToken(replaced(es(), () => der))).toBeNull()
  })

  it.each([
    [0, false],
    [31, false],
    [32, true],
  ])('B-10 PS256 with a salt of %i bytes: %s', async (saltLength, passes) => {
    const ps256 = jwtVerifier(
      { publicKey: pem, algorithm: 'PS256', issuer, audience },
      { clock, logger: quiet },
    )
    const input = `${encodePart({ alg: 'PS256' })}.${encodePart(goodClaims)}`
    const padding = constants.RSA_PKCS1_PSS_PADDING
    const signature = sign('sha256', Buffer.from(input), { key: rsa.privateKey, padding, saltLength })
    const answer = await ps256.verifyToken(`${input}.${signature.toString('base64url')}`)
    expect(answer !== null).toBe(passes)
  })

  it('B-10 EdDSA with S raised by the order of the group', async () => {
    const token = forge(ed.privateKey, { alg: 'EdDSA' }, goodClaims)
    const order = 2n ** 252n + 27742317777372353535851937790883648493n
    const raised = replaced(token, (raw) => {
      const s = BigInt(`0x${Buffer.from(raw.subarray(32)).reverse().toString('hex')}`) + order
      const bytes = Buffer.from(s.toString(16).padStart(64, '0'), 'hex').reverse()
      return Buffer.concat([raw.subarray(0, 32), bytes])
    })
    expect(await eddsa.verifyToken(token)).not.toBeNull()
    expect(await eddsa.verifyToken(raised)).toBeNull()
    expect(refusals).toEqual(['signature'])
  })
})

describe('tokens that must pass', () => {
  it.each<[string, () => string]>([
    ['B-01 a plain good token', good],
    [
      'B-20 carrying jku, x5u, x5c and jwk of anybody',
      () =>
        withHeader({
          jku: 'https://evil.example',
          x5u: 'https://evil.example',
          x5c: ['x'],
          jwk: { kty: 'oct' },
        }),
    ],
    ['B-22 b64 true and critical', () => withHeader({ b64: true, crit: ['b64'] })],
    ['B-22 b64 true', () => withHeader({ b64: true })],
    ['B-23 any kid beside a single key', () => withHeader({ kid: '../../etc/passwd' })],
    ['B-23 no kid', () => withHeader({ kid: undefined })],
    ...['JWT', 'jwt', 'at+jwt', 'AT+JWT', 'application/at+jwt', undefined].map(
      (typ): [string, () => string] => [`B-25 typ ${typ}`, () => withHeader({ typ })],
    ),
    ['B-26 unknown header parameters', () => withHeader({ 'x-unknown': { a: [1] } })],
    ['B-33 nested 32 deep', () => withParts(goodHeader, claimsText(nested(31)))],
    ['B-33 brackets and quotes within texts', () => withClaims({ note: `${'[{"a":1,"a":'.repeat(40)}\\"` })],
    ['B-41 aud a list that holds ours', () => withClaims({ aud: ['https://other.example', audience] })],
    ['B-45 exp within the skew', () => withClaims({ exp: now - 59 })],
    ['B-45 a fraction of a second', () => withClaims({ exp: now + 0.5 })],
    ['B-46 nbf within the skew', () => withClaims({ nbf: now + 60 })],
    ['B-47 no iat', () => without('iat')],
    ['B-55 payload typ Bearer, token_use access', () => withClaims({ typ: 'Bearer', token_use: 'access' })],
    ['B-56 cnf with a member nobody knows', () => withClaims({ cnf: { kid: 'x' } })],
  ])('%s', async (_name, token) => {
    const accepted = await verifier.verifyToken(token())
    expect(accepted?.subject).toBe('user-1')
    expect(refusals).toEqual([])
  })
})

describe('what an accepted token says', () => {
  const accept = async (members: object) => (await verifier.verifyToken(withClaims(members)))!

  it('B-34 takes no scopes from a claim named __proto__', async () => {
    const token = withParts(
      goodHeader,
      JSON.stringify({ ...goodClaims, scope: undefined }).replace('{', '{"__proto__":{"scope":"admin"},'),
    )
    const accepted = (await verifier.verifyToken(token))!
    expect(accepted.scopes).toEqual([])
    expect(Object.getPrototypeOf(accepted.claims)).toBeNull()
  })

  it('B-49 accepts a token that names a client and no subject', async () => {
    const accepted = await accept({ sub: undefined })
    expect(accepted.clientId).toBe('app-1')
    expect(accepted.subject).toBeUndefined()
  })

  it.each([
    [{ client_id: 'a', azp: 'b', appid: 'c', cid: 'd' }, 'a'],
    [{ client_id: undefined, azp: 'b', appid: 'c', cid: 'd' }, 'b'],
    [{ client_id: undefined, appid: 'c', cid: 'd' }, 'c'],
    [{ client_id: undefined, cid: 'd' }, 'd'],
    [{ client_id: undefined }, 'user-1'],
  ])('B-50 FL-41 reads the client of %j', async (members, clientId) => {
    expect((await accept(members)).clientId).toBe(clientId)
  })

  it.each([
    [{ scope: 'a  b a' }, ['a', 'b']],
    [{ scope: 'a\tb' }, ['a\tb']],
    [{ scope: ['a', 'b'] }, ['a', 'b']],
    [{ scope: undefined, scp: 'a b' }, ['a', 'b']],
    [{ scope: undefined, scp: ['a', 'b'] }, ['a', 'b']],
    [{ scope: '', scp: 'b' }, []],
    [{ scope: 'a', scp: 'b' }, ['a']],
    [{ scope: undefined, roles: ['a'], permissions: ['b'], scopes: 'c' }, []],
  ])('B-51 B-52 FL-40 reads the scopes of %j', async (members, scopes) => {
    expect((await accept(members)).scopes).toEqual(scopes)
  })

  it('B-57 keeps the subject of a delegated token and shows the actor', async () => {
    const accepted = await accept({ act: { sub: 'agent' } })
    expect(accepted.subject).toBe('user-1')
    expect(accepted.claims.act).toEqual({ sub: 'agent' })
  })

  it('B-120 carries issuer, expiry with skew, claims and the raw token', async () => {
    const accepted = await accept({ exp: now + 300, email: 'a@example.com' })
    expect(accepted.issuer).toBe(issuer)
    expect(accepted.expiresAt).toEqual(new Date((now + 300) * 1000))
    expect(accepted.isExpired((now + 359) * 1000)).toBe(false)
    expect(accepted.isExpired((now + 360) * 1000)).toBe(true)
    expect(accepted.claims.email).toBe('a@example.com')
    expect(accepted.token).toBe(withClaims({ exp: now + 300, email: 'a@example.com' }))
  })
})
