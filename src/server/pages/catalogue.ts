import type { JsonObject } from '../types.ts'

/** One tool, resource, template or prompt, as public pages show it. */
export interface CatalogueComponent {
  /** How it stands in a list of the protocol. Members the pages do not know, `_meta` among them, are left out. */
  readonly listed: JsonObject
  /** The scopes a caller needs, all of them. */
  readonly scopes: readonly string[]
  /** Whether a rule that is asked for each call also decides who may use it. Default: false. */
  readonly conditional?: boolean | undefined
}

/** What the server is called, and what it is (MCP `Implementation`). */
export interface CatalogueServer {
  readonly name: string
  readonly version: string
  /** A name for people. */
  readonly title?: string | undefined
  readonly description?: string | undefined
  readonly websiteUrl?: string | undefined
  /** As in MCP `Icon`. */
  readonly icons?: readonly JsonObject[] | undefined
}

/** What a caller has to bring. */
export interface CatalogueSecurity {
  /** `none` when the server asks for no token. */
  readonly scheme: 'none' | 'bearer'
  /** Whether a caller without a token is let in too. Default: false. */
  readonly optional?: boolean | undefined
  /** A header beside `Authorization` that takes an API key. Default: none. */
  readonly apiKeyHeader?: string | undefined
  /** URL of the protected resource metadata (RFC 9728). Default: there is none. */
  readonly resourceMetadata?: string | undefined
  /** Issuer identifiers of those who hand out tokens (RFC 8414). Default: none are published. */
  readonly authorizationServers?: readonly string[] | undefined
  /** The scopes every request needs. Default: none. */
  readonly requiredScopes?: readonly string[] | undefined
}

/** Everything the public pages tell of a server: plain data, made from the registry. It holds no token and no key. */
export interface Catalogue {
  readonly server: CatalogueServer
  /** For the model: how to use the server. */
  readonly instructions?: string | undefined
  /** The MCP endpoint: an absolute URL, or a path on the host that serves the pages. */
  readonly endpoint: string
  readonly transports: readonly ('streamable-http' | 'sse')[]
  /** Revisions of the protocol, the newest first: `2026-07-28`. */
  readonly revisions: readonly string[]
  readonly security: CatalogueSecurity
  readonly tools: readonly CatalogueComponent[]
  readonly resources: readonly CatalogueComponent[]
  readonly resourceTemplates: readonly CatalogueComponent[]
  readonly prompts: readonly CatalogueComponent[]
}
