import { describe, expect, it } from 'vitest'
import { isBearerToken } from '../../core/index.ts'
import { parsePart } from '../../verify/part.ts'
import { jwtOf, noSignature, randomText, readJwt, withOneChange } from './guesses.ts'

describe('tokens that are not good', () => {
  it('have the form of good ones', () => {
    const token = jwtOf({ alg: 'RS256' }, { sub: 'ü' }, noSignature())
    expect(isBearerToken(token)).toBe(true)
    expect(readJwt(token)).toMatchObject({ header: { alg: 'RS256' }, claims: { sub: 'ü' } })
    expect(parsePart(token.split('.')[1]!)).toEqual({ sub: 'ü' })
    expect(noSignature()).toHaveLength(342)
    expect(randomText(20)).not.toBe(randomText(20))
  })

  it('differ from the original in one character, away from the end', () => {
    for (const text of ['abcdefgh', 'xxxxxxxx', 'ab']) {
      const changed = withOneChange(text)
      const places = [...text].flatMap((char, at) => (char === changed[at] ? [] : [at]))
      expect(changed).toHaveLength(text.length)
      expect(places).toEqual([Math.floor(text.length / 2)])
    }
  })

  it.each(['', 'a.b.c', 'opaque', 'e30.e30', 'bnVsbA.e30.x'])('"%s" is no JWT', (text) => {
    expect(readJwt(text)).toBeUndefined()
  })
})
