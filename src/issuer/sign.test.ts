import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { CompactSign, compactVerify } from 'jose'
import { describe, expect, it } from 'vitest'
import { signJws } from './sign.ts'

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
const p256 = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey
const p521 = generateKeyPairSync('ec', { namedCurve: 'P-521' }).privateKey
const ed25519 = generateKeyPairSync('ed25519').privateKey
const claims = { sub: 'Zoë', n: 1 }
const part = (jws: string, index: number) =>
  JSON.parse(Buffer.from(jws.split('.')[index] ?? '', 'base64url').toString()) as unknown

describe('signJws', () => {
  it.each<[string, KeyObject]>([
    ['RS256', rsa],
    ['RS384', rsa],
    ['RS512', rsa],
    ['PS256', rsa],
    ['PS384', rsa],
    ['PS512', rsa],
    ['ES256', p256],
    ['ES384', p384],
    ['ES512', p521],
    ['EdDSA', ed25519],
    ['Ed25519', ed25519],
  ])('%s verifies elsewhere', async (algorithm, key) => {
    const jws = signJws(key, algorithm, { typ: 'JWT', kid: 'k1' }, claims)
    const { payload, protectedHeader } = await compactVerify(jws, createPublicKey(key), {
      algorithms: [algorithm],
    })
    expect(protectedHeader).toEqual({ alg: algorithm, typ: 'JWT', kid: 'k1' })
    expect(JSON.parse(new TextDecoder().decode(payload))).toEqual(claims)
  })

  it.each<[string, KeyObject]>([
    ['RS256', rsa],
    ['EdDSA', ed25519],
  ])('%s, which has one signature only, is the same text as elsewhere', async (alg, key) => {
    const other = new CompactSign(new TextEncoder().encode(JSON.stringify(claims)))
    other.setProtectedHeader({ alg, typ: 'JWT' })
    expect(signJws(key, alg, { typ: 'JWT' }, claims)).toBe(await other.sign(key))
  })

  it('leaves out what is undefined', () => {
    const jws = signJws(p256, 'ES256', { typ: 'JWT', kid: undefined }, { sub: 'a', aud: undefined })
    expect([part(jws, 0), part(jws, 1)]).toEqual([{ alg: 'ES256', typ: 'JWT' }, { sub: 'a' }])
  })
})
