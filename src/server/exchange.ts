import type { AccessToken, AuthError } from '../core/index.ts'
import type { RequestHead } from '../http/head.ts'
import type { Caller } from './component.ts'
import type { RpcError } from './rpc-error.ts'

/** The HTTP request that brought a message. */
export interface Incoming {
  readonly head: RequestHead
  /** A header of which several lines are one value; lower case. */
  header(name: string): string | undefined
  /** The names of all headers, in lower case. */
  names(): readonly string[]
  /** Calls back when the caller leaves before the answer is complete. */
  onLeave(leave: () => void): void
  /** The head of the request as the protocol and handlers may see it, without credentials. Made when asked for. */
  bare(): Request
  /**
   * The request as it came, with its credential and its query: for what has a gate of its own.
   * @param body in place of its own; `undefined` for none
   */
  whole(body: ReadableStream<Uint8Array> | undefined): Request
}

/** One message on its way through the server: who sent it, and whether something on the way refused the sender. */
export interface Exchange extends Caller {
  /**
   * Set when a handler or a scope check refused the caller. As long as nothing of the answer has left, the answer
   * becomes HTTP 401 or 403 (MCP authorization, "Runtime Insufficient Scope Errors").
   */
  refused: AuthError | RpcError | undefined
  /** What was permitted before the message was dispatched, so that a rule is asked once. */
  permitted: object | undefined
  /** Whether all that comes before dispatch was decided. */
  isAdmitted: boolean
}

/** An {@link Exchange} for a caller; without an identity nothing that asks for scopes is open. */
export function exchange(
  auth: AccessToken | undefined,
  covers: (token: AccessToken, scopes: readonly string[]) => boolean,
  incoming?: Incoming,
  address?: string,
): Exchange {
  return new OneExchange(auth, covers, incoming, address)
}

/** A class, because there is one for each message. */
class OneExchange implements Exchange {
  readonly auth: AccessToken | undefined
  readonly incoming: Incoming | undefined
  readonly address: string | undefined
  refused: AuthError | RpcError | undefined = undefined
  permitted: object | undefined = undefined
  isAdmitted = false
  readonly #covers: (token: AccessToken, scopes: readonly string[]) => boolean

  constructor(
    auth: AccessToken | undefined,
    covers: (token: AccessToken, scopes: readonly string[]) => boolean,
    incoming: Incoming | undefined,
    address: string | undefined,
  ) {
    this.auth = auth
    this.incoming = incoming
    this.address = address
    this.#covers = covers
  }

  covers(scopes: readonly string[]): boolean {
    return this.auth !== undefined && this.#covers(this.auth, scopes)
  }
}
