import { isObject, type JsonObject, listOf, memberOf, textOf } from '../mcp/message.ts'
import type { ChoiceOption, Common, FormNode, Member, UnionOption } from './form-node.ts'
import { resolved } from './references.ts'

/** Deeper than this a form is no help any more. */
const deepest = 8
/** So many parts of one schema become fields; what is beyond is written as JSON. */
const mostParts = 1000
const mostOptions = 200
const mostMembers = 200

/** What is read from one schema shares this. */
interface Reading {
  readonly root: unknown
  partsLeft: number
}

/**
 * Makes of a JSON Schema (2020-12) what a form is shown from. Never throws and never fetches anything: what it does not
 * understand becomes a field for JSON, and a schema without end is cut.
 */
export function readSchema(schema: unknown): FormNode {
  return nodeOf({ root: schema, partsLeft: mostParts }, schema, 0)
}

function nodeOf(reading: Reading, written: unknown, depth: number): FormNode {
  reading.partsLeft -= 1
  const whole = resolved(reading.root, written)
  const { schema, isNullable } = withoutNull(whole, reading.root)
  const common = commonOf(schema, whole, isNullable)
  if (depth > deepest || reading.partsLeft < 0 || !isObject(schema)) return { kind: 'json', ...common }
  return (
    choiceOf(schema, common) ??
    groupOf(reading, schema, common, depth) ??
    unionOf(reading, schema, common, depth) ??
    plainOf(reading, schema, common, depth)
  )
}

function commonOf(schema: unknown, whole: unknown, isNullable: boolean): Common {
  const proposed = memberOf(whole, 'default') ?? memberOf(schema, 'default')
  return {
    title: shortText(textOf(whole, 'title') ?? textOf(schema, 'title')),
    description: textOf(whole, 'description') ?? textOf(schema, 'description'),
    isNullable,
    proposed,
    hint: hintOf(schema),
  }
}

function shortText(text: string | undefined): string | undefined {
  return text === undefined || text.trim() === '' ? undefined : text.slice(0, 200)
}

/** The schema of what is not `null`, and whether that was allowed. */
function withoutNull(schema: unknown, root: unknown): { schema: unknown; isNullable: boolean } {
  if (!isObject(schema)) return { schema, isNullable: false }
  const types = listOf(schema, 'type')
  if (types.includes('null') && types.length > 1) {
    const rest = types.filter((type) => type !== 'null')
    const inner = { ...schema, type: rest.length === 1 ? rest[0] : rest }
    const values = memberOf(schema, 'enum')
    const isEnum = Array.isArray(values)
    return {
      schema: isEnum ? { ...inner, enum: values.filter((value) => value !== null) } : inner,
      isNullable: true,
    }
  }
  for (const keyword of ['anyOf', 'oneOf'] as const) {
    const options = listOf(schema, keyword)
    const rest = options.filter((option) => textOf(resolved(root, option), 'type') !== 'null')
    if (rest.length === options.length || rest.length === 0) continue
    const { [keyword]: _options, ...outer } = schema
    if (rest.length > 1) return { schema: { ...outer, [keyword]: rest }, isNullable: true }
    const only = resolved(root, rest[0])
    return { schema: isObject(only) ? { ...only, ...outer } : only, isNullable: true }
  }
  return { schema, isNullable: false }
}

function choiceOf(schema: JsonObject, common: Common): FormNode | undefined {
  if (Object.hasOwn(schema, 'const')) {
    return { kind: 'choice', ...common, options: [{ label: labelOf(schema.const), value: schema.const }] }
  }
  const values = memberOf(schema, 'enum')
  if (Array.isArray(values) && values.length > 0 && values.length <= mostOptions) {
    // The way MCP had before 2025-11-25 to name them for people.
    const names = listOf(schema, 'enumNames')
    const options = values.map((value, at) => option(names[at], value))
    return { kind: 'choice', ...common, options }
  }
  const type = memberOf(schema, 'type')
  if (type === 'boolean') return { kind: 'choice', ...common, options: booleans }
  if (type === 'null') return { kind: 'choice', ...common, options: [{ label: 'null', value: null }] }
  const named = optionsOf(schema)
  const areValues =
    named.length > 0 &&
    named.length <= mostOptions &&
    named.every((one) => isObject(one) && Object.hasOwn(one, 'const'))
  if (!areValues) return undefined
  return {
    kind: 'choice',
    ...common,
    options: named.map((one) => option(memberOf(one, 'title'), memberOf(one, 'const'))),
  }
}

const booleans: readonly ChoiceOption[] = [
  { label: 'Yes', value: true },
  { label: 'No', value: false },
]

function option(name: unknown, value: unknown): ChoiceOption {
  return { label: typeof name === 'string' && name !== '' ? name.slice(0, 200) : labelOf(value), value }
}

function labelOf(value: unknown): string {
  return (typeof value === 'string' && value !== '' ? value : JSON.stringify(value)).slice(0, 200)
}

function optionsOf(schema: unknown): readonly unknown[] {
  const one = listOf(schema, 'oneOf')
  return one.length > 0 ? one : listOf(schema, 'anyOf')
}

