import { describe, expect, it } from 'vitest'
import { stopwatch } from '../../core/clock.ts'
import type { JsonObject } from '../message.ts'
import { argumentsCompiler } from './policy-arguments.ts'

const compiler = argumentsCompiler()

function checkOf(schema: JsonObject): (args: unknown) => string | undefined {
  const check = compiler.compile(schema)
  if (typeof check === 'string') throw new TypeError(check)
  return check
}

function problemOf(schema: unknown): string | undefined {
  const check = compiler.compile(schema as JsonObject)
  return typeof check === 'string' ? check : undefined
}

const path = {
  type: 'object',
  properties: { path: { type: 'string', pattern: '^/srv/' }, mode: { enum: ['a', 'b'] } },
  required: ['path'],
  additionalProperties: false,
}

describe('arguments', () => {
  it('pass when they are what is expected', () => {
    expect(checkOf(path)({ path: '/srv/x' })).toBeUndefined()
  })

  it('are told by path and expectation, and never by value', () => {
    const problem = checkOf(path)({ path: 'hunter2', mode: 'hunter2', other: 'hunter2' })
    expect(problem).toContain('arguments/path must match pattern "^/srv/"')
    expect(problem).toContain('arguments/mode must be equal to one of the allowed values')
    expect(problem).toContain('"enum":["a","b"]')
    expect(problem).not.toContain('hunter2')
  })

  it.each([
    [{ const: 5 }, 'x'],
    [{ minimum: 5 }, 1],
    [{ multipleOf: 7 }, 1234567],
    [{ maxLength: 2 }, 'hunter2'],
    [{ format: 'uuid' }, 'hunter2'],
    [{ not: { const: 'hunter2' } }, 'hunter2'],
    [
      { type: 'object', propertyNames: { maxLength: 1 } },
      { a: 1, bc: 'hunter2' },
    ],
    [{ anyOf: [{ type: 'number' }, { type: 'object' }] }, 'hunter2'],
  ])('%j refuses another value and does not repeat it', (schema, value) => {
    const problem = checkOf({ properties: { p: schema }, required: ['p'] })({ p: value })
    const [told = ''] = problem?.split('. Expected is') ?? []
    expect(told).toContain('arguments/p')
    expect(told).not.toContain('hunter2')
    expect(told).not.toContain('1234567')
  })

  it('are no numbers that readers round each in its own way', () => {
    const check = checkOf({ properties: { id: { const: 2 ** 53 } } })
    // Written as 9007199254740993, which another reader tells from 9007199254740992.
    expect(check(JSON.parse('{"id":9007199254740993}'))).toContain('write it as a text')
    expect(check(JSON.parse('{"other":[{"n":-1e20}]}'))).toContain('write it as a text')
    expect(check(JSON.parse('{"id":1e400}'))).toContain('write it as a text')
    expect(check({ other: [Number.MAX_SAFE_INTEGER, 0.1, 1e-9] })).toBeUndefined()
  })

  it('that are missing are an empty object', () => {
    expect(checkOf(path)(undefined)).toContain("must have required property 'path'")
    expect(checkOf({ type: 'object' })(undefined)).toBeUndefined()
  })

  it.each([[null], [[]], ['text'], [5], [false]])(
    '%j are none, even where a schema would take them',
    (args) => {
      expect(checkOf({})(args)).toBe('arguments must be an object')
    },
  )

  it('a long schema is not shown', () => {
    const problem = checkOf({ ...path, description: 'x'.repeat(2000) })({})
    expect(problem).toBe("arguments must have required property 'path'")
  })

  it('comments of the operator are not shown', () => {
    expect(checkOf({ ...path, $comment: 'because of Bob' })({})).not.toContain('Bob')
  })

  describe('that are hostile', () => {
    const nested = (depth: number): unknown => (depth === 0 ? 1 : { a: nested(depth - 1) })

    it('by depth are refused before they are looked at', () => {
      const tree = checkOf({
        $ref: '#/$defs/tree',
        $defs: { tree: { properties: { a: { $ref: '#/$defs/tree' } } } },
      })
      expect(tree(nested(20))).toBeUndefined()
      expect(tree(nested(100))).toContain('too big')
    })

    it('by number are refused', () => {
      const list = checkOf({ properties: { list: { uniqueItems: true } } })
      const start = stopwatch()
      expect(list({ list: Array.from({ length: 5000 }, (_, at) => ({ at })) })).toContain('too big')
      expect(list({ list: Array.from({ length: 1_000_000 }, () => 1) })).toContain('too big')
      expect(stopwatch() - start).toBeLessThan(3000)
    })

    it('by length are refused where a pattern looks, and only there', () => {
      const long = 'a'.repeat(10_000)
      expect(checkOf(path)({ path: `/srv/${long}` })).toContain('too big')
      const open = checkOf({ properties: { path: { pattern: '^/srv/' } } })
      expect(open({ path: '/srv/x', content: long })).toBeUndefined()
      expect(checkOf({ additionalProperties: { pattern: 'x$' } })({ content: long })).toContain('too big')
      expect(
        checkOf({ properties: { a: { $ref: '#/$defs/a' } }, $defs: { a: { pattern: 'x' } } })({ a: long }),
      ).toContain('too big')
      expect(checkOf({ properties: { a: { items: { format: 'email' } } } })({ a: [long] })).toContain(
        'too big',
      )
      expect(checkOf({ propertyNames: { pattern: 'x' } })({ [long]: 1 })).toContain('too big')
    })

    it('a pattern that grows with the square of the text is done in time', () => {
      const start = stopwatch()
      expect(checkOf({ properties: { a: { pattern: 'a*b' } } })({ a: 'a'.repeat(8192) })).toMatch(
        /pattern|too long/,
      )
      expect(stopwatch() - start).toBeLessThan(20_000)
    })

    it.each([
      ['doubles with each character', { pattern: '^(\\w+\\s?)+$' }, `${'a'.repeat(60)}!`],
      ['grows with the fourth power', { pattern: '^.*a.*b.*c.*d$' }, 'abc'.repeat(2000)],
      ['is asked of many texts', { items: { pattern: '\\s+$' } }, Array(400).fill(`${' '.repeat(8000)}x`)],
      [
        'names members',
        { type: 'object', patternProperties: { '^(a+)+$': {} } },
        { [`${'a'.repeat(60)}!`]: 1 },
      ],
      ['is in a schema of itself', { $ref: '#/$defs/a' }, `${'a'.repeat(60)}!`],
    ])('a pattern that %s is given up, and the next call is served', (_name, schema, value) => {
      const check = checkOf({ properties: { p: schema }, $defs: { a: { pattern: '(a|a)*$' } } })
      const start = stopwatch()
      expect(check({ p: value })).toContain('too long')
      expect(stopwatch() - start).toBeLessThan(10_000)
      expect(checkOf(path)({ path: '/srv/x' })).toBeUndefined()
    })

    it('a pattern is still one where it has to be done in time', () => {
      const check = checkOf({ properties: { p: { pattern: '^(?:/[\\w.-]+)+$' } } })
      expect(check({ p: '/a-folder/of-some.length' })).toBeUndefined()
      expect(check({ p: '/a-folder/of some length' })).toContain('must match pattern')
    })

    it('by the case of a name are refused: some readers take PATH for path', () => {
      const open = checkOf({
        properties: {
          path: { pattern: '^/srv/' },
          kind: {},
          site: {},
          deep: { items: { required: ['id'] } },
        },
      })
      for (const name of ['PATH', 'Path', 'pAth', '\u212Aind', '\u017Fite', 'KIND'])
        expect(open({ path: '/srv/x', [name]: '/etc' })).toContain('exactly so')
      expect(open({ path: '/srv/x', deep: [{ id: 1, ID: 2 }] })).toContain('id exactly so')
      expect(open({ path: '/srv/x', kind: 1, other: 1, Other: 2, deep: [{ id: 1 }] })).toBeUndefined()
      expect(checkOf({ properties: { a: {}, A: {} } })({ a: 1, A: 1 })).toBeUndefined()
    })

    it('a schema that refers to itself for ever refuses', () => {
      expect(checkOf({ allOf: [{ $ref: '#' }] })({})).toContain('cannot be checked')
    })

    it('names every object has count only when they are there', () => {
      const strict = checkOf({ properties: { a: {} }, additionalProperties: false })
      for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty'])
        expect(strict(JSON.parse(`{"${name}":{"a":1}}`))).toContain('additional properties')
      expect(checkOf({ maxProperties: 0 })({})).toBeUndefined()
      expect(checkOf({ maxProperties: 0 })(JSON.parse('{"__proto__":1}'))).toContain('more than 0')
    })
  })
})

