import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { own, parseJsonObject } from './json.ts'

const parse = (text: string) => parseJsonObject(new TextEncoder().encode(text))

describe('parseJsonObject', () => {
  it('B-32 reads what JSON.parse reads, for every object', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string({ unit: 'grapheme' }), fc.jsonValue()), (object) => {
        const text = JSON.stringify(object)
        expect(parse(text)).toEqual(JSON.parse(text))
        expect(parse(JSON.stringify(object, null, 2))).toEqual(JSON.parse(text))
      }),
    )
  })

  it('B-27 refuses every object into which one of its own members is put again', () => {
    const object = fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue(), { minKeys: 1 })
    fc.assert(
      fc.property(object, fc.nat(), fc.boolean(), (members, pick, spelt) => {
        const names = Object.keys(members)
        const name = names[pick % names.length]!
        const escaped = [...Array(name.length).keys()]
          .map((at) => `\\u${name.charCodeAt(at).toString(16).padStart(4, '0')}`)
          .join('')
        const again = spelt ? `"${escaped}"` : JSON.stringify(name)
        expect(parse(`${JSON.stringify(members).slice(0, -1)},${again}:0}`)).toBeUndefined()
      }),
    )
  })

  it('B-27 takes the same name in different objects, and as a value', () => {
    expect(parse('{"a":{"a":"a"},"b":[{"a":1},{"a":2}],"c":"a"}')).toBeDefined()
  })

  it.each([
    '',
    ' ',
    '[]',
    '1',
    '"x"',
    'null',
    'true',
    '{',
    '{"a":1',
    '{"a":1}}',
    '{"a":1,}',
    "{'a':1}",
    '{"a":"',
    '{"a\\',
  ])('B-32 refuses %j', (text) => {
    expect(parse(text)).toBeUndefined()
  })

  it('B-33 takes 32 levels and not 33', () => {
    const deep = (levels: number) => '{"a":'.repeat(levels) + 0 + '}'.repeat(levels)
    expect(parse(deep(32))).toBeDefined()
    expect(parse(deep(33))).toBeUndefined()
  })

  it('B-34 reads own members only', () => {
    const object = parse('{"__proto__":{"scope":"admin"}}')!
    expect(own(object, 'scope')).toBeUndefined()
    expect(own(object, 'constructor')).toBeUndefined()
    expect(own(object, '__proto__')).toEqual({ scope: 'admin' })
  })
})
