import { setTimeout as later, setImmediate as turn } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { AccessToken, AuthError } from '../core/index.ts'
import { getAccessToken, requireAuth, requireScopes, runWithToken } from './context.ts'
import { bearerGate, runBehind } from './gate.ts'

const alice = new AccessToken({ token: 'a', clientId: 'alice', scopes: ['read', 'admin'] })

function codeOf(fn: () => unknown): string {
  try {
    fn()
    return 'none'
  } catch (error) {
    return error instanceof AuthError ? error.code : String(error)
  }
}

describe('the ambient identity', () => {
  it('FL-16 D-20 is absent outside a request', () => {
    expect(getAccessToken()).toBeUndefined()
    expect(codeOf(requireAuth)).toBe('unauthorized')
    expect(codeOf(() => requireScopes('read'))).toBe('unauthorized')
  })

  it('FL-16 D-20 keeps 200 interleaved requests apart, through awaits, timers and background work', async () => {
    const background: Promise<[string, string | undefined]>[] = []
    const mine = async (name: string) => {
      const seen = [getAccessToken()?.clientId]
      await turn()
      seen.push(getAccessToken()?.clientId)
      background.push(later(1).then(() => [name, getAccessToken()?.clientId]))
      await later(0)
      seen.push(requireAuth().clientId)
      return seen
    }
    const names = Array.from({ length: 200 }, (_, index) => `caller-${index}`)
    const all = await Promise.all(
      names.map((name) =>
        runWithToken({ token: new AccessToken({ token: name, clientId: name }) }, () => mine(name)),
      ),
    )
    expect(all).toEqual(names.map((name) => [name, name, name]))
    for (const [name, seen] of await Promise.all(background)) expect(seen).toBe(name)
    expect(background).toHaveLength(200)
    expect(getAccessToken()).toBeUndefined()
  })

  it('FL-17 a server without authentication inside one with it has no identity', () => {
    const inner = () => runWithToken({ token: undefined }, getAccessToken)
    expect(runWithToken({ token: alice }, inner)).toBeUndefined()
  })

  it('FL-16 ends with the token, also in background work', async () => {
    let now = 999_000
    const token = new AccessToken({ token: 'a', clientId: 'alice', expiresAt: 1000, clockSkew: 60 })
    const seen: (string | undefined)[] = []
    await runWithToken({ token, clock: () => now }, async () => {
      seen.push(getAccessToken()?.clientId)
      now = 1_059_999
      await turn()
      seen.push(getAccessToken()?.clientId)
      now = 1_060_000
      await turn()
      seen.push(getAccessToken()?.clientId)
      expect(codeOf(requireAuth)).toBe('unauthorized')
    })
    expect(seen).toEqual(['alice', 'alice', undefined])
  })

  it('FL-16 ends by the clock of the gate it passed', () => {
    const token = new AccessToken({ token: 'a', clientId: 'alice', expiresAt: 1000 })
    const at = (seconds: number) =>
      bearerGate({ verifier: { verifyToken: async () => null }, clock: () => seconds * 1000 })
    expect(runBehind(at(999), token, getAccessToken)).toBe(token)
    expect(runBehind(at(1000), token, getAccessToken)).toBeUndefined()
  })

  it('returns what the function returns', () => {
    expect(runWithToken({ token: alice }, () => 42)).toBe(42)
    expect(runWithToken({ token: alice }, requireAuth)).toBe(alice)
  })
})

describe('requireScopes', () => {
  const asAlice = <T>(fn: () => T) => runWithToken({ token: alice }, fn)

  it('gives the token when all scopes are there', () => {
    expect(asAlice(() => requireScopes('read', 'admin'))).toBe(alice)
  })

  it('A-63 names all scopes when one is missing', () => {
    expect.assertions(2)
    try {
      asAlice(() => requireScopes('read', 'write'))
    } catch (error) {
      expect(error).toBeInstanceOf(AuthError)
      expect(error).toMatchObject({ code: 'insufficient_scope', scopes: ['read', 'write'] })
    }
  })

  it('A-64 counts the hierarchy of the gate', () => {
    const verifier = { verifyToken: async () => null }
    const gate = bearerGate({ verifier, scopeHierarchy: { admin: ['write'] } })
    expect(codeOf(() => runBehind(gate, alice, () => requireScopes('write')))).toBe('none')
    expect(codeOf(() => asAlice(() => requireScopes('write')))).toBe('insufficient_scope')
  })

  it('refuses to be asked for nothing, or for what is no scope', () => {
    expect(() => asAlice(() => requireScopes())).toThrow(TypeError)
    expect(() => asAlice(() => requireScopes('a b'))).toThrow(TypeError)
  })
})
