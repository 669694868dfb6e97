import type { RequestListener } from 'node:http'
import {
  AccessToken,
  type Clock,
  type Logger,
  type ScopeHierarchy,
  type TokenVerifier,
} from '../core/index.ts'
import { checkOptions } from '../core/options.ts'
import type { KeysAdmin } from '../http/admin/index.ts'
import { type CustomRoutes, customRoutes, type RouteHandler, type RouteOptions } from './custom-routes.ts'
import type { HttpOptions } from './http-options.ts'
import type { Route } from './http-side.ts'
import type { Limits } from './limits.ts'
import { type Listening, type ListenOptions, listenAddress, listenOn, onSigterm } from './listen.ts'
import type { Middleware } from './middleware.ts'
import { type MountNames, mount, prefixed } from './mount.ts'
import { type PromptHandler, promptEntry } from './prompts.ts'
import { type ResourceHandler, resourceEntry } from './resources.ts'
import { type ServerParts, serverParts } from './server-parts.ts'
import { type StdioConnection, serveStdio } from './stdio.ts'
import { type ToolHandler, toolEntry } from './tools.ts'
import type { Icon, PromptOptions, ResourceOptions, StandardSchema, ToolOptions } from './types.ts'
import { normalUri } from './uri-template.ts'

/** What a server tells of itself (MCP "Implementation"). */
export interface About {
  /** A name for people. */
  readonly title?: string
  readonly description?: string
  readonly websiteUrl?: string
  readonly icons?: readonly Icon[]
  /** What a model should know before it uses the server. */
  readonly instructions?: string
}

/** Options of {@link MCPServer}. */
export interface MCPServerOptions {
  readonly name: string
  /** Default: `0.0.0`. */
  readonly version?: string
  readonly about?: About
  /**
   * Who may use the server. With it, every tool, resource and prompt needs a good token on every request. Leave it out
   * for a server without protection; `undefined` is refused, so that an unset variable does not open a server.
   */
  readonly auth?: TokenVerifier
  /**
   * Lets callers without a token in, too: to everything that needs no scopes. A bad token is still refused. Default:
   * false.
   */
  readonly optionalAuth?: boolean
  /**
   * Methods of the protocol that need no token, such as `server/discover` and `tools/list`. What a caller without one
   * sees there needs no scopes. Default: none.
   */
  readonly anonymous?: readonly string[]
  /** Which scopes contain which. Default: none do. */
  readonly scopeHierarchy?: ScopeHierarchy
  readonly limits?: Limits
  /** Where log lines go. Default: warnings and errors to standard error. */
  readonly logger?: Logger
  /** Default: the clock of this machine. */
  readonly clock?: Clock
}

/**
 * An MCP server whose tools, resources and prompts nobody reaches without a good token. Speaks the protocol revisions
 * 2026-07-28 and 2025-11-25.
 *
 * @example
 * ```ts
 * import { BearerAuthProvider, MCPServer } from 'mcp-bearer/server'
 *
 * const auth = new BearerAuthProvider({
 *   jwksUri: 'https://id.example.com/.well-known/jwks.json',
 *   issuer: 'https://id.example.com/',
 *   audience: 'my-mcp-server',
 * })
 * const server = new MCPServer({ name: 'my-server', auth })
 *
 * server.tool('whoami', { description: 'Who the token speaks for' }, (_args, ctx) => `Hello ${ctx.auth?.subject}`)
 *
 * const { url } = await server.listen({ port: 0 })
 * ```
 */
export class MCPServer {
  readonly #parts: ServerParts
  readonly #custom: CustomRoutes = customRoutes()
  readonly #middleware: Middleware[] = []
  readonly #mounted = new Set<MCPServer>()
  readonly #holders = new Set<MCPServer>()
  readonly #open = new Set<{ close(): Promise<void> }>()

  /**
   * @param options what the server is and who may use it
   * @param http how it behaves on HTTP
   * @throws TypeError naming the option that is wrong
   */
  constructor(options: MCPServerOptions, http: HttpOptions = {}) {
    this.#parts = serverParts(options, http, this.#middleware, this.#custom)
    const listener = this.#parts.http.listener()
    this.nodeListener = (req, res) => listener(req, res)
  }

