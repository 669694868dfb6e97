import { type AccessToken, AuthError, type Clock } from '../core/index.ts'
import type { AddressReader } from '../http/client-address.ts'
import { runWithToken } from '../http/context.ts'
import { isRefusal } from '../http/gate.ts'
import { jsonAnswer, type PlainAnswer, type Refusal, type RefusalWriter } from '../http/refusal.ts'
import type { Attempting } from './attempting.ts'
import { type Body, bodyProblemAnswer, bodyProblemError } from './body.ts'
import type { Changes } from './changes.ts'
import type { Door } from './door.ts'
import { type Exchange, exchange, type Incoming } from './exchange.ts'
import type { LaneChoice, Lanes } from './lanes.ts'
import { EventStream, type Reply, rpcReply } from './reply.ts'
import { RpcError, rpcCode, rpcErrorMessage } from './rpc-error.ts'
import type { Served } from './served.ts'
import type { StreamGuard } from './stream-guard.ts'

/** One HTTP request to the MCP endpoint, however it came. */
export interface Visit {
  readonly incoming: Incoming
  /** Reads the body. Not called before the caller is known. */
  body(): Body | Promise<Body>
}

/** What is open without a token. */
export interface OpenTo {
  /** Everything that needs no scopes. */
  readonly everybody: boolean
  /** These methods of the protocol. */
  readonly methods: ReadonlySet<string>
}

/** What an {@link Endpoint} is made of. */
export interface EndpointParts {
  readonly served: Served
  readonly changes: Changes
  readonly lanes: LaneChoice
  readonly openTo: OpenTo
  readonly attempting: Attempting
  /** From where a caller comes who is not known otherwise: nobody uses up the limits of everybody without a token. */
  readonly addressOf: AddressReader
  readonly streams: StreamGuard
}

/**
 * The MCP endpoint. One policy, whoever brings the request, in this order: Host and Origin, the token, and only then the
 * body, the protocol, and the scopes of what is called. Preflights and public documents are answered before.
 */
export interface Endpoint {
  answer(visit: Visit, door: Door): Promise<Reply>
  /** Who calls; `undefined` when nobody has to say; or the refusal. From the head of the request alone. */
  admit(visit: Pick<Visit, 'incoming'>, door: Door): Promise<AccessToken | Refusal | undefined>
  /** From now on every request is answered with 503. */
  refuseAll(): void
  readonly isClosed: boolean
  /** Whether who shows no token is let in, to what needs no scopes. */
  readonly isOpenToEverybody: boolean
  /** Ends the streams that no answer would end. */
  endStreams(): void
  /** Whether a token's scopes cover these, the hierarchy counted. */
  covers(token: AccessToken, scopes: readonly string[]): boolean
  readonly clock: Clock
  close(): Promise<void>
}

/** The answer of a server that was closed. */
export const closed: PlainAnswer = jsonAnswer(
  503,
  { error: 'temporarily_unavailable' },
  { 'retry-after': '5' },
)

/** Makes an {@link Endpoint}. */
export function endpoint(parts: EndpointParts): Endpoint {
  return new McpEndpoint(parts)
}

class McpEndpoint implements Endpoint {
  readonly #parts: EndpointParts
  readonly #methods: readonly string[]
  readonly #notAllowed: PlainAnswer
  #loading: Promise<Lanes> | undefined
  #ready: Lanes | undefined
  isClosed = false

  constructor(parts: EndpointParts) {
    this.#parts = parts
    const keepsClients = parts.lanes.sessions !== undefined || parts.lanes.legacySse
    this.#methods = keepsClients ? ['GET', 'POST', 'DELETE'] : ['POST']
    const allow = this.#methods.join(', ')
    this.#notAllowed = jsonAnswer(405, { error: 'method_not_allowed' }, { allow })
  }

  get isOpenToEverybody(): boolean {
    return this.#parts.openTo.everybody
  }

  get clock(): Clock {
    return this.#parts.served.clock
  }

  covers(token: AccessToken, scopes: readonly string[]): boolean {
    return this.#parts.served.covers(token, scopes)
  }

  refuseAll(): void {
    this.isClosed = true
  }

  endStreams(): void {
    this.#parts.streams.endStanding()
  }

