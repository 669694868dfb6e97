type Json = Readonly<Record<string, unknown>>

/** More places than this in a schema, references followed, are not looked at. */
const mostPlaces = 2_000
const deepest = 64

/**
 * What the validator of the SDK may be asked to do with the output schema of a tool. It is the server's word, and a few
 * lines of it can keep a validator busy for ever: a `pattern` that backtracks, references that double at each step. So
 * only what takes time in proportion to the result is kept. The rest is left out such that a result that fits the whole
 * schema fits what is kept:
 *
 * - gone: `pattern`, `patternProperties`, `format`, `uniqueItems`, `not`, `if`, `contains`, `unevaluated…`
 * - `oneOf` is `anyOf`
 * - references within the schema are written out; one that leads into itself, or elsewhere, takes anything
 */
export function boundedSchema(schema: unknown): Json {
  const kept = new Keeper(schema).keep(schema, [])
  return typeof kept === 'object' ? kept : kept ? {} : { not: {} }
}

const isText = (value: unknown): boolean => typeof value === 'string'
const isNumber = (value: unknown): boolean => typeof value === 'number'
const isTexts = (value: unknown): boolean => Array.isArray(value) && value.every(isText)

/** Keywords that cost little, and what they must be to be one (JSON Schema Validation 2020-12 section 6). */
const cheap: ReadonlyMap<string, (value: unknown) => boolean> = new Map([
  ['type', (value) => isText(value) || isTexts(value)],
  ['enum', Array.isArray],
  ['const', () => true],
  ['required', isTexts],
  ...[
    'minimum',
    'maximum',
    'exclusiveMinimum',
    'exclusiveMaximum',
    'minLength',
    'maxLength',
    'minItems',
    'maxItems',
    'minProperties',
    'maxProperties',
  ].map((name) => [name, isNumber] as const),
])

class Keeper {
  readonly #root: unknown
  #left = mostPlaces

  constructor(root: unknown) {
    this.#root = root
  }

  /** @param open the schemas this one is inside of, references followed */
  keep(schema: unknown, open: readonly unknown[]): Json | boolean {
    if (typeof schema === 'boolean') return schema
    if (!isObject(schema) || open.includes(schema) || open.length > deepest || this.#left-- <= 0) return true
    const inside = [...open, schema]
    const kept = Object.entries(schema).filter(([name, value]) => cheap.get(name)?.(value) === true)
    const all = this.#combined(schema, inside)
    return {
      ...Object.fromEntries(kept),
      ...this.#members(schema, inside),
      ...this.#elements(schema, inside),
      ...(all.length > 0 && { allOf: all }),
    }
  }

  #members(schema: Json, open: readonly unknown[]): Json {
    const { properties, additionalProperties } = schema
    const named = isObject(properties)
      ? {
          properties: Object.fromEntries(
            Object.entries(properties).map(([name, one]) => [name, this.#member(name, one, open)]),
          ),
        }
      : {}
    // Which names a pattern takes is not known here.
    const isOpen = additionalProperties === undefined || 'patternProperties' in schema
    return isOpen ? named : { ...named, additionalProperties: this.keep(additionalProperties, open) }
  }

  /** The validator takes what objects inherit for theirs: `constructor`. */
  #member(name: string, schema: unknown, open: readonly unknown[]): Json | boolean {
    return name in Object.prototype || this.keep(schema, open)
  }

  #elements({ items, prefixItems }: Json, open: readonly unknown[]): Json {
    // Up to 2019-09 a list of `items` was what `prefixItems` is now.
    const first = Array.isArray(items) ? items : prefixItems
    return {
      ...(Array.isArray(first) && { prefixItems: this.#list(first, open) }),
      ...(items !== undefined && !Array.isArray(items) && { items: this.keep(items, open) }),
    }
  }

  /** What has to hold as well. */
  #combined({ allOf, anyOf, oneOf, $ref }: Json, open: readonly unknown[]): readonly unknown[] {
    const choices = [anyOf, oneOf].filter((one) => Array.isArray(one) && one.length > 0) as unknown[][]
    return [
      ...(Array.isArray(allOf) ? this.#list(allOf, open) : []),
      ...choices.map((choice) => ({ anyOf: this.#list(choice, open) })),
      ...(typeof $ref === 'string' ? [this.keep(this.#target($ref), open)] : []),
    ]
  }

  #list(schemas: readonly unknown[], open: readonly unknown[]): readonly unknown[] {
    return schemas.map((one) => this.keep(one, open))
  }

  /** RFC 6901 section 6, within the schema; `undefined` for anything else. */
  #target(reference: string): unknown {
    if (!/^#(?:\/|$)/.test(reference)) return undefined
    let at: unknown = this.#root
    for (const step of reference.split('/').slice(1, deepest)) {
      const name = unescaped(step)
      at = isObject(at) && name !== undefined && Object.hasOwn(at, name) ? at[name] : undefined
    }
    return at
  }
}

function unescaped(step: string): string | undefined {
  try {
    return decodeURIComponent(step).replaceAll('~1', '/').replaceAll('~0', '~')
  } catch {
    return undefined
  }
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
