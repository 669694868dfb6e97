import { describe, expect, it } from 'vitest'
import { secretsOf } from '../../../core/index.ts'
import { credentialsIn, jsonWithout, shownHeaders, shownJson, shownText } from './redact-entry.ts'

const token = 'tok-4711-abcdefghijklmnop'
const secrets = secretsOf(token)

describe('headers', () => {
  it('keep their names, and the scheme in front of a credential', () => {
    expect(
      shownHeaders(
        [
          ['Authorization', 'Bearer whatever it is'],
          ['authorization', 'something-without-a-scheme'],
          ['X-API-Key', 'k'],
          ['Cookie', 'a=b'],
          ['x-inspector-session', 's'],
          ['X-Said', `it was ${token}`],
          ['Accept', 'application/json'],
          ['proxy-authorization', ''],
          [`x-${token}`, 'in its name'],
        ],
        secrets,
      ),
    ).toEqual([
      ['Authorization', 'Bearer [redacted]'],
      ['authorization', '[redacted]'],
      ['X-API-Key', '[redacted]'],
      ['Cookie', '[redacted]'],
      ['x-inspector-session', '[redacted]'],
      ['X-Said', 'it was [redacted]'],
      ['Accept', 'application/json'],
      ['proxy-authorization', ''],
      ['x-[redacted]', 'in its name'],
    ])
  })

  it('give the credentials in them, so that a body that says them again is cleaned as well', () => {
    expect(
      credentialsIn([
        ['authorization', 'Bearer altered-token'],
        ['X-API-Key', 'key-of-twelve'],
        ['authorization', 'Bearer x'],
        ['accept', 'application/json'],
      ]),
    ).toEqual(['altered-token', 'key-of-twelve'])
  })
})

describe('a body', () => {
  it.each([
    ['as it is', token],
    ['in a URL', encodeURIComponent(`${token}+/`)],
    ['in base64', btoa(token)],
    ['twice', `${token}${token}`],
    ['as JSON writes it in numbers', token.replace('t', '\\u0074').replace('4711', '4\\u0037\\u00311')],
  ])('loses the token %s', (_how, text) => {
    const shown = shownText(`<${text}>`, [...secrets, `${token}+/`], true)
    expect(shown).not.toMatch(/4(?:7|.u0037)/)
    expect(shown).toContain('[redacted]')
  })

  it('that goes on, or was cut, does not end in the middle of a token', () => {
    for (let length = 1; length < token.length; length += 1) {
      expect(shownText(`said: ${token.slice(0, length)}`, secrets, false)).toBe('said: ')
    }
    expect(shownText('said: to', secrets, true)).toBe('said: to')
    expect(shownText('nothing of it', secrets, false)).toBe('nothing of i')
    expect(shownText('nothing of it', [], false)).toBe('nothing of it')
  })

  it('that goes on does not end in the middle of a key that nobody knows yet', () => {
    const key = `mcpk_live_${'a1B2'.repeat(3)}_${'z9Y8x7'.repeat(7).slice(0, 38)}`
    for (let length = 'mcpk_live_'.length; length < key.length; length += 1) {
      expect(shownText(`${'x '.repeat(60)}"key":"${key.slice(0, length)}`, [], false)).toMatch(
        /"key":"(?:\[redacted\])?$/,
      )
    }
    expect(shownText(`its ${key}`, [], false)).toBe('its [redacted]')
  })

  it('that is JSON loses it in names and values, however deep, and keeps what names mean nothing', () => {
    const text = `{"a":[{"${token}":1,"b":"x ${token}"}],"__proto__":{"c":null},"constructor":"y"}`
    const shown = shownJson(text, secrets) as Record<string, unknown>
    expect(JSON.stringify(shown)).toBe(
      '{"a":[{"[redacted]":1,"b":"x [redacted]"}],"__proto__":{"c":null},"constructor":"y"}',
    )
    expect(Object.getPrototypeOf(shown)).toBe(Object.prototype)
    expect(() => shownJson('{', secrets)).toThrow(SyntaxError)
  })
})

describe('JSON that was asked for', () => {
  const slashed = 'tok/4711/abcdefgh'
  it.each([
    ['as it is', `{"a":["${token}"],"${token}":"x ${token} x"}`],
    ['in numbers', `{"a":["\\u0074ok-4711-abcdefghijklmnop"]}`],
    ['with slashes as some write them', `{"a":"${slashed.replaceAll('/', '\\/')}"}`],
    ['in base64', `{"a":"${btoa(token)}"}`],
  ])('loses the tokens, written %s', (_how, text) => {
    const left = JSON.stringify(jsonWithout(text, [...secrets, slashed]))
    expect(left).toContain('[redacted]')
    expect(left).not.toMatch(/4711|dG9rLTQ3/)
  })

  it('keeps what only looks like a credential, and names that mean nothing', () => {
    const text = '{"next":"eyJhbGciOiJIUzI1NiJ9.e30.x","__proto__":{"token":"abc"},"a":1}'
    expect(JSON.stringify(jsonWithout(text, secrets))).toBe(text)
    expect(JSON.stringify(jsonWithout(`[${text},"${token}"]`, secrets))).toBe(`[${text},"[redacted]"]`)
    expect(() => jsonWithout('{', secrets)).toThrow(SyntaxError)
  })

  it('is read however deep it is, and refused where a token stands in too deep a place', () => {
    const deep = (inner: string) => `${'['.repeat(20_000)}${inner}${']'.repeat(20_000)}`
    expect(Array.isArray(jsonWithout(deep('1'), secrets))).toBe(true)
    expect(() => jsonWithout(deep(`"${token}"`), secrets)).toThrow(RangeError)
  })
})
