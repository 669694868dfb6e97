import { describe, expect, it } from 'vitest'
import { AccessToken } from '../core/index.ts'
import { scopePolicy } from '../core/scopes.ts'
import { RSAKeyPair } from '../issuer/index.ts'
import { jwtVerifier } from './jwt.ts'
import { tokenMap } from './remembered.ts'

const pair = await RSAKeyPair.generate()
const claims = { issuer: 'https://as.example.com', audience: 'me' }
const start = 1_800_000_000_000

function made(extra: object = {}) {
  let now = start
  const verifier = jwtVerifier(
    { publicKey: pair.publicKey, issuer: claims.issuer, audience: claims.audience, clockSkew: 0, ...extra },
    { clock: () => now, logger: () => {} },
  )
  return { verifier, passSeconds: (seconds: number) => (now += seconds * 1000) }
}

describe('a token that was verified before', () => {
  it('B-121 is refused once it has expired', async () => {
    const { verifier, passSeconds } = made()
    const token = await pair.createToken({ ...claims, expiresInSeconds: 60 }, () => start)
    expect(await verifier.verifyToken(token)).toBeInstanceOf(AccessToken)
    passSeconds(59)
    expect(await verifier.verifyToken(token)).toBeInstanceOf(AccessToken)
    passSeconds(1)
    expect(await verifier.verifyToken(token)).toBeNull()
  })

  it('says the same as the first time, in a token of its own', async () => {
    const { verifier } = made()
    const token = await pair.createToken({ ...claims, scopes: ['read'] }, () => start)
    const [first, second] = [await verifier.verifyToken(token), await verifier.verifyToken(token)]
    expect(second).toEqual(first)
    expect(second?.token).toBe(token)
    expect(second).not.toBe(first)
  })

  it('does not lend its good name to a token that differs in one character', async () => {
    const { verifier } = made()
    const token = await pair.createToken(claims, () => start)
    expect(await verifier.verifyToken(token)).not.toBeNull()
    for (let at = 0; at < token.length; at++) {
      const altered = `${token.slice(0, at)}${token[at] === 'A' ? 'B' : 'A'}${token.slice(at + 1)}`
      expect(await verifier.verifyToken(altered)).toBeNull()
    }
  })

  it('still needs its scopes, each time', async () => {
    const { verifier } = made({ requiredScopes: ['write'] })
    const token = await pair.createToken({ ...claims, scopes: ['read'] }, () => start)
    for (let n = 0; n < 3; n++) {
      await expect(verifier.verifyToken(token)).rejects.toMatchObject({ code: 'insufficient_scope' })
    }
  })
})

describe('scopes of a verifier', () => {
  it('A-64 a hierarchy known where the token is used counts', async () => {
    const { verifier } = made({ requiredScopes: ['read'] })
    const token = await pair.createToken({ ...claims, scopes: ['admin'] }, () => start)
    await expect(verifier.verifyToken(token)).rejects.toMatchObject({ scopes: ['read'] })
    const scopes = scopePolicy({ admin: ['read'] })
    expect(await verifier.verifyToken(token, { scopes })).toBeInstanceOf(AccessToken)
  })
})

describe('tokenMap', () => {
  it('B-121 is bounded: the oldest is forgotten', () => {
    const map = tokenMap<number>(3)
    for (let n = 0; n <= 3; n++) map.keep(`digest-${n}`, n)
    expect([0, 1, 2, 3].map((n) => map.get(`digest-${n}`))).toEqual([undefined, 1, 2, 3])
    map.drop('digest-2')
    expect(map.get('digest-2')).toBeUndefined()
  })
})