function groupOf(reading: Reading, schema: JsonObject, common: Common, depth: number): FormNode | undefined {
  const properties = memberOf(schema, 'properties')
  const type = memberOf(schema, 'type')
  const hasMembers = isObject(properties) && Object.keys(properties).length > 0
  if (!hasMembers || (type !== undefined && type !== 'object')) return undefined
  const required = new Set(listOf(schema, 'required'))
  const members = once(() => {
    const entries = Object.entries(properties).slice(0, mostMembers)
    return new Map(
      entries.map(([name, inner]): [string, Member] => [
        name,
        { node: nodeOf(reading, inner, depth + 1), isRequired: required.has(name) },
      ]),
    )
  })
  return { kind: 'group', ...common, members }
}

function unionOf(reading: Reading, schema: JsonObject, common: Common, depth: number): FormNode | undefined {
  const written = alternatives(schema)
  if (written.length < 2 || written.length > mostOptions) return undefined
  const options = once(() =>
    written.map((one, at): UnionOption => {
      const node = nodeOf(reading, one, depth + 1)
      return { label: node.title ?? `${at + 1}: ${kindWords(node)}`, node }
    }),
  )
  return { kind: 'union', ...common, options }
}

/** The shapes a value may have: of `oneOf` and `anyOf`, or one for each type. */
function alternatives(schema: JsonObject): readonly unknown[] {
  const options = optionsOf(schema)
  if (options.length > 0) return options
  const { title: _title, description: _description, default: _default, type, ...rest } = schema
  return Array.isArray(type) ? type.map((one: unknown) => ({ ...rest, type: one })) : []
}

/** What a shape is, for a list of shapes. */
function kindWords(node: FormNode): string {
  switch (node.kind) {
    case 'text':
      return 'text'
    case 'number':
      return node.isInteger ? 'whole number' : 'number'
    case 'choice':
      return node.options === booleans
        ? 'yes or no'
        : node.options
            .map(({ label }) => label)
            .join(', ')
            .slice(0, 60)
    case 'list':
      return 'list'
    case 'group':
    case 'map':
      return 'object'
    case 'union':
      return 'one of several'
    case 'json':
      return 'JSON'
  }
}

function plainOf(reading: Reading, schema: JsonObject, common: Common, depth: number): FormNode {
  const type = memberOf(schema, 'type')
  if (type === 'string') {
    const format = textOf(schema, 'format')
    const maxLength = numberIn(schema, 'maxLength')
    const isLong =
      format === undefined && textOf(schema, 'pattern') === undefined && (maxLength ?? 1000) > 120
    return { kind: 'text', ...common, format, isLong, minLength: numberIn(schema, 'minLength'), maxLength }
  }
  if (type === 'number' || type === 'integer') {
    return {
      kind: 'number',
      ...common,
      isInteger: type === 'integer',
      minimum: numberIn(schema, 'minimum'),
      maximum: numberIn(schema, 'maximum'),
      exclusiveMinimum: numberIn(schema, 'exclusiveMinimum'),
      exclusiveMaximum: numberIn(schema, 'exclusiveMaximum'),
    }
  }
  if (type === 'array' && !Object.hasOwn(schema, 'prefixItems')) {
    const item = once(() => nodeOf(reading, memberOf(schema, 'items') ?? true, depth + 1))
    return {
      kind: 'list',
      ...common,
      item,
      minItems: numberIn(schema, 'minItems') ?? 0,
      maxItems: numberIn(schema, 'maxItems'),
    }
  }
  const others = memberOf(schema, 'additionalProperties')
  if (type === 'object' && isObject(others)) {
    return { kind: 'map', ...common, value: once(() => nodeOf(reading, others, depth + 1)) }
  }
  return { kind: 'json', ...common }
}

function numberIn(schema: unknown, name: string): number | undefined {
  const value = memberOf(schema, name)
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined
}

/** Words of the schema that are not checked here, because the server does. */
function hintOf(schema: unknown): string | undefined {
  const format = textOf(schema, 'format')
  const pattern = textOf(schema, 'pattern')
  const step = numberIn(schema, 'multipleOf')
  const parts = [
    ...(format === undefined ? [] : [`Format: ${formatWords.get(format) ?? format.slice(0, 60)}`]),
    ...(pattern === undefined ? [] : [`Pattern: ${pattern.slice(0, 200)}`]),
    ...(step === undefined ? [] : [`A multiple of ${step}`]),
  ]
  return parts.length === 0 ? undefined : parts.join('. ')
}

const formatWords: ReadonlyMap<string, string> = new Map([
  ['date', 'a date such as 2026-01-31'],
  ['date-time', 'a time such as 2026-01-31T12:00:00Z'],
  ['time', 'a time such as 12:00:00Z'],
  ['email', 'an e-mail address'],
  ['uri', 'an address such as https://example.com/'],
  ['uuid', 'a UUID'],
])

/** Reads it at the first look, and not again. */
function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined
  return () => {
    made ??= { value: make() }
    return made.value
  }
}
