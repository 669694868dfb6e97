import { describe, expect, it } from 'vitest'
import { AuthError, type AuthErrorCode, authErrorCodes } from './errors.ts'

/** The union, written once more: the compiler refuses a missing and a superfluous code. */
const union: Record<AuthErrorCode, true> = {
  unauthorized: true,
  invalid_token: true,
  insufficient_scope: true,
  invalid_request: true,
  access_denied: true,
  forbidden_origin: true,
  rate_limited: true,
  verifier_unavailable: true,
  server_error: true,
  token_unavailable: true,
  origin_mismatch: true,
}

describe('AuthError', () => {
  it('has a list of codes that is the union, frozen', () => {
    expect([...authErrorCodes].sort()).toEqual(Object.keys(union).sort())
    expect(Object.isFrozen(authErrorCodes)).toBe(true)
  })

  it.each(authErrorCodes)('has a sentence for %s', (code) => {
    const error = new AuthError(code)
    expect(error).toBeInstanceOf(Error)
    expect(error.name).toBe('AuthError')
    expect(error.code).toBe(code)
    expect(error.message).toMatch(/^[A-Z].+[^.]$/)
  })

  it('A-67 has a different sentence for each code', () => {
    expect(new Set(authErrorCodes.map((code) => new AuthError(code).message)).size).toBe(
      authErrorCodes.length,
    )
  })

  it.each(['sk-S3CRET', 'toString', '__proto__', '', undefined, null])(
    'refuses the unknown code %j without repeating it',
    (code) => {
      const attempt = () => new AuthError(code as AuthErrorCode)
      expect(attempt).toThrow(TypeError)
      expect(attempt).toThrow(expect.not.objectContaining({ message: expect.stringContaining('S3CRET') }))
    },
  )

  it('keeps the cause, and has none of its own', () => {
    const cause = new Error('socket hang up')
    expect(new AuthError('verifier_unavailable', 'down', { cause }).cause).toBe(cause)
    expect('cause' in new AuthError('verifier_unavailable')).toBe(false)
    expect('cause' in new AuthError('verifier_unavailable', 'down', { cause: undefined })).toBe(true)
  })

  it('carries the details and copies the scopes', () => {
    const scopes = ['a']
    const challenge = { scopes: ['a'], error: 'insufficient_scope' }
    const error = new AuthError('insufficient_scope', 'more, please', {
      scopes,
      challenge,
      status: 403,
      retryAfter: 0,
      server: '',
    })
    scopes.push('b')
    expect(error).toMatchObject({
      message: 'more, please',
      scopes: ['a'],
      challenge,
      status: 403,
      retryAfter: 0,
      server: '',
    })
    expect(Object.isFrozen(error.scopes)).toBe(true)
  })

  it('has no details that were not given', () => {
    // A member that is there and undefined would show in every printed error.
    expect(Object.keys(new AuthError('unauthorized')).sort()).toEqual(['code', 'name'])
  })
})
