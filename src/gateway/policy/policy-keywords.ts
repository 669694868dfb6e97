import { isPlain, nearest } from '../file/shape.ts'
import type { JsonObject } from '../message.ts'

/** What a keyword holds. */
type Holds =
  | 'schema'
  | 'schemas'
  | 'members'
  | 'names'
  | 'namesByName'
  | 'pattern'
  | 'format'
  | 'reference'
  | 'data'

/** The keywords of JSON Schema 2020-12 that can be used in a policy. */
const keywords: ReadonlyMap<string, Holds> = new Map<string, Holds>([
  ...each('schema', 'not', 'if', 'then', 'else', 'items', 'contains', 'propertyNames'),
  ...each('schema', 'additionalProperties', 'unevaluatedItems', 'unevaluatedProperties'),
  ...each('schemas', 'allOf', 'anyOf', 'oneOf', 'prefixItems'),
  ...each('members', 'properties', 'patternProperties', 'dependentSchemas', '$defs'),
  ...each('names', 'required'),
  ...each('namesByName', 'dependentRequired'),
  ...each('pattern', 'pattern'),
  ...each('format', 'format'),
  ...each('reference', '$ref'),
  ...each('data', 'type', 'enum', 'const', 'multipleOf', 'maximum', 'exclusiveMaximum', 'minimum'),
  ...each('data', 'exclusiveMinimum', 'maxLength', 'minLength', 'maxItems', 'minItems', 'uniqueItems'),
  ...each('data', 'maxContains', 'minContains', 'maxProperties', 'minProperties', '$schema'),
  ...each('data', 'title', 'description', 'default', 'examples', 'deprecated', '$comment'),
])

function each(holds: Holds, ...names: readonly string[]): readonly (readonly [string, Holds])[] {
  return names.map((name) => [name, holds])
}

/** The formats that are checked; another one would hold for everything. */
const formats: ReadonlySet<unknown> = new Set([
  ...['date', 'time', 'date-time', 'duration', 'uri', 'uri-reference', 'uri-template', 'email', 'hostname'],
  ...['ipv4', 'ipv6', 'uuid', 'json-pointer', 'relative-json-pointer'],
])

const dialect = /^https?:\/\/json-schema\.org\/draft\/2020-12\/schema#?$/
const deepest = 32

/**
 * Finds in a schema what a validator would pass over in silence, or take for something else: a misspelt keyword must not
 * be a constraint that does not hold.
 */
export function schemaProblem(schema: unknown, depth = 0): string | undefined {
  if (typeof schema === 'boolean' && depth > 0) return undefined
  if (!isPlain(schema)) return depth === 0 ? 'must be an object' : 'holds a schema that is no object'
  if (depth > deepest) return 'is nested too deeply'
  for (const [name, value] of Object.entries(schema)) {
    const problem = keywordProblem(name, value, depth)
    if (problem !== undefined) return problem
  }
  return undefined
}

function keywordProblem(name: string, value: unknown, depth: number): string | undefined {
  if (name === '$schema' && !(depth === 0 && typeof value === 'string' && dialect.test(value)))
    return 'must be of JSON Schema 2020-12, which need not be said in $schema'
  const inner = depth + 1
  switch (keywords.get(name)) {
    case undefined:
      return unknownKeyword(name)
    case 'schema':
      return schemaProblem(value, inner)
    case 'schemas':
      return Array.isArray(value) ? firstProblem(value, inner) : `${name} must be a list of schemas`
    case 'members':
      if (!isPlain(value)) return `${name} must be an object of schemas`
      return nameProblem(Object.keys(value)) ?? firstProblem(Object.values(value), inner)
    case 'names':
      return nameProblem(value)
    case 'namesByName':
      return isPlain(value) ? nameProblem([...Object.keys(value), ...Object.values(value).flat()]) : undefined
    case 'format':
      return formats.has(value) ? undefined : `format must be one of ${[...formats].join(', ')}`
    case 'reference':
      return typeof value === 'string' && /^#(?:\/|$)/.test(value)
        ? undefined
        : '$ref must lead to a place in the same schema, such as #/$defs/path'
    default:
      return undefined
  }
}

function unknownKeyword(name: string): string {
  const near = nearest(name, [...keywords.keys()])
  const hint = near === undefined ? '' : `; did you mean "${near}"?`
  return `holds "${name.slice(0, 60)}", which is no keyword that can be used here${hint}`
}

function firstProblem(schemas: readonly unknown[], depth: number): string | undefined {
  for (const schema of schemas) {
    const problem = schemaProblem(schema, depth)
    if (problem !== undefined) return problem
  }
  return undefined
}

/** The validator takes what every object inherits for members of its own. */
function nameProblem(names: unknown): string | undefined {
  const odd = Array.isArray(names)
    ? names.find((name) => typeof name === 'string' && name in Object.prototype)
    : undefined
  return odd === undefined ? undefined : `names the member "${odd}", which every object has`
}

/**
 * The members of the arguments whose texts a pattern may look at.
 * @returns `undefined` when it may be any
 */
export function patternedMembers(schema: JsonObject): ReadonlySet<string> | undefined {
  const { properties, ...others } = schema
  const found = isPlain(properties) ? Object.entries(properties) : []
  if (mayLook(others)) return undefined
  return new Set(found.filter(([, one]) => mayLook(one)).map(([name]) => name))
}

/** Names of members count as keywords: too many are found, and never too few. */
function mayLook(schema: unknown): boolean {
  return /"(?:pattern|patternProperties|format|\$ref|uniqueItems)":/.test(JSON.stringify(schema))
}

/**
 * The names of members a schema says something about, by how they look without regard to case. Names of anything inside
 * count as well: too many are found, and never too few.
 */
export function namedMembers(schema: unknown): ReadonlyMap<string, ReadonlySet<string>> {
  const found = new Map<string, Set<string>>()
  const look = (value: unknown): void => {
    if (Array.isArray(value)) value.forEach(look)
    if (!isPlain(value)) return
    const { properties, required } = value
    const names = [...(isPlain(properties) ? Object.keys(properties) : []), ...textsOf(required)]
    for (const name of names) found.set(folded(name), (found.get(folded(name)) ?? new Set()).add(name))
    Object.values(value).forEach(look)
  }
  look(schema)
  return found
}

function textsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : []
}

/** Both ways, so that the long s and the sign of Kelvin are letters as others are. */
export function folded(name: string): string {
  return name.toUpperCase().toLowerCase()
}
