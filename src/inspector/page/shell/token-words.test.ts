import { expect, it } from 'vitest'
import { tokenWords } from './token-words.ts'

const now = Date.UTC(2030, 0, 1)
const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
const jwt = (claims: object) => `${part({ alg: 'RS256' })}.${part(claims)}.${'c'.repeat(86)}`

it('says when a JWT expires, before it is sent', () => {
  expect(tokenWords(jwt({ exp: now / 1000 + 3540 }), now).headline).toBe('A JWT that expires in 59 min.')
  expect(tokenWords(jwt({ exp: now / 1000 - 120 }), now).headline).toBe('A JWT that expired 2 min ago.')
})

it('warns of text that stands for a token', () => {
  const { warnings, problem } = tokenWords('${TOKEN}', now)
  expect(warnings).toHaveLength(1)
  expect(problem).toBeUndefined()
})

it('says what cannot be sent', () => {
  for (const text of ['x'.repeat(8193), 'a b', 'a\nb', 't\u00f6ken'])
    expect(tokenWords(text, now).problem).toMatch(/cannot be sent/)
  expect(tokenWords('', now)).toMatchObject({ headline: '', problem: undefined })
})

it('never says the token', () => {
  const token = jwt({ sub: 'ann' })
  const key = 'opaque-secret-value-99'
  for (const text of [token, key])
    expect(JSON.stringify(tokenWords(text, now))).not.toContain(text.slice(-12))
})