  /**
   * Adds a tool.
   *
   * @param name 1 to 128 letters, digits, `_`, `-`, `.`; unique
   * @param options see {@link ToolOptions}
   * @param handler gets the validated arguments (`{}` without an `inputSchema`) and the context of the request. What it
   *   returns becomes the result: text, an object (as structured content), content blocks, or a result in full. A
   *   `ToolError` reaches the caller; any other error reaches the log only.
   * @throws TypeError naming the option that is wrong
   *
   * @example
   * ```ts
   * import { MCPServer } from 'mcp-bearer/server'
   * import { z } from 'zod'
   *
   * const server = new MCPServer({ name: 'calculator' })
   * server.tool(
   *   'add',
   *   { description: 'Adds two numbers', inputSchema: z.object({ a: z.number(), b: z.number() }), scopes: ['math'] },
   *   ({ a, b }) => ({ sum: a + b }),
   * )
   * ```
   */
  tool<
    Input extends StandardSchema | undefined = undefined,
    Output extends StandardSchema | undefined = undefined,
  >(name: string, options: ToolOptions<Input, Output>, handler: ToolHandler<Input>): this {
    this.#parts.served.registry.tools.add(toolEntry(name, options, handler, this.#parts.defaults))
    return this
  }

  /**
   * Adds a resource: one URI, or a template of URIs such as `users://{id}`.
   *
   * @param uri absolute; `{name}` stands for one segment, `{+name}` for the rest (RFC 6570)
   * @param handler gets the variables of the template (`{}` for one URI) and the context of the request, with `ctx.uri`.
   *   It returns text, bytes, an object (sent as JSON), or contents in full
   * @throws TypeError naming the option that is wrong
   */
  resource(uri: string, options: ResourceOptions, handler: ResourceHandler): this {
    const entry = resourceEntry(uri, options, handler, this.#parts.defaults)
    ;(entry.template ? this.#parts.served.registry.templates : this.#parts.served.registry.resources).add(
      entry,
    )
    return this
  }

  /**
   * Adds a prompt.
   *
   * @param handler gets the validated arguments (`{}` without an `argsSchema`) and the context of the request. It
   *   returns the text of one user message, a list of messages, or `{ messages, description }`
   * @throws TypeError naming the option that is wrong
   */
  prompt<Args extends StandardSchema | undefined = undefined>(
    name: string,
    options: PromptOptions<Args>,
    handler: PromptHandler<Args>,
  ): this {
    this.#parts.served.registry.prompts.add(promptEntry(name, options, handler, this.#parts.defaults))
    return this
  }

  /**
   * Takes a tool, resource or prompt away; clients that listen are told.
   *
   * @param what `tool`, `resource` or `prompt`
   * @param name its name; of a resource the URI or template
   * @returns whether there was one. What belongs to a mounted server stays
   */
  remove(what: 'tool' | 'resource' | 'prompt', name: string): boolean {
    const { tools, resources, templates, prompts } = this.#parts.served.registry
    if (what === 'tool') return tools.remove(name)
    if (what === 'prompt') return prompts.remove(name)
    const uri = normalUri(name) ?? ''
    return resources.remove(uri) || templates.remove(uri)
  }

  /**
   * Tells those who subscribed to a resource, and may still read it, that it has changed (MCP "Subscriptions").
   *
   * @param uri as clients read it
   */
  resourceUpdated(uri: string): void {
    this.#parts.changes.resourceUpdated(uri)
  }

  /**
   * Puts something around every request to tools, resources, prompts and completions, on every transport. What is added
   * first is outermost.
   *
   * @throws TypeError when it is no function
   *
   * @example
   * ```ts
   * import { MCPServer } from 'mcp-bearer/server'
   *
   * const calls = new Map<string, number>()
   * const server = new MCPServer({ name: 'counted' })
   * server.use(async ({ method }, next) => {
   *   calls.set(method, (calls.get(method) ?? 0) + 1)
   *   return next()
   * })
   * ```
   */
  use(middleware: Middleware): this {
    if (typeof middleware !== 'function') throw new TypeError('use: middleware must be a function')
    this.#middleware.push(middleware)
    return this
  }

  /**
   * Shows the components of another server in this one, also those it gets later. `prefix: 'team'` makes `team_search`
   * of its tool `search`, and `notes://team/today` of its resource `notes://today`. The `auth` of both is respected: a
   * caller needs a token this server takes and the other one takes as well, and runs there under the identity the other
   * one gives them.
   *
   * @throws TypeError when the prefix is no name, or the other server holds this one
   */
  mount(other: MCPServer, options: { readonly prefix: string }): this
  /**
   * Serves an API for keys below its path, by `listen`, `nodeListener` and `fetch`. It has a gate of its own, so it gets
   * the credential; before that stand `Host` and `Origin`, the limits of a body, and the count of bad credentials.
   * `/inspector/keys` is a page for it, where pages are shown. Not among `routes`: where another program passes on single
   * paths, give it `admin.fetch` for all that begins with the path.
   *
   * @throws TypeError when it has no path, or its path is taken
   *
   * @example
   * ```ts
   * import { sqliteKeyStore } from 'mcp-bearer/keys'
   * import { keysAdmin } from 'mcp-bearer/keys-admin'
   * import { apiKeyVerifier, MCPServer } from 'mcp-bearer/server'
   *
   * const store = await sqliteKeyStore('keys.db')
   * const auth = apiKeyVerifier({ store })
   * const server = new MCPServer({ name: 'reports', auth })
   * server.mount(keysAdmin({ store, auth })) // /admin/keys, /admin/audit, …
   * ```
   */
  mount(admin: KeysAdmin): this
  mount(other: MCPServer | KeysAdmin, options?: { readonly prefix: string }): this {
    if (other instanceof MCPServer) this.#mountServer(other, options?.prefix)
    else this.#mountKeys(other, options)
    return this
  }

  #mountServer(other: MCPServer, prefix: unknown): void {
    if (typeof prefix !== 'string' || !/^[a-z0-9][a-z0-9-]{0,31}$/i.test(prefix))
      throw new TypeError('mount: prefix must be 1 to 32 letters, digits or "-"')
    if (other.#holds(this)) throw new TypeError('mount: a server cannot be mounted in itself')
    const names: MountNames = prefixed(prefix)
    mount(this.#parts.served.registry, other.#parts.mountable, names)
    other.#parts.changes.listen({
      // Of these the lists themselves tell.
      toolsChanged() {},
      promptsChanged() {},
      resourcesChanged() {},
      resourceUpdated: (uri) => this.resourceUpdated(names.uri(uri)),
    })
    this.#mounted.add(other)
    other.#holders.add(this)
    for (const name of other.#parts.hidden) this.#hide(name)
  }

  #mountKeys(admin: KeysAdmin, options: unknown): void {
    if (typeof admin?.fetch !== 'function' || typeof admin.path !== 'string')
      throw new TypeError('mount: give it another MCPServer, or what keysAdmin makes')
    if (options !== undefined)
      throw new TypeError('mount: keysAdmin has a path of its own; it takes no prefix here')
    this.#custom.mount(admin)
  }

