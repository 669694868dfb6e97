import { describe, expect, it } from 'vitest'
import { makeKey } from '../apikeys/format.ts'
import { memoryKeyStore } from '../apikeys/stores/memory.ts'
import { apiKeyVerifier } from './api-key.ts'
import type { ApiKeyVerifierOptions } from './api-key-options.ts'
import { ApiKeyAuthProvider } from './api-key-provider.ts'

const quiet = { logger: () => {} }
const store = memoryKeyStore()
const { find: _find, ...blind } = store

describe('B-105 apiKeyVerifier', () => {
  const wrong: readonly [string, unknown, RegExp][] = [
    ['nothing', undefined, /options must be an object/],
    ['no store', {}, /store must be a KeyStore/],
    ['a store that is null', { store: null }, /store must be a KeyStore/],
    ['a promise of a store', { store: Promise.resolve(store) }, /store is a promise; await it/],
    ['a list of keys', { store: ['sk-abc123'] }, /store must be a KeyStore/],
    ['a store that cannot find', { store: blind }, /it has no method find/],
    ['a misspelt option', { store, audiance: 'x' }, /unknown option "audiance"/],
    ['an empty audience', { store, audience: '' }, /audience must be a non-empty string/],
    ['several audiences', { store, audience: ['a'] }, /audience must be a non-empty string/],
    ['another environment', { store, environment: 'production' }, /environment must be/],
    ['a prefix with an underscore', { store, prefix: 'my_app' }, /prefix/],
    ['a prefix that is empty', { store, prefix: '' }, /prefix/],
    ['scopes that are none', { store, requiredScopes: ['a b'] }, /requiredScopes/],
    ['no pepper', { store, peppers: [] }, /peppers/],
    ['a short pepper', { store, peppers: [{ id: 'p', secret: 'short' }] }, /peppers/],
    ['imported as text', { store, imported: 'yes' }, /imported must be true or false/],
    ['a longer life than promised', { store, maxAge: 6 }, /maxAge must be a number from 0 to 5/],
    ['a negative age', { store, maxAge: -1 }, /maxAge/],
    ['an endless outage', { store, serveLastKnownFor: Number.POSITIVE_INFINITY }, /serveLastKnownFor/],
  ]

  it.each(wrong)('is not made with %s', (_name, options, message) => {
    expect(() => apiKeyVerifier(options as ApiKeyVerifierOptions, quiet)).toThrow(TypeError)
    expect(() => apiKeyVerifier(options as ApiKeyVerifierOptions, quiet)).toThrow(message)
    expect(() => new ApiKeyAuthProvider(options as ApiKeyVerifierOptions, quiet)).toThrow(TypeError)
  })

  it('is a subclass that needs a store as well', () => {
    class Mine extends ApiKeyAuthProvider {
      override async verifyToken() {
        return null
      }
    }
    expect(() => new Mine({} as ApiKeyVerifierOptions)).toThrow(/store/)
    expect(new Mine({ store }, quiet).recognizes).toBeUndefined()
  })

  it('asks nothing before the first key', () => {
    const asked: string[] = []
    const watched = new Proxy(store, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name)
        if (typeof value !== 'function') return value
        return (...given: unknown[]) => {
          asked.push(String(name))
          return Reflect.apply(value, target, given)
        }
      },
    })
    apiKeyVerifier({ store: watched }, quiet)
    expect(asked).toEqual([])
  })
})

describe('what a verifier recognizes', () => {
  const { key } = makeKey('mcpk', 'live')
  const test = makeKey('mcpk', 'test').key
  const other = makeKey('other', 'live').key
  const typo = key.slice(0, -1) + (key.endsWith('a') ? 'b' : 'a')
  const recognized = (options: Partial<ApiKeyVerifierOptions>) => {
    const { recognizes } = apiKeyVerifier({ store, ...options }, quiet)
    return [
      key,
      test,
      other,
      typo,
      key.slice(0, -9),
      'eyJh.eyJh.c2ln',
      'a.b.c',
      'opaque',
      '',
      7 as never,
    ].map((text) => recognizes?.(text))
  }

  it('is the form of a key, mistyped ones included', () => {
    const [yes, no] = [true, false]
    expect(recognized({})).toEqual([yes, yes, yes, yes, no, no, no, no, no, no])
    expect(recognized({ prefix: 'mcpk' })).toEqual([yes, yes, no, yes, yes, no, no, no, no, no])
  })

  it('cannot be said of keys that were imported', () => {
    expect(recognized({ imported: true })).toEqual(Array.from({ length: 10 }))
  })
})
