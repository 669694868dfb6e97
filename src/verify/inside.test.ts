import { describe, expect, it } from 'vitest'
import { scopePolicy, type TokenVerifier, type Verdict, type VerifyContext } from '../core/index.ts'
import { RSAKeyPair } from '../issuer/index.ts'
import { anyOf } from './any-of.ts'
import { BearerAuthProvider } from './bearer-auth-provider.ts'
import { cached } from './cached.ts'
import { jwtVerifier } from './jwt.ts'
import { revocable } from './revocable.ts'
import { memoryRevocations } from './revocations.ts'

const quiet = { logger: () => {} }
const pair = await RSAKeyPair.generate()
const { publicKey } = pair
const options = { publicKey, issuer: 'https://as.example.com', audience: 'me' }
const { issuer, audience } = options
const mint = (more: object = {}) => pair.createToken({ issuer, audience, ...more })

/** The three verifiers that stand around another one. */
const around: readonly [string, (verifier: TokenVerifier) => TokenVerifier][] = [
  ['anyOf', (verifier) => anyOf([verifier], quiet)],
  ['cached', (verifier) => cached(verifier, {}, quiet)],
  ['revocable', (verifier) => revocable(verifier, memoryRevocations())],
]
const nobody = async (): Promise<Verdict> => null

class ByMethod extends BearerAuthProvider {
  override verifyToken(_token: string) {
    return nobody()
  }
}
class ByField extends BearerAuthProvider {
  override verifyToken = nobody
}
class ByGetter extends BearerAuthProvider {}
Object.defineProperty(ByGetter.prototype, 'verifyToken', { get: () => nobody })
class GrandChild extends ByField {}
class Plain extends BearerAuthProvider {}

/** Verifiers that judge JWTs of the pair, each with something in front that refuses all of them. */
const overridden: Readonly<Record<string, () => TokenVerifier>> = {
  'a subclass with a method': () => new ByMethod(options, quiet),
  'a subclass with a field': () => new ByField(options, quiet),
  'a frozen subclass with a field': () => Object.freeze(new ByField(options, quiet)),
  'a subclass with a getter': () => new ByGetter(options, quiet),
  'a subclass of a subclass': () => new GrandChild(options, quiet),
  'a provider with a method of its own': () =>
    Object.assign(new BearerAuthProvider(options, quiet), { verifyToken: nobody }),
  'a class that was changed later': () => {
    class Late extends BearerAuthProvider {}
    const provider = new Late(options, quiet)
    Late.prototype.verifyToken = async () => null
    return provider
  },
  'a proxy around a provider': () =>
    new Proxy(new BearerAuthProvider(options, quiet), {
      get: (target, name) => (name === 'verifyToken' ? nobody : Reflect.get(target, name)),
    }),
  'a heir of a provider': () =>
    Object.create(new BearerAuthProvider(options, quiet), { verifyToken: { value: nobody } }),
  'a copy of a verifier': () => ({ ...jwtVerifier(options, quiet), verifyToken: nobody }),
  'a frozen copy of a verifier': () => Object.freeze({ ...jwtVerifier(options, quiet), verifyToken: nobody }),
  'an assigned copy of a verifier': () =>
    Object.assign({}, jwtVerifier(options, quiet), { verifyToken: nobody }),
  'a copy of a composed verifier': () => ({
    ...anyOf([cached(jwtVerifier(options, quiet))]),
    verifyToken: nobody,
  }),
  'a heir of a verifier': () =>
    Object.create(jwtVerifier(options, quiet), { verifyToken: { value: nobody } }),
}

