import type { Logger } from '../../core/index.ts'
import { type Suggested, suggestion, warnOfMembers } from './config-members.ts'

/** A configuration as it was given, copied: nobody can change it any more. */
export interface ConfigDocument {
  /** Which of the two names the servers stand under. */
  readonly member: 'mcpServers' | 'servers'
  /** The entries by name, still to be checked. */
  readonly servers: ReadonlyMap<string, unknown>
  /** What else stood at the top: members of other programs. */
  readonly others: Readonly<Record<string, unknown>>
}

/** A configuration that is nested deeper, or goes round in a circle, is none. */
const deepest = 32
/** More is not a configuration. */
const longest = 1_048_576

/**
 * Reads the top of a configuration and copies all of it. Members nobody here knows are told to `log`.
 *
 * @throws TypeError when there is not exactly one of `mcpServers` and `servers`, it is no object of servers, or a
 *   credential stands at the top, where it would belong to every server
 */
export function readDocument(config: unknown, log: Logger): ConfigDocument {
  if (!isPlain(config)) throw new TypeError('MCPClient: the configuration must be an object')
  const { mcpServers, servers, ...others } = copied(config, 0) as Record<string, unknown>
  if ((mcpServers === undefined) === (servers === undefined)) {
    throw new TypeError('MCPClient: the configuration must have either mcpServers or servers')
  }
  const member = mcpServers === undefined ? 'servers' : 'mcpServers'
  const entries = mcpServers ?? servers
  if (!isPlain(entries)) {
    throw new TypeError(`MCPClient: ${member} must be an object of servers by name`)
  }
  for (const name of Object.keys(others)) refuseCredential(name, member)
  // `$schema` is for editors and has no effect anywhere.
  warnOfMembers('', others, ['$schema'], log)
  return { member, servers: new Map(Object.entries(entries)), others }
}

/**
 * Reads a configuration from a JSON file.
 * @throws the error of the file system; TypeError when the file is no JSON, or larger than 1 MiB
 */
export async function readConfigFile(path: string | URL): Promise<unknown> {
  const { readFile, stat } = await import('node:fs/promises')
  if ((await stat(path)).size > longest) throw new TypeError(`MCPClient: ${path} is larger than 1 MiB`)
  const text = await readFile(path, 'utf8')
  try {
    return JSON.parse(text.replace(/^\uFEFF/, ''))
  } catch {
    // The error of `JSON.parse` repeats the text, which may hold tokens.
    throw new TypeError(`MCPClient: ${path} is not valid JSON`)
  }
}

/** Whether the value is an object of the kind JSON has. */
export function isPlain(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

/** One credential for several servers would go where it does not belong (MCP authorization, "Token Handling"). */
function refuseCredential(name: string, member: string): void {
  const misplaced: readonly (Suggested | undefined)[] = ['auth', 'headers']
  const meant = suggestion(name)
  if (misplaced.includes(meant)) {
    throw new TypeError(
      `MCPClient: ${name} at the top of the configuration belongs to no server; write ${member}.<name>.${meant}`,
    )
  }
}

/** Objects and lists are copied, with `undefined` members; what JSON cannot say, a source of tokens above all, is not. */
function copied(value: unknown, depth: number): unknown {
  if (depth > deepest) throw new TypeError(`MCPClient: the configuration is nested deeper than ${deepest}`)
  if (Array.isArray(value)) return Array.from(value, (item) => copied(item, depth + 1))
  if (!isPlain(value) || typeof value.token === 'function') return value
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, copied(item, depth + 1)]))
}
