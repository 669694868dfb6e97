import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Draft, draftOf, emptyDraft, startedDraft } from './draft.ts'
import type { FormNode } from './form-node.ts'
import { readSchema } from './read-schema.ts'
import { valueIn } from './value.ts'

/** What a form says that was just opened. */
function opened(schema: unknown) {
  const node = readSchema(schema)
  return { node, said: valueIn(node, emptyDraft(node, true), true) }
}

function membersOf(node: FormNode) {
  if (node.kind !== 'group') throw new Error(`a ${node.kind} has no members`)
  return node.members()
}

/** What a form of one member says once its field holds this draft. */
function saidWith(schema: unknown, draft: Draft, isRequired = true) {
  return valueIn(readSchema(schema), draft, isRequired)
}

const plain = (text: string): Draft => ({ kind: 'plain', text })

describe('a form of a schema', () => {
  it('has a field for each member, with its kind, and leaves out what is optional and empty', () => {
    const { node, said } = opened({
      type: 'object',
      properties: {
        name: { type: 'string', title: 'Name', description: 'Of the file' },
        size: { type: 'integer' },
        kind: { enum: ['a', 2, null] },
        isNew: { type: 'boolean' },
        fixed: { const: 'x' },
        tags: { type: 'array', items: { type: 'string' } },
        inner: { type: 'object', properties: { deep: { type: 'string' } } },
        labels: { type: 'object', additionalProperties: { type: 'string' } },
        either: { oneOf: [{ type: 'string' }, { type: 'number' }] },
        any: {},
      },
      required: ['name', 'fixed'],
    })
    const kinds = [...membersOf(node)].map(([name, member]) => [name, member.node.kind, member.isRequired])
    expect(kinds).toEqual([
      ['name', 'text', true],
      ['size', 'number', false],
      ['kind', 'choice', false],
      ['isNew', 'choice', false],
      ['fixed', 'choice', true],
      ['tags', 'list', false],
      ['inner', 'group', false],
      ['labels', 'map', false],
      ['either', 'union', false],
      ['any', 'json', false],
    ])
    expect(membersOf(node).get('name')!.node).toMatchObject({ title: 'Name', description: 'Of the file' })
    expect(said.value).toEqual({ fixed: 'x' })
    expect(said.issues).toEqual([{ place: '/name', text: 'This is needed.' }])
  })

  it('shows what the schema proposes', () => {
    const { said } = opened({
      type: 'object',
      properties: {
        count: { type: 'integer', default: 3 },
        on: { type: 'boolean', default: false },
        list: { type: 'array', default: ['a'] },
      },
    })
    expect(said.value).toEqual({ count: 3, on: false, list: ['a'] })
  })

  it('a member that may be null is the field of what else it may be', () => {
    const { node } = opened({
      properties: {
        a: { anyOf: [{ type: 'string' }, { type: 'null' }], default: null, title: 'A' },
        b: { type: ['integer', 'null'] },
        c: { enum: ['x', null], type: ['string', 'null'] },
      },
    })
    for (const [name, kind] of [
      ['a', 'text'],
      ['b', 'number'],
      ['c', 'choice'],
    ] as const)
      expect(membersOf(node).get(name)!.node, name).toMatchObject({ kind, isNullable: true })
    expect(membersOf(node).get('a')!.node.title).toBe('A')
    expect(saidWith({ type: ['string', 'null'] }, plain('')).value).toBe(null)
    expect(saidWith({ type: ['string', 'null'] }, plain(''), false).isThere).toBe(false)
  })

  it('references are followed inside the document, and never outside', () => {
    const schema = {
      $defs: { 'a/b': { type: 'integer', minimum: 1 } },
      properties: {
        one: { $ref: '#/$defs/a~1b', description: 'here' },
        two: { allOf: [{ $ref: '#/$defs/a~1b' }] },
        away: { $ref: 'https://example.com/schema.json' },
        gone: { $ref: '#/$defs/none' },
        round: { $ref: '#/properties/round' },
        proto: { $ref: '#/__proto__/polluted' },
      },
    }
    const members = membersOf(readSchema(schema))
    expect([...members].map(([name, { node }]) => [name, node.kind])).toEqual([
      ['one', 'number'],
      ['two', 'number'],
      ['away', 'json'],
      ['gone', 'json'],
      ['round', 'json'],
      ['proto', 'json'],
    ])
    expect(members.get('one')!.node).toMatchObject({ description: 'here', minimum: 1 })
  })

  it('a schema without end is cut, however it branches', () => {
    const names = ['a', 'b', 'c', 'd', 'e', 'f']
    const properties = Object.fromEntries(names.map((name) => [name, { $ref: '#' }]))
    const { said } = opened({ type: 'object', properties, required: names })
    expect(JSON.stringify(said.value).length).toBeLessThan(200_000)
    const count = (node: FormNode): number =>
      node.kind === 'group' ? [...node.members().values()].reduce((sum, one) => sum + count(one.node), 1) : 1
    expect(count(readSchema({ type: 'object', properties }))).toBeLessThan(10_000)
    const tree = opened({ type: 'object', properties: { left: { $ref: '#' }, right: { $ref: '#' } } })
    expect(tree.said.value).toEqual({})
  })

  it('FL-104 names such as __proto__ are names', () => {
    const schema = JSON.parse(
      '{"type":"object","properties":{"__proto__":{"type":"string"},"constructor":{"type":"string"}},"required":["__proto__"]}',
    )
    const node = readSchema(schema)
    const value = JSON.parse('{"__proto__":"x","constructor":"y"}')
    const said = valueIn(node, draftOf(node, value, true), true)
    expect(JSON.stringify(said.value)).toBe('{"__proto__":"x","constructor":"y"}')
    expect(said.issues).toEqual([])
    expect(({} as Record<string, unknown>).x).toBeUndefined()
  })

  it('what is not there yet begins with what it has to have', () => {
    const list = readSchema({ type: 'array', items: { type: 'string' }, minItems: 2 })
    expect(valueIn(list, startedDraft(list), true).issues.map(({ place }) => place)).toEqual(['/0', '/1'])
    const group = readSchema({ properties: { a: { const: 1 } }, required: ['a'] })
    expect(valueIn(group, startedDraft(group), false).value).toEqual({ a: 1 })
  })
})

