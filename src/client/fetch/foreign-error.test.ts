import { describe, expect, it } from 'vitest'
import { foreignError, foreignWords } from './foreign-error.ts'

const secret = 'q7f3kd92mxpw41zt'

describe('E-61 the error of somebody else is shown without what it may hold:', () => {
  it('its name, its code, its words and its place stay', () => {
    const error = Object.assign(new RangeError('the vault is sealed'), { code: 'ESEALED' })
    const shown = foreignError(error)
    expect(shown).toMatchObject({ name: 'RangeError', message: 'the vault is sealed', code: 'ESEALED' })
    expect(shown.stack).toMatch(/^RangeError: the vault is sealed\n {4}at .*foreign-error\.test/)
  })

  it.each([
    'connect ECONNREFUSED 127.0.0.1:8200',
    "ENOENT: no such file or directory, open '/run/secrets/vault-2/token'",
    'getaddrinfo ENOTFOUND vault-2.example.com',
    'status 503',
  ])('%s', (words) => {
    expect(foreignWords(new Error(words))).toBe(words)
  })

  it.each<[string, unknown]>([
    ['what looks like a token in pieces', new Error('vault: q7f3kd92+/mxPw41zt/sesame~==')],
    ['what looks like a token', new Error(`vault says ${secret}`)],
    ['what stands behind Bearer', new Error('Bearer open-sesame was refused')],
    ['a piece of a text that is no JSON', jsonError(`${'open sesame '.repeat(3)}`)],
    ['other members', Object.assign(new Error('no'), { request: { headers: { x: secret } } })],
    ['a name', Object.assign(new Error('no'), { name: `x-${secret}` })],
    ['a code', Object.assign(new Error('no'), { code: `x-${secret}` })],
    ['words that look like a place', new Error(`no\n    at ${secret} (a.js:1:1)`)],
    ['a stack of somebody', Object.assign(new Error('no'), { stack: `${secret}\n    at x` })],
    ['a cause', new Error('no', { cause: new Error(secret) })],
    ['a cause that is no error', new Error('no', { cause: { secret } })],
    ['a text', secret],
    ['an object', { secret, toString: () => secret }],
    ['nothing', undefined],
  ])('%s does not', (_case, error) => {
    const shown = foreignError(error)
    for (let at: unknown = shown; at instanceof Error; at = at.cause) {
      const text = `${at.stack} ${String(at)} ${JSON.stringify(at)} ${Reflect.ownKeys(at).join()}`
      expect(text).not.toMatch(/q7f3kd92|sesame/)
    }
    expect(foreignWords(error)).not.toMatch(/q7f3kd92|sesame/)
  })

  it('a chain that goes round ends', () => {
    const error: Error & { cause?: unknown } = new Error('no')
    error.cause = error
    let depth = 0
    for (let at: unknown = foreignError(error); at instanceof Error; at = at.cause) depth += 1
    expect(depth).toBe(5)
  })
})

function jsonError(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    return error
  }
}
