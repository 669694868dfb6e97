import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseJsonObject } from '../../src/verify/json.ts'
import { dice, spell, spellText } from './spelling.ts'
import { readStrictly } from './strict-json.ts'

/** Why bytes are not taken, found out in another way than `parseJsonObject` does; `undefined` when they must be taken. */
function objectionTo(bytes: Buffer): string | undefined {
  if (!Buffer.from(bytes.toString('utf8')).equals(bytes)) return 'no UTF-8'
  const text = bytes.toString('utf8')
  if (text.startsWith('\ufeff')) return 'a byte order mark'
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return 'no JSON'
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'no object'
  const reading = readStrictly(text)
  if (reading === undefined || reading.depth > 32) return 'too deep'
  return reading.repeats ? 'a member twice' : undefined
}

/** The bytes of a text. */
const written = (text: string) => Buffer.from(text)

const value = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom<unknown>(
      null,
      true,
      0,
      -0,
      1.5,
      1e21,
      5e-324,
      '',
      '{',
      '"',
      '\\',
      '\\"',
      ',"a":',
      '\ud800',
    ),
    fc.string({ unit: 'binary', maxLength: 8 }),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom('a', 'b', 'aa', '', '__proto__', '"', '\\', 'é', '🔑', '0'), tie('value'), {
      maxKeys: 4,
    }),
  ),
})).value

const members = fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c', '', '"', '\\', '__proto__', '🔑'), value), {
  maxLength: 6,
})

/** Objects that may have a name twice, in one spelling or in two, here or further inside. */
const spelt = fc
  .record({ members, seed: fc.nat(), around: fc.nat(36) })
  .map(({ members: list, seed, around }) => {
    const roll = dice(seed)
    const object = `{${list.map(([name, item]) => `${spellText(name, roll)}:${spell(item, roll)}`).join(',')}}`
    // Most of them are left at the top, the others further down, some of them too far.
    const depth = around < 24 ? 0 : around - (roll(2) === 0 ? 24 : 4)
    return `${'{"a":['.repeat(depth >> 1)}${depth % 2 === 0 ? object : `{"b":${object}}`}${']}'.repeat(depth >> 1)}`
  })

/** A text with a few characters put in, taken out or exchanged: mostly it is no JSON then. */
const damaged = fc
  .tuple(
    spelt,
    fc.array(fc.tuple(fc.nat(), fc.nat(2), fc.constantFrom(...'{}[]",:\\0e-. \n', '\ufeff', '\0', 'null')), {
      maxLength: 2,
    }),
  )
  .map(([text, edits]) =>
    edits.reduce((before, [place, removed, added]) => {
      const at = place % (before.length + 1)
      return before.slice(0, at) + added + before.slice(at + removed)
    }, text),
  )

/** Any JSON text, an object or not. */
const anyJson = fc.tuple(value, fc.nat()).map(([item, seed]) => spell(item, dice(seed)))

const inBytes = fc
  .tuple(
    spelt,
    fc.nat(),
    fc.option(
      fc.constantFrom([0xff], [0xc0, 0xaf], [0xed, 0xa0, 0x80], [0xef, 0xbb, 0xbf], [0xef, 0xbf, 0xbd]),
      { freq: 2 },
    ),
  )
  .map(([text, place, odd]) => {
    const bytes = written(text)
    const at = place % 4 === 0 ? 0 : place % (bytes.length + 1)
    return odd === null ? bytes : Buffer.concat([bytes.subarray(0, at), Buffer.from(odd), bytes.subarray(at)])
  })

describe('parseJsonObject beside another reader', () => {
  it.each([
    ['spelt in odd ways', spelt.map(written), ['taken', 'a member twice', 'too deep']],
    ['damaged', damaged.map(written), ['taken', 'a member twice', 'no JSON']],
    ['or anything else', anyJson.map(written), ['taken', 'no object']],
    ['with odd bytes', inBytes, ['taken', 'a member twice', 'no JSON', 'no UTF-8', 'a byte order mark']],
  ])(
    'B-27 B-32 B-33 takes what JSON.parse takes, less what must not be taken: objects %s',
    (_name, arbitrary, due) => {
      const counts = new Map<string, number>()
      const property = fc.property(arbitrary, (bytes) => {
        const objection = objectionTo(bytes)
        const parsed = parseJsonObject(bytes)
        counts.set(objection ?? 'taken', (counts.get(objection ?? 'taken') ?? 0) + 1)
        if (objection !== undefined) return parsed === undefined
        return parsed !== undefined && isDeepStrictEqual(parsed, JSON.parse(bytes.toString()))
      })
      fc.assert(property, { numRuns: 2000, seed: 20_260_801 })
      fc.assert(property, { numRuns: 2000 })
      expect([...counts.values()].reduce((sum, count) => sum + count)).toBe(4000)
      expect(due.filter((outcome) => (counts.get(outcome) ?? 0) < 20)).toEqual([])
      expect((counts.get('taken') ?? 0) / 4000).toBeGreaterThan(0.1)
    },
  )

  it('B-33 takes any mixture of 32 objects and lists within each other, and none of 33', () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { minLength: 30, maxLength: 33 }), (lists) => {
        const open = lists.map((isList) => (isList ? '[1,' : '{"b":"[","a":')).join('')
        const close = lists.map((isList) => (isList ? ']' : '}')).reverse()
        const text = `{"a":${open}0${close.join('')}}`
        return (parseJsonObject(written(text)) !== undefined) === lists.length < 32
      }),
    )
  })
})

describe('the other reader', () => {
  it('knows what is JSON as JSON.parse does', () => {
    fc.assert(
      fc.property(fc.oneof(damaged, spelt), (text) => {
        let isJson = true
        try {
          JSON.parse(text)
        } catch {
          isJson = false
        }
        return (readStrictly(text) !== undefined) === isJson
      }),
      { numRuns: 2000 },
    )
  })
})
