import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import type { Logger } from '../core/index.ts'
import { type RequestHead, requestHead } from '../http/head.ts'
import { headOf, sendRefusal } from '../http/node-request.ts'
import { jsonAnswer, type PlainAnswer, type Refusal, refusalResponse } from '../http/refusal.ts'
import { type BodyLimits, readNodeBody, readNodeBytes, readWebBody, readWebBytes } from './body.ts'
import type { CustomRoute, CustomRoutes } from './custom-routes.ts'
import type { Door, Doors } from './door.ts'
import type { Endpoint } from './endpoint.ts'
import { stackText } from './failure.ts'
import { nodeIncoming, webIncoming } from './incoming.ts'
import { type ArrivalReader, answerKeys, sameOriginOnly } from './keys-mount.ts'
import { type ListenAddress, pathOf, type Site, type SiteListener } from './listen.ts'
import type { PublicDocument, PublicPages } from './pages/pages.ts'
import { closeWithConnection } from './pipelined.ts'
import type { Reply } from './reply.ts'
import { answerRoute, type RouteVisit } from './route-answer.ts'
import { sendReply, webReply } from './send-reply.ts'
import { answerWhoAmI, whoAmIPath } from './whoami.ts'

/** A path that has to be served at the root of the host, and what serves it. */
export interface Route {
  readonly path: string
  readonly fetch: (request: Request) => Promise<Response>
  readonly nodeListener: RequestListener
}

/** What an {@link HttpSide} is made of. */
export interface HttpParts {
  readonly doors: Doors
  readonly endpoint: Endpoint
  readonly limits: BodyLimits
  readonly logger: Logger
  readonly custom: CustomRoutes
  /** Headers that hold a credential, of mounted servers too: the protocol and handlers do not see them. */
  readonly hidden: ReadonlySet<string>
  /** Tells an API for keys how a request came. */
  readonly arrivalOf: ArrivalReader
  /** Makes the pages that show what the server has; whether they are served is decided here. */
  readonly pages: (door: Door, path: string) => PublicPages
  /** Says whether the pages are public; `undefined` on a loopback bind only. */
  readonly publicPages: boolean | undefined
  /** Whether `/sse` is another name of the endpoint. */
  readonly legacySse: boolean
}

const health: PlainAnswer = jsonAnswer(200, { status: 'ok' })
const notFound: PlainAnswer = jsonAnswer(404, { error: 'not_found' })

/**
 * The HTTP face of a server: web-standard requests, those of Node, and a whole site. Which path means what is decided
 * here; who may pass, in the endpoint and its doors.
 */
export interface HttpSide {
  /** Answers a web-standard request, whatever its path. */
  fetch(request: Request): Promise<Response>
  /** Answers Node requests, whatever their path. */
  listener(): SiteListener
  /** What a listener of our own serves: the endpoint on its path, public documents, and 404. */
  site(address: ListenAddress, port: number): Site
  /** What has to be reachable at the root of the host, wherever the server is mounted. */
  routes(): readonly Route[]
  /** Tells the operator of a server that anybody can reach and use. */
  warnIfOpen(address: ListenAddress): void
}

/** Makes an {@link HttpSide}. */
export function httpSide(parts: HttpParts): HttpSide {
  return new ServerOnHttp(parts)
}

/** A request before anything of it was read. */
type Arrival = Pick<RouteVisit, 'incoming'>

/** What answers on a path beside the endpoint and the documents, and the door that stands before it. */
interface Place {
  readonly door: Door
  answer(visit: RouteVisit): Promise<Response | PlainAnswer>
}

class ServerOnHttp implements HttpSide {
  readonly #parts: HttpParts
  /** The door of a server that somebody else listens for. */
  readonly #door: Door
  readonly #pages: PublicPages | undefined

  constructor(parts: HttpParts) {
    this.#parts = parts
    this.#door = parts.doors.anywhere
    this.#pages = parts.publicPages === true ? parts.pages(this.#door, '/mcp') : undefined
  }

