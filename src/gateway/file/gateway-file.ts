import { createReadStream } from 'node:fs'
import { buffer } from 'node:stream/consumers'
import { type Document, isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument, visit } from 'yaml'
import { redact } from '../../core/redact.ts'
import { gatewayProblems } from './gateway-check.ts'
import type { GatewayFile } from './gateway-document.ts'
import { type DocumentPath, type DocumentProblem, pathText } from './shape.ts'

/** One thing that is wrong with a gateway file. */
export interface GatewayFileProblem {
  /** From 1. */
  readonly line: number
  /** From 1. */
  readonly column: number
  /** Where it is in the document, such as `policy.rules[2].tools[0]`; empty for the whole file. */
  readonly path: string
  /** What is expected. Never what stands there: it may be a secret. */
  readonly text: string
}

/** A gateway file cannot be used. The message says why, line by line. */
export class GatewayFileError extends Error {
  override readonly name = 'GatewayFileError'
  /** Everything that was found, in the order of the file. Empty when it could not be read. */
  readonly problems: readonly GatewayFileProblem[]

  constructor(message: string, problems: readonly GatewayFileProblem[] = [], options?: ErrorOptions) {
    super(message, options)
    this.problems = Object.freeze([...problems])
  }
}

/** Bytes of a file. */
const mostBytes = 1024 * 1024

/**
 * Reads a gateway file: YAML 1.2 or JSON, of at most 1 MiB. `${VAR}` in it stays as it is.
 *
 * @throws GatewayFileError naming everything that is wrong by line, column and path; nothing of what stands in the file
 *   but names of members is repeated
 *
 * @example
 * ```ts
 * import { gatewayPolicy, readGatewayFile } from 'mcp-bearer/gateway'
 *
 * const file = await readGatewayFile('gateway.yaml')
 * const policy = file.policy && gatewayPolicy(file.policy)
 * ```
 */
export async function readGatewayFile(path: string): Promise<GatewayFile> {
  return parseGatewayFile(await textOf(path), path)
}

/**
 * Reads the text of a gateway file: YAML 1.2 with its core schema, or JSON, which is YAML. Without tags of one's own,
 * merge keys, directives and several documents; no member may stand twice.
 *
 * @param text what stands in it
 * @param name what errors call it, such as its path
 * @throws GatewayFileError naming everything that is wrong by line, column and path
 *
 * @example
 * ```ts
 * import { parseGatewayFile } from 'mcp-bearer/gateway'
 *
 * const file = parseGatewayFile('command: [node, server.mjs]\npolicy:\n  rules:\n    - tools: [search]\n', 'gateway.yaml')
 * ```
 */
export function parseGatewayFile(text: string, name: string): GatewayFile {
  const lines = new LineCounter()
  const place = ({ offset, path, text }: Fault): GatewayFileProblem => {
    const { line, col } = lines.linePos(offset)
    return { line: Math.max(line, 1), column: Math.max(col, 1), path: redact(pathText(path)), text }
  }
  const { document, value, faults } = yamlOf(text, lines)
  if (faults.length > 0) throw errorOf(name, faults.map(place))
  const problems = gatewayProblems(value)
  if (problems.length === 0) return value as GatewayFile
  throw errorOf(
    name,
    problems.map((problem) => place({ ...problem, offset: offsetOf(document, problem.path) })),
  )
}

/** What is wrong with the text, by its place. */
interface Fault extends DocumentProblem {
  readonly offset: number
}

function errorOf(name: string, found: readonly GatewayFileProblem[]): GatewayFileError {
  const problems = [...found].sort((one, other) => one.line - other.line || one.column - other.column)
  const lines = problems.map(({ line, column, path, text }) => {
    const where = path === '' ? '' : ` ${path}:`
    return `${name}:${line}:${column}:${where} ${text}`
  })
  return new GatewayFileError(lines.join('\n'), problems)
}

async function textOf(path: string): Promise<string> {
  const bytes = await buffer(createReadStream(path, { end: mostBytes })).catch((cause: unknown) => {
    const { code = 'unknown error' } = cause as NodeJS.ErrnoException
    throw new GatewayFileError(`${path}: cannot be read (${code})`, [], { cause })
  })
  if (bytes.length > mostBytes) throw new GatewayFileError(`${path}: is longer than 1 MiB`)
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw new GatewayFileError(`${path}: is no text in UTF-8`)
  }
}

/** How many nodes may be used again by aliases, and those within them. */
const mostAliases = 100

const strictly = {
  version: '1.2',
  schema: 'core',
  strict: true,
  uniqueKeys: true,
  stringKeys: true,
  merge: false,
  resolveKnownTags: false,
  prettyErrors: false,
  // With 'silent' a second document is passed over.
  logLevel: 'error',
} as const

