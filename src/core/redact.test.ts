import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { redact } from './redact.ts'
import { redacted } from './redacted.ts'

const jwt = 'eyJhbGciOiJSUzI1NiIsImtpZCI6IjEifQ.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJlLXNpZ25hdHVyZS1zaWduYXR1cmU'
// The same with blanks and line breaks in its header, which JSON allows.
const spacedJwt = 'eyAiYWxnIjogIlJTMjU2IiB9.eyAic3ViIjogIngiIH0.c2lnbmF0dXJlLXNpZ25hdHVyZQ'
const brokenLineJwt = 'ewogICJhbGciOiAiUlMyNTYiCn0.ewogICJzdWIiOiAieCIKfQ.c2lnbmF0dXJlLXNpZ25hdHVyZQ'
const jwe =
  'eyJhbGciOiJSU0EtT0FFUCIsImVuYyI6IkEyNTZHQ00ifQ.OKOawDo13gRp2oja.48V1_ALb6US04U3b.5eym8TW_c8SuK0lt.XFBoMYUZodetZdv'
const ownKey = 'mcpk_live_0123456789ab_0123456789012345678901234567890123wrong0'
const tokens: readonly (readonly [string, string])[] = [
  ['a JWT', jwt],
  ['a JWT with blanks in its header', spacedJwt],
  ['a JWT with line breaks in its header', brokenLineJwt],
  ['an encrypted JWT', jwe],
  ['an API key of ours', ownKey],
  ['a short API key', 'sk-abc123'],
  ['a GitHub token', 'ghp_abcdefghijklmnopqrstuvwxyz0123456789'],
  ['a Slack token', 'xoxb-123456789012-abcdefghijkl'],
]

/** What logs and errors say around a token. What looks like a token is found in all of them. */
const sentences: readonly ((token: string) => string)[] = [
  (token) => token,
  (token) => `unknown token ${token}`,
  (token) => `unknown token "${token}"`,
  (token) => `key=${token}; retry`,
  (token) => `GET /mcp?session=${token}&x=1 401`,
  (token) => `GET /mcp?state=%7B%22t%22%3A%22${token}%22%7D 401`,
  (token) => `(${token})`,
  (token) => `{"t":"${token}"}`,
  (token) => JSON.stringify(JSON.stringify({ t: token })),
  (token) => `line one\n${token}\nline three`,
  (token) => `/keys/${token}/revoke`,
  (token) => `x_${token}.`,
]

/** Where a name or a scheme tells that a token follows, so that any token is found. */
const telling: readonly ((token: string) => string)[] = [
  (token) => `Authorization: Bearer ${token}`,
  (token) => `authorization: bearer   ${token}, next`,
  (token) => `refused "Bearer ${token}" at the gate`,
  (token) => `{"authorization":"Bearer ${token}"}`,
  (token) => JSON.stringify(JSON.stringify({ authorization: `Bearer ${token}` })),
  (token) => `{ authorization: [ 'Bearer ${token}' ] }`,
  (token) => `Bearer\t${token}`,
  (token) => `Bearer\n${token}`,
  (token) => `Bearer "${token}"`,
  (token) => `Bearer '${token}'`,
  (token) => `Bearer \\"${token}\\"`,
  (token) => `Bearer Bearer ${token}`,
  (token) => `Bearer=${token}`,
  (token) => `Bearer: ${token}`,
  (token) => `bearer token ${token} is unknown`,
  (token) => `bearer token: "${token}"`,
  (token) => `authorization=Bearer%20${token}&x`,
  (token) => `authorization=Bearer+${token}&x`,
  (token) => `DPoP ${token}`,
  (token) => `Basic ${token}`,
  (token) => `X-API-Key: ${token}`,
  (token) => `'x-api-key': '${token}'`,
  (token) => `GET /mcp?access_token=${token}&x=1`,
  (token) => `GET /mcp?x=1&token=${token}`,
  (token) => `GET /mcp?api-key=${token}`,
  (token) => `https://app.example/callback#access_token=${token}&token_type=Bearer`,
  (token) => `to https://login.example/?next=%2Fcb%3Faccess_token%3D${token}`,
  (token) => `body was token=${token}&token_type_hint=access_token`,
  (token) => `client_secret=${token}`,
  (token) => `{"access_token":"${token}","token_type":"Bearer"}`,
  (token) => `{"access_token" : "${token}"}`,
  (token) => `{ refresh_token: '${token}' }`,
  (token) => JSON.stringify(`{"id_token":"${token}"}`),
  (token) => `https://user:${token}@mcp.example/`,
  (token) => `connect postgres://app:${token}@10.0.0.5:5432/keys failed`,
]

