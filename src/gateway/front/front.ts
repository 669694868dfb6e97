import type { AccessToken, AuthError, Logger } from '../../core/index.ts'
import type { RateLimiter } from '../../core/rate-limit.ts'
import { type BearerGate, isRefusal } from '../../http/gate.ts'
import { jsonAnswer, type PlainAnswer, type Refusal } from '../../http/refusal.ts'
import type { Attempting } from '../../server/attempting.ts'
import { type BodyText, bodyProblemAnswer, bodyProblemError } from '../../server/body.ts'
import { turnKey } from '../../server/component.ts'
import type { Door } from '../../server/door.ts'
import { closed, refusalFor } from '../../server/endpoint.ts'
import { stackText } from '../../server/failure.ts'
import { farewellTo } from '../../server/farewell.ts'
import { EventStream, type Reply, rpcReply } from '../../server/reply.ts'
import { rpcCode, rpcErrorMessage } from '../../server/rpc-error.ts'
import type { StreamGuard } from '../../server/stream-guard.ts'
import { isRequest, type RpcMessage } from '../message.ts'
import type { GatewayPolicy, Judgement } from '../policy.ts'
import { type Upstream, UpstreamError } from '../upstream.ts'
import { type Account, type Arrival, Crossing } from './crossing.ts'
import { headerMismatch, isModern } from './header-agreement.ts'
import type { IdentityAssertion } from './identity.ts'
import { readMessage } from './json-body.ts'
import { sessionProblem } from './session-problem.ts'
import type { ToolLists } from './tool-lookup.ts'
import { underWay } from './under-way.ts'
import { upstreamFailure } from './upstream-failure.ts'

/** What a {@link Front} is made of. */
export interface FrontParts {
  readonly upstream: Upstream
  readonly tools: ToolLists
  readonly attempting: Attempting
  readonly limiter: RateLimiter | undefined
  readonly streams: StreamGuard
  readonly identity: IdentityAssertion | undefined
  readonly logger: Logger
  covers(token: AccessToken, scopes: readonly string[]): boolean
}

/**
 * The MCP endpoint of a gateway. One order, whoever asks: Host and Origin, the token, and only then the body, what the
 * headers say of it, how often, and what the policy says. Nothing reaches the server behind it before that.
 */
export interface Front {
  /** Never rejects. Writes down in the account what became of the request. */
  answer(arrival: Arrival, door: Door, account: Account): Promise<Reply>
  /** From now on requests are judged by this. */
  policy: GatewayPolicy
  /** From now on every request is answered with 503. */
  isClosed: boolean
  /** Streams that are open. */
  readonly openStreams: number
}

/** Makes a {@link Front}. */
export function front(parts: FrontParts, policy: GatewayPolicy): Front {
  return new GatewayFront(parts, policy)
}

const methods: readonly string[] = ['GET', 'POST', 'DELETE']
const notAllowed: PlainAnswer = jsonAnswer(
  405,
  { error: 'method_not_allowed' },
  { allow: methods.join(', ') },
)
/** Requests of one principal at a time, streams not counted: they have a limit of their own. */
const mostUnderWay = 1000
const tooManyStreams = 'Too many streams are open. The server may have done what it was asked.'
const internalError = 'The gateway failed to do this. The reason is in its log.'

class GatewayFront implements Front {
  policy: GatewayPolicy
  isClosed = false
  openStreams = 0
  readonly #parts: FrontParts
  readonly #underWay = underWay(mostUnderWay)

  constructor(parts: FrontParts, policy: GatewayPolicy) {
    this.#parts = parts
    this.policy = policy
  }

