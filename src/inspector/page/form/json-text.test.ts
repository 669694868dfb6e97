import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseJson } from './json-text.ts'

describe('what a person writes as JSON', () => {
  it.each([
    ['', 'it ends too early at line 1, column 1'],
    ['{', 'it ends too early at line 1, column 2'],
    ['{\n  "a": 1,\n}', 'there is a comma before the end at line 3, column 1'],
    ['[1, 2,]', 'there is a comma before the end at line 1, column 7'],
    ["{'a': 1}", 'texts stand in double quotes; there is a single one at line 1, column 2'],
    ['{"a" 1}', 'unexpected "1" at line 1, column 6'],
    ['{"a": tru}', 'unexpected "t" at line 1, column 7'],
    ['{"a": 01}', 'unexpected "0" at line 1, column 7'],
    ['[1 2]', 'unexpected "2" at line 1, column 4'],
    ['{"a": 1} x', 'unexpected "x" at line 1, column 10'],
    ['{"a": 1}}', 'unexpected "}" at line 1, column 9'],
    ['["a\nb"]', 'unexpected """ at line 1, column 2'],
    ['\n\n  {"a": 1]', 'unexpected "]" at line 3, column 10'],
  ])('%j', (text, mistake) => {
    expect(parseJson(text).mistake).toBe(`This is not JSON: ${mistake}.`)
  })

  it('is read when it is JSON', () => {
    expect(parseJson(' {"a": [1, null]} ')).toEqual({ value: { a: [1, null] } })
  })

  it('a mistake lies behind what is right: the text up to it can be the beginning of JSON', () => {
    fc.assert(
      fc.property(
        fc.json(),
        fc.nat(),
        fc.constantFrom('}', ']', ',', ':', '"', 'x', '1', ''),
        (json, at, piece) => {
          const where = at % (json.length + 1)
          const text = json.slice(0, where) + piece + json.slice(where + 1)
          const parsed = parseJson(text)
          if (parsed.mistake === undefined) return
          expect(parsed.offset).toBeLessThanOrEqual(text.length)
          expect(parsed.mistake).toMatch(/ at line \d+, column \d+\.$/)
        },
      ),
    )
  })
})
