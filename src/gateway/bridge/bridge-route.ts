import { abortable } from '../../client/abortable.ts'
import type { ClientTransport } from '../../client/index.ts'
import { isPassing, statusOf, wasNeverSent } from './bridge-errors.ts'
import { introduce, speakAsAnswered } from './bridge-introduction.ts'
import { type Link, type LinkEvents, openLink } from './bridge-link.ts'
import { sessionMemory } from './bridge-memory.ts'
import { type Patience, patiently } from './bridge-patience.ts'
import { type RpcId, type RpcMessage, type RpcRequest, revisionOf } from './bridge-words.ts'

/** What a {@link Route} is made with. */
export interface RouteOptions extends Pick<LinkEvents, 'onMessage' | 'onClosed'> {
  readonly target: ClientTransport
  /** Milliseconds in which a server that cannot be reached is tried again. */
  readonly patienceMs: number
  /** A new session has taken the place of one that was gone; the host may have missed this. */
  readonly onRenewed: (news: readonly RpcMessage[]) => void
  /** No request hears of it. */
  readonly onProblem: (error: unknown) => void
}

type HeaderTexts = Readonly<Record<string, string>>

/** The way to the server, whatever becomes of connections and sessions. Nothing is sent before the first message. */
export class Route {
  readonly #options: RouteOptions
  readonly #memory = sessionMemory()
  readonly #closing = new AbortController()
  readonly #hurry = new AbortController()
  readonly #patience: Patience
  readonly #links = new Set<Link>()
  #current: Promise<Link> | undefined
  #renewing: Promise<void> | undefined
  /** Nothing may overtake `initialize` and `initialized` (MCP 2025-11-25 "Lifecycle"). */
  #opening: Promise<unknown> | undefined
  #ids = 0

  constructor(options: RouteOptions) {
    this.#options = options
    this.#patience = { ms: options.patienceMs, over: this.#hurry.signal }
  }

  /** An id for a request of ours, which no host uses. */
  readonly ownId = (): RpcId => `mcp-bearer-${++this.#ids}`