describe('a form says what does not look right, and sends it all the same', () => {
  it.each([
    [{ type: 'integer' }, '1.5', 1.5, 'This has to be a whole number.'],
    [{ type: 'integer' }, 'many', 'many', 'This is no number.'],
    [{ type: 'number' }, '0x10', '0x10', 'This is no number.'],
    [{ type: 'number', minimum: 2 }, '1', 1, 'At least 2.'],
    [{ type: 'number', maximum: 2 }, '3', 3, 'At most 2.'],
    [{ type: 'number', exclusiveMinimum: 2 }, '2', 2, 'More than 2.'],
    [{ type: 'number', exclusiveMaximum: 2 }, '2', 2, 'Less than 2.'],
    [{ type: 'integer' }, String(2n ** 64n), 2 ** 64, 'So big a number is rounded when it is sent.'],
    [{ type: 'string', minLength: 3 }, 'ab', 'ab', 'At least 3 characters.'],
    [{ type: 'string', maxLength: 1 }, 'ab', 'ab', 'At most 1 character.'],
  ])('%j with %j', (schema, text, value, issue) => {
    const said = saidWith(schema, plain(text))
    expect(said).toEqual({ isThere: true, value, issues: [{ place: '', text: issue }] })
  })

  it.each([
    [{ type: 'string', maxLength: 1 }, '\u{1F600}'],
    [{ type: 'integer', minimum: 1, maximum: 1 }, '1'],
    [{ type: 'number' }, '-1e-3'],
  ])('%j takes %j', (schema, text) => {
    expect(saidWith(schema, plain(text)).issues).toEqual([])
  })

  it('names the place of a field inside others', () => {
    const node = readSchema({ properties: { 'a/b': { type: 'array', items: { type: 'integer' } } } })
    const said = valueIn(node, draftOf(node, { 'a/b': [1, 2.5] }, true), true)
    expect(said.issues).toEqual([{ place: '/a~1b/1', text: 'This has to be a whole number.' }])
  })

  it('a part that is no JSON is said with its place, and goes as text', () => {
    const said = saidWith({}, { kind: 'json', text: '{"a": }' })
    expect(said.value).toBe('{"a": }')
    expect(said.issues[0]!.text).toBe('This is not JSON: unexpected "}" at line 1, column 7.')
  })

  it('two entries of one name are said', () => {
    const node = readSchema({ type: 'object', additionalProperties: { type: 'string' } })
    const entries = [
      ['a', plain('1')],
      ['a', plain('2')],
    ] as const
    expect(valueIn(node, { kind: 'map', isThere: true, entries }, true)).toEqual({
      isThere: true,
      value: { a: '2' },
      issues: [{ place: '/1', text: 'This name is there already.' }],
    })
  })
})

