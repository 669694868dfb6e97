import type { PlainAnswer } from '../http/refusal.ts'
import { messageText } from './message-text.ts'

/** What goes back over HTTP: an answer in one piece, or events as they come. */
export type Reply = PlainAnswer | EventStream

/** A JSON-RPC message as the whole answer. */
export function rpcReply(message: object, status = 200): PlainAnswer {
  const body = messageText(message)
  return {
    status,
    headers: { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(body)) },
    body,
  }
}

/** Takes what a stream sends. */
export interface StreamTarget {
  /** @returns `false` when the reader is behind: whoever can wait goes on when the stream says so */
  write(text: string): boolean | undefined
  end(): void
}

/** Milliseconds after which a silent stream shows that it is alive. */
const keepAliveMs = 15_000

const headers: Readonly<Record<string, string>> = Object.freeze({
  'content-type': 'text/event-stream',
  'cache-control': 'no-cache, no-transform',
  connection: 'keep-alive',
  'x-accel-buffering': 'no',
})

/**
 * A stream of server-sent events (WHATWG HTML "Server-sent events"). What is sent before somebody reads waits for them.
 */
export class EventStream {
  readonly status = 200
  /** Whether it waits for whatever comes, and ends with no answer. */
  isStanding = false
  readonly headers: Readonly<Record<string, string>>
  /** The last message of a stream that is ended from outside. */
  farewell: object | undefined
  /** Asked before each event; `false` lets nothing out any more. */
  guard: (() => boolean) | undefined
  /** Told when the reader has caught up, after {@link raw} has said that it is behind. */
  onDrain: (() => void) | undefined
  readonly #listeners: (() => void)[] = []
  #waiting: string[] = []
  #target: StreamTarget | undefined
  #hasReader = false
  #state: 'open' | 'ended' | 'closed' = 'open'
  #timer: ReturnType<typeof setInterval> | undefined

  constructor(extraHeaders: Readonly<Record<string, string>> = {}) {
    this.headers = { ...headers, ...extraHeaders }
  }

  get isOpen(): boolean {
    return this.#state === 'open'
  }

  /** Whether somebody has begun to read. */
  get hasReader(): boolean {
    return this.#hasReader
  }

  /** Calls back once, when the reader has left or has everything. */
  onClose(listener: () => void): void {
    if (this.#state === 'closed') listener()
    else this.#listeners.push(listener)
  }

  /** Sends one JSON-RPC message, with the id under which it can be asked for again. */
  send(message: object, id?: string): void {
    this.#event(
      `event: message\n${id === undefined ? '' : `id: ${id}\n`}data: ${JSON.stringify(message)}\n\n`,
    )
  }

  /** An event without a message: its id is where a client begins that comes back before the first one. */
  prime(id: string, retryMs: number): void {
    this.#event(`id: ${id}\nretry: ${retryMs}\ndata: \n\n`)
  }

  /**
   * Sends events that are written already.
   * @returns `false` when the reader is behind, or not there yet: whoever can wait goes on with {@link onDrain}
   */
  raw(text: string): boolean {
    return this.#event(text)
  }

  #event(text: string): boolean {
    if (!this.isOpen || this.guard?.() === false || !this.isOpen) return true
    return this.#write(text)
  }

  #write(text: string): boolean {
    if (this.#target) return this.#target.write(text) !== false
    this.#waiting.push(text)
    return false
  }

  /** The reader has caught up. */
  drained(): void {
    if (this.isOpen) this.onDrain?.()
  }

  /** Begins to deliver. Once only. */
  attach(target: StreamTarget): void {
    if (this.#state === 'closed') {
      target.end()
      return
    }
    this.#target = target
    this.#hasReader = true
    const waiting = this.#waiting
    this.#waiting = []
    // One that is too much for the reader closes the stream.
    let goesOn = true
    for (const text of waiting) goesOn = this.#target?.write(text) !== false
    if (this.#state === 'ended') this.#finish()
    else if (this.isOpen) this.#stayAlive()
    if (goesOn) this.drained()
  }

  #stayAlive(): void {
    this.#timer = setInterval(() => this.#target?.write(': keepalive\n\n'), keepAliveMs)
    // Nobody has to wait for it; elsewhere than on Node a timer is a number.
    if (typeof this.#timer === 'object') this.#timer.unref?.()
  }

  /** Ends a stream that would go on, with its farewell, whatever the guard says. */
  dismiss(): void {
    if (!this.isOpen) return
    if (this.farewell) this.#write(`event: message\ndata: ${JSON.stringify(this.farewell)}\n\n`)
    this.end()
  }

  /** Nothing more comes. */
  end(): void {
    if (!this.isOpen) return
    this.#state = 'ended'
    if (this.#target) this.#finish()
  }

  /** The reader left. */
  close(): void {
    if (this.#state === 'closed') return
    this.#finish()
  }

  #finish(): void {
    this.#state = 'closed'
    clearInterval(this.#timer)
    this.#waiting = []
    this.#target?.end()
    this.#target = undefined
    for (const listener of this.#listeners.splice(0)) listener()
  }
}