  async close(): Promise<void> {
    await (await this.#loading)?.close()
    this.#parts.streams.close()
  }

  async admit({ incoming }: Pick<Visit, 'incoming'>, door: Door): Promise<AccessToken | Refusal | undefined> {
    const { head } = incoming
    if (door.origins.check(head) === 'forbidden') return door.refuse('forbidden_origin')
    if (!door.gate) return undefined
    const caller = await door.gate.authenticate(head, this.#parts.attempting(head))
    // An answer that is none must not look like a server without a gate.
    return caller ?? door.refuse('server_error')
  }

  async answer(visit: Visit, door: Door): Promise<Reply> {
    const caller = await this.admit(visit, door)
    const isAdmitted = caller === undefined || !isRefusal(caller)
    if (!isAdmitted && !(this.isOpenToEverybody && caller.code === 'unauthorized'))
      return this.#refused(visit, caller, door)
    if (this.isClosed) return closed
    const token = isAdmitted ? caller : undefined
    const { method } = visit.incoming.head
    if (!this.#methods.includes(method)) return this.#notAllowed
    if (method !== 'POST') return this.#run(visit, undefined, token, door)
    const body = await visit.body()
    if (body.ok) return this.#run(visit, body.value, token, door)
    return bodyProblemAnswer(body.problem, bodyProblemError(body.problem))
  }

  #refused(visit: Visit, refusal: Refusal, door: Door): Refusal | Promise<Reply> {
    const mayAsk = this.#parts.openTo.methods.size > 0 && visit.incoming.head.method === 'POST'
    return mayAsk && refusal.code === 'unauthorized' ? this.#anonymous(visit, refusal, door) : refusal
  }

  /** What may be asked without a token is decided by the body, once the headers say the same. */
  async #anonymous(visit: Visit, refusal: Refusal, door: Door): Promise<Reply> {
    const { methods } = this.#parts.openTo
    const body = await visit.body()
    if (!body.ok) return refusal
    const { method } = (body.value ?? {}) as { method?: unknown }
    const header = visit.incoming.header('mcp-method')
    if (header !== undefined && methods.has(header) && header !== method) {
      const message = 'Bad Request: the header Mcp-Method and the body disagree'
      return rpcReply(rpcErrorMessage(null, rpcCode.headerMismatch, message), 400)
    }
    if (typeof method !== 'string' || !methods.has(method)) return refusal
    return this.#run(visit, body.value, undefined, door)
  }

  async #run({ incoming }: Visit, body: unknown, token: AccessToken | undefined, door: Door): Promise<Reply> {
    // Its body took its time.
    if (this.isClosed) return closed
    const { covers, clock } = this.#parts.served
    const address = token ? undefined : this.#parts.addressOf(incoming.head)
    const current = exchange(token, covers, incoming, address)
    const respond = (lanes: Lanes) => lanes.respond(incoming, body, current)
    const outcome = await runWithToken({ token, covers, clock }, () =>
      this.#ready ? respond(this.#ready) : this.#load().then(respond),
    )
    if (outcome.kind !== 'reply') return refusalOf(current, body, door)
    const { reply } = outcome
    const mayLeave = !(reply instanceof EventStream) || this.#parts.streams.admits(reply, current)
    return mayLeave ? reply : refusalOf(current, body, door)
  }

  /** The protocol engine is big; it is loaded when the first request is there. */
  #load(): Promise<Lanes> {
    const { served, changes, lanes: choice } = this.#parts
    this.#loading ??= Promise.all([import('@modelcontextprotocol/server'), import('./lanes.ts')]).then(
      ([sdk, { lanes }]) => {
        this.#ready = lanes(sdk, served, changes, choice)
        return this.#ready
      },
    )
    return this.#loading
  }
}

function refusalOf({ refused }: Exchange, body: unknown, { refuse }: Door): Reply {
  if (refused instanceof RpcError) {
    const { id } = (body ?? {}) as { id?: string | number }
    return rpcReply(rpcErrorMessage(id ?? null, refused.code, refused.message), refused.status)
  }
  return refusalFor(refused ?? new AuthError('server_error'), refuse)
}

/** The answer to a refusal that was thrown. */
export function refusalFor({ code, scopes, retryAfter }: AuthError, refuse: RefusalWriter): Refusal {
  return refuse(code, {
    ...(scopes && { scopes }),
    ...(retryAfter !== undefined && { retryAfter }),
  })
}
