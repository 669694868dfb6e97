import { andThen } from './thenable.ts'
import type { JsonObject, SchemaIssue, StandardSchema } from './types.ts'

/** A validated value, or what was wrong in one line. */
export type Checked<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problem: string }

/**
 * The JSON Schema of a Standard Schema, made once when the component is registered.
 *
 * @throws TypeError when the library cannot give one, or it does not describe an object (MCP "Tool definition")
 */
export function jsonSchemaOf(option: string, schema: unknown, direction: 'input' | 'output'): JsonObject {
  const standard = isStandardSchema(schema) ? schema['~standard'] : undefined
  if (!standard) {
    throw new TypeError(
      `${option} must be a Standard Schema (for example z.object({ … }) of Zod 4), not a plain object`,
    )
  }
  if (!standard.jsonSchema) {
    throw new TypeError(
      `${option}: "${standard.vendor}" gives no JSON Schema; use Zod 4.2 or newer, ArkType, or Valibot through toStandardJsonSchema()`,
    )
  }
  const json = standard.jsonSchema[direction]({ target: 'draft-2020-12' })
  if (json.type !== undefined && json.type !== 'object') {
    throw new TypeError(`${option} must describe an object; wrap the schema in an object schema`)
  }
  return { type: 'object', ...json }
}

/** Validates a value. A schema that throws is reported as a problem of the value: it never lets one pass. */
export function validate<Output>(
  schema: StandardSchema<unknown, Output>,
  value: unknown,
): Checked<Output> | Promise<Checked<Output>> {
  return andThen(schema['~standard'].validate(value), (result) =>
    result.issues === undefined
      ? { ok: true, value: result.value }
      : { ok: false, problem: describe(result.issues) },
  )
}

/** Whether it is a schema that validates, whatever library made it. */
export function isStandardSchema(schema: unknown): schema is StandardSchema {
  // ArkType's schemas are functions.
  if ((typeof schema !== 'object' && typeof schema !== 'function') || schema === null) return false
  const standard = (schema as Partial<StandardSchema>)['~standard']
  return typeof standard === 'object' && standard !== null && typeof standard.validate === 'function'
}

/** Enough for a caller to mend the call, and no more than that. */
function describe(issues: readonly SchemaIssue[]): string {
  const shown = issues.slice(0, 5).map((issue) => {
    const path = (issue.path ?? [])
      .map((part) => String(typeof part === 'object' ? part.key : part))
      .join('.')
    return path === '' ? issue.message : `${path}: ${issue.message}`
  })
  const more = issues.length > 5 ? `; and ${issues.length - 5} more` : ''
  return `${shown.join('; ')}${more}`.slice(0, 1000)
}
