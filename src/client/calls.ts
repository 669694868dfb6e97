import type { LoggingLevel } from '@modelcontextprotocol/client'
import { AuthError } from '../core/index.ts'
import { checkOptions } from '../core/options.ts'
import { abortable } from './abortable.ts'
import { type CallOptions, type ClientSettings, callOptions, milliseconds } from './client-options.ts'
import { type Connection, openConnection, type ServerFacts } from './connection.ts'
import type { ClientTransport } from './transports/transports.ts'

/** What the SDK takes with each request. */
export interface CallRequest {
  readonly timeout: number
  readonly cacheMode: 'refresh'
  readonly signal?: AbortSignal
}

/** What goes into the parameters of each request. */
export type CallMeta = { readonly _meta: Readonly<Record<string, unknown>> } | undefined

/** Makes one call on a connection. */
export type Ask<T> = (connection: Connection, request: CallRequest, meta: CallMeta) => Promise<T>

/** The calls of one client, on whatever connection there is. Does no input or output before the first one. */
export class Calls {
  /** The level of log lines to ask for; `undefined` leaves it to the server. */
  logLevel: LoggingLevel | undefined
  readonly #transport: ClientTransport
  readonly #settings: ClientSettings
  readonly #closing = new AbortController()
  /** One refusal may be heard of on more than one way. */
  readonly #told = new WeakSet<AuthError>()
  /** How many calls wait on each connection. */
  readonly #waiting = new Map<Connection, number>()
  /** Connections that are closed as soon as nobody waits on them. */
  readonly #retired = new Set<Connection>()
  #opening: Promise<Connection> | undefined
  #ending: Promise<void> | undefined
  #server: ServerFacts | undefined

  constructor(transport: ClientTransport, settings: ClientSettings) {
    this.#transport = transport
    this.#settings = settings
  }

  /** Aborted when the client is closed. */
  get closed(): AbortSignal {
    return this.#closing.signal
  }

  /** What the server of the last connection has said of itself. */
  get server(): ServerFacts | undefined {
    return this.#server
  }

  /** The connection, made now if there is none. Everybody who waits for it waits for the same one. */
  async connected(): Promise<Connection> {
    this.closed.throwIfAborted()
    const opening = this.#opening ?? this.#open()
    const connection = await opening
    if (!connection.isClosed) return connection
    if (this.#opening === opening) this.#opening = undefined
    return this.#opening ?? this.#open()
  }

  /**
   * Makes a call; on a new connection when the server has forgotten the old one.
   * @throws the `AuthError` that is the reason, else the error of the SDK, or the reason of the signal
   */
  async call<T>(name: string, options: CallOptions, ask: Ask<T>): Promise<T> {
    checkOptions(name, options, callOptions)
    const { signal, timeout = this.#settings.timeout } = options
    const request: CallRequest = {
      timeout: milliseconds(`${name}: timeout`, timeout),
      // Answers depend on the token of each request; the SDK would keep them for its own time.
      cacheMode: 'refresh',
      ...(signal && { signal }),
    }
    const connection = await abortable(this.connected(), signal)
    try {
      return await this.#attempt(connection, request, ask)
    } catch (error) {
      if (!connection.isForgotten(error)) throw error
    }
    // The server was restarted: it has not looked at the request, which may be made again in a new session, once.
    this.#retire(connection)
    return this.#attempt(await abortable(this.connected(), signal), request, ask)
  }

  /** Tells whoever wants to know that the credential was refused where no call fails. */
  refused(error: unknown): void {
    if (!(error instanceof AuthError) || this.#told.has(error)) return
    this.#told.add(error)
    quietly(() => this.#settings.onAuthError?.(error))
  }

  /** Whoever closes waits until it is done, also when somebody else began it. */
  async close(): Promise<void> {
    this.#ending ??= this.#end()
    await this.#ending
  }

  async #end(): Promise<void> {
    this.#closing.abort(new Error('The client is closed'))
    const connection = await this.#opening?.catch(() => undefined)
    await Promise.all([connection, ...this.#retired].map((one) => one?.close()))
  }

  /** Others may not have heard yet that it is forgotten, and can make their calls again only if they do. */
  #retire(connection: Connection): void {
    if (connection.isClosed) return
    connection.retire()
    this.#retired.add(connection)
    this.#tidy(connection)
  }

  #tidy(connection: Connection): void {
    if (this.#waiting.has(connection) || !this.#retired.delete(connection)) return
    void connection.close()
  }

  #count(connection: Connection, more: 1 | -1): void {
    const count = (this.#waiting.get(connection) ?? 0) + more
    if (count > 0) this.#waiting.set(connection, count)
    else this.#waiting.delete(connection)
  }

  async #attempt<T>(connection: Connection, request: CallRequest, ask: Ask<T>): Promise<T> {
    this.#count(connection, 1)
    try {
      return await ask(connection, request, this.#metaFor(connection))
    } catch (error) {
      if (request.signal?.aborted) throw request.signal.reason
      throw connection.explain(error)
    } finally {
      this.#count(connection, -1)
      this.#tidy(connection)
    }
  }

  /** MCP 2026-07-28 "Logging": the level is a matter of each request. */
  #metaFor({ isModern }: Connection): CallMeta {
    const level = this.logLevel ?? (this.#settings.handlers.log && 'info')
    return isModern && level !== undefined
      ? { _meta: { 'io.modelcontextprotocol/logLevel': level } }
      : undefined
  }

  #open(): Promise<Connection> {
    const { clientInfo, timeout, handlers } = this.#settings
    const onRefused = (error: AuthError): void => this.refused(error)
    const opening = openConnection(
      this.#transport,
      { clientInfo, timeout, handlers, logLevel: this.logLevel, onRefused },
      this.closed,
    )
    this.#opening = opening
    opening.then(
      ({ server }) => {
        this.#server = server
      },
      () => {
        if (this.#opening === opening) this.#opening = undefined
      },
    )
    return opening
  }
}

/** Runs what belongs to somebody else: what a listener throws is its own affair. */
export function quietly(listener: () => void): void {
  try {
    listener()
  } catch {
    // As with loggers.
  }
}
