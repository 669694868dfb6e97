import { describe, expect, it } from 'vitest'
import { answerOf } from './answer.ts'
import { hasStackTrace, leaksOf, words } from './leaks.ts'

function refusal(body: object, challenge = 'Bearer realm="mcp", error="invalid_token"') {
  const request = { method: 'POST', target: '/mcp', headers: [] }
  const headers = [['www-authenticate', challenge]] as const
  return answerOf(request, { status: 401, headers, body: JSON.stringify(body), isCut: false, ms: 1 })
}

const own = 'https://mcp.example'

describe('what a refusal gives away', () => {
  it.each([
    'jwt audience invalid. expected: my-service',
    'jwt issuer invalid. expected: https://id.example',
    'Issuer must be "https://id.example"',
    'audience should be my-service',
    'Expected aud `my-service`',
    'oidc: expected audience "my-service" got []',
    'oidc: id token issued by a different provider, expected "https://id.example" got "x"',
    "IDX10214: Audience validation failed. Audiences: 'x'. Did not match: ValidAudience: 'my-service'",
  ])('%s', (text) => {
    expect(leaksOf(refusal({ error_description: text }), [], own)).toHaveLength(1)
    expect(leaksOf(refusal({ error: { message: text } }), [], own)).toHaveLength(1)
  })

  it.each([
    'Token is invalid or expired',
    'The access token expired',
    "Invalid Authorization header format, expected 'Bearer TOKEN'",
    'Authorization must be: Bearer <token>',
    'Authentication required',
    'unexpected "iss" claim value',
    'The audience must be set',
    'A valid token is needed; see https://mcp.example/help',
    'An access token is expected. See https://docs.example/auth',
    'The token must be valid for this audience; the issuer should be known',
    'Invalid issuer. Allowed methods are described at https://docs.example/auth, read https://x.example',
    'Invalid token format, expected: JWT',
    "The header 'typ' must be 'at+jwt'",
  ])('nothing: %s', (text) => {
    expect(leaksOf(refusal({ error_description: text }), [], own)).toEqual([])
  })

  it('a word of the token that was sent', () => {
    expect(leaksOf(refusal({ message: 'unknown kid probe-kid-x' }), ['probe-kid-x'], own)).toEqual([
      'repeats something of the token',
    ])
    expect(
      leaksOf(refusal({}, 'Bearer error_description="no probe-kid-x"'), ['probe-kid-x'], own),
    ).toHaveLength(1)
  })

  it('a stack trace', () => {
    expect(hasStackTrace('Error: x\n    at verify (/srv/app/dist/auth.js:10:5)')).toBe(true)
    expect(hasStackTrace('Traceback (most recent call last):\n  File "/app/a.py", line 3')).toBe(true)
    expect(hasStackTrace('at com.example.Auth.check(Auth.java:42)')).toBe(true)
    expect(hasStackTrace('goroutine 12 [running]:')).toBe(true)
    expect(hasStackTrace('Look at https://mcp.example/docs/app.js for more')).toBe(false)
  })
})

describe('two refusals say the same', () => {
  it.each([
    ['Request 8f3e-aa01 was refused', 'Request 01ab-cd99 was refused'],
    ['Refused at 2026-01-01T00:00:01Z', 'Refused at 2026-01-01T00:00:02Z'],
  ])('%s', (one, other) => {
    expect(words(refusal({ message: one }), [])).toBe(words(refusal({ message: other }), []))
  })

  it('or not', () => {
    expect(words(refusal({ message: 'expired' }), [])).not.toBe(words(refusal({ message: 'unknown' }), []))
  })
})
