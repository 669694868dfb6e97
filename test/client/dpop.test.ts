import { createHash, type webcrypto } from 'node:crypto'
import { inspect } from 'node:util'
import { calculateJwkThumbprint, decodeProtectedHeader, EmbeddedJWK, type JWK, jwtVerify } from 'jose'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { dpopKey } from '../../src/client/dpop.ts'

afterEach(() => {
  vi.restoreAllMocks()
})

const url = new URL('https://mcp.example.com/mcp')
const token = 'Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU'
const post = { method: 'POST', url }

/** The claims of a proof, after its signature was checked with the key it brings. */
async function claimsOf(proof: string) {
  const { payload } = await jwtVerify(proof, EmbeddedJWK, { typ: 'dpop+jwt', algorithms: ['ES256'] })
  return payload
}

const nonceHeaders = (nonce: string) => new Headers({ 'DPoP-Nonce': nonce })

describe('F-40 a proof', () => {
  it('is signed by the public key it brings, and brings nothing private', async () => {
    const proof = await dpopKey().proof(post)
    await claimsOf(proof)
    const { jwk, ...header } = decodeProtectedHeader(proof)
    expect(header).toEqual({ typ: 'dpop+jwt', alg: 'ES256' })
    expect(jwk).toEqual({ kty: 'EC', crv: 'P-256', x: expect.any(String), y: expect.any(String) })
  })

  it('names the method, the URL without query and fragment, the time, and the token by its hash', async () => {
    const dpop = dpopKey({ clock: () => 1_700_000_000_999 })
    const proof = await dpop.proof({ method: 'DELETE', url: new URL(`${url}?a=b#c`), token })
    vi.useFakeTimers({ now: 1_700_000_000_000, toFake: ['Date'] })
    try {
      expect(await claimsOf(proof)).toEqual({
        jti: expect.stringMatching(/^[\w-]{36}$/),
        htm: 'DELETE',
        htu: 'https://mcp.example.com/mcp',
        iat: 1_700_000_000,
        ath: createHash('sha256').update(token).digest('base64url'),
      })
    } finally {
      vi.useRealTimers()
    }
  })

  it('has the hash of the example of RFC 9449 section 7.1', async () => {
    const { ath } = await claimsOf(await dpopKey().proof({ ...post, token }))
    expect(ath).toBe('fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo')
  })

  it('at a token endpoint names no token', async () => {
    expect(await claimsOf(await dpopKey().proof(post))).not.toHaveProperty('ath')
  })

  it('is another one each time, with the same key', async () => {
    const dpop = dpopKey()
    const proofs = await Promise.all(Array.from({ length: 50 }, () => dpop.proof(post)))
    const claims = await Promise.all(proofs.map(claimsOf))
    expect(new Set(claims.map(({ jti }) => jti)).size).toBe(50)
    expect(new Set(proofs.map((proof) => JSON.stringify(decodeProtectedHeader(proof).jwk))).size).toBe(1)
  })

  it('is short enough for servers that look before they calculate', async () => {
    expect((await dpopKey().proof({ ...post, token })).length).toBeLessThan(1024)
  })
})

describe('F-43 the key', () => {
  it('cannot be taken out, and is made when it is first needed', async () => {
    const generate = vi.spyOn(crypto.subtle, 'generateKey')
    const dpop = dpopKey()
    expect(generate).not.toHaveBeenCalled()
    await dpop.proof(post)
    await dpop.proof(post)
    expect(generate).toHaveBeenCalledTimes(1)
    const { privateKey } = (await generate.mock.results[0]!.value) as webcrypto.CryptoKeyPair
    expect(privateKey.extractable).toBe(false)
    await expect(crypto.subtle.exportKey('pkcs8', privateKey)).rejects.toThrow()
  })

  it('is another one for each source', async () => {
    expect(await dpopKey().thumbprint()).not.toBe(await dpopKey().thumbprint())
  })

  it('has the thumbprint of RFC 7638', async () => {
    const dpop = dpopKey()
    const { jwk } = decodeProtectedHeader(await dpop.proof(post))
    expect(await dpop.thumbprint()).toBe(await calculateJwkThumbprint(jwk as JWK, 'sha256'))
  })

  it('shows nothing of itself', async () => {
    const dpop = dpopKey()
    await dpop.proof({ ...post, token })
    expect(inspect(dpop, { showHidden: true, depth: Infinity })).not.toContain(token)
    expect(Object.values(dpop).every((member) => typeof member === 'function')).toBe(true)
    expect(Object.isFrozen(dpop)).toBe(true)
  })
})

describe('F-41 nonces', () => {
  it('are kept for each origin, and replaced by the next', async () => {
    const dpop = dpopKey()
    const other = new URL('https://issuer.example.com/token')
    expect(await claimsOf(await dpop.proof(post))).not.toHaveProperty('nonce')
    expect(dpop.observe(url, nonceHeaders('n-1'))).toBe(true)
    expect(dpop.observe(other, nonceHeaders('n-2'))).toBe(true)
    const elsewhere = new URL('/elsewhere', url)
    expect(await claimsOf(await dpop.proof({ method: 'GET', url: elsewhere }))).toMatchObject({
      nonce: 'n-1',
    })
    expect(await claimsOf(await dpop.proof({ method: 'POST', url: other }))).toMatchObject({ nonce: 'n-2' })
    expect(dpop.observe(url, nonceHeaders('n-1'))).toBe(false)
    expect(dpop.observe(url, new Headers())).toBe(false)
    expect(dpop.observe(url, nonceHeaders('n-3'))).toBe(true)
    expect(await claimsOf(await dpop.proof(post))).toMatchObject({ nonce: 'n-3' })
  })

  it('that no server may give are left out', async () => {
    const dpop = dpopKey()
    // RFC 9449 section 8.1; and two lines, which Headers joins.
    const twice = nonceHeaders('n-1')
    twice.append('DPoP-Nonce', 'n-2')
    const wrong = ['', 'a b', 'a"b', 'a\\b', 'a\tb', 'ä', 'a'.repeat(1025)].map(nonceHeaders)
    for (const headers of [...wrong, twice]) expect(dpop.observe(url, headers)).toBe(false)
    expect(await claimsOf(await dpop.proof(post))).not.toHaveProperty('nonce')
    expect(dpop.observe(url, nonceHeaders('!#[]~'.padEnd(1024, 'a')))).toBe(true)
  })

  it('of no more than 64 origins are kept, those heard from last', async () => {
    const dpop = dpopKey()
    const at = (number: number) => new URL(`https://${number}.example.com/mcp`)
    const knows = async (number: number) =>
      'nonce' in (await claimsOf(await dpop.proof({ method: 'GET', url: at(number) })))
    for (let number = 0; number < 64; number++) dpop.observe(at(number), nonceHeaders('n'))
    dpop.observe(at(0), nonceHeaders('n'))
    dpop.observe(at(64), nonceHeaders('n'))
    expect(await Promise.all([0, 1, 2, 64].map(knows))).toEqual([true, false, true, true])
  })
})

it('misuse is a TypeError', () => {
  expect(() => dpopKey({ algorithm: 'none' } as object)).toThrow('dpopKey: unknown option "algorithm"')
  expect(() => dpopKey({ clock: 7 } as object)).toThrow('dpopKey: clock must be a function')
})

it('a page without https is told why there is no key', () => {
  vi.stubGlobal('crypto', {})
  try {
    expect(() => dpopKey()).toThrow('dpopKey needs Web Crypto')
  } finally {
    vi.unstubAllGlobals()
  }
})
