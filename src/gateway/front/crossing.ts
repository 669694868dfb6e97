import { type AccessToken, redacted } from '../../core/index.ts'
import type { BodyText } from '../../server/body.ts'
import { principalKey } from '../../server/component.ts'
import { type Exchange, exchange, type Incoming } from '../../server/exchange.ts'
import type { JsonObject, RpcMessage } from '../message.ts'
import type { PolicyCaller } from '../policy.ts'
import type { RequestEntry } from '../request-entry.ts'
import type { Passage } from '../upstream.ts'
import type { IdentityAssertion } from './identity.ts'

/** What has to be read of a request, before anybody knows who calls. */
export interface Arrival {
  readonly incoming: Incoming
  /** Reads the body. Not called before the caller is known. */
  body(): BodyText | Promise<BodyText>
  /** Whether the caller has left, and nobody waits for an answer any more. */
  hasLeft(): boolean
}

/** Who was let in, and what they may do where. */
export interface Admitted {
  readonly token: AccessToken
  covers(token: AccessToken, scopes: readonly string[]): boolean
  readonly identity: IdentityAssertion | undefined
}

/** One request of a known caller on its way through. A class, because there is one for each request. */
export class Crossing implements Passage, PolicyCaller {
  readonly caller: AccessToken
  readonly principal: string
  readonly exchange: Exchange
  readonly incoming: Incoming
  readonly method: Passage['method']
  message: RpcMessage | undefined = undefined
  body: string | undefined = undefined
  review: Passage['review'] = undefined
  readonly #identity: IdentityAssertion | undefined

  constructor(incoming: Incoming, method: Passage['method'], { token, covers, identity }: Admitted) {
    this.caller = token
    this.incoming = incoming
    this.method = method
    this.exchange = exchange(token, covers, incoming)
    this.principal = principalKey(this.exchange)
    this.#identity = identity
  }

  get token(): AccessToken {
    return this.caller
  }

  covers(scopes: readonly string[]): boolean {
    return this.exchange.covers(scopes)
  }

  get identity(): Passage['identity'] {
    const assertion = this.#identity
    return assertion && (() => assertion.headers(this.caller))
  }
}

/** What becomes of a request, for those who count and write down. */
export class Account {
  caller: AccessToken | undefined = undefined
  message: RpcMessage | undefined = undefined
  outcome = 'ok'
  readonly #httpMethod: string
  readonly #time: number
  readonly #start: number

  constructor(httpMethod: string, time: number, start: number) {
    this.#httpMethod = httpMethod
    this.#time = time
    this.#start = start
  }

  /** @param now of the same watch as the start */
  entry(status: number, now: number): RequestEntry {
    const { caller, message, outcome } = this
    const target = message && targetOf(message)
    return {
      time: this.#time,
      ...(caller?.subject !== undefined && { subject: caller.subject }),
      ...(caller && { client: caller.clientId }),
      method: message ? withoutToken(message.method ?? 'response', caller) : this.#httpMethod,
      ...(target !== undefined && { target: withoutToken(target, caller) }),
      outcome,
      status,
      ms: Math.round((now - this.#start) * 1000) / 1000,
    }
  }
}

/** The tool, resource or prompt a message is about. */
function targetOf({ params = {} }: RpcMessage): string | undefined {
  const { name, uri } = (params.ref as JsonObject | null | undefined) ?? params
  const target = name ?? uri ?? params.taskId
  return typeof target === 'string' ? target : undefined
}

/** A caller who writes a token where it does not belong must not find it in a log. */
function withoutToken(text: string, caller: AccessToken | undefined): string {
  return caller && text.includes(caller.token) ? text.replaceAll(caller.token, redacted) : text
}
