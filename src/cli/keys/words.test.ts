import { describe, expect, it } from 'vitest'
import { makeKey } from '../../apikeys/format.ts'
import { UsageError } from '../command.ts'
import { chunks, countOf, keyIdOf, metadataOf, ownerOf, ownerText, rateOf, scopesOf } from './words.ts'

describe('the words of keys', () => {
  it('an id is an id; a whole key in its place is not repeated', () => {
    expect(keyIdOf('4fVqmPzLk2aB')).toBe('4fVqmPzLk2aB')
    const { key, id } = makeKey('mcpk', 'live')
    const secret = key.slice(-38)
    expect(() => keyIdOf(key)).toThrow(`this is a whole key, and its id is asked for: ${id}`)
    expect(() => keyIdOf(key)).not.toThrow(secret)
    for (const word of ['', '4fVqmPzLk2a', '4fVqmPzLk2aB1', '__proto__', '../../../../', secret]) {
      expect(() => keyIdOf(word)).toThrow('an id has 12 letters and digits')
    }
  })

  it.each([
    ['alice', { id: 'alice' }],
    ['user:alice@example.com', { type: 'user', id: 'alice@example.com' }],
    [':urn:example:alice', { id: 'urn:example:alice' }],
    ['urn:example:alice', { type: 'urn', id: 'example:alice' }],
    ['auth0|abc', { id: 'auth0|abc' }],
    ['__proto__', { id: '__proto__' }],
  ])('an owner %s', (text, owner) => {
    expect(ownerOf(text)).toEqual(owner)
    expect(ownerText(ownerOf(text))).toBe(text)
  })

  it('an owner has an id', () => {
    for (const text of ['', ':', 'user:']) expect(() => ownerOf(text)).toThrow('--owner must be an id')
  })

  it('scopes may be given one by one or together', () => {
    expect(scopesOf(['a:read b:read', ' c ', 'a:read', ''])).toEqual(['a:read', 'b:read', 'c'])
  })

  it('a rate is requests a minute', () => {
    expect([rateOf('60'), rateOf('60/min')]).toEqual([60, 60])
    for (const text of ['', '60/h', '-1', '1.5', '60/min/min', '1e3', 'NaN'])
      expect(() => rateOf(text)).toThrow(UsageError)
  })

  it('a count is whole, and within its bounds', () => {
    expect([countOf('1', '--count'), countOf('10', '--count', 10)]).toEqual([1, 10])
    for (const text of ['0', '11', '-1', '1.0', '1e1', '', ' 1', '0x1'])
      expect(() => countOf(text, '--count', 10)).toThrow('--count must be a whole number from 1 to 10')
  })

  it('metadata is name=text, and __proto__ a name like others', () => {
    expect(Object.entries(metadataOf(['team=a=b', '__proto__=x']))).toEqual([
      ['team', 'a=b'],
      ['__proto__', 'x'],
    ])
    for (const words of [['x'], ['=x'], ['a=1', 'a=2']])
      expect(() => metadataOf(words)).toThrow('--meta must be')
  })

  it('chunks hold everything once', () => {
    expect([...chunks([1, 2, 3, 4, 5], 2)]).toEqual([[1, 2], [3, 4], [5]])
    expect([...chunks([], 2)]).toEqual([])
  })
})
