import { resolve } from 'node:path'
import { isPlain } from '../../client/config/config-document.ts'
import { interpolate, isReference } from '../../client/config/interpolate.ts'
import { isUrl } from '../arguments.ts'
import { UsageError } from '../command.ts'
import { printableLine } from '../printable.ts'
import { asUsage, filled, findServer, readConfig, readHeaders, usualFiles } from '../target.ts'
import type { Terminal } from '../terminal.ts'

/** The server that is looked at. */
export interface InspectedServer {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly allowInsecure: boolean
}

/** What was said of it. */
export interface Asked {
  /** A URL, or the name of a server in a configuration; `undefined` for the only one there. */
  readonly word: string | undefined
  readonly config: string | undefined
  /** As they are written on the command line. */
  readonly headers: readonly string[]
}

/**
 * Finds out which server is to be looked at.
 * @throws UsageError when there is none, or several
 */
export async function inspectedServer(asked: Asked, terminal: Terminal): Promise<InspectedServer> {
  const { word, config } = asked
  return asUsage(async () => {
    const headers = filled(readHeaders(asked.headers, terminal))
    const named = Object.keys(headers).find(isToken)
    if (named !== undefined) throw new UsageError(`--header ${named}: ${tokenAdvice}`)
    if (word !== undefined && isUrl(word)) {
      if (config !== undefined)
        throw new UsageError('--config goes with the name of a server, not with a URL')
      return { url: word, headers, allowInsecure: false }
    }
    const { place, entry } = await configured(word, config)
    if (word === undefined && config === undefined) refuseVariables(place, entry)
    const found = serverOf(place, entry, terminal)
    return { ...found, headers: { ...found.headers, ...headers } }
  })
}

/** Where a token goes instead. */
export const tokenAdvice =
  'type or paste the token into the page, which keeps it in memory only and can forget it'

interface Configured {
  /** Such as `mcpServers.reports`. */
  readonly place: string
  readonly entry: unknown
}

async function configured(name: string | undefined, config: string | undefined): Promise<Configured> {
  if (name === undefined) return onlyOne(config)
  const { member, entry } = await findServer(name, config)
  return { place: `${member}.${printableLine(name, 100)}`, entry }
}

/** The one server with a URL of the first file that has some. */
async function onlyOne(config: string | undefined): Promise<Configured> {
  for (const file of config === undefined ? usualFiles : [config]) {
    const document = await readConfig(resolve(process.cwd(), file), config === undefined)
    if (!isPlain(document)) continue
    const { mcpServers, servers = mcpServers } = document
    const member = mcpServers === undefined ? 'servers' : 'mcpServers'
    const remote = Object.entries(isPlain(servers) ? servers : {}).filter(([, entry]) => isRemote(entry))
    const [first, second] = remote
    if (first === undefined) continue
    if (second === undefined) return { place: `${member}.${printableLine(first[0], 100)}`, entry: first[1] }
    const names = remote.map(([name]) => printableLine(name, 100)).join(', ')
    throw new UsageError(`which server? ${file} has ${names}; give one of these names, or a URL`)
  }
  throw new UsageError(
    `which server? Give a URL, or a name of the configuration; there is no server with a URL in ${config ?? usualFiles.join(', ')}`,
  )
}

function isRemote(entry: unknown): entry is Readonly<Record<string, unknown>> {
  return isPlain(entry) && entry.url !== undefined && entry.disabled !== true
}

/**
 * A folder may be anybody's, and its file may name a server that wants to have what the environment holds. So whoever
 * starts this in a folder and names nothing has nothing of it sent.
 * @throws UsageError
 */
function refuseVariables(place: string, entry: unknown): void {
  if (!isPlain(entry)) return
  const headers = Object.entries(isPlain(entry.headers) ? entry.headers : {})
  const texts = [entry.url, ...headers.filter(([name]) => !isToken(name)).map(([, value]) => value)]
  if (texts.some((text) => isReference(text) || String(text).includes('${')))
    throw new UsageError(`${place} is to be sent environment variables; give its name if it may have them`)
}

/** What an entry says of the server. Its token is left alone: it is for the person to show it, or not. */
function serverOf(place: string, entry: unknown, terminal: Terminal): InspectedServer {
  if (!isPlain(entry) || entry.url === undefined) {
    throw new UsageError(
      `${place} has no url: this looks at servers that are reached over HTTP. For a command: mcp-bearer protect -- COMMAND`,
    )
  }
  if (entry.type === 'sse' || entry.transport === 'sse')
    throw new UsageError(`${place} speaks HTTP with SSE, and the page only Streamable HTTP`)
  const given = isPlain(entry.headers) ? Object.entries(entry.headers) : []
  const headers = given
    .filter(([name]) => !isToken(name))
    .map(([name, value]) => [name, interpolate(value, `${place}.headers.${name}`)])
  if (entry.auth !== undefined || headers.length < given.length)
    terminal.note(`mcp-bearer: the token of ${place} is not used here; ${tokenAdvice}`)
  return {
    url: interpolate(entry.url, `${place}.url`),
    headers: Object.fromEntries(headers) as Record<string, string>,
    allowInsecure: entry.allowInsecure === true,
  }
}

function isToken(name: string): boolean {
  return name.toLowerCase() === 'authorization'
}
