import { describe, expect, it } from 'vitest'
import { AuthError, authErrorCodes, parseChallenges } from '../core/index.ts'
import { answers, refusalResponse, refusalWriter } from './refusal.ts'

const metadata = 'https://mcp.example.com/.well-known/oauth-protected-resource/mcp'

describe('refusalWriter', () => {
  const write = refusalWriter({ realm: 'mcp', scope: ['mcp:read'], resourceMetadata: metadata })

  it.each(authErrorCodes)('%s answers with its row: status, JSON, no-store, exact length', (code) => {
    const { status, headers, body } = write(code)
    expect(status).toBe(answers[code].status)
    expect(JSON.parse(body)).toMatchObject({ error: answers[code].error })
    expect(headers['content-type']).toBe('application/json')
    expect(headers['cache-control']).toBe('no-store')
    expect(headers['content-length']).toBe(String(Buffer.byteLength(body)))
    expect('www-authenticate' in headers).toBe(answers[code].challenge)
    expect('retry-after' in headers).toBe(status === 429 || status === 503)
  })

  it('A-60 A-62 writes challenges that a strict reader takes apart again', () => {
    expect(parseChallenges(write('invalid_token').headers['www-authenticate']!)).toEqual([
      {
        scheme: 'Bearer',
        params: {
          realm: 'mcp',
          error: 'invalid_token',
          error_description: 'Token is invalid or expired',
          scope: 'mcp:read',
          resource_metadata: metadata,
        },
      },
    ])
  })

  it('A-43 A-49 a forbidden origin gets no challenge and no description', () => {
    expect(write('forbidden_origin')).toMatchObject({ status: 403, body: '{"error":"forbidden_origin"}' })
    expect(write('forbidden_origin').headers['www-authenticate']).toBeUndefined()
  })

  it('costs nothing for the usual answers: the same object each time, frozen', () => {
    expect(write('unauthorized')).toBe(write('unauthorized'))
    expect(write('invalid_token')).toBe(write('invalid_token', new AuthError('invalid_token')))
    expect(write('invalid_token', { expired: true })).toBe(write('invalid_token', { expired: true }))
    expect(write('server_error', new AuthError('server_error'))).toBe(write('server_error'))
    expect(Object.isFrozen(write('unauthorized'))).toBe(true)
    expect(Object.isFrozen(write('unauthorized').headers)).toBe(true)
  })

  it('A-63 names all scopes at once: those of every request, and those of the operation', () => {
    const { headers, body } = write('insufficient_scope', { scopes: ['files:write', 'mcp:read'] })
    expect(headers['www-authenticate']).toContain('scope="mcp:read files:write"')
    expect(JSON.parse(body)).toMatchObject({ scope: 'mcp:read files:write' })
  })

  it('names no scope when there is none to name', () => {
    const { headers, body } = refusalWriter({ realm: 'mcp' })('insufficient_scope')
    expect(headers['www-authenticate']).not.toContain('scope="')
    expect(JSON.parse(body)).not.toHaveProperty('scope')
  })

  it('A-66 FL-62 leaves out what cannot stand in a header', () => {
    const { headers, body } = write('insufficient_scope', {
      scopes: ['a"b', 'a\\b', 'a\r\nX-Evil: 1', '\u00e9', 'ok'],
    })
    expect(headers['www-authenticate']).toContain('scope="mcp:read ok"')
    expect(JSON.parse(body)).toMatchObject({ scope: 'mcp:read ok' })
  })

  it.each([
    [0, '0'],
    [0.2, '1'],
    [12, '12'],
    [1e12, '86400'],
    [-1, '5'],
    [Number.NaN, '5'],
    [Number.POSITIVE_INFINITY, '86400'],
  ])('A-44 writes a Retry-After of %d as %s', (retryAfter, expected) => {
    expect(write('verifier_unavailable', { retryAfter }).headers['retry-after']).toBe(expected)
  })

  it.each([
    ['realm', { realm: 'a"\r\nX-Evil: 1' }],
    ['realm', { realm: '' }],
    ['realm', { realm: '\u00e9' }],
    ['realm', { realm: 1 as never }],
    ['requiredScopes', { realm: 'mcp', scope: ['a b'] }],
    ['requiredScopes', { realm: 'mcp', scope: ['a"b'] }],
    ['requiredScopes', { realm: 'mcp', scope: ['offline_access'] }],
    ['resourceMetadata', { realm: 'mcp', resourceMetadata: '/relative' }],
    ['resourceMetadata', { realm: 'mcp', resourceMetadata: 'ftp://mcp.example.com/' }],
    ['resourceMetadata', { realm: 'mcp', resourceMetadata: 'https://a@mcp.example.com/' }],
    ['resourceMetadata', { realm: 'mcp', resourceMetadata: 'https://mcp.example.com/"\r\nX-Evil: 1' }],
    ['resourceMetadata', { realm: 'mcp', resourceMetadata: new URL(metadata) as never }],
  ])('A-65 A-70 refuses a bad %s when it is made (%#)', (option, options) => {
    expect(() => refusalWriter(options)).toThrow(TypeError)
    expect(() => refusalWriter(options)).toThrow(option)
  })

  it('A-70 escapes what may stand in a realm', () => {
    const { headers } = refusalWriter({ realm: 'a "quoted" \\ realm' })('unauthorized')
    expect(parseChallenges(headers['www-authenticate']!)[0]?.params.realm).toBe('a "quoted" \\ realm')
  })
})

describe('refusalResponse', () => {
  const refusal = refusalWriter({ realm: 'mcp' })('unauthorized')

  it('carries status, headers and body', async () => {
    const response = refusalResponse(refusal)
    expect(response.status).toBe(401)
    expect(Object.fromEntries(response.headers)).toEqual(refusal.headers)
    expect(await response.text()).toBe(refusal.body)
  })

  it('A-72 has no body for HEAD, and the same headers', async () => {
    const response = refusalResponse(refusal, 'HEAD')
    expect(Object.fromEntries(response.headers)).toEqual(refusal.headers)
    expect(response.body).toBeNull()
  })
})