  /** Takes a header that holds a credential out of what handlers see, here and wherever this server is mounted. */
  #hide(name: string): void {
    this.#parts.hidden.add(name)
    for (const holder of this.#holders) holder.#hide(name)
  }

  #holds(other: MCPServer): boolean {
    return this === other || [...this.#mounted].some((each) => each.#holds(other))
  }

  /**
   * Adds an HTTP route of your own. It needs a token like everything else, unless `auth: false` says otherwise; the body
   * is read within the limits of the server, and `getAccessToken()` knows who calls.
   *
   * @param path compared as it is
   * @throws TypeError naming what is wrong, or when the path is taken
   *
   * @example
   * ```ts
   * import { MCPServer, staticVerifier } from 'mcp-bearer/server'
   *
   * const auth = staticVerifier({ 'dev-only-token': { claims: { sub: 'alice' } } })
   * const server = new MCPServer({ name: 'reports', auth })
   * server.route('/report.csv', (_request, { auth }) => new Response(`owner,${auth?.subject}\n`))
   * server.route('/version', () => Response.json({ version: 1 }), { auth: false })
   * ```
   */
  route(path: string, handler: RouteHandler, options: RouteOptions = {}): this {
    this.#custom.add(path, handler, options)
    return this
  }

  /**
   * Answers one web-standard request, under the same policy as the listener and whatever its path is: for Hono, Bun,
   * Deno, workerd and any other host that speaks `fetch`. Can be passed on without its server.
   */
  readonly fetch = (request: Request): Promise<Response> => this.#parts.http.fetch(request)

