import type { AccessToken } from '../core/index.ts'
import type { JsonObject, RpcMessage } from './message.ts'

/** Who asks, as a policy sees it. */
export interface PolicyCaller {
  readonly token: AccessToken
  /** Whether the scopes cover these, the hierarchy counted. */
  covers(scopes: readonly string[]): boolean
}

/** What a policy says to one message. */
export type Judgement =
  | { readonly kind: 'pass' }
  /** More scopes would help: HTTP 403 with a challenge that names them. */
  | { readonly kind: 'insufficient_scope'; readonly scopes: readonly string[] }
  /** Nothing would help: HTTP 403. */
  | { readonly kind: 'access_denied' }
  /** HTTP 429. */
  | { readonly kind: 'rate_limited'; readonly retryAfter: number }
  /** The call is allowed, with other arguments. The text is for whoever wrote them, a model above all. */
  | { readonly kind: 'arguments'; readonly problem: string }

/** Finds out how a tool describes itself, in the list of the server; `undefined` when there is none of this name. */
export type ToolLookup = (name: string) => Promise<JsonObject | undefined>

/** Decides who may see and do what behind a gateway. Knows nothing of HTTP. */
export interface GatewayPolicy {
  /** Decides about a message of a caller before it goes on. */
  judge(message: RpcMessage, caller: PolicyCaller, toolNamed: ToolLookup): Judgement | Promise<Judgement>
  /**
   * Takes out of an answer what the caller may not know of.
   * @param message the request the answer is to; `undefined` for a stream that may bring answers to any
   * @returns what looks at each message that goes back; `undefined` when all may pass unread
   */
  review(
    message: RpcMessage | undefined,
    caller: PolicyCaller,
  ): ((answer: RpcMessage) => RpcMessage | undefined) | undefined
}
