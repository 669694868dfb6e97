/** JSON Schema (draft 2020-12, and what is left of its elders) as a tree of rows. Knows nothing of the page. */
export const schemaReaderScript = String.raw`
/** A schema is drawn this deep, and with this many rows at most: references can unfold without end. */
const schemaLimits = { depth: 8, rows: 300, values: 24, letters: 160 }

/**
 * What a schema says: { type, facts: [{ label, values }], description, rows: [{ label, required, node }] }.
 * Whatever cannot be read is left out.
 */
function readSchema(schema) {
  return readNode({ root: object(schema), rowsLeft: schemaLimits.rows }, schema, [], 0)
}

function readNode(reader, given, trail, depth) {
  if (given === false) return leaf('nothing')
  const { schema, refs, ends } = resolved(reader, object(given), trail)
  const facts = factsOf(schema)
  const description = text(schema.description) || text(schema.title)
  if (ends !== undefined) return { type: ends, facts, description, rows: [] }
  const inner = { reader, trail: refs, depth: depth + 1 }
  const variants = variantsOf(inner, schema)
  if (variants) return { ...variants, facts: [...facts, ...variants.facts], description: description || variants.description }
  const shape = shapeOf(inner, schema)
  return { type: shape.type, facts: [...facts, ...shape.facts], description, rows: shape.rows }
}

function leaf(type) {
  return { type, facts: [], description: '', rows: [] }
}

/** Follows references within the schema. "ends" says why it goes no further. */
function resolved(reader, schema, trail) {
  const refs = [...trail]
  let current = schema
  while (typeof current.$ref === 'string') {
    const { $ref: ref, ...beside } = current
    const name = ref === '#' ? 'the whole' : decoded(ref.split('/').pop())
    if (refs.includes(ref)) return { schema: beside, refs, ends: name + ' (as above)' }
    const target = pointedAt(reader.root, ref)
    if (target === undefined) return { schema: beside, refs, ends: 'see ' + ref }
    refs.push(ref)
    current = { ...object(target), ...beside }
  }
  return { schema: current, refs, ends: undefined }
}

/** RFC 6901, from "#" down. Anchors and other documents are not looked up. */
function pointedAt(root, ref) {
  if (ref !== '#' && !ref.startsWith('#/')) return undefined
  let place = root
  for (const part of ref.split('/').slice(1)) {
    const name = decoded(part).replace(/~1/g, '/').replace(/~0/g, '~')
    if (typeof place !== 'object' || place === null || !Object.hasOwn(place, name)) return undefined
    place = place[name]
  }
  return place
}

function decoded(part) {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}

/** "anyOf", "oneOf" and "allOf": in one line when each of them is simple, else a row for each. */
function variantsOf(inner, schema) {
  const key = ['anyOf', 'oneOf', 'allOf'].find((name) => list(schema[name]).length > 0)
  if (key === undefined || schema.properties) return undefined
  if (isSpent(inner)) return leaf('\u2026')
  const nodes = list(schema[key]).map((one) => readNode(inner.reader, one, inner.trail, inner.depth))
  const [only, ...others] = nodes.filter((node) => node.type !== 'null')
  const type = [...new Set(nodes.map((node) => node.type))].join(key === 'allOf' ? ' and ' : ' or ')
  if (only === undefined) return leaf('null')
  if (others.length === 0) return { ...only, type }
  if (nodes.every((node) => node.rows.length === 0 && node.facts.length === 0)) return { ...leaf(type) }
  const rows = nodes.map((node, index) => ({ label: (key === 'allOf' ? 'part ' : 'variant ') + (index + 1), node }))
  inner.reader.rowsLeft -= rows.length
  return { ...leaf(key === 'allOf' ? 'all of these' : 'one of these'), rows }
}

function shapeOf(inner, schema) {
  const types = typeof schema.type === 'string' ? [schema.type] : texts(schema.type)
  const isArray = types.includes('array') || schema.items !== undefined || schema.prefixItems !== undefined
  if (isArray && !isSpent(inner)) return arrayShape(inner, schema, types)
  const rows = isSpent(inner) ? [] : objectRows(inner, schema)
  return { type: types.join(' or ') || guessedType(schema, rows), facts: [], rows }
}

/** "any" says that nothing is said; values that are listed speak for themselves. */
function guessedType(schema, rows) {
  if (rows.length > 0) return 'object'
  if (Object.hasOwn(schema, 'const')) return typeOfValue(schema.const)
  const found = new Set(list(schema.enum).map(typeOfValue))
  return found.size > 0 ? [...found].join(' or ') : 'any'
}

function typeOfValue(value) {
  return value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value
}

function arrayShape(inner, schema, types) {
  const others = types.filter((type) => type !== 'array').map((type) => ' or ' + type).join('')
  const places = list(schema.prefixItems).map((item, index) => ({ label: '[' + index + ']', required: false, schema: item }))
  if (places.length > 0) return { type: 'array' + others, facts: [], rows: rowsOf(inner, places) }
  if (schema.items === undefined) return { type: 'array' + others, facts: [], rows: [] }
  const item = readNode(inner.reader, schema.items, inner.trail, inner.depth)
  const facts = item.facts.map(({ label, values }) => ({ label: 'each: ' + label, values }))
  return { type: 'array of ' + item.type + others, facts, rows: item.rows }
}

function objectRows(inner, schema) {
  const required = texts(schema.required)
  const fields = Object.entries(object(schema.properties)).map(([label, property]) => ({
    label,
    required: required.includes(label),
    schema: property,
  }))
  const patterns = Object.entries(object(schema.patternProperties)).map(([pattern, property]) => ({
    label: '/' + pattern + '/',
    required: false,
    schema: property,
  }))
  const rest = Object.keys(object(schema.additionalProperties)).length > 0
  const others = rest ? [{ label: 'any other name', required: false, schema: schema.additionalProperties }] : []
  return rowsOf(inner, [...fields, ...patterns, ...others])
}

function rowsOf(inner, fields) {
  const rows = []
  for (const { label, required, schema } of fields) {
    if (inner.reader.rowsLeft <= 0) return [...rows, { label: '\u2026', required: false, node: leaf('more in the JSON Schema') }]
    inner.reader.rowsLeft -= 1
    rows.push({ label, required, node: readNode(inner.reader, schema, inner.trail, inner.depth) })
  }
  return rows
}

function isSpent(inner) {
  return inner.depth > schemaLimits.depth || inner.reader.rowsLeft <= 0
}

/** The keywords that narrow a value, in words. */
const factLabels = {
  const: 'always', default: 'default', format: 'format', pattern: 'pattern',
  multipleOf: 'multiple of', exclusiveMinimum: 'more than', exclusiveMaximum: 'less than',
  contentMediaType: 'content', contentEncoding: 'encoding',
}
const ranges = [
  ['value', 'minimum', 'maximum'], ['length', 'minLength', 'maxLength'],
  ['items', 'minItems', 'maxItems'], ['members', 'minProperties', 'maxProperties'],
]
const flagLabels = { uniqueItems: 'no two alike', deprecated: 'deprecated', readOnly: 'read only', writeOnly: 'write only' }
/** What libraries write for "any safe integer" says nothing to anybody. */
const endless = [Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER]

function factsOf(schema) {
  const facts = []
  const values = list(schema.enum)
  const cut = values.length > schemaLimits.values ? ['\u2026 ' + (values.length - schemaLimits.values) + ' more'] : []
  const shown = values.slice(0, schemaLimits.values).map(literal)
  if (values.length > 0) facts.push({ label: 'one of', values: [...shown, ...cut] })
  for (const [keyword, label] of Object.entries(factLabels)) {
    if (!Object.hasOwn(schema, keyword) || endless.includes(schema[keyword])) continue
    const isName = keyword === 'format' || keyword.startsWith('content') || keyword === 'pattern'
    facts.push({ label, values: [isName ? text(schema[keyword]) : literal(schema[keyword])] })
  }
  facts.push(...ranges.flatMap(([label, low, high]) => rangeFact(label, schema[low], schema[high])))
  for (const [keyword, label] of Object.entries(flagLabels)) if (schema[keyword] === true) facts.push({ label, values: [] })
  const examples = list(schema.examples).slice(0, 3).map(literal)
  if (examples.length > 0) facts.push({ label: 'for example', values: examples })
  return facts
}

function rangeFact(label, low, high) {
  const [from, to] = [low, high].map((bound) => (typeof bound === 'number' && !endless.includes(bound) ? bound : undefined))
  if (from === undefined && to === undefined) return []
  if (to === undefined) return [{ label, values: ['at least ' + from] }]
  return [{ label, values: [from === undefined ? 'at most ' + to : from === to ? String(from) : from + ' to ' + to] }]
}

function literal(value) {
  const written = JSON.stringify(value)
  return written.length > schemaLimits.letters ? written.slice(0, schemaLimits.letters) + '\u2026' : written
}
`