const opaque = fc
  .tuple(
    fc.string({
      unit: fc.constantFrom(...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+'),
      minLength: 16,
      maxLength: 40,
    }),
    fc.nat(2),
  )
  .map(([text, padding]) => text + '='.repeat(padding))

describe('redact', () => {
  it.each(tokens)('FL-71 takes out %s, whatever stands around it', (_what, token) => {
    for (const sentence of [...sentences, ...telling]) {
      const clean = redact(sentence(token))
      for (const part of [token, ...token.split(/[._]/).filter(({ length }) => length > 10)]) {
        expect(clean, sentence('<token>')).not.toContain(part)
      }
      expect(clean).toContain(redacted)
    }
  })

  it.each(telling.map((sentence) => [sentence('<token>'), sentence] as const))(
    'FL-75 takes out any token where a name or a scheme tells of it: %s',
    (_text, sentence) => {
      fc.assert(
        fc.property(opaque, (token) => {
          expect(redact(sentence(token))).not.toContain(token)
        }),
      )
    },
  )

  it('keeps what stands around the token', () => {
    expect(redact(`GET /mcp?access_token=${jwt}&x=1 401`)).toBe(`GET /mcp?access_token=${redacted}&x=1 401`)
    expect(redact('Authorization: Bearer abc, next')).toBe(`Authorization: Bearer ${redacted}, next`)
    expect(redact('postgres://app:pw@10.0.0.5/keys')).toBe(`postgres://${redacted}@10.0.0.5/keys`)
    expect(redact('{"access_token":"abc","expires_in":60}')).toBe(
      `{"access_token":"${redacted}","expires_in":60}`,
    )
  })

  it.each([
    'mcp-bearer warn refused path=/mcp reason=audience',
    'issuer https://id.example/realms/a/ is not https://id.example/realms/a',
    'exp 1700000000 is past; the clock skew is 60 s',
    'kid key-2026-11 is not among k1, k2',
    'GET https://login.example/.well-known/jwks.json 503 after 5000 ms',
    'authentication-service.production-cluster.internal.example: ECONNREFUSED 10.0.0.5:443',
    'no such tool: survey_keys.list at /srv/app/dist/server/index.js:10:5',
    'token_type_hint=access_token',
    'key=k1 event=revoked',
    'task-scheduler-and-runner',
    '401 Bearer realm="mcp", error="invalid_token", error_description="Token is invalid or expired"',
    String.raw`challenge="Bearer resource_metadata=\"https://mcp.example/x\", scope=\"a\""`,
    'write to alice@example.com or @bob',
    '',
  ])('leaves a text without credentials alone: %s', (text) => {
    expect(redact(text)).toBe(text)
  })

  it.each(['RSA PRIVATE KEY', 'PRIVATE KEY', 'EC PRIVATE KEY', 'ENCRYPTED PRIVATE KEY'])(
    'takes out a %s',
    (label) => {
      const pem = `-----BEGIN ${label}-----\nS3CRET\n-----END ${label}-----`
      expect(redact(`key: ${pem} end`)).toBe(`key: ${redacted} end`)
      expect(redact(JSON.stringify(pem))).not.toContain('S3CRET')
      expect(redact(pem.slice(0, 45))).not.toContain('S3CRET')
    },
  )

  it('takes out the private members of a JWK', () => {
    const jwk = JSON.stringify({
      kty: 'oct',
      kid: 'one',
      k: 'S3CRET-S3CRET-S3CRET-S3CRET',
      d: 'S3CRET-S3CRET-S3CRET',
    })
    expect(redact(jwk)).not.toContain('S3CRET')
    expect(redact(jwk)).toContain('"kid":"one"')
  })

  it('keeps the media type of a DPoP proof, and nothing longer that begins like it', () => {
    expect(redact('typ dpop+jwt, and Bearer jwt')).toBe('typ dpop+jwt, and Bearer jwt')
    expect(redact('Bearer jwt-0123456789')).toBe('Bearer [redacted]')
  })

  it('keeps a public key', () => {
    const pem = '-----BEGIN PUBLIC KEY-----\nMIIBIjANBg\n-----END PUBLIC KEY-----'
    expect(redact(pem)).toBe(pem)
  })

  it('takes out every given secret; only an empty one is ignored', () => {
    // A small alphabet, so that secrets occur, overlap and contain each other.
    const word = fc.string({ unit: fc.constantFrom('x', 'y', 'z', '.', '$', '&'), maxLength: 6 })
    fc.assert(
      fc.property(fc.array(word, { maxLength: 4 }), fc.array(word, { maxLength: 8 }), (secrets, words) => {
        const clean = redact(words.join(''), secrets)
        for (const secret of secrets) if (secret !== '') expect(clean).not.toContain(secret)
        if (secrets.every((secret) => secret === '')) expect(clean).toBe(words.join(''))
      }),
      { numRuns: 2000 },
    )
  })

  it('leaves no end of a secret that contains another one, or overlaps it', () => {
    expect(redact('abcdef', ['abc', 'abcdef'])).toBe(redacted)
    expect(redact('abcdef', ['abcd', 'cdef'])).toBe(redacted)
    expect(redact('ababa', ['aba'])).toBe(redacted)
    expect(redact(`a ${jwt} b`, ['eyJzdWIi'])).toBe(`a ${redacted} b`)
  })

  it('finds given secrets that are percent-encoded, as in a form body or a URL', () => {
    const secret = 'p+ss/w~rd= 1'
    expect(redact(new URLSearchParams({ x: secret }).toString(), [secret])).toBe(`x=${redacted}`)
    expect(redact(`x=${encodeURIComponent(secret)}`, [secret])).toBe(`x=${redacted}`)
    expect(redact('nothing here', ['\uD800'])).toBe('nothing here')
  })

  it('finds given secrets that are escaped, as in JSON', () => {
    const secret = 'p"ss\\w\nrd'
    expect(redact(JSON.stringify({ x: secret }), [secret])).toBe(`{"x":"${redacted}"}`)
  })

  it('takes a secret for text, not for an expression or a replacement', () => {
    expect(redact('a.c abc $& $1', ['a.c', '$&', '$1'])).toBe(`${redacted} abc ${redacted} ${redacted}`)
  })

  it('changes nothing the second time', () => {
    for (const [, token] of tokens) {
      for (const sentence of [...sentences, ...telling]) {
        const once = redact(sentence(token))
        expect(redact(once)).toBe(once)
      }
    }
  })

  it.each([
    'eyJxxxxx-',
    'eyAxxxxxxxxxx-',
    'Bearer ',
    'Bearer',
    'Bearer token ',
    'sk-',
    'aa_live_',
    '-----BEGIN ',
    '-----BEGIN PRIVATE KEY-----',
    '?token',
    'token ',
    'token=',
    '://a',
    '://@',
    ' ',
    '"',
    '%20',
  ])('reads a million characters of %j to the end', (piece) => {
    expect(redact(piece.repeat(1_000_000 / piece.length))).toBeTypeOf('string')
  })
})

describe('a secret in another form', () => {
  it.each([
    ['base64', (secret: string) => Buffer.from(secret).toString('base64')],
    ['base64url', (secret: string) => Buffer.from(secret).toString('base64url')],
    ['JSON with escaped slashes', (secret: string) => secret.replaceAll('/', '\\/')],
  ])('is taken out: %s', (_form, write) => {
    const secret = 'odd/secret~value>>>?'
    expect(redact(`seen ${write(secret)} here`, [secret])).toMatch(/^seen \[redacted\]=* here$/)
  })

  it('of any length and any characters is no error', () => {
    expect(redact('nothing', ['\u{1F511}'.repeat(20_000), '\uD800'.repeat(9)])).toBe('nothing')
  })
})
