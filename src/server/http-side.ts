import type { IncomingMessage, ServerResponse } from 'node:http'
import { type AccessToken, AuthError, type Clock, type TokenVerifier } from '../core/index.ts'
import { checkOptions } from '../core/options.ts'
import { runWithToken } from '../http/context.ts'

import { type BearerGate, bearerGate, isRefusal } from '../http/gate.ts'
import { type RequestHead, requestHead } from '../http/head.ts'
import { headOf, sendRefusal } from '../http/node-request.ts'
import { loopbackOrigins, type OriginPolicy, originPolicy } from '../http/origin.ts'
import {
  jsonAnswer,
  type PlainAnswer,
  type Refusal,
  type RefusalWriter,
  refusalResponse,
  refusalWriter,
} from '../http/refusal.ts'
import { type BodyLimits, bodyLimits, bodyProblemAnswer, readNodeBody, readWebBody } from './body.ts'
import { type Endpoint, endpoint } from './endpoint.ts'
import { exchange } from './exchange.ts'
import { stackText } from './failure.ts'
import { hostnameOf, type ListenAddress, pathOf, type SiteListener } from './listen.ts'
import { sendResponse } from './node-response.ts'
import type { Served } from './sdk-server.ts'

/** How a server behaves on HTTP. */
export interface HttpOptions {
  /** `Host` values taken, as `host` or `host:port`. Default: on a loopback bind its own names, elsewhere any. */
  readonly allowedHosts?: readonly string[]
  /** `Origin` values taken, exact. Default: on a loopback bind its own, elsewhere none: web pages are refused. */
  readonly allowedOrigins?: readonly string[]
  /** Bytes of a request body. Default: 4 MiB. */
  readonly maxBodyBytes?: number
  /** Milliseconds a request body may take. Default: 30,000. */
  readonly bodyTimeoutMs?: number
}

/** Who may pass, and how the time is told. */
export interface Admission {
  readonly auth?: TokenVerifier
  readonly apiKeyHeader?: string
  readonly scopeHierarchy?: Readonly<Record<string, readonly string[]>>
  readonly clock: Clock
}

const known = ['allowedHosts', 'allowedOrigins', 'maxBodyBytes', 'bodyTimeoutMs']
const health: PlainAnswer = jsonAnswer(200, { status: 'ok' })
const notFound: PlainAnswer = jsonAnswer(404, { error: 'not_found' })
const closed: PlainAnswer = jsonAnswer(503, { error: 'temporarily_unavailable' }, { 'retry-after': '5' })
/** Without sessions there is nothing to GET or DELETE (MCP Streamable HTTP, "Earlier Streamable HTTP Revisions"). */
const methodNotAllowed: PlainAnswer = jsonAnswer(405, { error: 'method_not_allowed' }, { allow: 'POST' })

/**
 * The HTTP face of a server: one policy, whoever brings the request. In this order: Host and Origin, preflight, the
 * token, and only then the body, the protocol and the scopes of what is called.
 */
export class HttpSide {
  readonly #served: Served
  readonly #http: HttpOptions
  readonly #clock: Clock
  readonly #limits: BodyLimits
  readonly #gate: BearerGate | undefined
  readonly #refuse: RefusalWriter
  /** Headers that hold a credential: the protocol and handlers do not see them. */
  readonly #hidden: readonly string[]
  readonly #apiKeyHeader: { readonly apiKeyHeader?: string }
  /** For a server that somebody else listens for. */
  readonly #anywhere: OriginPolicy
  #loading: Promise<Endpoint> | undefined
  #isClosed = false

