/**
 * What the inspector page is told of the server it looks at: the document `inspector/config.json` beside it. Holds no
 * token, no key and no component.
 */
export interface InspectorConfig {
  /**
   * Who serves the page: `server`, the MCP server itself; `bridge`, a program on this machine that passes everything on to a
   * server elsewhere; `keys`, a program on this machine with a database of API keys and no MCP server.
   */
  readonly kind: 'server' | 'bridge' | 'keys'
  /** What the page calls it: the name of the server, or its host. */
  readonly name: string
  /** Where the page sends MCP messages: a path on its own origin. Not there for `keys`. */
  readonly endpoint?: string
  /** The endpoint as clients call it, absolute: shown, and written into commands. Default: `endpoint` on the origin of the page. */
  readonly url?: string
  /** Path of the public catalogue, which names the scopes of what a caller cannot see. */
  readonly openMcp?: string
  /** Path that says who the server takes the caller for: `GET` with the token. */
  readonly whoami?: string
  /** Path that sends one request exactly as it is described. Bridges have it. */
  readonly send?: string
  /** Path of the API for keys, such as `/admin`. */
  readonly keys?: string
}

/** The answer of {@link InspectorConfig.whoami}: what the verifier made of the token. */
export interface WhoAmI {
  /** `false` when the server let the caller in without looking for a token. */
  readonly authenticated: boolean
  readonly subject?: string
  readonly clientId?: string
  readonly issuer?: string
  readonly scopes?: readonly string[]
  /** ISO 8601. */
  readonly expiresAt?: string
  /** The only tools the token may use. */
  readonly tools?: readonly string[]
  readonly claims?: Readonly<Record<string, unknown>>
}
