import type { Prompt, Resource, ResourceTemplateType, Tool } from '@modelcontextprotocol/client'
import type { Client } from '../client.ts'
import type { CallOptions } from '../client-options.ts'
import { type CatalogueNames, catalogueNames, type Separator } from './catalogue-names.ts'

/** Where an entry of the {@link Catalogue} comes from. */
export interface Origin {
  /** The server, as it is named in the configuration. */
  readonly server: string
  /** What the server itself calls it. */
  readonly originalName: string
}

/** What the servers offer, in one list. */
export interface Catalogue {
  /** The tools, each under a name of its own, such as `reports_summary`. */
  readonly tools: readonly (Tool & Origin)[]
  /** The resources; the server and the `uri` together say which. The names are not changed. */
  readonly resources: readonly (Resource & Origin)[]
  /** The resource templates, as the resources. */
  readonly resourceTemplates: readonly (ResourceTemplateType & Origin)[]
  /** The prompts, each under a name of its own, such as `reports_greeting`. */
  readonly prompts: readonly (Prompt & Origin)[]
  /** The servers that are not in the lists, and why. */
  readonly failures: readonly CatalogueFailure[]
}

/** Why one server is missing in a {@link Catalogue}. */
export interface CatalogueFailure {
  readonly server: string
  readonly error: unknown
}

/** A tool or prompt, found by its name in the catalogue. */
export interface Found {
  readonly server: string
  readonly name: string
}

/** Lists what several servers offer, and finds the server behind a name. */
export interface Cataloguer {
  list(options: CallOptions): Promise<Catalogue>
  find(kind: 'tool' | 'prompt', name: string, options: CallOptions): Promise<Found>
}

/** The catalogue of some servers. Nothing is asked before it is used. */
export function cataloguer(sessions: ReadonlyMap<string, Client>, separator: Separator): Cataloguer {
  const names = catalogueNames([...sessions.keys()], separator)
  /** By kind and name of the catalogue: what the server calls it. */
  const known = { tool: new Map<string, string>(), prompt: new Map<string, string>() }
  const renamed = <T extends { name: string }>(
    kind: 'tool' | 'prompt',
    server: string,
    items: readonly T[],
  ): (T & Origin)[] => {
    const entries = new Map<string, T & Origin>()
    for (const item of items) {
      const name = names.nameOf(server, item.name)
      // A server that lists a name twice means one thing by it; a call could not choose.
      if (entries.has(name)) continue
      entries.set(name, { ...item, name, server, originalName: item.name })
      known[kind].set(name, item.name)
    }
    return [...entries.values()]
  }

  return {
    async list(options) {
      const parts = await Promise.all(
        [...sessions].map(async ([server, session]) => {
          try {
            return await offered(server, session, options, renamed)
          } catch (error) {
            return { ...nothing, failures: [{ server, error }] }
          }
        }),
      )
      // The caller has given up: that is no failure of a server.
      options.signal?.throwIfAborted()
      return merged(parts)
    },
    async find(kind, name, options) {
      const server = names.serverOf(name)
      const session = server === undefined ? undefined : sessions.get(server)
      if (server === undefined || !session) throw unknown(kind, name, names, sessions)
      if (!known[kind].has(name)) {
        const list: readonly { name: string }[] =
          kind === 'tool' ? await session.listTools(options) : await session.listPrompts(options)
        renamed(kind, server, list)
      }
      const original = known[kind].get(name)
      if (original === undefined)
        throw new TypeError(`MCPClient: the server "${server}" has no ${kind} "${name}"`)
      return { server, name: original }
    },
  }
}

const nothing: Catalogue = { tools: [], resources: [], resourceTemplates: [], prompts: [], failures: [] }

type Renamed = <T extends { name: string }>(
  kind: 'tool' | 'prompt',
  server: string,
  items: readonly T[],
) => (T & Origin)[]

async function offered(
  server: string,
  session: Client,
  options: CallOptions,
  renamed: Renamed,
): Promise<Catalogue> {
  const [tools, resources, templates, prompts] = await Promise.all([
    session.listTools(options),
    session.listResources(options),
    session.listResourceTemplates(options),
    session.listPrompts(options),
  ])
  const from = <T extends { name: string }>(item: T): T & Origin => ({
    ...item,
    server,
    originalName: item.name,
  })
  return {
    tools: renamed('tool', server, tools),
    resources: resources.map(from),
    resourceTemplates: templates.map(from),
    prompts: renamed('prompt', server, prompts),
    failures: [],
  }
}

function merged(parts: readonly Catalogue[]): Catalogue {
  return {
    tools: parts.flatMap(({ tools }) => tools),
    resources: parts.flatMap(({ resources }) => resources),
    resourceTemplates: parts.flatMap(({ resourceTemplates }) => resourceTemplates),
    prompts: parts.flatMap(({ prompts }) => prompts),
    failures: parts.flatMap(({ failures }) => failures),
  }
}

function unknown(
  kind: string,
  name: string,
  names: CatalogueNames,
  sessions: ReadonlyMap<string, Client>,
): TypeError {
  const starts = [...sessions.keys()].map((server) => names.nameOf(server, ''))
  return new TypeError(
    `MCPClient: no server has a ${kind} "${name}"; names begin with ${starts.join(', ') || 'nothing: there are no servers'}`,
  )
}