  async fetch(request: Request): Promise<Response> {
    const head = requestHead(request)
    const path = pathOf(request.url)
    const document = documentAnswer(this.#door, this.#pages, head, path)
    if (document) return refusalResponse(await this.#loaded(document), request.method)
    const place = this.#placeAt(path, this.#door, this.#pages)
    if (place) return this.#fetchPlace(place, request, head)
    if (isUnknownDocument(this.#door, request.method, path))
      return webReply(notFound, request.method, this.#door.origins.corsHeaders(head))
    const body = () => readWebBody(request, this.#parts.limits)
    return this.#fetched(request, head, this.#door, (arrival) =>
      this.#parts.endpoint.answer({ ...arrival, body }, this.#door),
    )
  }

  #fetchPlace({ door, answer }: Place, request: Request, head: RequestHead): Promise<Response> {
    const bytes = async () => (request.body ? readWebBytes(request.body, this.#parts.limits) : [])
    return this.#fetched(request, head, door, (arrival) => answer({ ...arrival, bytes }))
  }

  async #fetched(
    request: Request,
    head: RequestHead,
    { origins }: Door,
    run: (arrival: Arrival) => Promise<Reply | Response>,
  ): Promise<Response> {
    const preflight = origins.preflight(head)
    if (preflight) return new Response(null, { status: 204, headers: preflight })
    const incoming = webIncoming(request, head, this.#parts.hidden)
    const cors = origins.corsHeaders(head)
    try {
      return webReply(await run({ incoming }), request.method, cors)
    } catch (error) {
      return webReply(this.#broken(error), request.method, cors)
    }
  }

  listener(): SiteListener {
    const onMcp = this.#mcpListener(this.#door)
    return (req, res, awaitsInvitation) => {
      const path = pathOf(req.url)
      const head = headOf(req, res)
      const document = documentAnswer(this.#door, this.#pages, head, path)
      if (document) return this.#sendDocument(res, document)
      const place = this.#placeAt(path, this.#door, this.#pages)
      if (!place && isUnknownDocument(this.#door, req.method, path))
        return sendRefusal(res, notFound, this.#door.origins.corsHeaders(head))
      return (place ? this.#placeListener(place) : onMcp)(req, res, awaitsInvitation)
    }
  }

  site(address: ListenAddress, port: number): Site {
    const { doors, publicPages = address.loopback, legacySse } = this.#parts
    const door = address.loopback ? doors.onLoopback(address, port) : this.#door
    const pages = publicPages ? this.#parts.pages(door, address.path) : undefined
    const onMcp = this.#mcpListener(door)
    const answer: SiteListener = (req, res, awaitsInvitation) => {
      const path = pathOf(req.url)
      if (path === address.path || (legacySse && path === '/sse')) return onMcp(req, res, awaitsInvitation)
      const place = this.#placeAt(path, door, pages)
      if (place) return this.#placeListener(place)(req, res, awaitsInvitation)
      const isHealth = path === '/health' && isRead(req.method)
      const head = headOf(req, res)
      const document = isHealth ? health : documentAnswer(door, pages, head, path)
      return document
        ? this.#sendDocument(res, document)
        : sendRefusal(res, notFound, door.origins.corsHeaders(head))
    }
    return { answer, bodyTimeoutMs: this.#parts.limits.timeoutMs }
  }

  routes(): readonly Route[] {
    const metadata = (this.#door.metadata?.paths ?? []).map((path) => {
      const answer = (head: RequestHead) => metadataAnswer(this.#door, head) ?? notFound
      return {
        path,
        fetch: async (request: Request) => refusalResponse(answer(requestHead(request)), request.method),
        nodeListener: (req: IncomingMessage, res: ServerResponse) =>
          sendRefusal(res, answer(headOf(req, res))),
      }
    })
    const own = Array.from(this.#parts.custom.values(), (route) => {
      const place = this.#placeOf(route, this.#door)
      return {
        path: route.path,
        fetch: (request: Request) => this.#fetchPlace(place, request, requestHead(request)),
        nodeListener: this.#placeListener(place),
      }
    })
    return [...metadata, ...own]
  }

  warnIfOpen({ host, loopback }: ListenAddress): void {
    if (this.#door.gate || loopback) return
    const message = `the server listens on ${host} without auth: whoever reaches it can use it`
    this.#parts.logger({ level: 'warn', event: 'unprotected', message })
  }

  #mcpListener(door: Door): SiteListener {
    const { limits, endpoint } = this.#parts
    return this.#listener(door, (req, arrival, invite) =>
      endpoint.answer({ ...arrival, body: () => readNodeBody(req, limits, invite) }, door),
    )
  }

  #placeListener({ door, answer }: Place): SiteListener {
    const { limits } = this.#parts
    return this.#listener(door, (req, arrival, invite) =>
      answer({ ...arrival, bytes: () => readNodeBytes(req, limits, invite) }),
    )
  }

  #placeAt(path: string, door: Door, pages: PublicPages | undefined): Place | undefined {
    const { custom, endpoint, arrivalOf } = this.#parts
    const route = custom.get(path)
    if (route) return this.#placeOf(route, door)
    if (pages && path === whoAmIPath) return { door, answer: (visit) => answerWhoAmI(visit, door, endpoint) }
    const admin = custom.keysAt(path)
    if (!admin) return undefined
    const inside = sameOriginOnly(door)
    return { door: inside, answer: (visit) => answerKeys(admin, visit, inside, endpoint, arrivalOf) }
  }

  #placeOf(route: CustomRoute, door: Door): Place {
    return { door, answer: (visit) => answerRoute(route, visit, door, this.#parts.endpoint) }
  }

  #sendDocument(res: ServerResponse, document: PublicDocument): void {
    if (typeof document !== 'function') sendRefusal(res, document)
    else void this.#loaded(document).then((answer) => sendRefusal(res, answer))
  }

  /** What cannot be loaded is answered with 500, and tried again the next time. */
  async #loaded(document: PublicDocument): Promise<PlainAnswer> {
    if (typeof document !== 'function') return document
    return document().catch((error: unknown) => this.#broken(error))
  }

  /** A listener that never fails: what goes wrong is answered with 500, or ends the connection. */
  #listener(
    door: Door,
    run: (req: IncomingMessage, arrival: Arrival, invite: () => void) => Promise<Reply | Response>,
  ): SiteListener {
    return (req, res, awaitsInvitation) => {
      const invite = awaitsInvitation ? () => res.writeContinue() : () => {}
      this.#serve(req, res, door, (arrival) => run(req, arrival, invite)).catch((error: unknown) =>
        sendRefusal(res, this.#broken(error)),
      )
    }
  }

  async #serve(
    req: IncomingMessage,
    res: ServerResponse,
    { origins }: Door,
    run: (arrival: Arrival) => Promise<Reply | Response>,
  ): Promise<void> {
    closeWithConnection(req, res)
    const head = headOf(req, res)
    const preflight = origins.preflight(head)
    if (preflight) return void res.writeHead(204, preflight).end()
    const incoming = nodeIncoming(req, res, head, this.#parts.hidden)
    const reply = await run({ incoming }).catch((error: unknown) => this.#broken(error))
    await sendReply(res, reply, origins.corsHeaders(head))
  }

  #broken(error: unknown): Refusal {
    const details = { error: stackText(error, undefined) }
    this.#parts.logger({ level: 'error', event: 'request_failed', message: 'a request failed', details })
    return this.#door.refuse('server_error')
  }
}

/**
 * A public document, when it is that which is asked for: any page may read the metadata, and no token is looked at. Each
 * has its path, and no spelling of it is another one's.
 */
function documentAnswer(
  door: Door,
  pages: PublicPages | undefined,
  head: RequestHead,
  path: string,
): PublicDocument | undefined {
  const metadata = metadataAnswer(door, head)
  if (metadata) return metadata
  const answer = pages?.answer(head.method, path)
  return answer && !door.isHostAllowed(head) ? door.refuse('forbidden_origin') : answer
}

function metadataAnswer(
  { metadata, isHostAllowed, refuse }: Door,
  head: RequestHead,
): PlainAnswer | undefined {
  const answer = metadata?.answer(head.method, head.url)
  return answer && !isHostAllowed(head) ? refuse('forbidden_origin') : answer
}

function isRead(method: string | undefined): boolean {
  return method === 'GET' || method === 'HEAD'
}

/**
 * Whether a client looks for the authorization server of one that has none (RFC 8615): it reads any other answer than 404
 * as one that should be there.
 */
function isUnknownDocument({ metadata }: Door, method: string | undefined, path: string): boolean {
  return metadata === undefined && isRead(method) && path.startsWith('/.well-known/')
}
