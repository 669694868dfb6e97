/** Names of many servers in one list: made the same each time, and never two alike. */
export interface CatalogueNames {
  /** The name of a tool or prompt of a server, at most 64 characters of `A-Z a-z 0-9 _ - .` and the separator. */
  nameOf(server: string, name: string): string
  /** The server a name belongs to, if it can be one. */
  serverOf(name: string): string | undefined
}

/** What may stand between server and name. */
export type Separator = '_' | '__' | '-' | '.' | '/' | ':'

/** All of them. */
export const separators: readonly Separator[] = ['_', '__', '-', '.', '/', ':']

/** What the interfaces of language models take as the name of a function. */
const longestName = 64
const longestPrefix = 32

/**
 * Prefixes for the names of servers. A prefix never holds a character of the separator, so the first separator ends it:
 * whatever a server calls its tools, none can have the name of another server's tool. The prefixes depend on the
 * configuration alone, not on which servers are up.
 */
export function catalogueNames(servers: readonly string[], separator: Separator): CatalogueNames {
  const prefixes = new Map<string, string>()
  for (const server of servers) {
    const plain = plainPrefix(server, separator)
    let prefix = plain
    for (let count = 2; prefixes.has(prefix); count += 1) prefix = `${plain}${count}`
    prefixes.set(prefix, server)
  }
  const prefixOf = new Map([...prefixes].map(([prefix, server]) => [server, prefix]))
  return {
    nameOf(server, name) {
      const start = `${prefixOf.get(server)}${separator}`
      const plain = name.replaceAll(/[^\w.-]/g, '_')
      const room = longestName - start.length
      if (plain === name && name.length <= room) return start + name
      // What was changed or cut could meet another name of the same server.
      return `${start}${plain.slice(0, room - 9)}_${fingerprint(name)}`
    },
    serverOf(name) {
      const end = name.indexOf(separator)
      return end === -1 ? undefined : prefixes.get(name.slice(0, end))
    },
  }
}

function plainPrefix(server: string, separator: Separator): string {
  const filler = separator === '-' ? '_' : '-'
  const plain = server.replaceAll(/[^\w-]/g, filler).replaceAll(separator[0]!, filler)
  return plain.slice(0, longestPrefix) || 'server'
}

/** FNV-1a, 32 bits: it keeps the names of one server apart, which has no reason to attack itself. */
function fingerprint(text: string): string {
  let hash = 0x811c9dc5
  for (const byte of new TextEncoder().encode(text)) hash = Math.imul(hash ^ byte, 0x01000193)
  return (hash >>> 0).toString(16).padStart(8, '0')
}
