import type { JsonObject } from '../message.ts'

/** Where something stands in a document: names of members and places in lists. */
export type DocumentPath = readonly (string | number)[]

/** What is wrong with a document. */
export interface DocumentProblem {
  readonly path: DocumentPath
  /** What is expected, and never what was found: it may be a secret. */
  readonly text: string
}

/**
 * What a part of a document may be, said once: the JSON Schema and the check come from the same words, and the types of
 * the documents hold the names of the members.
 */
export interface Shape {
  readonly schema: JsonObject
  /** Adds what is wrong with the value. */
  check(value: unknown, path: DocumentPath, problems: DocumentProblem[]): void
}

/** A member of a document, and what it is for. */
export type Member = readonly [shape: Shape, description: string]

/** One of each name of a type, so that no member is forgotten. */
export type Members<Type> = { readonly [Name in keyof Required<Type>]: Member }

/** How many more problems are looked for once there are some. */
const mostProblems = 50

/** A text that is not empty and holds no control characters; of `form`, when that is given. */
export function text(form?: { readonly pattern: RegExp; readonly expected: string }): Shape {
  const pattern = form?.pattern ?? printable
  const expected = form?.expected ?? 'a text that is not empty and holds no line breaks'
  return simple(
    { type: 'string', pattern: pattern.source },
    (value) => typeof value === 'string' && pattern.test(value),
    (value) => (isUnquoted(value) ? `must be ${expected}; put it in quotes` : `must be ${expected}`),
  )
}

/** Spelled for every reader of JSON Schema. */
const printable = /^[^\r\n\0]+$/

function isUnquoted(value: unknown): boolean {
  return typeof value === 'number' || typeof value === 'boolean'
}

/** `true` or `false`. */
export const flag: Shape = simple(
  { type: 'boolean' },
  (value) => typeof value === 'boolean',
  () => 'must be true or false',
)

/** A whole number within bounds. */
export function whole(low: number, high: number): Shape {
  return simple(
    { type: 'integer', minimum: low, maximum: high },
    (value) => Number.isInteger(value) && Number(value) >= low && Number(value) <= high,
    () => `must be a whole number from ${low} to ${high}`,
  )
}

/** One of these words. */
export function word(...words: readonly string[]): Shape {
  const listed = words.map((one) => JSON.stringify(one)).join(' or ')
  return simple(
    { enum: words },
    (value) => typeof value === 'string' && words.includes(value),
    (value) => {
      const near = typeof value === 'string' ? nearest(value, words) : undefined
      return near === undefined ? `must be ${listed}` : `must be ${listed}; did you mean "${near}"?`
    },
  )
}

function simple(
  schema: JsonObject,
  isGood: (value: unknown) => boolean,
  expected: (value: unknown) => string,
): Shape {
  return {
    schema,
    check(value, path, problems) {
      if (!isGood(value)) problems.push({ path, text: expected(value) })
    },
  }
}

/** A list of at least `least` and at most `most` of the same. */
export function list(item: Shape, least: number, most: number): Shape {
  const kind = least === 0 ? 'a list' : 'a list that is not empty'
  return {
    schema: { type: 'array', items: item.schema, ...(least > 0 && { minItems: least }), maxItems: most },
    check(value, path, problems) {
      if (!Array.isArray(value) || value.length < least) problems.push({ path, text: `must be ${kind}` })
      else if (value.length > most) problems.push({ path, text: `must hold at most ${most}` })
      else for (let at = 0; at < value.length; at++) checkPart(item, value[at], [...path, at], problems)
    },
  }
}

/** One text, or a list that is not empty. */
export function oneOrMore(one: Shape, most: number, item: Shape = one): Shape {
  const many = list(item, 1, most)
  return {
    schema: { anyOf: [one.schema, many.schema] },
    check(value, path, problems) {
      ;(Array.isArray(value) ? many : one).check(value, path, problems)
    },
  }
}

