import type { AccessToken } from '../core/index.ts'
import type { PlainAnswer } from '../http/refusal.ts'
import type { Exchange, Incoming } from '../server/exchange.ts'
import type { Reply } from '../server/reply.ts'
import type { JsonObject, RpcMessage } from './message.ts'

/** One HTTP request whose caller is known and may do what it asks for, on its way to the server behind the gateway. */
export interface Passage {
  readonly caller: AccessToken
  /** Whose it is: sessions and processes belong to a principal, and nobody else finds them. */
  readonly principal: string
  /** For {@link StreamGuard}: a stream ends with the token that opened it. */
  readonly exchange: Exchange
  /** The head of the request. Its credential is in there: an upstream passes headers on by name, and that never. */
  readonly incoming: Incoming
  readonly method: 'GET' | 'POST' | 'DELETE'
  /** What a POST brought. */
  readonly message: RpcMessage | undefined
  /** The same as it came, and safe to pass on: no member stands in it twice, so every reader reads the same. */
  readonly body: string | undefined
  /**
   * Looks at what goes back: the message to send, or `undefined` when it must not be seen at all. `undefined` itself
   * when everything may pass as it is, which need not be parsed then.
   */
  readonly review: ((message: RpcMessage) => RpcMessage | undefined) | undefined
  /** Says who calls, signed by the gateway, where the operator wants that: header by header. Default: none. */
  readonly identity: (() => Promise<Readonly<Record<string, string>>>) | undefined
}

/**
 * The server behind a gateway, however it is reached. It never sees the caller's token (MCP security best practices,
 * "Token Passthrough").
 */
export interface Upstream {
  /** What logs and messages call it. Holds no credential. */
  readonly name: string
  /**
   * Passes a request on.
   * @throws UpstreamError when there is no answer of the server's to give
   */
  answer(passage: Passage): Reply | Promise<Reply>
  /**
   * Asks the server something of the gateway's own, as the caller of the passage and in the same session.
   * @returns the result
   * @throws UpstreamError when there is none
   */
  ask(passage: Passage, method: string, params?: JsonObject): Promise<JsonObject>
  /** Lets what is under way finish for a moment, then ends sessions and processes. */
  close(): Promise<void>
}

/** Why the server behind the gateway gave no answer. */
export type UpstreamProblem =
  /** It cannot be reached, or its process cannot be started or has ended. */
  | 'unreachable'
  /** It took too long. */
  | 'timeout'
  /** It does not take the gateway's own credential. */
  | 'refused'
  /** What it said is no MCP. */
  | 'broken'
  /** There are as many sessions or processes as there may be, or one that crashed is not started again yet. */
  | 'busy'

/** The server behind the gateway gave no answer. The message is for the caller, and holds nothing of a credential. */
export class UpstreamError extends Error {
  override readonly name = 'UpstreamError'
  readonly problem: UpstreamProblem
  /** Seconds to wait. */
  readonly retryAfter: number | undefined
  /** What `answer` would have answered, when `ask` could not ask: that there is no such session, above all. */
  readonly reply: PlainAnswer | undefined

  constructor(
    problem: UpstreamProblem,
    message: string,
    options: { readonly cause?: unknown; readonly retryAfter?: number; readonly reply?: PlainAnswer } = {},
  ) {
    super(message, { cause: options.cause })
    this.problem = problem
    this.retryAfter = options.retryAfter
    this.reply = options.reply
  }
}
