import { describe, expect, it } from 'vitest'
import type { Refusal } from '../state.ts'
import { adviceFor } from './advice.ts'
import { expiryWords, saidBetween } from './expiry-words.ts'
import { readWhoAmI } from './whoami.ts'

const refusal = (status: number, withToken: boolean, challenge?: Refusal['challenge']): Refusal => ({
  status,
  withToken,
  challenge,
  header: '',
  body: '',
})

describe('the advice on a refusal', () => {
  it.each([
    [refusal(401, false), /no Bearer challenge/],
    [refusal(401, false, { scopes: [] }), /Put one into the box/],
    [refusal(401, false, { scopes: [], resourceMetadata: 'https://a.example/' }), /metadata says who issues/],
    [refusal(401, true), /does not say why/],
    [refusal(401, true, { scopes: [] }), /saw no token/],
    [refusal(401, true, { scopes: [], error: 'invalid_token' }), /Get a new one for this server/],
    [refusal(401, true, { scopes: [], error: 'odd' }), /"odd"/],
    [refusal(403, true, { scopes: ['a', 'b'], error: 'insufficient_scope' }), /these scopes: a, b\./],
    [refusal(403, true, { scopes: [], error: 'insufficient_scope' }), /does not say which scopes/],
    [refusal(403, true), /origin or host name/],
    [refusal(400, true, { scopes: [] }), /malformed, or came twice/],
  ])('%#: is another one for each case', (said, words) => {
    expect(adviceFor(said)).toMatch(words)
  })
})

describe('the time that is left', () => {
  it.each([
    [3_552_000, 'in 59 minutes 12 seconds'],
    [60_000, 'in 1 minute'],
    [61_000, 'in 1 minute 1 second'],
    [2 * 86_400_000 + 3_600_000, 'in 2 days 1 hour'],
    [500, 'now'],
    [-500, 'now'],
    [-3_661_000, '1 hour 1 minute ago'],
  ])('%i ms are said as %s', (ms, words) => {
    expect(expiryWords(ms)).toBe(words)
  })

  it('is said aloud three times and no more', () => {
    const said: string[] = []
    for (let left = 400_000; left > -20_000; left -= 1000) {
      const words = saidBetween(left, left - 1000)
      if (words) said.push(words)
    }
    expect(said).toEqual([
      'The token expires in five minutes.',
      'The token expires in one minute.',
      'The token has expired.',
    ])
    expect(saidBetween(400_000, -5000)).toBe('The token has expired.')
  })
})

describe('who the server says one is', () => {
  it.each([undefined, null, [], 'x', {}, { authenticated: 'yes' }])('is not said by %j', (told) => {
    expect(readWhoAmI(told)).toBeUndefined()
  })

  it('is read as far as it is well formed', () => {
    expect(
      readWhoAmI({
        authenticated: true,
        subject: 7,
        clientId: 'till',
        scopes: ['a', 1],
        tools: ['b'],
        claims: [],
        more: 1,
      }),
    ).toEqual({ authenticated: true, clientId: 'till', tools: ['b'] })
  })
})
