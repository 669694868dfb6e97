import type { AccessToken, TokenVerifier, Verdict } from 'mcp-bearer'
import { RSAKeyPair } from 'mcp-bearer/issuer'
import { BearerAuthProvider, JWTVerifier } from 'mcp-bearer/verify'
import { describe, expect, expectTypeOf, it } from 'vitest'
import { quiet } from './forge.ts'

const keys: Readonly<Record<string, { email: string }>> = { 'sk-abc123': { email: 'alice@example.com' } }

class Inferred extends BearerAuthProvider {
  override async verifyToken(token: string) {
    return token in keys ? { token, claims: { ...keys[token] } } : null
  }
}

class Declared extends BearerAuthProvider {
  override async verifyToken(_token: string): Promise<AccessToken | null> {
    return null
  }
}

class Scoped extends BearerAuthProvider {
  constructor() {
    super({ requiredScopes: ['mcp:read'] })
  }

  override async verifyToken(token: string) {
    return { token, scopes: ['mcp:read'] }
  }
}

const { publicKey } = await RSAKeyPair.generate()

/** A JWT check with an exception for one key of its own. */
class Mixed extends BearerAuthProvider {
  override async verifyToken(token: string): Promise<Verdict> {
    return token === 'sk-abc123' ? { token } : super.verifyToken(token)
  }
}

describe('types of BearerAuthProvider', () => {
  it('FL-45 a provider with a key answers with a complete token or null', async () => {
    const provider = new BearerAuthProvider({ publicKey }, { logger: quiet })
    const answer = await provider.verifyToken('x')
    expectTypeOf(answer).toEqualTypeOf<AccessToken | null>()
    expect(answer).toBeNull()
    const named = new JWTVerifier({ publicKey, algorithms: ['RS256'], audience: ['a'] }, { logger: quiet })
    expectTypeOf(await named.verifyToken('x')).toEqualTypeOf<AccessToken | null>()
  })

  it('B-124 a subclass may answer with a plain object, with its type inferred or declared', async () => {
    expectTypeOf(await new Inferred().verifyToken('x')).toEqualTypeOf<{
      token: string
      claims: { email?: string }
    } | null>()
    expectTypeOf(await new Declared().verifyToken('x')).toEqualTypeOf<AccessToken | null>()
    expect(await new Inferred().verifyToken('sk-abc123')).toEqual({
      token: 'sk-abc123',
      claims: { email: 'alice@example.com' },
    })
    expect(new Scoped().requiredScopes).toEqual(['mcp:read'])
    expect(await new Mixed({ publicKey }, { logger: quiet }).verifyToken('no.such.token')).toBeNull()
  })

  it('every provider is a TokenVerifier and a BearerAuthProvider', () => {
    const verifiers: TokenVerifier[] = [new Inferred(), new Declared(), new Scoped()]
    const providers: BearerAuthProvider[] = [
      new Inferred(),
      new BearerAuthProvider({ publicKey }, { logger: quiet }),
    ]
    expect([...verifiers, ...providers]).toHaveLength(5)
  })

  it('FL-23 a misspelt option is a type error, and one when it runs', () => {
    type Options = ConstructorParameters<
      typeof BearerAuthProvider<{ publicKey: string; audiance: string }>
    >[0]
    expectTypeOf<{ publicKey: string; audiance: string }>().not.toExtend<Options>()
    expect(() => Reflect.construct(BearerAuthProvider, [{ publicKey, audiance: 'x' }])).toThrow(
      new TypeError(
        'BearerAuthProvider: unknown option "audiance"; known are publicKey, jwksUri, secret, issuer, algorithm, algorithms, audience, requiredScopes, clockSkew, rules',
      ),
    )
  })
})