  /** @throws TypeError naming the option that is wrong */
  constructor(served: Served, { auth, apiKeyHeader, scopeHierarchy, clock }: Admission, http: HttpOptions) {
    checkOptions('MCPServer (http)', http, known)
    const { logger } = served
    this.#served = served
    this.#http = { ...http }
    this.#clock = clock
    this.#limits = bodyLimits(http.maxBodyBytes, http.bodyTimeoutMs)
    this.#apiKeyHeader = { ...(apiKeyHeader !== undefined && { apiKeyHeader }) }
    this.#gate =
      auth &&
      bearerGate({
        verifier: auth,
        logger,
        clock,
        ...this.#apiKeyHeader,
        ...(scopeHierarchy && { scopeHierarchy }),
      })
    this.#refuse = this.#gate?.refuse ?? refusalWriter({ realm: 'mcp' })
    this.#hidden = this.#gate?.credentialHeaders ?? ['authorization']
    this.#anywhere = this.#originPolicy(http.allowedHosts, http.allowedOrigins)
  }

  /** Answers a web-standard request, whatever its path. */
  async fetch(request: Request): Promise<Response> {
    const head = requestHead(request)
    const preflight = this.#anywhere.preflight(head)
    if (preflight) return new Response(null, { status: 204, headers: preflight })
    const outcome = await this.#decide(request, head).catch((error: unknown) => this.#broken(error))
    const response = outcome instanceof Response ? outcome : refusalResponse(outcome, request.method)
    for (const [name, value] of Object.entries(this.#anywhere.corsHeaders(head) ?? {})) {
      response.headers.set(name, value)
    }
    return response
  }

  /** Answers Node requests, whatever their path. */
  listener(origins: OriginPolicy = this.#anywhere): SiteListener {
    return (req, res, awaitsInvitation) => {
      this.#serve(req, res, origins, awaitsInvitation === true).catch((error: unknown) =>
        sendRefusal(res, this.#broken(error)),
      )
    }
  }

  /** What a listener of our own serves: the endpoint on its path, `/health`, and 404. */
  site({ host, path: endpointPath, loopback }: ListenAddress, port: number): SiteListener {
    const endpointListener = this.listener(loopback ? this.#loopbackPolicy(host, port) : this.#anywhere)
    return (req, res, awaitsInvitation) => {
      const path = pathOf(req.url)
      if (path === endpointPath) endpointListener(req, res, awaitsInvitation)
      else sendRefusal(res, path === '/health' && isRead(req) ? health : notFound)
    }
  }

  /** Tells the operator of a server that anybody can reach and use. */
  warnIfOpen({ host, loopback }: ListenAddress): void {
    if (this.#gate || loopback) return
    const message = `the server listens on ${host} without auth: whoever reaches it can use it`
    this.#served.logger({ level: 'warn', event: 'unprotected', message })
  }

  /** @throws Error when the server was closed */
  checkOpen(): void {
    if (this.#isClosed) throw new Error('the server was closed; make a new one')
  }

  /** From now on every request is answered with 503. */
  refuseAll(): void {
    this.#isClosed = true
  }

  async close(): Promise<void> {
    await (await this.#loading)?.close()
  }

  async #decide(request: Request, head: RequestHead): Promise<Response | PlainAnswer> {
    const caller = await this.#admit(head, this.#anywhere)
    if (caller && isRefusal(caller)) return caller
    if (this.#isClosed) return closed
    if (request.method !== 'POST') return methodNotAllowed
    const body = await readWebBody(request, this.#limits)
    if (!body.ok) return bodyProblemAnswer(body.problem)
    return this.#answer(bareWeb(request, this.#hidden), body.value, caller)
  }

  async #serve(
    req: IncomingMessage,
    res: ServerResponse,
    origins: OriginPolicy,
    awaitsInvitation: boolean,
  ): Promise<void> {
    const head = headOf(req, res)
    const cors = origins.corsHeaders(head)
    const preflight = origins.preflight(head)
    if (preflight) return void res.writeHead(204, preflight).end()
    const caller = await this.#admit(head, origins)
    if (caller && isRefusal(caller)) return sendRefusal(res, caller, cors)
    if (this.#isClosed) return sendRefusal(res, closed, cors)
    if (req.method !== 'POST') return sendRefusal(res, methodNotAllowed, cors)
    const invite = awaitsInvitation ? () => res.writeContinue() : undefined
    const body = await readNodeBody(req, this.#limits, invite)
    if (!body.ok) {
      // The rest of a slow body may come at any time: nothing else can be read from this connection.
      const late = body.problem === 'too_slow' ? { connection: 'close' } : undefined
      return sendRefusal(res, bodyProblemAnswer(body.problem), { ...cors, ...late })
    }
    const outcome = await this.#answer(bareNode(req, head, this.#hidden), body.value, caller)
    return outcome instanceof Response ? sendResponse(outcome, res, cors) : sendRefusal(res, outcome, cors)
  }

  /** The caller; `undefined` when the server asks for nobody; or the refusal. From the head of the request alone. */
  async #admit(head: RequestHead, origins: OriginPolicy): Promise<AccessToken | Refusal | undefined> {
    if (origins.check(head) === 'forbidden') return this.#refuse('forbidden_origin')
    if (!this.#gate) return undefined
    // An answer that is none must not look like a server without a gate.
    return (await this.#gate.authenticate(head)) ?? this.#refuse('server_error')
  }

  async #answer(
    request: Request,
    body: unknown,
    token: AccessToken | undefined,
  ): Promise<Response | PlainAnswer> {
    // Its body took its time.
    if (this.#isClosed) return closed
    const { covers } = this.#served
    const current = exchange(token, covers)
    const entry = { token, covers, clock: this.#clock }
    const response = await runWithToken(entry, async () => {
      this.#loading ??= import('@modelcontextprotocol/server').then((sdk) => endpoint(sdk, this.#served))
      return (await this.#loading).respond(request, body, current)
    })
    if (response) return response
    const { code, scopes } = current.refused ?? new AuthError('server_error')
    return this.#refuse(code, scopes && { scopes })
  }

  #broken(error: unknown): Refusal {
    const details = { error: stackText(error, undefined) }
    const entry = { event: 'request_failed', message: 'a request failed', details }
    this.#served.logger({ level: 'error', ...entry })
    return this.#refuse('server_error')
  }

  /** A server bound to this machine is reached by this machine's names only (DNS rebinding), and by those it is told. */
  #loopbackPolicy(host: string, port: number): OriginPolicy {
    const own = loopbackOrigins(port)
    const hosts = [...own.allowedHosts, `${hostnameOf(host)}:${port}`, ...(this.#http.allowedHosts ?? [])]
    return this.#originPolicy(hosts, [...own.allowedOrigins, ...(this.#http.allowedOrigins ?? [])])
  }

  #originPolicy(allowedHosts?: readonly string[], allowedOrigins?: readonly string[]): OriginPolicy {
    return originPolicy({
      ...this.#apiKeyHeader,
      ...(allowedHosts && { allowedHosts }),
      ...(allowedOrigins && { allowedOrigins }),
    })
  }
}

function isRead({ method }: IncomingMessage): boolean {
  return method === 'GET' || method === 'HEAD'
}

/** The request as the protocol and handlers may see it: no body, which is parsed already, and no credential. */
function bareWeb(request: Request, hidden: readonly string[]): Request {
  const headers = new Headers(request.headers)
  for (const name of hidden) headers.delete(name)
  return new Request(request.url, { method: request.method, headers, signal: request.signal })
}

/** The same for Node. The host in its URL is a fixed one: what a caller writes there decides nothing. */
function bareNode(req: IncomingMessage, head: RequestHead, hidden: readonly string[]): Request {
  const headers = new Headers()
  for (const [name, value] of Object.entries(req.headers)) {
    if (value !== undefined && !hidden.includes(name))
      headers.set(name, Array.isArray(value) ? value.join(', ') : value)
  }
  const { signal } = head
  return new Request(`http://localhost${pathOf(req.url)}`, {
    method: head.method,
    headers,
    ...(signal && { signal }),
  })
}
