import type { RequestHead } from '../http/head.ts'
import type { JsonObject } from './types.ts'

/** An argument of a tool that the caller repeats in a header (MCP Streamable HTTP, "Custom Headers from Tool Parameters"). */
export interface ParamHeader {
  /** Lower case. */
  readonly header: string
  /** Names of members, from the arguments inward. */
  readonly path: readonly string[]
  /** Numbers are compared as such: `42` and `42.0` are the same. */
  readonly isNumber: boolean
}

const key = 'x-mcp-header'
const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
/** Deeper than any form a person fills in. */
const maxDepth = 32

/**
 * The headers a tool asks for, found in its input schema.
 * @throws TypeError when the schema asks for one that cannot be: clients would leave the whole tool out
 */
export function paramHeaders(owner: string, inputSchema: JsonObject): readonly ParamHeader[] {
  const found: ParamHeader[] = []
  collect(owner, inputSchema, [], found)
  const names = new Set(found.map(({ header }) => header))
  if (names.size < found.length) throw new TypeError(`${owner}: two members have the same ${key}`)
  return found
}

function collect(owner: string, schema: unknown, path: readonly string[], found: ParamHeader[]): void {
  if (typeof schema !== 'object' || schema === null || path.length > maxDepth) return
  const { [key]: name, type, properties, ...others } = schema as JsonObject
  if (name !== undefined) found.push(declared(owner, name, type, path))
  for (const [keyword, inner] of Object.entries(others)) {
    if (!plainKeywords.has(keyword)) refuseIn(owner, inner, keyword)
  }
  if (typeof properties !== 'object' || properties === null) return
  for (const [member, inner] of Object.entries(properties)) collect(owner, inner, [...path, member], found)
}

/** Keywords whose value is data, and no schema. */
const plainKeywords: ReadonlySet<string> = new Set(['default', 'const', 'enum', 'examples', 'required'])

/** Where a value may be one of several, or none, no header can stand for it. */
function refuseIn(owner: string, schema: unknown, keyword: string, depth = 0): void {
  if (typeof schema !== 'object' || schema === null || depth > maxDepth) return
  if (Object.hasOwn(schema, key) && typeof (schema as JsonObject)[key] === 'string')
    throw new TypeError(`${owner}: ${key} must not stand under "${keyword}": only under "properties"`)
  for (const [inside, inner] of Object.entries(schema)) {
    if (!plainKeywords.has(inside)) refuseIn(owner, inner, keyword, depth + 1)
  }
}

function declared(owner: string, name: unknown, type: unknown, path: readonly string[]): ParamHeader {
  if (typeof name !== 'string' || !token.test(name) || path.length === 0)
    throw new TypeError(`${owner}: ${key} of "${path.join('.')}" must be a name that can stand in a header`)
  if (type !== 'string' && type !== 'integer' && type !== 'boolean')
    throw new TypeError(`${owner}: ${key} is for texts, whole numbers and booleans, not "${path.join('.')}"`)
  return { header: `mcp-param-${name.toLowerCase()}`, path, isNumber: type === 'integer' }
}

/**
 * Whether the headers say what the arguments say. A gateway may have decided by the headers; so what runs must be what
 * they name.
 *
 * @returns nothing when they agree, else one sentence about the first that does not
 */
export function paramHeaderMismatch(
  declarations: readonly ParamHeader[],
  args: unknown,
  head: RequestHead,
): string | undefined {
  for (const declaration of declarations) {
    const expected = textOf(valueAt(args, declaration.path))
    if (expected === undefined) continue
    const [sent, ...more] = head.header(declaration.header)
    if (sent === undefined) return `the header ${declaration.header} is missing`
    // Whoever decided by the other one decided about another call.
    if (more.length > 0) return `the header ${declaration.header} stands there twice`
    const value = decodedHeader(sent.trim())
    if (value === undefined) return `the header ${declaration.header} is not valid Base64`
    const agree = declaration.isNumber ? sameNumber(value, expected) : value === expected
    if (!agree) return `the header ${declaration.header} and the arguments disagree`
  }
  return undefined
}

function valueAt(args: unknown, path: readonly string[]): unknown {
  let value = args
  for (const name of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined
    value = (value as JsonObject)[name]
  }
  return value
}

/** What the header has to say; `undefined` where none is expected. */
function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value
  return typeof value === 'boolean' || Number.isFinite(value) ? String(value) : undefined
}

/** Digit by digit: a number is rounded when it is read, and what differs only behind that is another one. */
function sameNumber(sent: string, expected: string): boolean {
  const [, whole] = /^(-?\d+)(?:\.0+)?$/.exec(sent) ?? []
  return (whole ?? sent) === expected
}

const wrapped = /^=\?base64\?((?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?)\?=$/

/** Texts that cannot stand in a header come in Base64 ("Value Encoding"); `undefined` when it is none. */
export function decodedHeader(value: string): string | undefined {
  if (!(value.startsWith('=?base64?') && value.endsWith('?='))) return value
  const base64 = wrapped.exec(value)?.[1]
  if (base64 === undefined) return undefined
  try {
    const bytes = Uint8Array.from(atob(base64), (char) => char.charCodeAt(0))
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return undefined
  }
}