  /**
   * Sends a request, once: a second time only when the server cannot have looked at it.
   * @returns the answer; `undefined` when `signal` was aborted
   * @throws when there is none
   */
  async ask(
    request: RpcRequest,
    signal: AbortSignal,
    headers?: HeaderTexts,
  ): Promise<RpcMessage | undefined> {
    if (request.method === 'initialize') return this.#opens(this.#shakeHands(request, signal))
    const link = await this.#ready(signal)
    const revision = revisionOf(request)
    if (revision !== undefined) link.speak(revision)
    const answer = await this.#attempt(link, request, signal, headers).catch(async (error: unknown) => {
      if (signal.aborted || !(await isForgotten(link, error, this.ownId()))) throw error
      await abortable(this.#renew(link), signal)
      return this.#attempt(await this.#ready(signal), request, signal, headers)
    })
    if (answer !== undefined) this.#memory.answered(request, answer)
    return answer
  }

  /** Sends a notification. */
  tell(message: RpcMessage): Promise<void> {
    const isGreeting = message.method === 'notifications/initialized'
    const telling = this.#deliver(message, isGreeting)
    return isGreeting ? this.#opens(telling) : telling
  }

  /** Tries nothing again any more. */
  hurry(): void {
    this.#hurry.abort()
  }

  /** Ends everything; waits so many milliseconds at most for the server to end its session. Does not throw. */
  async close(farewellMs: number): Promise<void> {
    const last = await this.#current?.catch(() => undefined)
    this.#closing.abort(new Error('The bridge is closed'))
    await last?.close(farewellMs)
    await Promise.all([...this.#links].map((link) => link.close(0)))
  }

  async #open(): Promise<Link> {
    this.#closing.signal.throwIfAborted()
    const { target, onMessage, onClosed, onProblem } = this.#options
    const link = await openLink(target, {
      onMessage,
      onForgotten: (from) => void this.#missing(from).catch(onProblem),
      onClosed: (from) => {
        this.#links.delete(from)
        onClosed(from)
      },
    })
    this.#links.add(link)
    return link
  }

  #replace(fresh: Promise<Link>): Promise<Link> {
    void this.#current?.then(
      (stale) => stale.retire(),
      () => {},
    )
    this.#current = fresh
    return fresh
  }

  #opens<T>(work: Promise<T>): Promise<T> {
    this.#opening = work.catch(() => {})
    return work
  }

  async #ready(signal: AbortSignal): Promise<Link> {
    const opening = this.#opening
    if (opening) await abortable(opening, signal)
    // Whoever fails there is told himself.
    if (this.#renewing) {
      await abortable(
        this.#renewing.catch(() => {}),
        signal,
      )
    }
    this.#current ??= this.#open()
    return this.#current
  }

  #attempt(
    link: Link,
    request: RpcRequest,
    signal: AbortSignal,
    headers?: HeaderTexts,
  ): Promise<RpcMessage | undefined> {
    const mayRepeat = request.method === 'initialize' ? isPassing : wasNeverSent
    return patiently(() => link.request(request, signal, headers), mayRepeat, this.#patience, signal)
  }

  async #shakeHands(request: RpcRequest, signal: AbortSignal): Promise<RpcMessage | undefined> {
    await this.#opening
    const link = await this.#replace(this.#open())
    const answer = await this.#attempt(link, request, signal)
    if (answer === undefined) return undefined
    this.#memory.answered(request, answer)
    speakAsAnswered(link, answer)
    return answer
  }

  async #deliver(message: RpcMessage, isGreeting: boolean): Promise<void> {
    const { signal } = this.#closing
    const send = (on: Link): Promise<void> =>
      patiently(() => on.tell(message), wasNeverSent, this.#patience, signal)
    const link = await this.#ready(signal)
    if (isGreeting) this.#memory.initialized()
    try {
      await send(link)
    } catch (error) {
      if (!(await isForgotten(link, error, this.ownId()))) throw error
      await this.#renew(link)
      if (!isGreeting) await send(await this.#ready(signal))
    }
  }

  /** There is no stream. Many servers have none at all, and say so with 404 instead of 405: that is no lost session. */
  async #missing(link: Link): Promise<void> {
    if (await isRefused(link, this.ownId())) await this.#renew(link)
  }

  /** Makes a session in the place of one that is gone; whoever comes later waits for the same one. */
  async #renew(stale: Link): Promise<void> {
    if ((await this.#current) !== stale || this.#memory.handshake === undefined) return
    this.#renewing ??= this.#replay().finally(() => {
      this.#renewing = undefined
    })
    await this.#renewing
  }

  async #replay(): Promise<void> {
    const stale = this.#current
    const fresh = await this.#open()
    try {
      const parts = { ownId: this.ownId, patience: this.#patience, signal: this.#closing.signal }
      await introduce(fresh, this.#memory, parts)
    } catch (error) {
      void fresh.close(farewellMs)
      throw error
    }
    // The host has begun anew by itself.
    if (this.#current !== stale) {
      fresh.retire()
      return
    }
    this.#replace(Promise.resolve(fresh))
    this.#options.onRenewed(this.#memory.news())
  }
}

/** Milliseconds. */
const pingMs = 5_000
const farewellMs = 1_000

/**
 * Whether the server has not looked at a message since it does not know the session (MCP 2025-11-25 transports, "Session
 * Management": 404). Many say 400 instead; then a `ping` tells whether it is the message or the session.
 */
async function isForgotten(link: Link, error: unknown, id: RpcId): Promise<boolean> {
  const status = statusOf(error)
  if (!link.hasSession || (status !== 404 && status !== 400)) return false
  return status === 404 || isRefused(link, id)
}

/** Whether the server does not even take a `ping` in the session. */
async function isRefused(link: Link, id: RpcId): Promise<boolean> {
  try {
    await link.request({ jsonrpc: '2.0', id, method: 'ping' }, AbortSignal.timeout(pingMs))
    return false
  } catch (error) {
    return statusOf(error) === 400 || statusOf(error) === 404
  }
}