  /** Waits only for what is not there yet: each promise costs, and most requests have everything at hand. */
  async answer({ incoming, body, hasLeft }: Arrival, door: Door, account: Account): Promise<Reply> {
    let begun: string | undefined
    try {
      const caller = await this.#admit(incoming, door)
      if (isRefusal(caller)) return refused(account, caller)
      account.caller = caller
      // To find out who calls took its time, and so does what follows.
      if (this.isClosed || hasLeft()) return ended(account)
      const { method } = incoming.head
      if (!isSupported(method)) return bad(account, notAllowed)
      const { covers, identity } = this.#parts
      const crossing = new Crossing(incoming, method, { token: caller, covers, identity })
      if (!this.#underWay.begin(crossing.principal))
        return refused(account, door.refuse('rate_limited', { retryAfter: 1 }))
      begun = crossing.principal
      if (method === 'POST') {
        const read = body()
        const problem = take(read instanceof Promise ? await read : read, crossing, account)
        if (problem) return bad(account, problem)
      }
      const { policy } = this
      const judged = this.#judged(policy, crossing, door, account)
      const stopped = judged instanceof Promise ? await judged : judged
      if (stopped) return stopped
      crossing.review = this.#review(crossing, policy)
      if (this.isClosed || hasLeft()) return ended(account)
      // Any answer can become a stream, and then it is too late to say that nothing was done.
      if (!this.#parts.streams.hasRoom(crossing.exchange))
        return refused(account, door.refuse('rate_limited', { retryAfter: 60 }))
      const reply = this.#parts.upstream.answer(crossing)
      return this.#passed(reply instanceof Promise ? await reply : reply, crossing, door, account)
    } catch (error) {
      return this.#failed(error, door, account)
    } finally {
      if (begun !== undefined) this.#underWay.end(begun)
    }
  }

  async #admit(
    { head }: Arrival['incoming'],
    { origins, gate, refuse }: Door,
  ): Promise<AccessToken | Refusal> {
    if (origins.check(head) === 'forbidden') return refuse('forbidden_origin')
    const caller = await (gate as BearerGate).authenticate(head, this.#parts.attempting(head))
    // An answer that is none must not look like somebody who may pass.
    return caller ?? refuse('server_error')
  }

  /** @returns the answer to what may not pass */
  #judged(
    policy: GatewayPolicy,
    crossing: Crossing,
    door: Door,
    account: Account,
  ): Reply | undefined | Promise<Reply | undefined> {
    const { limiter, tools } = this.#parts
    const wait = limiter?.take(turnKey(crossing.exchange))
    if (wait !== undefined) return refused(account, door.refuse('rate_limited', { retryAfter: wait }))
    const { message } = crossing
    if (!message) return undefined
    const judgement = policy.judge(message, crossing, (name) => tools.tool(crossing, name))
    const judged = (known: Judgement) => this.#stopped(known, message, door, account)
    return judgement instanceof Promise
      ? judgement.then(judged, (error: unknown) => this.#unjudged(error, crossing, account))
      : judged(judgement)
  }

  /** When the policy cannot know the tools of a session because there is no such session, the client has to hear that. */
  async #unjudged(error: unknown, crossing: Crossing, account: Account): Promise<Reply> {
    if (!(error instanceof UpstreamError)) throw error
    const problem = error.reply ?? (await sessionProblem(this.#parts.upstream, crossing))
    if (problem === undefined) throw error
    account.outcome = 'upstream_error'
    return problem
  }

  #stopped(judgement: Judgement, message: RpcMessage, door: Door, account: Account): Reply | undefined {
    switch (judgement.kind) {
      case 'pass':
        return undefined
      case 'insufficient_scope':
        return refused(account, door.refuse('insufficient_scope', { scopes: judgement.scopes }))
      case 'access_denied':
        return refused(account, door.refuse('access_denied'))
      case 'rate_limited':
        return refused(account, door.refuse('rate_limited', { retryAfter: judgement.retryAfter }))
      case 'arguments':
        account.outcome = 'arguments'
        return wrongArguments(message, judgement.problem)
      default:
        // A policy that says something else has not let it pass.
        throw new TypeError('the policy gave a judgement that is none')
    }
  }

  /** What goes back is reviewed by the policy of the day, also on a stream that was opened under another one, or none. */
  #review(crossing: Crossing, first: GatewayPolicy): Crossing['review'] {
    let review = first.review(crossing.message, crossing)
    if (review === undefined && !waitsForNews(crossing)) return undefined
    let policy = first
    return (answer) => {
      this.#parts.tools.heard(crossing, answer)
      if (policy !== this.policy) {
        policy = this.policy
        review = policy.review(crossing.message, crossing)
      }
      return review === undefined ? answer : review(answer)
    }
  }

  /** A stream lives as long as its token does, and nobody has too many. */
  #passed(reply: Reply, crossing: Crossing, { refuse }: Door, account: Account): Reply {
    if (!(reply instanceof EventStream)) {
      if (reply.status >= 400) account.outcome = 'upstream_error'
      return reply
    }
    const { exchange, message } = crossing
    reply.farewell ??= farewellTo(message)
    if (message === undefined || reply.farewell !== undefined) reply.isStanding = true
    if (!this.#parts.streams.admits(reply, exchange)) {
      const refusal = refused(account, refusalFor(exchange.refused as AuthError, refuse))
      // Others were quicker. A 429 would say that the call was not made, and it would be made again.
      return message && isRequest(message)
        ? rpcReply(rpcErrorMessage(message.id, rpcCode.internalError, tooManyStreams), 200)
        : refusal
    }
    this.openStreams += 1
    reply.onClose(() => {
      this.openStreams -= 1
    })
    return reply
  }

