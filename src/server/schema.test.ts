import { toStandardJsonSchema } from '@valibot/to-json-schema'
import { type } from 'arktype'
import * as v from 'valibot'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { jsonSchemaOf, validate } from './schema.ts'
import type { StandardSchema } from './types.ts'

const libraries: [string, StandardSchema][] = [
  ['Zod', z.object({ a: z.number() })],
  ['Valibot', toStandardJsonSchema(v.object({ a: v.number() }))],
  ['ArkType', type({ a: 'number' })],
]

describe.each(libraries)('a schema of %s', (_name, schema) => {
  it('gives its JSON Schema', () => {
    expect(jsonSchemaOf('inputSchema', schema, 'input')).toMatchObject({
      type: 'object',
      properties: { a: { type: 'number' } },
    })
  })

  it('validates', async () => {
    expect(await validate(schema, { a: 1 })).toEqual({ ok: true, value: { a: 1 } })
    const refused = await validate(schema, { a: 'one' })
    expect(refused).toMatchObject({ ok: false, problem: expect.stringContaining('a') })
  })
})

describe('jsonSchemaOf', () => {
  it.each([
    ['a plain object', { a: 'string' }],
    ['a bag of Zod schemas', { a: z.string() }],
    ['text', 'string'],
    ['null', null],
    ['a schema that is no object', z.string()],
    ['a library without JSON Schema', v.object({ a: v.number() })],
  ])('refuses %s, and names the option', (_name, schema) => {
    expect(() => jsonSchemaOf('tool "x": inputSchema', schema, 'input')).toThrow(/^tool "x": inputSchema/)
  })
})

describe('validate', () => {
  it('keeps the problem short, however much is wrong', async () => {
    const many = z.object(
      Object.fromEntries(Array.from({ length: 500 }, (_, n) => [`member${n}`, z.string()])),
    )
    const result = await validate(many, {})
    expect(result.ok ? '' : result.problem).toMatch(/and 495 more$/)
    expect(result.ok ? 0 : result.problem.length).toBeLessThanOrEqual(1000)
  })
})
