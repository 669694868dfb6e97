import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
import { AuthError, type CompleteTokenVerifier, type LogEntry } from 'mcp-bearer'
import { jwtVerifier } from 'mcp-bearer/verify'
import { describe, expect, it, onTestFinished } from 'vitest'
import { audience, forge, goodClaims, issuer, now } from './forge.ts'
import { json, keyServer, status } from './key-server.ts'
import { selfSigned } from './self-signed.ts'

const one = generateKeyPairSync('ed25519')
const two = generateKeyPairSync('ed25519')
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })

const jwk = (key: KeyObject, kid?: string, more: object = {}) => ({
  ...key.export({ format: 'jwk' }),
  ...(kid !== undefined && { kid }),
  ...more,
})
const set = (...keys: unknown[]) => json({ keys })
/** Tokens that live for a day: what these tests are about is the keys. */
const claims = { ...goodClaims, exp: now + 86_400 }
const tokenOf = (key: KeyObject, kid?: unknown, alg = 'EdDSA') => forge(key, { alg, typ: 'JWT', kid }, claims)

/** A verifier with a clock that only moves by hand, and what it wrote into the log. */
function verifierOf(jwksUri: string, more: object = {}) {
  let time = now * 1000
  const logged: LogEntry[] = []
  const verifier = jwtVerifier(
    { jwksUri, issuer, audience, algorithms: ['EdDSA', 'RS256'], ...more },
    { clock: () => time, logger: (entry) => logged.push(entry) },
  )
  return {
    logged,
    verifier,
    pass: (seconds: number) => {
      time += seconds * 1000
    },
    verify: (token: string) => verdict(verifier, token),
  }
}

/** What the server would answer: 200, 401, or 503 with the seconds to wait. */
async function verdict(verifier: CompleteTokenVerifier, token: string): Promise<number | string> {
  try {
    return (await verifier.verifyToken(token)) === null ? 401 : 200
  } catch (error) {
    if (error instanceof AuthError && error.code === 'verifier_unavailable')
      return `503 in ${error.retryAfter} s`
    throw error
  }
}

