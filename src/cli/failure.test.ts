import { describe, expect, it } from 'vitest'
import { AuthError, authErrorCodes, ToolError } from '../core/index.ts'
import { UsageError } from './command.ts'
import { authExitCodes } from './exit-codes.ts'
import { failureOf, failureText } from './failure.ts'

describe('a failure', () => {
  it.each(authErrorCodes)('of authentication, %s, has the exit code and the members of its error', (code) => {
    const error = new AuthError(code, 'no', { status: 401, server: 'reports', retryAfter: 5 })
    expect(failureOf(error, false)).toEqual({
      failure: { code, message: 'no', status: 401, server: 'reports', retryAfter: 5 },
      exit: authExitCodes[code],
    })
    expect(failureOf(new AuthError(code, 'no'), false).failure).toEqual({ code, message: 'no' })
  })

  it.each<[string, unknown, string, number]>([
    ['words', new UsageError('no'), 'usage', 2],
    ['a tool', new ToolError('no'), 'tool_error', 1],
    ['time', Object.assign(new Error('no'), { name: 'TimeoutError' }), 'timeout', 1],
    ['time, as the SDK says it', Object.assign(new Error('no'), { code: 'REQUEST_TIMEOUT' }), 'timeout', 1],
    ['anything', new Error('no'), 'failed', 1],
    ['no error at all', 'no', 'failed', 1],
  ])('of %s', (_of, error, code, exit) => {
    expect(failureOf(error, false)).toEqual({ failure: { code, message: 'no' }, exit })
  })

  it('after Ctrl-C is no failure of the server', () => {
    const error = new AuthError('invalid_token', 'no')
    expect(failureOf(error, true)).toEqual({
      failure: { code: 'interrupted', message: 'Interrupted' },
      exit: 130,
    })
  })

  it('FL-71 shows no credential, and no escape sequence of a server', () => {
    const { failure } = failureOf(new Error('Bearer abcdef0123456789 \u001b[2K'), false)
    expect(failureText(failure)).toBe('mcp-bearer: Bearer [redacted] \\x1b[2K')
  })

  it('says what to do', () => {
    const { failure } = failureOf(new AuthError('unauthorized', 'no'), false)
    expect(failureText(failure)).toMatch(/^mcp-bearer: no\nGive a token: --auth env:NAME/)
  })
})