describe.each(around)('what stands in %s', (_name, compose) => {
  it.each(Object.keys(overridden))('B-106 is judged by its own verifyToken: %s', async (name) => {
    const verifier = overridden[name]?.()
    expect(await verifier?.verifyToken(await mint())).toBeNull()
    expect(await compose(verifier as TokenVerifier).verifyToken(await mint())).toBeNull()
  })

  it('a provider, a subclass that overrides nothing, and a plain copy judge as they did', async () => {
    for (const verifier of [
      new BearerAuthProvider(options, quiet),
      new Plain(options, quiet),
      { ...jwtVerifier(options, quiet) },
    ]) {
      const composed = compose(verifier)
      expect(await composed.verifyToken(await mint())).not.toBeNull()
      expect(await composed.verifyToken(await mint({ audience: 'other' }))).toBeNull()
    }
  })

  it('scopes that a copy or a subclass adds are asked for', async () => {
    class Admins extends BearerAuthProvider {
      override readonly requiredScopes = ['admin']
    }
    const added = { ...jwtVerifier(options, quiet), requiredScopes: ['admin'] }
    for (const verifier of [new Admins(options, quiet), added]) {
      const composed = compose(verifier)
      const refused = composed.verifyToken(await mint({ scopes: ['read'] }))
      await expect(refused).rejects.toMatchObject({ code: 'insufficient_scope', scopes: ['admin'] })
      expect(await composed.verifyToken(await mint({ scopes: ['admin'] }))).not.toBeNull()
    }
  })

  it.each<[string, object]>([
    ['nothing', {}],
    ['verifyToken that is no method', { verifyToken: true }],
    ['requiredScopes that are a text', { verifyToken: nobody, requiredScopes: 'read' }],
    ['requiredScopes that are a set', { verifyToken: nobody, requiredScopes: new Set(['read']) }],
    ['requiredScopes that are no scopes', { verifyToken: nobody, requiredScopes: ['a b'] }],
    ['recognizes that is no method', { verifyToken: nobody, recognizes: /^sk_/ }],
    ['recheck that is no method', { verifyToken: nobody, recheck: true }],
    ['close that is no method', { verifyToken: nobody, close: true }],
  ])('B-63 must be a verifier, not one with %s', (_name, value) => {
    expect(() => compose(value as TokenVerifier)).toThrow(TypeError)
  })

  it('keeps its traits, and is asked for them as the object it is', async () => {
    const calls: string[] = []
    class Traits implements TokenVerifier {
      readonly requiredScopes = ['read']
      readonly authorizationServers = ['https://as.example.com']
      readonly issuers = ['https://as.example.com']
      readonly name = 'traits'
      async verifyToken(token: string) {
        return { token, scopes: ['read'] }
      }
      recognizes(token: string) {
        calls.push(`recognizes ${this.name}`)
        return token === 'x'
      }
      recheck() {
        calls.push(`recheck ${this.name}`)
        return undefined
      }
      close() {
        calls.push(`close ${this.name}`)
      }
    }
    const composed = compose(new Traits()) as ReturnType<typeof anyOf>
    const { requiredScopes, authorizationServers, issuers } = composed
    expect({ requiredScopes, authorizationServers, issuers }).toEqual({
      requiredScopes: ['read'],
      authorizationServers: ['https://as.example.com'],
      issuers: ['https://as.example.com'],
    })
    expect([composed.recognizes?.('x'), composed.recognizes?.('y')]).toEqual([true, false])
    const token = await composed.verifyToken('x')
    expect(token && composed.recheck?.(token)).toBeUndefined()
    composed.close?.()
    for (const call of ['recognizes', 'recheck', 'close']) expect(calls).toContain(`${call} traits`)
  })
})

describe('a verifier of somebody else, composed', () => {
  /** Passes on what a verifier of ours says, as a subclass that calls `super.verifyToken` does. */
  class Passing extends BearerAuthProvider {
    override verifyToken(token: string, context?: VerifyContext) {
      return super.verifyToken(token, context)
    }
  }

  it.each(around)('in %s tells its caller once why a token is refused', async (_name, compose) => {
    const composed = compose(new Passing(options, quiet))
    const expired = await pair.createToken({ issuer, audience }, () => 1_000_000_000_000)
    for (let n = 0; n < 2; n++) {
      const told: string[] = []
      expect(await composed.verifyToken(expired, { refused: (reason) => told.push(reason) })).toBeNull()
      expect(told).toEqual(['expired'])
    }
  })

  it.each(around)('in %s may say anything about the reason', async (_name, compose) => {
    for (const word of ['nonsense', '__proto__', '', undefined]) {
      const told: string[] = []
      const verifier: TokenVerifier = {
        async verifyToken(_token, context) {
          Reflect.apply(context?.refused ?? (() => {}), context, [word])
          return null
        },
      }
      await compose(verifier).verifyToken('x', { refused: (reason) => told.push(reason) })
      expect(told).toEqual(['unknown_token'])
    }
  })

  it.each(around)(
    'in %s A-64 is told the hierarchy of its caller, and of no other',
    async (_name, compose) => {
      const composed = compose(new Passing({ ...options, requiredScopes: ['read'] }, quiet))
      const token = await mint({ scopes: ['admin'] })
      expect(await composed.verifyToken(token, { scopes: scopePolicy({ admin: ['read'] }) })).not.toBeNull()
      await expect(composed.verifyToken(token)).rejects.toMatchObject({ code: 'insufficient_scope' })
    },
  )

  it('gets the signal of its caller, made only when it looks', async () => {
    const { signal } = new AbortController()
    let made = 0
    const context = {
      get signal() {
        made += 1
        return signal
      },
    }
    const seen: unknown[] = []
    const looking: TokenVerifier = {
      async verifyToken(token, given) {
        if (token === 'look') seen.push(given?.signal)
        return null
      },
    }
    const composed = anyOf([revocable(looking, memoryRevocations())], quiet)
    await composed.verifyToken('pass', context)
    expect(made).toBe(0)
    await composed.verifyToken('look', context)
    await composed.verifyToken('look')
    expect(seen).toEqual([signal, undefined])
  })

  it('gets the address of its caller, the name of the request, and whether there is one', async () => {
    const seen: unknown[] = []
    const looking: TokenVerifier = {
      async verifyToken(_token, given) {
        seen.push([given?.address, given?.requestId, given?.isRecheck])
        return null
      },
    }
    const composed = anyOf([revocable(looking, memoryRevocations())], quiet)
    // As the gate gives it: getters of a class.
    class Context {
      get address() {
        return '192.0.2.1'
      }
      get requestId() {
        return 'r-1'
      }
    }
    await composed.verifyToken('x', new Context())
    await composed.verifyToken('x', { isRecheck: true })
    await composed.verifyToken('x')
    expect(seen).toEqual([
      ['192.0.2.1', 'r-1', undefined],
      [undefined, undefined, true],
      [undefined, undefined, undefined],
    ])
  })
})