  /** Answers one Node request, whatever its path is: for Express and `node:http`. Can be passed on without its server. */
  readonly nodeListener: RequestListener

  /**
   * What must be reachable at the root of the host when the server is mounted under a prefix: the protected resource
   * metadata (RFC 9728 section 3.1), public by nature and there only when `resource` is set and `auth` has an
   * authorization server; and the routes of your own. A server that listens by itself, and one that gets every request
   * of its host, serves them already.
   */
  get routes(): readonly Route[] {
    return this.#parts.http.routes()
  }

  /**
   * Listens with `node:http`: the MCP endpoint, `/health`, the protected resource metadata, routes of your own, and on a
   * loopback bind the pages `/docs`, `/openmcp.json` and `/inspector`.
   *
   * @throws TypeError naming the option that is wrong
   * @throws Error with the system's `code` when the address cannot be bound
   */
  async listen(options: ListenOptions = {}): Promise<Listening> {
    this.#checkOpen()
    checkOptions('listen', options, ['port', 'host', 'path', 'closeOnSigterm'])
    const { http, served } = this.#parts
    const address = listenAddress(options)
    http.warnIfOpen(address)
    const listening = await listenOn(
      address,
      (port) => http.site(address, port),
      served.limits.maxConnections,
    )
    if (options.closeOnSigterm === false) return this.#track(listening)
    const off = onSigterm(() => this.close())
    const close = () => {
      off()
      return listening.close()
    }
    return this.#track({ ...listening, close, [Symbol.asyncDispose]: close })
  }

  /**
   * Serves one client over standard input and output. No bearer token travels there: components with `scopes` stay
   * closed unless you say who the client is.
   *
   * @param identity whom to take the client for
   * @throws TypeError when the identity is no {@link AccessToken}
   */
  async stdio(identity?: AccessToken): Promise<StdioConnection> {
    this.#checkOpen()
    if (identity !== undefined && !(identity instanceof AccessToken)) {
      throw new TypeError('stdio: the identity must be an AccessToken')
    }
    const { served, changes } = this.#parts
    return this.#track(await serveStdio(served, changes, identity))
  }

  /**
   * Closes every listener, session and stdio connection, for good. Calls that came in through a listener may finish for
   * up to five seconds; all others are aborted. Requests that come later are answered with 503.
   */
  async close(): Promise<void> {
    const { endpoint, served } = this.#parts
    endpoint.refuseAll()
    endpoint.endStreams()
    await Promise.all([...this.#open].map((open) => open.close()))
    await endpoint.close()
    for (const call of served.inFlight) call.abort(new Error('the server was closed'))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  /** @throws Error when the server was closed */
  #checkOpen(): void {
    if (this.#parts.endpoint.isClosed) throw new Error('the server was closed; make a new one')
  }

  /** Remembers what has to be closed; what was opened while the server closed is closed at once. */
  async #track<Open extends { close(): Promise<void> }>(open: Open): Promise<Open> {
    this.#open.add(open)
    try {
      this.#checkOpen()
    } catch (error) {
      await open.close()
      throw error
    }
    return open
  }
}
