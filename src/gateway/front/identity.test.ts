import { decodeJwt, decodeProtectedHeader } from 'jose'
import { describe, expect, it } from 'vitest'
import { AccessToken } from '../../core/index.ts'
import { ECKeyPair } from '../../issuer/index.ts'
import { type IdentityAssertionOptions, identityAssertion } from './identity.ts'

const keyPair = await ECKeyPair.generate()
const given = { keyPair, issuer: 'https://gateway.example', audience: 'inner' }
const claims = { sub: 'alice', iss: 'https://id.example', client_id: 'app' }
const caller = new AccessToken({ token: 'alice-7f3a9c-token', claims, scopes: ['read', 'write'] })

function fakeClock() {
  let now = Date.UTC(2026, 0, 1)
  const advance = (milliseconds: number) => {
    now += milliseconds
  }
  return Object.assign(() => now, { advance })
}

describe('identityAssertion', () => {
  it('says who calls, and nothing of the token', async () => {
    const clock = fakeClock()
    const identity = identityAssertion({ ...given, clock, header: 'X-Caller', lifetimeSeconds: 30 })
    const headers = await identity.headers(caller)
    expect([identity.header, Object.keys(headers)]).toEqual(['x-caller', ['x-caller']])
    const now = clock() / 1000
    expect(decodeJwt(headers['x-caller']!)).toEqual({
      iss: 'https://gateway.example',
      sub: 'alice',
      aud: 'inner',
      scope: 'read write',
      client_id: 'app',
      orig_iss: 'https://id.example',
      iat: now,
      exp: now + 30,
    })
    expect(decodeProtectedHeader(headers['x-caller']!).kid).toBe(identity.jwks().keys[0]!.kid)
    expect(JSON.stringify(identity.jwks())).not.toContain('"d"')
  })

  it('is made anew when half of its life is over', async () => {
    const clock = fakeClock()
    const identity = identityAssertion({ ...given, clock })
    const first = await identity.headers(caller)
    clock.advance(29_999)
    expect(await identity.headers(caller)).toBe(first)
    clock.advance(1)
    const second = await identity.headers(caller)
    expect(second).not.toEqual(first)
    clock.advance(-3_600_000)
    expect(await identity.headers(caller)).not.toBe(second)
  })

  it('is made anew for other scopes of the same principal', async () => {
    const identity = identityAssertion(given)
    const less = new AccessToken({ token: 'alice-7f3a9c-token', claims, scopes: ['read'] })
    const [one, two] = [await identity.headers(caller), await identity.headers(less)]
    expect(decodeJwt(one['mcp-identity']!).scope).toBe('read write')
    expect(decodeJwt(two['mcp-identity']!).scope).toBe('read')
  })

  it('is good for no longer than the token', async () => {
    const clock = fakeClock()
    const identity = identityAssertion({ ...given, clock })
    const expiresAt = clock() / 1000 + 10
    const brief = new AccessToken({ token: 'brief-661020-token', claims: { sub: 'brief' }, expiresAt })
    expect(decodeJwt((await identity.headers(brief))['mcp-identity']!).exp).toBe(expiresAt)
  })

  it('names the client where a token has no subject', async () => {
    const machine = new AccessToken({ token: 'machine-1188ee-token', clientId: 'robot' })
    const { sub, client_id, orig_iss } = decodeJwt(
      (await identityAssertion(given).headers(machine))['mcp-identity']!,
    )
    expect([sub, client_id, orig_iss]).toEqual(['robot', 'robot', undefined])
  })

  it.each<[string, Record<string, unknown>]>([
    ['keyPair', { keyPair: {} }],
    ['issuer', { issuer: '' }],
    ['audience', { audience: undefined }],
    ['header', { header: 'Authorization' }],
    ['header', { header: 'Mcp-Session-Id' }],
    ['header', { header: 'mcp-param-user' }],
    ['header', { header: 'Content-Type' }],
    ['header', { header: 'a b' }],
    ['header', { header: 7 }],
    ['lifetimeSeconds', { lifetimeSeconds: 4 }],
    ['lifetimeSeconds', { lifetimeSeconds: 3601 }],
    ['clock', { clock: 7 }],
    ['"lifetime"', { lifetime: 7 }],
  ])('a wrong option is named: %s', (name, wrong) => {
    const make = () => identityAssertion({ ...given, ...wrong } as unknown as IdentityAssertionOptions)
    expect(make).toThrow(TypeError)
    expect(make).toThrow(name)
  })
})