/** An object of any names, all of one kind. */
export function named(value: Shape, names: Shape, most: number): Shape {
  return {
    schema: {
      type: 'object',
      propertyNames: names.schema,
      additionalProperties: value.schema,
      maxProperties: most,
    },
    check(found, path, problems) {
      if (!isPlain(found)) {
        problems.push({ path, text: 'must be an object' })
        return
      }
      const entries = Object.entries(found)
      if (entries.length > most) problems.push({ path, text: `must hold at most ${most}` })
      for (const [name, one] of entries.slice(0, most)) {
        checkPart(names, name, [...path, name], problems)
        checkPart(value, one, [...path, name], problems)
      }
    },
  }
}

/** An object of anything: a schema, which is looked at elsewhere. */
export const anyObject: Shape = simple({ type: 'object' }, isPlain, () => 'must be an object')

/** An object of these members and no others. */
export function object<Type>(members: Members<Type>, required: readonly (keyof Type & string)[] = []): Shape {
  const known = new Map<string, Member>(Object.entries(members))
  const properties = [...known].map(([name, [{ schema }, description]]) => [name, { ...schema, description }])
  return {
    schema: {
      type: 'object',
      properties: Object.fromEntries(properties),
      ...(required.length > 0 && { required }),
      additionalProperties: false,
    },
    check(value, path, problems) {
      if (!isPlain(value)) {
        problems.push({ path, text: `must be an object of ${[...known.keys()].join(', ')}` })
        return
      }
      for (const name of required) {
        if (!Object.hasOwn(value, name)) problems.push({ path, text: `needs the member "${name}"` })
      }
      for (const name of namesOf(value)) {
        const shape = Object.hasOwn(value, name) ? known.get(name)?.[0] : undefined
        if (shape) checkPart(shape, value[name], [...path, name], problems)
        else problems.push({ path: [...path, name], text: unknownName(name, [...known.keys()]) })
      }
    },
  }
}

/** Inherited ones as well: whoever merges JSON into a document may have let its `__proto__` become one. */
function namesOf(value: object): readonly string[] {
  const names: string[] = []
  for (const name in value) names.push(name)
  return names
}

function checkPart(shape: Shape, value: unknown, path: DocumentPath, problems: DocumentProblem[]): void {
  if (problems.length < mostProblems) shape.check(value, path, problems)
}

function unknownName(name: string, known: readonly string[]): string {
  const near = nearest(name, known)
  const hint = near === undefined ? '' : ` Did you mean "${near}"?`
  return `does not exist.${hint} Known are ${known.join(', ')}`
}

/** The known word that was most likely meant. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  if (name.length > 40) return undefined
  const bare = bareName(name)
  const close = known
    .map((word) => ({ word, steps: steps(bare, bareName(word)) }))
    .filter(({ word, steps }) => steps <= Math.max(1, Math.floor(word.length / 3)))
  return close.sort((one, other) => one.steps - other.steps)[0]?.word
}

/** What is the same in `read-only`, `read_only` and `readOnly`. */
function bareName(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]/g, '')
}

/** How many letters have to be put in, taken out or replaced (Levenshtein). */
function steps(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, at) => at)
  for (let at = 1; at <= from.length; at++) {
    const next = [at]
    for (let column = 1; column <= to.length; column++) {
      const replaced = row[column - 1]! + (from[at - 1] === to[column - 1] ? 0 : 1)
      next.push(Math.min(replaced, row[column]! + 1, next[column - 1]! + 1))
    }
    row = next
  }
  return row[to.length]!
}

/** An object as JSON has them, and no list, `Map` or instance of a class. */
export function isPlain(value: unknown): value is Readonly<Record<string, unknown>> {
  return Object.prototype.toString.call(value) === '[object Object]'
}

/** A path as people write it: `policy.rules[2].tools[0]`. */
export function pathText(path: DocumentPath): string {
  return path
    .map((step, at) => {
      if (typeof step === 'number') return `[${step}]`
      if (!/^[A-Za-z_$][\w$-]*$/.test(step)) return `[${JSON.stringify(step.slice(0, 60))}]`
      return at === 0 ? step : `.${step}`
    })
    .join('')
    .slice(0, 300)
}
