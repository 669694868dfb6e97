import { type Context, createContext, Script } from 'node:vm'
import { isPlain } from '../file/shape.ts'

/** Milliseconds. What takes longer is not asked for by anybody honest, and meanwhile nobody else is served. */
const longest = 250

/**
 * Does something that may never come to an end, as a search for a pattern in the wrong text.
 * @returns nothing when it took too long
 */
export function inTime<T>(run: () => T): { readonly done: T } | undefined {
  place ??= createContext(Object.create(null))
  place.run = () => ({ done: run() })
  try {
    return script.runInContext(place, { timeout: longest })
  } catch (error) {
    // It is an error of that place, and no `Error` of this one.
    if ((error as NodeJS.ErrnoException).code === 'ERR_SCRIPT_EXECUTION_TIMEOUT') return undefined
    throw error
  } finally {
    place.run = undefined
  }
}

let place: Context | undefined
const script = new Script('run()')

/**
 * How many characters and values a schema may look at before it has to be done {@link inTime}, which costs more than most
 * schemas do.
 */
export function harmlessSize(schema: unknown): number {
  const patterns = patternsIn(schema)
  const text = JSON.stringify(schema)
  if (patterns.some(mayBranch) || text.includes('"$ref":')) return 20
  return patterns.length > 0 || /"(?:format|uniqueItems)":/.test(text) ? 256 : Number.POSITIVE_INFINITY
}

/** A repeated group can be read in ways that double with each character, and three stars in the third power of them. */
function mayBranch(pattern: string): boolean {
  return /\)(?:[*+]|\{\d)/.test(pattern) || (pattern.match(/[*+]|,\}/g) ?? []).length > 2
}

/** Members of that name count wherever they stand: too many are found, and never too few. */
function patternsIn(schema: unknown): readonly string[] {
  if (Array.isArray(schema)) return schema.flatMap(patternsIn)
  if (!isPlain(schema)) return []
  const { pattern, patternProperties } = schema
  return [
    ...(typeof pattern === 'string' ? [pattern] : []),
    ...(isPlain(patternProperties) ? Object.keys(patternProperties) : []),
    ...Object.values(schema).flatMap(patternsIn),
  ]
}
