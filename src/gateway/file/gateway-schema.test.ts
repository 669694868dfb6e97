import { AjvJsonSchemaValidator } from '@modelcontextprotocol/server/validators/ajv'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { JsonObject } from '../message.ts'
import { gatewayFileSchema, gatewayFileShape } from './gateway-schema.ts'
import type { DocumentProblem } from './shape.ts'

const validators = new AjvJsonSchemaValidator()
const bySchema = validators.getValidator(gatewayFileSchema)

function byShape(value: unknown): readonly DocumentProblem[] {
  const problems: DocumentProblem[] = []
  gatewayFileShape.check(value, [], problems)
  return problems
}

const wrong = fc.oneof(
  fc.constantFrom(null, true, 0, -1, 1.5, 1e12, '', 'x', 'a b', 'a\nb', '\0'),
  fc.constantFrom([], {}, [''], [5], { x: 1 }, { constructor: 1 }, { '': {} }),
)

/** Good values of a schema, with a wrong one here and there. */
function valuesOf(schema: JsonObject): fc.Arbitrary<unknown> {
  return fc.oneof({ weight: 60, arbitrary: goodOf(schema) }, { weight: 1, arbitrary: wrong })
}

function goodOf(schema: JsonObject): fc.Arbitrary<unknown> {
  const { type, enum: words, anyOf, properties, items, additionalProperties: inner } = schema
  if (Array.isArray(words)) return fc.constantFrom(...words)
  if (Array.isArray(anyOf)) return fc.oneof(...anyOf.map((one) => valuesOf(one as JsonObject)))
  if (type === 'boolean') return fc.boolean()
  if (type === 'integer') return fc.constantFrom(schema.minimum, schema.maximum)
  if (type === 'array') {
    const { minItems = 0 } = schema
    return fc.array(valuesOf(items as JsonObject), { minLength: Number(minItems), maxLength: 2 })
  }
  if (type !== 'object') return fc.constantFrom('a', 'X-Name')
  if (!properties) {
    const member = typeof inner === 'object' ? valuesOf(inner as JsonObject) : fc.constant({})
    return fc.dictionary(fc.constantFrom('a', 'b*', '__proto__'), member, { maxKeys: 2 })
  }
  const members = Object.entries(properties as Record<string, JsonObject>).map(
    ([name, one]) => [name, valuesOf(one)] as const,
  )
  return fc.record(Object.fromEntries(members), { requiredKeys: (schema.required ?? []) as string[] })
}

describe('gatewayFileSchema', () => {
  it('takes what the parser takes, and nothing else', () => {
    const verdicts = { good: 0, bad: 0 }
    fc.assert(
      fc.property(valuesOf(gatewayFileSchema), (value) => {
        const problems = byShape(value)
        const { valid, errorMessage } = bySchema(value)
        verdicts[valid ? 'good' : 'bad']++
        expect([errorMessage, problems]).toEqual(
          valid ? [undefined, []] : [expect.any(String), expect.not.arrayContaining([undefined])],
        )
        expect(problems.length > 0).toBe(!valid)
      }),
      { numRuns: 1000 },
    )
    // Otherwise nothing was compared.
    expect(Math.min(verdicts.good, verdicts.bad)).toBeGreaterThan(50)
  })

  it('is JSON Schema 2020-12', () => {
    const isSchema = validators.getValidator({ $ref: 'https://json-schema.org/draft/2020-12/schema' })
    expect(isSchema(gatewayFileSchema).errorMessage).toBeUndefined()
    expect(JSON.parse(JSON.stringify(gatewayFileSchema))).toEqual(gatewayFileSchema)
  })

  it('says of every member what it is for', () => {
    const silent: string[] = []
    const look = (schema: JsonObject, path: string): void => {
      for (const [name, one] of Object.entries((schema.properties ?? {}) as Record<string, JsonObject>)) {
        if (typeof one.description !== 'string' || !one.description.endsWith('.'))
          silent.push(`${path}.${name}`)
        look(one, `${path}.${name}`)
      }
      if (schema.items) look(schema.items as JsonObject, `${path}[]`)
    }
    look(gatewayFileSchema, '')
    expect(silent).toEqual([])
  })
})