describe('fetching', () => {
  it('J01 FL-51 answers 100 first requests with one fetch', async () => {
    const server = await keyServer(set(jwk(one.publicKey, 'k1')))
    const { verify } = verifierOf(server.url)
    const token = tokenOf(one.privateKey, 'k1')
    expect(new Set(await Promise.all(Array.from({ length: 100 }, () => verify(token))))).toEqual(
      new Set([200]),
    )
    expect(server.requests).toHaveLength(1)
  })

  it('B-81 J20 fetches nothing when made, is 503 while the issuer is not there, and recovers', async () => {
    const server = await keyServer((request) => request.destroy())
    const { verify, pass } = verifierOf(server.url)
    expect(server.requests).toHaveLength(0)
    const token = tokenOf(one.privateKey, 'k1')
    expect(await verify(token)).toBe('503 in 1 s')
    server.answer = set(jwk(one.publicKey, 'k1'))
    pass(1)
    expect(await verify(token)).toBe(200)
  })

  it('B-82 sends no credential and no cookie', async () => {
    const server = await keyServer(set(jwk(one.publicKey, 'k1')))
    await verifierOf(server.url).verify(tokenOf(one.privateKey, 'k1'))
    const { headers, method } = server.requests[0]!
    expect(method).toBe('GET')
    expect(Object.keys(headers)).not.toEqual(
      expect.arrayContaining([expect.stringMatching(/authorization|cookie|api-key/)]),
    )
  })

  it.each(['same host', 'another host'])('B-71 J05 does not follow a redirect to the %s', async (where) => {
    const target = await keyServer(set(jwk(one.publicKey, 'k1')))
    const server = await keyServer(set())
    const location = where === 'same host' ? '/elsewhere' : target.url
    server.answer = (request, response) =>
      (request.url === '/elsewhere' ? set(jwk(one.publicKey, 'k1')) : status(302, { location }))(
        request,
        response,
      )
    expect(await verifierOf(server.url).verify(tokenOf(one.privateKey, 'k1'))).toBe('503 in 1 s')
    expect(target.requests).toHaveLength(0)
    expect(server.requests).toHaveLength(1)
  })

  it('B-72 J06 stops at 64 KiB, whatever Content-Length says', async () => {
    const server = await keyServer((_request, response) => {
      response.writeHead(200)
      response.write(`{"keys":[],"pad":"${'x'.repeat(65 * 1024)}`)
      // Never ended: only the limit ends it.
    })
    const { verify, logged } = verifierOf(server.url)
    expect(await verify(tokenOf(one.privateKey, 'k1'))).toBe('503 in 1 s')
    expect(logged.find(({ event }) => event === 'jwks_unavailable')?.details?.reason).toBe(
      'the answer is longer than 65536 bytes',
    )
  })

  it('B-72 J08 takes nothing that is compressed', async () => {
    const bomb = gzipSync(Buffer.alloc(20 * 1024 * 1024, ' '))
    expect(bomb.length).toBeLessThan(64 * 1024)
    const server = await keyServer((_request, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' })
      response.end(bomb)
    })
    const { verify, logged } = verifierOf(server.url)
    expect(await verify(tokenOf(one.privateKey, 'k1'))).toBe('503 in 1 s')
    expect(logged.find(({ event }) => event === 'jwks_unavailable')?.details?.reason).toBe(
      'the answer is compressed although not asked for',
    )
  })

  it.each([
    ['J09 10 000 keys', JSON.stringify({ keys: Array.from({ length: 10_000 }, () => ({})) })],
    ['J10 HTML', '<!doctype html><title>login</title>'],
    ['J10 nothing', ''],
    ['J10 a list', '[]'],
    ['J10 keys that are no list', '{"keys":{}}'],
    ['J10 null', 'null'],
  ])('B-73 %s is an outage', async (_name, body) => {
    const server = await keyServer(json(body))
    expect(await verifierOf(server.url).verify(tokenOf(one.privateKey, 'k1'))).toBe('503 in 1 s')
  })

  it.each([201, 203, 206, 404, 500])(
    'B-72 status %i is an outage, also with good keys in it',
    async (code) => {
      const body = JSON.stringify({ keys: [jwk(one.publicKey, 'k1')] })
      const server = await keyServer((_request, response) => void response.writeHead(code).end(body))
      expect(await verifierOf(server.url).verify(tokenOf(one.privateKey, 'k1'))).toBe('503 in 1 s')
    },
  )

  it('J24 refuses an endpoint whose certificate nobody vouches for, and does not fall back to http', async () => {
    let reached = 0
    const { cert, key } = selfSigned()
    const secure = createTlsServer({ cert, key }, (_request, response) => {
      reached += 1
      response.end('{"keys":[]}')
    })
    const plain = createServer((_request, response) => {
      reached += 1
      response.end('{"keys":[]}')
    })
    const causes: unknown[] = []
    for (const server of [secure, plain]) {
      server.listen(0, '127.0.0.1')
      await once(server, 'listening')
      onTestFinished(() => void server.close())
      const { port } = server.address() as AddressInfo
      const { verifier } = verifierOf(`https://127.0.0.1:${port}/`)
      const thrown: unknown = await verifier
        .verifyToken(tokenOf(one.privateKey, 'k1'))
        .catch((error) => error)
      expect(thrown).toMatchObject({ code: 'verifier_unavailable', retryAfter: 1 })
      causes.push(thrown)
    }
    expect(causes[0]).toMatchObject({ cause: { cause: { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' } } })
    expect(reached).toBe(0)
  })

  it('FL-56 uses the given fetch for every request', async () => {
    const asked: string[] = []
    const verifier = jwtVerifier(
      { jwksUri: 'https://as.example.com/jwks', issuer, audience, algorithm: 'EdDSA' },
      {
        clock: () => now * 1000,
        fetch: async (url) => {
          asked.push(String(url))
          return Response.json({ keys: [jwk(one.publicKey, 'k1')] })
        },
      },
    )
    expect(await verdict(verifier, tokenOf(one.privateKey, 'k1'))).toBe(200)
    expect(asked).toEqual(['https://as.example.com/jwks'])
  })

  it('B-60 fetches nothing for a token of another issuer', async () => {
    const server = await keyServer(set(jwk(one.publicKey, 'k1')))
    const { verify } = verifierOf(server.url)
    const foreign = forge(
      one.privateKey,
      { alg: 'EdDSA', kid: 'k1' },
      { ...claims, iss: 'https://evil.example' },
    )
    expect(await verify(foreign)).toBe(401)
    expect(server.requests).toHaveLength(0)
  })
})

describe('unknown keys', () => {
  it('J02 FL-54 finds a new key with one refresh, once the cool-down is over', async () => {
    const server = await keyServer(set(jwk(one.publicKey, 'k1')))
    const { verify, pass } = verifierOf(server.url)
    expect(await verify(tokenOf(one.privateKey, 'k1'))).toBe(200)
    server.answer = set(jwk(one.publicKey, 'k1'), jwk(two.publicKey, 'k2'))
    pass(30)
    const token = tokenOf(two.privateKey, 'k2')
    expect(await Promise.all([verify(token), verify(token), verify(token)])).toEqual([200, 200, 200])
    expect(server.requests).toHaveLength(2)
  })

  it('J03 J04 FL-49 B-76 a flood of invented ids costs one fetch in a cool-down, and never a good key', async () => {
    const server = await keyServer(set(jwk(one.publicKey, 'k1')))
    const { verify, pass } = verifierOf(server.url)
    const good = tokenOf(one.privateKey, 'k1')
    expect(await verify(good)).toBe(200)
    pass(30)
    const stranger = generateKeyPairSync('ed25519').privateKey
    const floods = Array.from({ length: 1000 }, (_, id) => verify(tokenOf(stranger, `invented-${id}`)))
    expect(await Promise.all([...floods, verify(good)])).toEqual([...Array(1000).fill(401), 200])
    expect(server.requests).toHaveLength(2)
    pass(29)
    expect(await verify(tokenOf(stranger, 'one-more'))).toBe(401)
    expect(server.requests).toHaveLength(2)
  })

  it('J12 FL-49 an empty set is an answer: the token is not good, and is asked about once in a cool-down', async () => {
    const server = await keyServer(set())
    const { verify } = verifierOf(server.url)
    expect(await verify(tokenOf(one.privateKey, 'k1'))).toBe(401)
    expect(await verify(tokenOf(one.privateKey, 'k2'))).toBe(401)
    expect(server.requests).toHaveLength(1)
  })

  it.each([
    '',
    '__proto__',
    'constructor',
    '../../etc/passwd',
    'https://evil.example/k',
    '\u0000',
    'k'.repeat(4000),
  ])('B-23 the id %j is an unknown key', async (kid) => {
    const server = await keyServer(set(jwk(one.publicKey, 'k1')))
    expect(await verifierOf(server.url).verify(tokenOf(one.privateKey, kid))).toBe(401)
    expect(server.requests).toHaveLength(1)
  })

  it('B-24 a token without an id passes when exactly one key fits it', async () => {
    const fits = await keyServer(set(jwk(one.publicKey, 'k1'), jwk(rsa.publicKey, 'k2')))
    expect(await verifierOf(fits.url).verify(tokenOf(one.privateKey))).toBe(200)
    const ambiguous = await keyServer(set(jwk(one.publicKey, 'k1'), jwk(two.publicKey, 'k2')))
    expect(await verifierOf(ambiguous.url).verify(tokenOf(one.privateKey))).toBe(401)
  })

  it('B-24 keys that share an id are each tried', async () => {
    const server = await keyServer(
      set(jwk(one.publicKey, 'k'), jwk(two.publicKey, 'k'), jwk(rsa.publicKey, 'k')),
    )
    const { verify } = verifierOf(server.url)
    expect(await verify(tokenOf(one.privateKey, 'k'))).toBe(200)
    expect(await verify(tokenOf(two.privateKey, 'k'))).toBe(200)
    expect(await verify(tokenOf(rsa.privateKey, 'k', 'RS256'))).toBe(200)
    expect(await verify(tokenOf(generateKeyPairSync('ed25519').privateKey, 'k'))).toBe(401)
  })

  it('B-61 J21 keys of one issuer say nothing about tokens of another, also under the same id', async () => {
    const a = await keyServer(set(jwk(one.publicKey, 'same')))
    const b = await keyServer(set(jwk(two.publicKey, 'same')))
    expect(await verifierOf(a.url).verify(tokenOf(one.privateKey, 'same'))).toBe(200)
    expect(await verifierOf(a.url).verify(tokenOf(two.privateKey, 'same'))).toBe(401)
    expect(await verifierOf(b.url).verify(tokenOf(two.privateKey, 'same'))).toBe(200)
  })
})

describe('keys of a set', () => {
  it('J11 FL-53 odd keys spoil nothing', async () => {
    const odd = [null, 1, 'x', {}, { kty: 'XYZ' }, { kty: 'RSA', n: '!', e: 'AQAB', kid: 'k1' }, { kid: 7 }]
    const server = await keyServer(set(...odd, jwk(one.publicKey, 'k1')))
    expect(await verifierOf(server.url).verify(tokenOf(one.privateKey, 'k1'))).toBe(200)
  })

  it('B-09 J22 a secret in the set does not verify the HMAC token that names it', async () => {
    const server = await keyServer(
      set({ kty: 'oct', k: 'c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LTEyMw', kid: 'k1' }),
    )
    const { verify, logged } = verifierOf(server.url)
    expect(await verify(tokenOf(one.privateKey, 'k1', 'HS256'))).toBe(401)
    expect(server.requests).toHaveLength(0)
    expect(await verify(tokenOf(one.privateKey, 'k1'))).toBe(401)
    expect(logged.map(({ event }) => event)).toEqual(['token_refused', 'jwks_private_key', 'token_refused'])
  })

  it('B-09 J23 a key published with its private half is not used, and reported once', async () => {
    const server = await keyServer(set(jwk(one.privateKey, 'k1'), jwk(two.publicKey, 'k2')))
    const { verify, logged, pass } = verifierOf(server.url)
    expect(await verify(tokenOf(one.privateKey, 'k1'))).toBe(401)
    pass(700)
    expect(await verify(tokenOf(two.privateKey, 'k2'))).toBe(200)
    expect(logged.filter(({ event }) => event === 'jwks_private_key')).toEqual([
      expect.objectContaining({ level: 'error' }),
    ])
    expect(JSON.stringify(logged)).not.toContain(String(one.privateKey.export({ format: 'jwk' }).d))
  })

  it.each([
    ['B-06 RSA of 1024 bits', generateKeyPairSync('rsa', { modulusLength: 1024 }), {}, 'RS256'],
    ['B-07 alg of another algorithm', rsa, { alg: 'RS512' }, 'RS256'],
    ['B-07 a key of another type', one, {}, 'RS256'],
    ['B-08 use enc', one, { use: 'enc' }, 'EdDSA'],
    ['B-08 key_ops without verify', one, { key_ops: ['sign'] }, 'EdDSA'],
    ['B-08 key_ops that is no list', one, { key_ops: 'verify' }, 'EdDSA'],
    ['B-06 secp256k1', generateKeyPairSync('ec', { namedCurve: 'secp256k1' }), {}, 'ES256'],
    ['B-06 P-384 for ES256', generateKeyPairSync('ec', { namedCurve: 'P-384' }), {}, 'ES256'],
  ])('%s: the token is refused', async (_name, pair, more, alg) => {
    const server = await keyServer(set(jwk(pair.publicKey, 'k1', more)))
    const { verify } = verifierOf(server.url, { algorithms: ['EdDSA', 'RS256', 'ES256'] })
    expect(await verify(tokenOf(pair.privateKey, 'k1', alg))).toBe(401)
  })
})

describe('time', () => {
  it.each([
    ['says nothing', {}, 600],
    ['says an hour', { 'cache-control': 'public, max-age=3600' }, 3600],
    ['says a second', { 'cache-control': 'max-age=1' }, 60],
    ['says a year', { 'cache-control': 'max-age=31536000' }, 86_400 - 60],
    ['says no-store', { 'cache-control': 'no-store' }, 60],
  ])('B-77 keeps the keys as long as it may when the answer %s', async (_name, headers, seconds) => {
    const server = await keyServer(json({ keys: [jwk(one.publicKey, 'k1')] }, headers))
    const { verify, pass } = verifierOf(server.url)
    const token = forge(one.privateKey, { alg: 'EdDSA', kid: 'k1' }, { ...claims, exp: now + 200_000 })
    expect(await verify(token)).toBe(200)
    pass(seconds - 1)
    expect(await verify(token)).toBe(200)
    expect(server.requests).toHaveLength(1)
    pass(61)
    expect(await verify(token)).toBe(200)
    expect(server.requests).toHaveLength(2)
  })

  it('B-78 J17 a key that is gone from the set stops working with the next refresh', async () => {
    const server = await keyServer(set(jwk(one.publicKey, 'k1'), jwk(two.publicKey, 'k2')))
    const { verify, pass } = verifierOf(server.url)
    const token = tokenOf(one.privateKey, 'k1')
    expect(await verify(token)).toBe(200)
    server.answer = set(jwk(two.publicKey, 'k2'))
    pass(600)
    expect(await verify(token)).toBe(401)
  })

  it('B-75 J13 FL-51 a failing endpoint is asked ever more seldom, and its recovery is noticed', async () => {
    const server = await keyServer(status(500))
    const { verify, pass, logged } = verifierOf(server.url)
    const token = tokenOf(one.privateKey, 'k1')
    const answers = new Set<number | string>()
    for (let tenth = 0; tenth < 600; tenth++) {
      answers.add(await verify(token))
      pass(0.1)
    }
    expect(server.requests.length).toBeGreaterThanOrEqual(5)
    expect(server.requests.length).toBeLessThanOrEqual(8)
    expect([...answers].every((answer) => String(answer).startsWith('503'))).toBe(true)
    expect(logged.map(({ event }) => event)).toEqual(['jwks_unavailable'])
    server.answer = set(jwk(one.publicKey, 'k1'))
    pass(60)
    expect(await verify(token)).toBe(200)
  })

  it('J15 FL-50 FL-52 while the endpoint is down known keys work, and unknown ones are 503, not 401', async () => {
    const server = await keyServer(set(jwk(one.publicKey, 'k1')))
    const { verify, pass } = verifierOf(server.url)
    const known = tokenOf(one.privateKey, 'k1')
    const unknown = tokenOf(two.privateKey, 'k2')
    expect(await verify(known)).toBe(200)
    server.answer = status(500)
    for (let minute = 0; minute < 20; minute++) {
      pass(60)
      expect(await verify(known)).toBe(200)
      expect(await verify(unknown)).toMatch(/^503 in \d+ s$/)
    }
    expect(server.requests.length).toBeLessThan(30)
  })

  it('J15 an unknown key is 503 also while the keys are fresh and the refresh fails', async () => {
    const server = await keyServer(set(jwk(one.publicKey, 'k1')))
    const { verify, pass } = verifierOf(server.url)
    expect(await verify(tokenOf(one.privateKey, 'k1'))).toBe(200)
    server.answer = status(500)
    pass(31)
    expect(await verify(tokenOf(two.privateKey, 'k2'))).toBe('503 in 1 s')
    expect(await verify(tokenOf(two.privateKey, 'k2'))).toBe('503 in 1 s')
    expect(await verify(tokenOf(one.privateKey, 'k1'))).toBe(200)
    expect(server.requests).toHaveLength(2)
  })

  it('J15 B-78 known keys do not wait for the next attempt, and its outcome counts from then on', async () => {
    const server = await keyServer(set(jwk(one.publicKey, 'k1')))
    const { verify, pass } = verifierOf(server.url)
    const token = tokenOf(one.privateKey, 'k1')
    expect(await verify(token)).toBe(200)
    server.answer = status(500)
    pass(600)
    expect(await verify(token)).toBe(200)
    pass(1)
    const asked = new Promise<void>((resolve) => {
      server.answer = (request, response) => {
        set(jwk(two.publicKey, 'k2'))(request, response)
        resolve()
      }
    })
    expect(await verify(token)).toBe(200)
    await asked
    expect(await verify(tokenOf(two.privateKey, 'k2'))).toBe(200)
    expect(await verify(token)).toBe(401)
    expect(server.requests).toHaveLength(3)
  })

  it('J16 beyond the hour of grace known keys are 503 too', async () => {
    const server = await keyServer(set(jwk(one.publicKey, 'k1')))
    const { verify, pass } = verifierOf(server.url)
    const token = tokenOf(one.privateKey, 'k1')
    expect(await verify(token)).toBe(200)
    server.answer = status(500)
    pass(600 + 3599)
    expect(await verify(token)).toBe(200)
    pass(1)
    expect(await verify(token)).toMatch(/^503 in \d+ s$/)
  })
})
