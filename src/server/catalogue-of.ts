import type { TokenVerifier } from '../core/index.ts'
import type { Component } from './component.ts'
import type { Door } from './door.ts'
import type { Catalogue, CatalogueComponent } from './pages/catalogue.ts'
import type { InspectorConfig } from './pages/inspector-config.ts'
import { type PublicPages, publicPages } from './pages/pages.ts'
import type { Served } from './served.ts'
import { whoAmIPath } from './whoami.ts'

/** What the public pages have to know beside what is served. */
export interface CatalogueFacts {
  readonly auth: TokenVerifier | undefined
  readonly apiKeyHeader: string | undefined
  /** Whether callers without a token are let in as well. */
  readonly isOptional: boolean
  readonly legacySse: boolean
  /** What the server is called from outside, when it was told. */
  readonly resource: string | undefined
  /** Where the API for keys is, once there is one. */
  keysPath(): string | undefined
}

/**
 * The public pages of a server, for one of its doors: they show what it has now.
 *
 * @param path of the MCP endpoint
 */
export function pagesOf(served: Served, facts: CatalogueFacts, door: Door, path: string): PublicPages {
  const { tools, resources, templates, prompts } = served.registry
  let current: Catalogue | undefined
  for (const list of [tools, resources, templates, prompts]) {
    list.onChange(() => {
      current = undefined
    })
  }
  return publicPages({
    catalogue() {
      current ??= catalogueOf(served, facts, door, path)
      return current
    },
    inspector: () => inspectorOf(served, facts, path),
  })
}

function inspectorOf({ identity }: Served, facts: CatalogueFacts, path: string): InspectorConfig {
  const { resource } = facts
  const keys = facts.keysPath()
  return {
    kind: 'server',
    name: identity.title ?? identity.name,
    endpoint: path,
    ...(resource !== undefined && { url: resource }),
    openMcp: '/openmcp.json',
    whoami: whoAmIPath,
    ...(keys !== undefined && { keys }),
  }
}

function catalogueOf(served: Served, facts: CatalogueFacts, door: Door, path: string): Catalogue {
  const { identity, instructions, registry } = served
  const { icons, ...server } = identity
  return {
    server: { ...server, ...(icons && { icons: icons.map((icon) => ({ ...icon })) }) },
    instructions,
    endpoint: path,
    transports: facts.legacySse ? ['streamable-http', 'sse'] : ['streamable-http'],
    revisions: ['2026-07-28', '2025-11-25'],
    security: {
      scheme: facts.auth ? 'bearer' : 'none',
      optional: facts.isOptional,
      apiKeyHeader: facts.apiKeyHeader,
      resourceMetadata: door.metadata?.url,
      authorizationServers: door.metadata ? facts.auth?.authorizationServers : undefined,
      requiredScopes: facts.auth?.requiredScopes,
    },
    tools: components(registry.tools.values()),
    resources: components(registry.resources.values()),
    resourceTemplates: components(registry.templates.values()),
    prompts: components(registry.prompts.values()),
  }
}

function components(entries: Iterable<Component>): readonly CatalogueComponent[] {
  return Array.from(entries, ({ listed, scopes, rule }) => ({
    listed,
    scopes,
    conditional: rule !== undefined,
  }))
}