/** What stands in the text, or what is wrong with it. */
interface Yaml {
  readonly document?: Document.Parsed
  readonly value?: unknown
  readonly faults: readonly Fault[]
}

function yamlOf(text: string, lineCounter: LineCounter): Yaml {
  let document: Document.Parsed | undefined
  try {
    document = parseDocument(text, { ...strictly, lineCounter })
    // The first makes the others.
    const found = [...document.errors, ...document.warnings]
      .slice(0, 3)
      .map(({ code, pos }) => fault(pos[0], reasons.get(code) ?? 'is no YAML'))
    const faults = found.length > 0 ? found : oddities(document)
    return { document, faults, value: faults.length > 0 ? undefined : document.toJS(within) }
  } catch {
    // The parser calls itself for what is inside of something, and gives up on aliases of aliases.
    const text = document ? 'uses aliases within aliases too often' : 'is nested too deeply'
    return { faults: [fault(0, text)] }
  }
}

const within = { maxAliasCount: mostAliases }

/** The messages of the parser are not used: they repeat what stands there. */
const reasons: ReadonlyMap<string, string> = new Map([
  ['BAD_DIRECTIVE', 'directives, such as %YAML, are not known here'],
  ['BAD_DQ_ESCAPE', 'holds an escape that does not exist; use single quotes where a backslash is meant'],
  ['BAD_INDENT', 'is not indented as what belongs together has to be'],
  ['BAD_SCALAR_START', 'begins with a character that means something in YAML; put the text in quotes'],
  [
    'BLOCK_AS_IMPLICIT_KEY',
    'there is a second ": " on the line; put the text in quotes, or begin a new line',
  ],
  ['DUPLICATE_KEY', 'stands here for the second time'],
  ['MISSING_CHAR', 'a character is missing before this, such as ":", a comma, a bracket or a quote'],
  ['MULTIPLE_DOCS', 'a second document begins; a gateway file is one'],
  ['NON_STRING_KEY', 'must be a name: a list or an object cannot be one'],
  ['TAB_AS_INDENT', 'is indented with a tab; YAML is indented with spaces'],
  ['TAG_RESOLVE_FAILED', 'tags, such as !this, are not known here'],
])

function fault(offset: number, text: string): Fault {
  return { offset, path: [], text }
}

const deepest = 64

/** What YAML allows, and nobody has to write. */
function oddities(document: Document.Parsed): readonly Fault[] {
  const faults: Fault[] = []
  const { contents, directives } = document
  if (contents === null || (isScalar(contents) && contents.value === null)) faults.push(fault(0, 'is empty'))
  if (directives.yaml.explicit || Object.keys(directives.tags).length > 1)
    faults.push(fault(0, reasons.get('BAD_DIRECTIVE')!))
  let aliases = 0
  visit(document, {
    Alias(_, alias, path) {
      const start = alias.range?.[0] ?? 0
      const meant = alias.resolve(document)
      if (meant === undefined) faults.push(fault(start, 'there is no anchor of this name before'))
      else if (path.some((node) => node === meant))
        faults.push(fault(start, 'is inside of what it stands for'))
      else if (++aliases > mostAliases)
        faults.push(fault(start, `there are more than ${mostAliases} aliases`))
      return faults.length > 10 ? visit.BREAK : undefined
    },
    Pair(_, { key }) {
      if (isScalar(key) && key.value === '<<')
        faults.push(fault(key.range?.[0] ?? 0, 'merge keys are not known here; write the members out'))
    },
    Collection(_, node, path) {
      if (path.length <= deepest * 2) return undefined
      faults.push(fault(node.range?.[0] ?? 0, 'is nested too deeply'))
      return visit.BREAK
    },
  })
  return faults
}

/** Where something stands, or the nearest thing around it: a member by its name, an item of a list by itself. */
function offsetOf(document: Document.Parsed | undefined, path: DocumentPath): number {
  let node: unknown = document?.contents
  let offset = startOf(node)
  for (const step of path) {
    const inside = document && isAlias(node) ? node.resolve(document) : node
    if (isMap(inside)) {
      const pair = inside.items.find(({ key }) => isScalar(key) && key.value === step)
      if (pair === undefined) return offset
      offset = startOf(pair.key)
      node = pair.value
    } else if (isSeq(inside) && typeof step === 'number') {
      node = inside.items[step]
      offset = startOf(node)
    } else return offset
  }
  return offset
}

function startOf(node: unknown): number {
  const { range } = (node ?? {}) as { readonly range?: readonly number[] | null }
  return range?.[0] ?? 0
}
