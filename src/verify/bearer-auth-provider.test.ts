import { inspect } from 'node:util'
import { beforeAll, describe, expect, it } from 'vitest'
import { RSAKeyPair } from '../issuer/index.ts'
import { BearerAuthProvider, type BearerAuthProviderOptions } from './bearer-auth-provider.ts'
import { JWTVerifier } from './index.ts'

const quiet = { logger: () => {} }
let pair: RSAKeyPair

beforeAll(async () => {
  pair = await RSAKeyPair.generate()
})

class Keys extends BearerAuthProvider {
  override async verifyToken(token: string) {
    return token === 'sk-abc123' ? { token, claims: { email: 'alice@example.com' } } : null
  }
}

describe('BearerAuthProvider with a key', () => {
  it('verifies JWTs', async () => {
    const provider = new BearerAuthProvider(
      { publicKey: pair.publicKey, audience: 'a', requiredScopes: ['read'] },
      quiet,
    )
    const accepted = await provider.verifyToken(await pair.createToken({ audience: 'a', scopes: ['read'] }))
    expect(accepted?.subject).toBe('fastmcp-user')
    expect(await provider.verifyToken(await pair.createToken({ audience: 'b' }))).toBeNull()
    expect(provider.requiredScopes).toEqual(['read'])
    await expect(provider.verifyToken(await pair.createToken({ audience: 'a' }))).rejects.toMatchObject({
      code: 'insufficient_scope',
    })
  })

  it('D8 names its authorization server when it has one', () => {
    const jwksUri = 'https://idp.example.com/jwks'
    const issuer = 'https://idp.example.com/'
    expect(
      new BearerAuthProvider({ jwksUri, issuer, algorithm: 'RS512' }, quiet).authorizationServers,
    ).toEqual([issuer])
    expect(new BearerAuthProvider({ jwksUri }, quiet)).not.toHaveProperty('authorizationServers')
  })

  it('FL-71 shows no secret', () => {
    const secret = 'a-shared-secret-of-more-than-32-bytes'
    const provider = new BearerAuthProvider({ secret, algorithm: 'HS256' }, quiet)
    expect(inspect(provider, { depth: 9, showHidden: true })).not.toContain(secret)
    expect(JSON.stringify(provider)).not.toContain(secret)
  })

  it('goes by the name JWTVerifier too', () => {
    expect(JWTVerifier).toBe(BearerAuthProvider)
  })
})

describe('BearerAuthProvider extended', () => {
  it('needs no options', async () => {
    expect(await new Keys().verifyToken('sk-abc123')).toMatchObject({ token: 'sk-abc123' })
    expect(await new Keys().verifyToken('sk-other')).toBeNull()
  })

  it('exposes requiredScopes for the server to enforce', () => {
    expect(new Keys({ requiredScopes: ['read'] }).requiredScopes).toEqual(['read'])
  })

  it('reaches the JWT check through super when a key is given as well', async () => {
    class Mixed extends BearerAuthProvider {
      override async verifyToken(token: string) {
        return token === 'sk-abc123' ? { token } : super.verifyToken(token)
      }
    }
    const mixed = new Mixed({ publicKey: pair.publicKey }, quiet)
    expect(await mixed.verifyToken('sk-abc123')).toEqual({ token: 'sk-abc123' })
    expect(await mixed.verifyToken(await pair.createToken())).toMatchObject({ subject: 'fastmcp-user' })
    await expect(new Mixed().verifyToken('x')).rejects.toThrow(/super.verifyToken\(\) needs publicKey/)
  })
})

describe('B-63 FL-22 FL-23 BearerAuthProvider refuses when made', () => {
  it('neither a key nor an override', () => {
    class Forgot extends BearerAuthProvider {}
    expect(() => new BearerAuthProvider()).toThrow(/publicKey or jwksUri/)
    expect(() => new Forgot()).toThrow(/override verifyToken/)
    expect(() => new BearerAuthProvider({ issuer: 'https://as.example.com' }, quiet)).toThrow(
      /publicKey or jwksUri/,
    )
  })

  it.each<[string, () => object]>([
    ['publicKey and jwksUri', () => ({ publicKey: pair.publicKey, jwksUri: 'https://as.example.com/jwks' })],
    ['a key that does not fit', () => ({ publicKey: pair.publicKey, algorithm: 'ES256' })],
    ['an unknown option', () => ({ publicKey: pair.publicKey, audiance: 'a' })],
    ['a hole in a list', () => ({ publicKey: pair.publicKey, requiredScopes: Array(1) })],
  ])('%s', (_name, options) => {
    expect(() => new BearerAuthProvider(options(), quiet)).toThrow(TypeError)
  })

  it.each<[string, BearerAuthProviderOptions]>([
    ['issuer', { issuer: 'https://as.example.com' }],
    ['audience', { audience: 'a' }],
    ['algorithm', { algorithm: 'RS256' }],
    ['clockSkew', { clockSkew: 5 }],
    ['rules', { rules: { allowMissingExp: true } }],
  ])('%s on a subclass without a key: nothing would use it', (name, options) => {
    expect(() => new Keys(options)).toThrow(`${name} has no effect without publicKey or jwksUri`)
  })
})
