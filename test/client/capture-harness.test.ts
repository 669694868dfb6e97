import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { expectNoLeak, fixture, partedFixture, plainFixture } from './capture.ts'

const token = fixture('a token')
const jwt = partedFixture('a token in parts')
const secrets = { token, jwt }

const base64 = (text: string): string => Buffer.from(text).toString('base64')

/** A leak in each place that is looked at: each has to be found, or the tests beside this one say nothing. */
const leaks: readonly [string, () => unknown][] = [
  ['standard output', () => void process.stdout.write(`> ${token}\n`)],
  ['standard error, as bytes', () => void process.stderr.write(Buffer.from(`> ${token}\n`))],
  ['console.log', () => console.log('a', { b: [token] })],
  ['console.error', () => console.error(new Error('no', { cause: token }))],
  ['console.dir', () => console.dir({ token })],
  ['a warning', () => process.emitWarning(`deprecated ${token}`)],
  ['a message', () => Promise.reject(new Error(`refused ${token}`))],
  ['a stack', () => Promise.reject(Object.assign(new Error('no'), { stack: `Error: ${token}\n    at x` }))],
  ['a cause', () => Promise.reject(new Error('no', { cause: new TypeError(token) }))],
  [
    'a cause of a cause that is no error',
    () => new Error('no', { cause: new Error('no', { cause: { token } }) }),
  ],
  ['an error of many', () => new AggregateError([new Error(token)], 'no')],
  ['a member', () => Object.assign(new Error('no'), { request: { headers: { a: token } } })],
  ['a hidden member', () => Object.defineProperty({}, 'token', { value: token, enumerable: false })],
  ['a symbol', () => ({ [Symbol('token')]: token })],
  ['the name of a symbol', () => ({ [Symbol(token)]: 1 })],
  ['a getter', () => Object.defineProperty({}, 'token', { get: () => token })],
  ['a map', () => ({ headers: new Map([['a', token]]) })],
  ['headers', () => new Headers({ authorization: `Bearer ${token}` })],
  ['a URL', () => ({ url: new URL(`https://mcp.example.com/?key=${encodeURIComponent(token)}`) })],
  ['toJSON', () => ({ toJSON: () => ({ token }) })],
  ['toString', () => ({ toString: () => token })],
  ['its own inspect', () => ({ [inspect.custom]: () => token })],
  ['a member of a function', () => Object.assign(() => {}, { token })],
  ['a text', () => token],
  ['one part of three', () => jwt.split('.')[1]],
  ['eight characters out of the middle', () => `…${token.slice(20, 28)}…`],
  ['base64', () => base64(token)],
  ['base64 of something with it inside', () => base64(`Authorization: Bearer ${jwt}; a=b`)],
  ['base64 of the same, one further', () => base64(`Authorization:  Bearer ${jwt}; a=b`)],
  ['base64 of the same, two further', () => base64(`Authorization:   Bearer ${jwt}; a=b`)],
  ['base64url', () => Buffer.from(token).toString('base64url')],
  ['hex', () => Buffer.from(token).toString('hex')],
  ['JSON in JSON', () => JSON.stringify(JSON.stringify({ token }))],
  ['a percent-encoded URL', () => `https://x.example/?t=${encodeURIComponent(token)}`],
  ['the name of a host', () => new URL(`https://${plainFixture('key')}.example/`).hostname],
]

describe('a planted leak is found in', () => {
  it.each(leaks)('%s', async (_place, leak) => {
    await expect(expectNoLeak({ ...secrets, key: plainFixture('key') }, leak)).rejects.toThrow('there is')
  })

  it('nothing, where there is none', async () => {
    await expectNoLeak(secrets, () => {
      console.log('no secret')
      throw new Error('refused', { cause: new Error('[redacted]') })
    })
  })

  it('a fixture that is too short to be found', async () => {
    await expect(expectNoLeak({ short: 'abc' }, () => {})).rejects.toThrow('too short')
  })
})
