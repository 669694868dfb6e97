import { describe, expect, it } from 'vitest'
import { conceal, repeatsSecret, secretsOf } from './secrets.ts'

const secret = 'k3y/with+odd~characters=="quoted"'
const all = secretsOf([['x-api-key', secret]])

describe('E-61 a secret a server repeats', () => {
  it.each([
    ['as it is', secret],
    ['percent-encoded', encodeURIComponent(secret)],
    ['as a form', new URLSearchParams({ k: secret }).toString().slice(2)],
    ['in JSON', JSON.stringify(secret).slice(1, -1)],
    ['in JSON with escaped slashes', JSON.stringify(secret).slice(1, -1).replaceAll('/', '\\/')],
    ['in base64', Buffer.from(secret).toString('base64')],
    ['in base64url', Buffer.from(secret).toString('base64url')],
  ])('%s is taken out', (_case, written) => {
    const clean = conceal(`before ${written} after`, all)
    expect(clean).toMatch(/^before \[redacted\]=* after$/)
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
  })
})

it('only what is too long for chance counts as a repetition', () => {
  expect(repeatsSecret(`/login/${secret}`, all)).toBe(true)
  expect(repeatsSecret('/platform/mcp', secretsOf([['x-team', 'platform']]))).toBe(false)
})
