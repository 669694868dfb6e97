import { describe, expect, it } from 'vitest'
import { conceal, repeatsSecret, secretsOf } from './secrets.ts'

const secret = 'k3y/with+odd~characters=="quoted"'
const all = secretsOf([['x-api-key', secret]])

function escaped(what: RegExp, how: (hex: string) => string): string {
  return secret.replace(what, (char) => how(char.charCodeAt(0).toString(16)))
}

describe('E-61 a secret a server repeats', () => {
  it.each([
    ['as it is', secret],
    ['percent-encoded', encodeURIComponent(secret)],
    ['as a form', new URLSearchParams({ k: secret }).toString().slice(2)],
    ['in JSON', JSON.stringify(secret).slice(1, -1)],
    ['in JSON with escaped slashes', JSON.stringify(secret).slice(1, -1).replaceAll('/', '\\/')],
    ['in base64', Buffer.from(secret).toString('base64')],
    ['in base64url', Buffer.from(secret).toString('base64url')],
    ['in hexadecimal digits', Buffer.from(secret).toString('hex')],
    ['in capital hexadecimal digits', Buffer.from(secret).toString('hex').toUpperCase()],
    ['in JSON that escapes whatever HTML may read', escaped(/[^A-Za-z0-9]/g, (hex) => `\\u00${hex}`)],
    ['in JSON that escapes all', escaped(/./g, (hex) => `\\u00${hex}`)],
    ['in JavaScript', escaped(/[^A-Za-z0-9]/g, (hex) => `\\x${hex}`)],
    ['in HTML', escaped(/[^A-Za-z0-9]/g, (hex) => `&#x${hex};`)],
    ['in HTML with decimal numbers', escaped(/[^A-Za-z0-9]/g, (hex) => `&#${Number.parseInt(hex, 16)};`)],
    ['in HTML with names', secret.replaceAll('"', '&quot;').replaceAll('=', '&equals;')],
    ['in a URL that escapes all', escaped(/./g, (hex) => `%${hex.toUpperCase()}`)],
    ['in a URL in a URL', encodeURIComponent(encodeURIComponent(secret))],
    ['in JSON in JSON', JSON.stringify(JSON.stringify(secret).slice(1, -1)).slice(1, -1)],
  ])('%s is taken out', (_case, written) => {
    const clean = conceal(`before ${written} after`, all)
    expect(clean).toMatch(/^before \[redacted\]=* after$/)
  })

  it.each([0, 1, 2, 3])('in base64 of something else, %i bytes into it, is taken out', (shift) => {
    const [before, after] = ['-'.repeat(shift), 'behind it']
    const written = Buffer.from(before + secret + after).toString('base64')
    const clean = conceal(written, all)
    expect(clean).toContain('[redacted]')
    const left = Buffer.from(clean.replace('[redacted]', ''), 'base64').toString('latin1')
    for (let at = 0; at + 4 <= secret.length; at++) expect(left).not.toContain(secret.slice(at, at + 4))
  })

  it('in Basic is taken out decoded, too', () => {
    const basic = secretsOf([['authorization', `Basic ${btoa('alice:open sesame')}`]])
    expect(conceal('alice may not enter with "open sesame"', basic)).toBe(
      'alice may not enter with "[redacted]"',
    )
    expect(conceal('alice:open sesame', basic)).toBe('[redacted]')
    expect(conceal('Basic of alice', secretsOf([['authorization', 'Basic %%%']]))).toBe('Basic of alice')
  })

  it('is taken out where escapes are cut short or make no sense', () => {
    expect(conceal(`%zz &#99999999; \\u00 ${secret} %4`, all)).toBe('%zz &#99999999; \\u00 [redacted] %4')
    expect(conceal('%41%42 &amp; \\u0041', all)).toBe('%41%42 &amp; \\u0041')
  })

  it('is taken out when only its beginning is shown', () => {
    expect(conceal(`bad key ${secret.slice(0, 12)}…`, all)).toBe('bad key [redacted]…')
    expect(conceal(`bad key ${secret.slice(0, 20)}, ${secret.slice(0, 14)}`, all)).toBe(
      'bad key [redacted], [redacted]',
    )
    expect(conceal('bad key k3y/wi', all)).toBe('bad key k3y/wi')
  })

  it('is taken out piece by piece', () => {
    const cookies = secretsOf([['cookie', 'session=abcdef123456; csrf=fedcba654321']])
    expect(conceal('csrf fedcba654321 of abcdef123456', cookies)).toBe('csrf [redacted] of [redacted]')
    const jwt = secretsOf([['authorization', 'Bearer aaaaaaaaaaaaaaaa.bbbbbbbbbbbbbbbb.cccccccccccccccc']])
    expect(conceal('payload bbbbbbbbbbbbbbbb', jwt)).toBe('payload [redacted]')
  })

  it('leaves words alone: short ones, and the name of the scheme', () => {
    const headers = secretsOf([
      ['authorization', 'Bearer token-0123456789'],
      ['x-stage', 'prod'],
    ])
    expect(conceal('Bearer realm of prod', headers)).toBe('Bearer realm of prod')
    expect(conceal('anything', [''])).toBe('anything')
  })

  it('takes linear time', () => {
    const text = secret.slice(0, 12).repeat(5_000)
    expect(conceal(text, all)).toBe('[redacted]'.repeat(5_000))
    const page = `%25&#x26;\\u005c${'\\'.repeat(20)}`.repeat(5_000)
    expect(conceal(page, all)).toBe(page)
  })
})

it('only what is too long for chance counts as a repetition', () => {
  expect(repeatsSecret(`/login/${secret}`, all)).toBe(true)
  expect(repeatsSecret('/platform/mcp', secretsOf([['x-team', 'platform']]))).toBe(false)
})