describe('a value comes back out of a form', () => {
  it('as the shape it fits best, and otherwise as JSON', () => {
    const node = readSchema({
      oneOf: [
        {
          type: 'object',
          properties: { kind: { const: 'a' }, size: { type: 'number' } },
          required: ['kind'],
        },
        {
          type: 'object',
          properties: { kind: { const: 'b' }, text: { type: 'string' } },
          required: ['kind'],
        },
      ],
    })
    expect(draftOf(node, { kind: 'b', text: 'x' }, true)).toMatchObject({ kind: 'union', at: 1 })
    expect(draftOf(node, { kind: 'a' }, true)).toMatchObject({ kind: 'union', at: 0 })
    expect(draftOf(node, 'neither', true)).toEqual({ kind: 'json', text: '"neither"' })
  })

  const leaf = fc.constantFrom<unknown>(
    { type: 'string' },
    { type: 'string', minLength: 2, maxLength: 200 },
    { type: 'integer', minimum: 0 },
    { type: ['number', 'null'] },
    { type: 'boolean' },
    { enum: ['a', 1, null, { deep: [1] }] },
    { const: { a: 1 } },
    { anyOf: [{ type: 'string' }, { type: 'null' }] },
    { type: 'null' },
    { $ref: '#' },
    true,
    {},
    'no schema',
  )
  const { schema } = fc.letrec((tie) => ({
    schema: fc.oneof(
      { maxDepth: 4 },
      leaf,
      fc.record({
        type: fc.constant('object'),
        properties: fc.dictionary(fc.constantFrom('a', 'b', '__proto__', 'constructor'), tie('schema')),
        required: fc.subarray(['a', 'b', '__proto__']),
      }),
      fc.record({ type: fc.constant('array'), items: tie('schema') }),
      fc.record({ type: fc.constant('object'), additionalProperties: tie('schema') }),
      fc.record({ oneOf: fc.array(tie('schema'), { maxLength: 3 }) }),
      fc.record({ anyOf: fc.array(tie('schema'), { maxLength: 3 }), default: fc.jsonValue() }),
    ),
  }))
  const value = fc.oneof(
    fc.jsonValue({ maxDepth: 4 }),
    fc.dictionary(
      fc.constantFrom('a', 'b', '__proto__', 'constructor', 'other'),
      fc.jsonValue({ maxDepth: 3 }),
    ),
  )
  const asJson = (one: unknown) => JSON.parse(JSON.stringify(one)) as unknown

  it('whatever the schema and the value are', () => {
    fc.assert(
      fc.property(schema, value, fc.boolean(), (written, given, isRequired) => {
        const node = readSchema(written)
        const said = valueIn(node, draftOf(node, given, isRequired), isRequired)
        expect(said.isThere).toBe(true)
        expect(asJson(said.value)).toEqual(asJson(given))
      }),
      { numRuns: 2000 },
    )
  })

  it('whatever a form says when it is opened, it says again when it is filled with that', () => {
    fc.assert(
      fc.property(schema, (written) => {
        const node = readSchema(written)
        const first = valueIn(node, emptyDraft(node, true), true)
        if (!first.isThere) return
        const again = valueIn(node, draftOf(node, first.value, true), true)
        expect(asJson(again.value)).toEqual(asJson(first.value))
      }),
      { numRuns: 500 },
    )
  })

  it('with bounded fields, however much it holds', () => {
    const count = (draft: Draft): number =>
      draft.kind === 'list' ? draft.items.reduce((sum, one) => sum + count(one), 1) : 1
    const lists = readSchema({ type: 'array', items: { type: 'array', items: { type: 'integer' } } })
    const numbers = Array.from({ length: 200 }, () => Array.from({ length: 200 }, () => 1))
    const draft = draftOf(lists, numbers, true)
    expect(count(draft)).toBeLessThan(6000)
    expect(valueIn(lists, draft, true).value).toEqual(numbers)
    expect(
      draftOf(
        lists,
        Array.from({ length: 201 }, () => []),
        true,
      ).kind,
    ).toBe('json')
  })

  it('in bounded time, however shapes branch', () => {
    const options = Array.from({ length: 20 }, (_one, at) => ({
      properties: { a: { $ref: '#' }, [`b${at}`]: {} },
    }))
    const node = readSchema({ oneOf: options })
    let deep: unknown = {}
    for (let depth = 0; depth < 50; depth++) deep = { a: deep }
    expect(valueIn(node, draftOf(node, deep, true), true).value).toEqual(deep)
  })
})