describe('schemas', () => {
  it.each([
    ['a misspelt keyword', { propertise: {} }, 'did you mean "properties"?'],
    ['a misspelt keyword inside', { properties: { a: { patern: 'x' } } }, '"pattern"'],
    ['a keyword of other dialects', { items: { nullable: true } }, 'nullable'],
    ['$async, which would hold for everything', { $async: true }, '$async'],
    ['$id, by which one schema is taken for another', { $id: 'x' }, '$id'],
    ['a reference elsewhere', { $ref: 'https://example.com/x' }, '$ref'],
    ['a reference to nothing', { $ref: '#/$defs/nope' }, 'reference'],
    ['another dialect', { $schema: 'http://json-schema.org/draft-07/schema#' }, '2020-12'],
    [
      'another dialect inside',
      { not: { $schema: 'https://json-schema.org/draft/2020-12/schema' } },
      '$schema',
    ],
    ['an unknown format', { format: 'iban' }, 'format must be one of'],
    ['an unknown type', { type: 'strin' }, 'type'],
    ['a length that is none', { minLength: 'x' }, 'minLength'],
    ['a negative length', { properties: { a: { maxLength: -1 } } }, 'maxLength'],
    ['a pattern that is none', { pattern: '(' }, 'pattern'],
    ['a list that is none', { allOf: {} }, 'allOf must be a list'],
    ['members that are none', { properties: [] }, 'properties must be an object'],
    ['a schema that is none', { not: 5 }, 'no object'],
    ['a required __proto__', { required: ['__proto__'] }, '__proto__'],
    ['a required constructor', { required: ['constructor'] }, 'constructor'],
    ['a member toString', { properties: { toString: {} } }, 'toString'],
    ['a member __proto__', JSON.parse('{"properties":{"__proto__":{}}}'), '__proto__'],
    ['a dependent valueOf', { dependentRequired: { a: ['valueOf'] } }, 'valueOf'],
    ['no object', 5, 'must be an object'],
    ['true', true, 'must be an object'],
    ['a list', [], 'must be an object'],
  ])('with %s are refused', (_, schema, expected) => {
    expect(problemOf(schema)).toContain(expected)
  })

  it('nested without end are refused', () => {
    const circle: Record<string, unknown> = {}
    circle.not = circle
    expect(problemOf(circle)).toContain('nested too deeply')
  })

  it('of each keyword are taken', () => {
    const all = JSON.parse(`{
      "$schema": "https://json-schema.org/draft/2020-12/schema",
      "$defs": { "text": { "type": "string", "format": "date-time" } },
      "title": "x",
      "prefixItems": [true, { "$ref": "#/$defs/text" }],
      "unevaluatedItems": false,
      "dependentRequired": { "a": ["b"] },
      "dependentSchemas": { "a": false },
      "if": { "contains": { "const": 1 }, "minContains": 1 },
      "then": { "enum": [1] },
      "else": { "patternProperties": { "^a": { "exclusiveMinimum": 1 } }, "unevaluatedProperties": false }
    }`)
    expect(problemOf(all)).toBeUndefined()
  })

  it('that stand for objects are compared by value', () => {
    const schema = { properties: { a: { not: { const: { b: 1 } } } } }
    const bare = Object.assign(Object.create(null), {
      properties: { a: { not: { const: Object.assign(Object.create(null), { b: 1 }) } } },
    })
    for (const one of [schema, bare]) expect(checkOf(one)({ a: { b: 1 } })).toContain('must NOT be valid')
  })
})
