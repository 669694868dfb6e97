import { createRequire } from 'node:module'
import { isPlain } from '../file/shape.ts'
import type { JsonObject } from '../message.ts'
import { folded, namedMembers, patternedMembers, schemaProblem } from './policy-keywords.ts'
import { harmlessSize, inTime } from './policy-time.ts'

/** What is wrong with the arguments of a call, for whoever wrote them; `undefined` when nothing is. */
export type ArgumentsCheck = (args: unknown) => string | undefined

/** Compiles what arguments must be. */
export interface ArgumentsCompiler {
  /**
   * @returns what checks arguments; or, as a text, what is wrong with the schema
   */
  compile(schema: JsonObject): ArgumentsCheck | string
}

type Validator = (value: unknown) => { readonly valid: boolean; readonly errorMessage?: string | undefined }

/**
 * Makes an {@link ArgumentsCompiler} on the validator of the official SDK, for JSON Schema 2020-12. The schemas are the
 * operator's, the arguments anybody's: they are measured before the validator sees them, and what it throws refuses.
 */
export function argumentsCompiler(): ArgumentsCompiler {
  /** By its text: the same schema often stands in many rules, and is looked at once for its mistakes and once for use. */
  const compiled = new Map<string, ArgumentsCheck | string>()
  let made: GetValidator | undefined
  return {
    compile(schema) {
      const odd = schemaProblem(schema)
      if (odd !== undefined) return odd
      const text = JSON.stringify(schema)
      const known = compiled.get(text)
      if (known !== undefined) return known
      made ??= engine()
      const check = checkOf(schema, made)
      compiled.set(text, check)
      return check
    },
  }
}

type GetValidator = (schema: JsonObject) => Validator

function engine(): GetValidator {
  const sdk = new (ajv().AjvJsonSchemaValidator)()
  return (schema) => sdk.getValidator(schema)
}

let isSchema: Validator | undefined

/** Whether a schema is one. Compiled once: that takes longer than all the schemas of most policies. */
function metaschema(): Validator {
  isSchema ??= engine()({ $ref: 'https://json-schema.org/draft/2020-12/schema' })
  return isSchema
}

function checkOf(schema: JsonObject, getValidator: GetValidator): ArgumentsCheck | string {
  try {
    const { valid, errorMessage } = metaschema()(schema)
    if (!valid) return `is no JSON Schema 2020-12: ${inWords(errorMessage, 'schema')}`
    return checkWith(getValidator(copyOf(schema)), schema)
  } catch (error) {
    return `is no JSON Schema that can be used: ${error instanceof Error ? error.message.slice(0, 300) : ''}`
  }
}

/** Takes 50 ms to load, so only a policy that looks at arguments does. */
function ajv(): typeof import('@modelcontextprotocol/server/validators/ajv') {
  return createRequire(import.meta.url)('@modelcontextprotocol/server/validators/ajv')
}

/** Plain objects, whatever the document was made of: the validator compares constructors. */
function copyOf(schema: JsonObject): JsonObject {
  return JSON.parse(JSON.stringify(schema)) as JsonObject
}

/** Longer schemas are not shown: the message is for a model. */
const longestShown = 1500

function checkWith(validate: Validator, schema: JsonObject): ArgumentsCheck {
  const shown = JSON.stringify(schema, (name, value: unknown) => (name === '$comment' ? undefined : value))
  const expected = shown.length > longestShown ? '' : `. Expected is ${shown}`
  const measure = measureOf(schema)
  const harmless = harmlessSize(schema)
  const named = namedMembers(schema)
  return (args = {}) => {
    const measured = measure(args)
    const odd = typeof measured === 'string' ? measured : disguised(named, args)
    if (odd !== undefined) return odd
    const isHarmless = typeof measured === 'number' && measured <= harmless
    const done = isHarmless ? { done: tried(validate, args) } : inTime(() => tried(validate, args))
    if (done === undefined) return tooSlow
    const { valid, errorMessage } = done.done
    return valid === true ? undefined : `${inWords(errorMessage, 'arguments')}${expected}`
  }
}

/**
 * Some readers of JSON take `PATH` for `path`, and the last of them wins: a name the schema is about is taken in its own
 * spelling only. Called with what was measured.
 */
function disguised(named: ReturnType<typeof namedMembers>, args: unknown): string | undefined {
  if (typeof args !== 'object' || args === null) return undefined
  for (const [name, value] of Object.entries(args)) {
    const spelled = Array.isArray(args) ? undefined : named.get(folded(name))
    if (spelled && !spelled.has(name)) return `arguments: write ${[...spelled].join(' or ')} exactly so`
    const inside = disguised(named, value)
    if (inside !== undefined) return inside
  }
  return undefined
}

/** A schema that refers to itself can run out of stack. */
function tried(validate: Validator, args: unknown): ReturnType<Validator> {
  try {
    return validate(args)
  } catch {
    return { valid: false, errorMessage: 'data cannot be checked' }
  }
}

/** The validator calls everything `data`, and names places and expectations, never values. */
function inWords(message: string | undefined, whole: string): string {
  return `${message ?? 'data is not what is expected'}`
    .slice(0, 500)
    .replace(/(^|, )data(?=[/ ])/g, (_, before: string) => before + whole)
}

const deepest = 32
const mostValues = 10_000
const longestName = 256
/** Where a pattern looks at it: patterns may take a time that grows with the square of it. */
const longestText = 8192

/** How much of arguments is looked at, in characters and values; in words, why they cannot be. */
function measureOf(schema: JsonObject): (args: unknown) => number | string {
  const patterned = patternedMembers(schema)
  return (args) => {
    if (!isPlain(args)) return 'arguments must be an object'
    let left = mostValues
    let looked = 0
    let isRounded = false
    const isBig = (value: unknown, depth: number, longest: number): boolean => {
      if (left-- <= 0 || depth > deepest) return true
      if (longest === longestText) looked += typeof value === 'string' ? value.length : 1
      if (typeof value === 'string') return value.length > longest
      if (typeof value === 'number' && Math.abs(value) > Number.MAX_SAFE_INTEGER) isRounded = true
      if (typeof value !== 'object' || value === null) return false
      if (Array.isArray(value)) return value.some((item) => isBig(item, depth + 1, longest))
      return Object.entries(value).some(([name, item]) => {
        looked += name.length
        return name.length > longestName || isBig(item, depth + 1, longest)
      })
    }
    for (const [name, value] of Object.entries(args)) {
      const longest = patterned === undefined || patterned.has(name) ? longestText : Number.POSITIVE_INFINITY
      if (longest === longestText) looked += name.length
      if (name.length > longestName || isBig(value, 1, longest)) return tooBig
    }
    return isRounded ? tooExact : looked
  }
}

const tooSlow = 'arguments take too long to be checked: shorter texts may do'
/** What is compared here must be what the server reads (RFC 8259 section 6). */
const tooExact = `arguments hold a number beyond ${Number.MAX_SAFE_INTEGER}, which readers of JSON round differently: write it as a text`
const tooBig = `arguments are too big to be checked: nested deeper than ${deepest}, more than ${mostValues} values, a name longer than ${longestName} characters, or, where a pattern is expected, a text longer than ${longestText}`
