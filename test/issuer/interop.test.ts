import { calculateJwkThumbprint, createLocalJWKSet, importSPKI, jwtVerify } from 'jose'
import { ECKeyPair, Ed25519KeyPair, LocalIssuer, RSAKeyPair } from 'mcp-bearer/issuer'
import { BearerAuthProvider } from 'mcp-bearer/verify'
import { describe, expect, it, onTestFinished } from 'vitest'

const quiet = { logger: () => {} }

describe('tokens of the key pairs, as jose sees them', () => {
  it.each([
    ['RS256', () => RSAKeyPair.generate()],
    ['RS384', () => RSAKeyPair.generate({ algorithm: 'RS384' })],
    ['PS512', () => RSAKeyPair.generate({ algorithm: 'PS512' })],
    ['ES256', () => ECKeyPair.generate()],
    ['ES384', () => ECKeyPair.generate({ curve: 'P-384' })],
    ['ES512', () => ECKeyPair.generate({ curve: 'P-521' })],
    ['EdDSA', () => Ed25519KeyPair.generate()],
  ])('%s verifies with the PEM and with the key set', async (alg, generate) => {
    const pair = await generate()
    const token = await pair.createToken({ audience: 'a', scopes: ['read'] })
    const fromPem = await jwtVerify(token, await importSPKI(pair.publicKey, alg), { audience: 'a' })
    expect(fromPem.payload).toMatchObject({ sub: 'fastmcp-user', scope: 'read' })
    const keys = pair.jwks().keys.map((key) => ({ ...key }))
    const fromSet = await jwtVerify(token, createLocalJWKSet({ keys }), { algorithms: [alg] })
    expect(fromSet.protectedHeader).toEqual({ alg, typ: 'JWT', kid: pair.kid })
    expect(pair.kid).toBe(await calculateJwkThumbprint(keys[0]!))
  })
})

describe('a local issuer and a provider', () => {
  it('FL-54 rotation: tokens of both keys pass, then only those of the new one', async () => {
    let time = Date.UTC(2027, 0, 1)
    const clock = () => time
    const local = await LocalIssuer.start({ clock, ...quiet })
    onTestFinished(() => local.close())
    const { jwksUri, issuer } = local
    const auth = new BearerAuthProvider({ jwksUri, issuer, audience: 'my-server' }, { clock, ...quiet })
    const first = await local.mint({ audience: 'my-server', expiresInSeconds: 7200 })
    expect(await auth.verifyToken(first)).not.toBeNull()
    await local.rotate()
    time += 31_000
    const second = await local.mint({ audience: 'my-server', expiresInSeconds: 7200 })
    expect(await auth.verifyToken(second)).not.toBeNull()
    expect(await auth.verifyToken(first)).not.toBeNull()
    local.retire()
    time += 61_000
    expect(await auth.verifyToken(first)).toBeNull()
    expect(await auth.verifyToken(second)).not.toBeNull()
    expect(auth.authorizationServers).toEqual([issuer])
  })
})
