import type { Clock } from '../core/index.ts'
import type { ChangeListener } from './changes.ts'
import type { CheckedSessions } from './http-options.ts'
import type { Session } from './session.ts'

/** All sessions of a server, each with its owner. Tells them what has changed. */
export interface SessionTable extends ChangeListener {
  readonly size: number
  /** Whether one more would fit in, if need be in the place of one of the same owner that has nothing to do. */
  canHold(owner: string): boolean
  /** Ends that one, if need be. @returns whether one more fits in */
  makeRoomFor(owner: string): boolean
  add(session: Session, owner: string): void
  /** The session, if there is one of this id that belongs to this owner, who has used it now. */
  find(id: string, owner: string): Session | undefined
  /** Ends a session. */
  remove(session: Session): void
  /** Ends all, and takes no more. */
  close(): void
}

interface Entry {
  readonly session: Session
  readonly owner: string
}

/** Milliseconds between two looks for sessions whose time is over. */
const sweepMs = 15_000

/** An empty {@link SessionTable}. Possession of an id proves nothing: it is looked up together with its owner. */
export function sessionTable(limits: CheckedSessions, clock: Clock): SessionTable {
  return new Table(limits, clock)
}

class Table implements SessionTable {
  readonly #limits: CheckedSessions
  readonly #clock: Clock
  readonly #entries = new Map<string, Entry>()
  readonly #byOwner = new Map<string, Set<Session>>()
  #timer: ReturnType<typeof setInterval> | undefined
  #isClosed = false

  constructor(limits: CheckedSessions, clock: Clock) {
    this.#limits = limits
    this.#clock = clock
  }

  get size(): number {
    return this.#entries.size
  }

  canHold(owner: string): boolean {
    return !this.#isClosed && (this.#isRoomFor(owner) || this.#idleOf(owner) !== undefined)
  }

  makeRoomFor(owner: string): boolean {
    const idle = this.#isRoomFor(owner) ? undefined : this.#idleOf(owner)
    if (idle) this.remove(idle)
    return !this.#isClosed && this.#isRoomFor(owner)
  }

  #isRoomFor(owner: string): boolean {
    const { max, maxPerPrincipal } = this.#limits
    return this.#entries.size < max && (this.#byOwner.get(owner)?.size ?? 0) < maxPerPrincipal
  }

  /** The one that has been idle longest. */
  #idleOf(owner: string): Session | undefined {
    const idle = [...(this.#byOwner.get(owner) ?? [])].filter((each) => !each.isBusy)
    return idle.sort((a, b) => a.lastUsedAt - b.lastUsedAt)[0]
  }

  add(session: Session, owner: string): void {
    this.#entries.set(session.id, { session, owner })
    const own = this.#byOwner.get(owner) ?? new Set()
    this.#byOwner.set(owner, own.add(session))
    if (this.#timer !== undefined) return
    this.#timer = setInterval(() => this.#sweep(), sweepMs)
    if (typeof this.#timer === 'object') this.#timer.unref?.()
  }

  find(id: string, owner: string): Session | undefined {
    const entry = this.#entries.get(id)
    if (entry?.owner !== owner) return undefined
    if (this.#isOver(entry.session)) {
      this.remove(entry.session)
      return undefined
    }
    entry.session.lastUsedAt = this.#clock()
    return entry.session
  }

  remove(session: Session): void {
    const entry = this.#entries.get(session.id)
    if (!entry) return
    this.#entries.delete(session.id)
    const own = this.#byOwner.get(entry.owner)
    own?.delete(session)
    if (own?.size === 0) this.#byOwner.delete(entry.owner)
    session.close()
    if (this.#entries.size > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  toolsChanged(): void {
    for (const session of this.#sessions()) session.listChanged('tools')
  }

  promptsChanged(): void {
    for (const session of this.#sessions()) session.listChanged('prompts')
  }

  resourcesChanged(): void {
    for (const session of this.#sessions()) session.listChanged('resources')
  }

  resourceUpdated(uri: string): void {
    for (const session of this.#sessions()) session.resourceUpdated(uri)
  }

  close(): void {
    this.#isClosed = true
    for (const session of this.#sessions()) this.remove(session)
  }

  /** A copy: whoever is told of something may end a session. */
  #sessions(): readonly Session[] {
    return Array.from(this.#entries.values(), ({ session }) => session)
  }

  #isOver(session: Session): boolean {
    const now = this.#clock()
    const { lifetimeMs, idleMs } = this.#limits
    // Written so that a clock that says NaN ends it.
    if (!(now - session.openedAt < lifetimeMs)) return true
    return !session.isBusy && !(now - session.lastUsedAt < idleMs)
  }

  #sweep(): void {
    for (const session of this.#sessions()) {
      // A stream that stays open is use.
      if (session.isBusy) session.lastUsedAt = this.#clock()
      if (this.#isOver(session)) this.remove(session)
    }
  }
}