  /** What another server, or a token source of ours, was refused for says nothing of our caller. */
  #failed(error: unknown, { refuse }: Door, account: Account): Reply {
    if (error instanceof UpstreamError) {
      account.outcome = error.problem
      return upstreamFailure(error, account.message)
    }
    const details = { error: stackText(error, account.caller) }
    this.#parts.logger({ level: 'error', event: 'request_failed', message: 'a request failed', details })
    account.outcome = 'server_error'
    const { message } = account
    return message && isRequest(message)
      ? rpcReply(rpcErrorMessage(message.id, rpcCode.internalError, internalError), 500)
      : refuse('server_error')
  }
}

/** @returns the answer to a body that goes no further */
function take(body: BodyText, crossing: Crossing, account: Account): PlainAnswer | undefined {
  if (!body.ok) return bodyProblemAnswer(body.problem, bodyProblemError(body.problem))
  const { message, refused } = readMessage(body.text)
  if (message === undefined) return refused
  account.message = message
  const problem = headerMismatch(crossing.incoming, message)
  if (problem !== undefined) {
    const error = rpcErrorMessage(idOf(message), rpcCode.headerMismatch, `Bad Request: ${problem}`)
    return rpcReply(error, 400)
  }
  crossing.message = message
  crossing.body = body.text
  return undefined
}

/** Whether what comes back may come at any time, and outlive a policy. */
function waitsForNews({ method, message }: Crossing): boolean {
  return method === 'GET' || message?.method === 'subscriptions/listen'
}

function isSupported(method: string): method is Crossing['method'] {
  return methods.includes(method)
}

function refused(account: Account, refusal: Refusal): Refusal {
  account.outcome = refusal.code
  return refusal
}

function bad(account: Account, answer: PlainAnswer): PlainAnswer {
  account.outcome = 'bad_request'
  return answer
}

/** The gateway is being closed; or whoever asked has left, and nobody reads this. */
function ended(account: Account): PlainAnswer {
  account.outcome = 'closed'
  return closed
}

/** The id an error goes to; that of an answer is of somebody else's request. */
function idOf({ id, method }: RpcMessage): string | number | null {
  return method === undefined ? null : (id ?? null)
}

/** For a call of a tool it is a result, which the model reads and can act on (SEP-1303); else an error of the protocol. */
function wrongArguments(message: RpcMessage, problem: string): PlainAnswer {
  const id = idOf(message)
  if (message.method !== 'tools/call' || id === null)
    return rpcReply(rpcErrorMessage(id, rpcCode.invalidParams, problem), id === null ? 400 : 200)
  const result = { content: [{ type: 'text', text: problem }], isError: true }
  const typed = isModern(message) ? { resultType: 'complete', ...result } : result
  return rpcReply({ jsonrpc: '2.0', id, result: typed })
}
