import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { type AccessToken, AuthError, type Clock } from '../core/index.ts'
import { runWithToken } from '../http/context.ts'
import { isRefusal } from '../http/gate.ts'
import { type RequestHead, requestHead } from '../http/head.ts'
import { headOf, sendRefusal } from '../http/node-request.ts'
import { jsonAnswer, type PlainAnswer, type Refusal, refusalResponse } from '../http/refusal.ts'
import { type BodyLimits, bodyLimits, bodyProblemAnswer, readNodeBody, readWebBody } from './body.ts'
import { type Admission, type Door, type Doors, doorsOf } from './door.ts'
import { type Endpoint, endpoint } from './endpoint.ts'
import { exchange } from './exchange.ts'
import { stackText } from './failure.ts'
import { checkHttpOptions, type HttpOptions } from './http-options.ts'
import { type ListenAddress, pathOf, type SiteListener } from './listen.ts'
import { sendResponse } from './node-response.ts'
import type { Served } from './sdk-server.ts'

/** A path that has to be served at the root of the host, and what serves it. */
export interface Route {
  readonly path: string
  readonly fetch: (request: Request) => Promise<Response>
  readonly nodeListener: RequestListener
}

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
  readonly #clock: Clock
  readonly #limits: BodyLimits
  /** Headers that hold a credential: the protocol and handlers do not see them. */
  readonly #hidden: readonly string[]
  readonly #doors: Doors
  #loading: Promise<Endpoint> | undefined
  #isClosed = false

  /** @throws TypeError naming the option that is wrong */
  constructor(served: Served, admission: Admission, http: HttpOptions) {
    checkHttpOptions(http)
    this.#served = served
    this.#clock = admission.clock
    this.#limits = bodyLimits(http.maxBodyBytes, http.bodyTimeoutMs)
    this.#doors = doorsOf(admission, http, served.logger)
    this.#hidden = this.#doors.anywhere.gate?.credentialHeaders ?? ['authorization']
  }

  /** What has to be reachable at the root of the host, wherever the server is mounted. */
  routes(): readonly Route[] {
    const door = this.#doors.anywhere
    return (door.metadata?.paths ?? []).map((path) => ({
      path,
      fetch: async (request) => {
        const answer = metadataAnswer(door, requestHead(request)) ?? notFound
        return refusalResponse(answer, request.method)
      },
      nodeListener: (req, res) => sendRefusal(res, metadataAnswer(door, headOf(req, res)) ?? notFound),
    }))
  }

  /** Answers a web-standard request, whatever its path. */
  async fetch(request: Request): Promise<Response> {
    const door = this.#doors.anywhere
    const head = requestHead(request)
    const metadata = metadataAnswer(door, head)
    if (metadata) return refusalResponse(metadata, request.method)
    const preflight = door.origins.preflight(head)
    if (preflight) return new Response(null, { status: 204, headers: preflight })
    const outcome = await this.#decide(request, head, door).catch((error: unknown) => this.#broken(error))
    const response = outcome instanceof Response ? outcome : refusalResponse(outcome, request.method)
    for (const [name, value] of Object.entries(door.origins.corsHeaders(head) ?? {})) {
      response.headers.set(name, value)
    }
    return response
  }

  /** Answers Node requests, whatever their path. */
  listener(door: Door = this.#doors.anywhere): SiteListener {
    return (req, res, awaitsInvitation) => {
      this.#serve(req, res, door, awaitsInvitation === true).catch((error: unknown) =>
        sendRefusal(res, this.#broken(error)),
      )
    }
  }

  /** What a listener of our own serves: the endpoint on its path, `/health`, the metadata, and 404. */
  site(address: ListenAddress, port: number): SiteListener {
    const door = address.loopback ? this.#doors.onLoopback(address, port) : this.#doors.anywhere
    const endpointListener = this.listener(door)
    return (req, res, awaitsInvitation) => {
      const path = pathOf(req.url)
      if (path === address.path) return endpointListener(req, res, awaitsInvitation)
      const isHealth = path === '/health' && isRead(req)
      return sendRefusal(res, isHealth ? health : (metadataAnswer(door, headOf(req, res)) ?? notFound))
    }
  }

  /** Tells the operator of a server that anybody can reach and use. */
  warnIfOpen({ host, loopback }: ListenAddress): void {
    if (this.#doors.anywhere.gate || loopback) return
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

  async #decide(request: Request, head: RequestHead, door: Door): Promise<Response | PlainAnswer> {
    const caller = await this.#admit(head, door)
    if (caller && isRefusal(caller)) return caller
    if (this.#isClosed) return closed
    if (request.method !== 'POST') return methodNotAllowed
    const body = await readWebBody(request, this.#limits)
    if (!body.ok) return bodyProblemAnswer(body.problem)
    return this.#answer(bareWeb(request, this.#hidden), body.value, caller, door)
  }

  async #serve(
    req: IncomingMessage,
    res: ServerResponse,
    door: Door,
    awaitsInvitation: boolean,
  ): Promise<void> {
    const head = headOf(req, res)
    const metadata = metadataAnswer(door, head)
    if (metadata) return sendRefusal(res, metadata)
    const cors = door.origins.corsHeaders(head)
    const preflight = door.origins.preflight(head)
    if (preflight) return void res.writeHead(204, preflight).end()
    const caller = await this.#admit(head, door)
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
    const outcome = await this.#answer(bareNode(req, head, this.#hidden), body.value, caller, door)
    return outcome instanceof Response ? sendResponse(outcome, res, cors) : sendRefusal(res, outcome, cors)
  }

  /** The caller; `undefined` when the server asks for nobody; or the refusal. From the head of the request alone. */
  async #admit(head: RequestHead, door: Door): Promise<AccessToken | Refusal | undefined> {
    const { origins, gate, refuse } = door
    if (origins.check(head) === 'forbidden') return refuse('forbidden_origin')
    if (!gate) return undefined
    // An answer that is none must not look like a server without a gate.
    return (await gate.authenticate(head)) ?? refuse('server_error')
  }

  async #answer(
    request: Request,
    body: unknown,
    token: AccessToken | undefined,
    { refuse }: Door,
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
    return refuse(code, scopes && { scopes })
  }

  #broken(error: unknown): Refusal {
    const details = { error: stackText(error, undefined) }
    const entry = { event: 'request_failed', message: 'a request failed', details }
    this.#served.logger({ level: 'error', ...entry })
    return this.#doors.anywhere.refuse('server_error')
  }
}

/** The metadata, when it is that which is asked for. Public: any page may read it, and no token is looked at. */
function metadataAnswer(
  { metadata, isHostAllowed, refuse }: Door,
  head: RequestHead,
): PlainAnswer | undefined {
  const answer = metadata?.answer(head.method, head.url)
  return answer && !isHostAllowed(head) ? refuse('forbidden_origin') : answer
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
