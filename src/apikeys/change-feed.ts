import { stopwatch } from '../core/clock.ts'
import { AuthError } from '../core/errors.ts'
import type { AuthEvent, EventSink } from '../core/events.ts'
import { checkOptions, numberBetween } from '../core/options.ts'
import { interval, type Schedule } from '../core/schedule.ts'
import type { Change, ChangeBatch, KeyStore } from './key-store.ts'
import { quietSink } from './store-events.ts'

/** Tells what was changed in a {@link KeyStore}, by this process or by another. */
export interface ChangeFeed {
  /**
   * Calls `changed` for what this process commits, before its `commit` resolves, and for what others commit, when it is
   * found out: within a second where the database can be reached. The store is asked while somebody follows.
   *
   * @param changed told `everything` where it cannot be said what was changed: at the beginning, and after an outage.
   *   What it throws is dropped
   * @returns stops it
   */
  follow(changed: (change: Change | 'everything') => void): () => void
  /** Milliseconds since the start of the last question that was answered: what was committed before is known. `Infinity` before the first. */
  staleness(): number
  /** Asks now. Calls at the same time share one question. @throws AuthError `verifier_unavailable` */
  sync(): Promise<void>
}

/** How a store is followed. All but `onEvent` is said by the first who asks for the feed of a store. */
export interface ChangeFeedOptions {
  /** Told `revocation.synced` and `store`, while somebody follows with it. */
  readonly onEvent?: EventSink | undefined
  /** Milliseconds between two questions. 10 to 60,000. Default: 1000. */
  readonly everyMs?: number
  /** Default: `setInterval`, which keeps no process alive. */
  readonly schedule?: Schedule | undefined
  /** Milliseconds that never go back. Default: those of this machine. */
  readonly stopwatch?: () => number
}

/**
 * The {@link ChangeFeed} of a store. There is one for each store object, however many verifiers use it: the database is
 * asked once a second by a process, and not once by each of them. Hints of the database ({@link KeyStore.listen}) only
 * make it ask sooner; without them, or when they break, all is known a second later.
 *
 * @throws TypeError naming the option that is out of bounds
 */
export function changeFeed(store: KeyStore, options: ChangeFeedOptions = {}): ChangeFeed {
  checkOptions('changeFeed', options, ['onEvent', 'everyMs', 'schedule', 'stopwatch'])
  const feed = feeds.get(store) ?? sharedFeed(store, options)
  feeds.set(store, feed)
  const { onEvent } = options
  return {
    follow: (changed) => feed.follow({ changed, onEvent }),
    staleness: feed.staleness,
    sync: () => feed.sync('poll'),
  }
}

const feeds = new WeakMap<KeyStore, SharedFeed>()

type Source = Extract<AuthEvent, { type: 'revocation.synced' }>['source']

interface SharedFeed {
  follow(follower: Follower): () => void
  staleness(): number
  sync(source: Source): Promise<void>
}

interface Follower {
  readonly changed: (change: Change | 'everything') => void
  readonly onEvent: EventSink | undefined
}

/** A question that was not answered yet. */
interface Question {
  readonly started: number
  readonly answer: Promise<void>
  giveUp(): void
}

/** Milliseconds after which a question is given up: one that is never answered must not be the last. */
const patience = 5000

function sharedFeed(store: KeyStore, options: ChangeFeedOptions): SharedFeed {
  const { schedule = interval, stopwatch: watch = stopwatch } = options
  const everyMs = numberBetween('changeFeed: everyMs', options.everyMs ?? 1000, 10, 60_000)
  const audience = followers()
  const questions = asking(store, watch, audience)
  const hints = listening(store, () => {
    if (audience.size > 0) questions.hint()
  })
  let stop: (() => void) | undefined

  return {
    follow(follower) {
      audience.add(follower)
      stop ??= start()
      return () => {
        audience.delete(follower)
        if (audience.size > 0) return
        stop?.()
        stop = undefined
      }
    },
    staleness: questions.staleness,
    sync: questions.sync,
  }

  function start(): () => void {
    // First, so that nothing of this process is missed while the answer is under way.
    const unlisten = store.onChange(audience.tell)
    const unschedule = schedule(look, everyMs)
    questions.begin()
    look()
    return () => {
      unschedule()
      unlisten()
      hints.stop()
    }
  }

  function look(): void {
    hints.start()
    questions.sync('poll').catch(nothing)
  }
}

/** What the database is asked, one question at a time. */
function asking(store: KeyStore, watch: () => number, audience: Audience) {
  let cursor: string | undefined
  let lastGood = Number.NEGATIVE_INFINITY
  let hasFailed = false
  let question: Question | undefined
  let isHinted = false
  return { begin, hint, sync, staleness: () => watch() - lastGood }

  /** Nobody has anything yet that older changes could make wrong. */
  function begin(): void {
    cursor = undefined
    lastGood = Number.NEGATIVE_INFINITY
  }

  /** What the answer under way was made from may be older than what the hint is about: then once more. */
  function hint(): void {
    if (question === undefined) sync('notify').catch(nothing)
    else isHinted = true
  }

  function sync(source: Source): Promise<void> {
    if (question !== undefined && watch() - question.started > patience) question.giveUp()
    question ??= ask(source)
    return question.answer
  }

  function ask(source: Source): Question {
    isHinted = false
    const started = watch()
    const { answer: batch, giveUp } = impatient(changesOf(store, cursor))
    const answer = batch.then(
      (found) => answered(found, source, started),
      (error) => failed(error, started),
    )
    const asked: Question = {
      started,
      answer,
      giveUp() {
        question = undefined
        giveUp()
      },
    }
    answer.catch(nothing).then(() => {
      if (question === asked) question = undefined
      if (isHinted && question === undefined && audience.size > 0) hint()
    })
    return asked
  }

  function answered(found: ChangeBatch, source: Source, started: number): void {
    const isWhole = cursor !== undefined && found.isComplete && !hasFailed
    const lag = Number.isFinite(lastGood) ? (started - lastGood) / 1000 : 0
    cursor = found.cursor
    hasFailed = false
    if (isWhole) found.changes.forEach(audience.tell)
    else audience.tell('everything')
    // Known is what all have been told.
    lastGood = Math.max(lastGood, started)
    audience.emit(askedEvent('ok', watch() - started))
    audience.emit({ type: 'revocation.synced', source, lag })
  }

  function failed(error: unknown, started: number): never {
    hasFailed = true
    audience.emit(askedEvent('failed', watch() - started))
    throw error
  }
}

function askedEvent(result: 'ok' | 'failed', milliseconds: number): AuthEvent {
  return { type: 'store', operation: 'changes', result, seconds: milliseconds / 1000 }
}

type Audience = ReturnType<typeof followers>

/** Who is told. */
function followers() {
  const all = new Set<Follower>()
  return {
    get size() {
      return all.size
    },
    add: (follower: Follower) => void all.add(follower),
    delete: (follower: Follower) => void all.delete(follower),
    /** One who fails must not keep the others from being told. */
    tell(change: Change | 'everything'): void {
      for (const { changed } of [...all]) {
        try {
          changed(change)
        } catch {
          // What it throws is its own affair.
        }
      }
    },
    emit(event: AuthEvent): void {
      for (const sink of new Set([...all].map(({ onEvent }) => onEvent))) quietSink(sink)(event)
    },
  }
}

/** The same answer, unless somebody does not want to wait for it any more. */
function impatient<T>(answer: Promise<T>): { readonly answer: Promise<T>; giveUp(): void } {
  let giveUp = nothing
  const tooLate = new Promise<never>((_resolve, reject) => {
    giveUp = () => reject(new AuthError('verifier_unavailable'))
  })
  return { answer: Promise.race([answer, tooLate]), giveUp }
}

/** A store of somebody else may throw where it should reject. */
async function changesOf(store: KeyStore, cursor: string | undefined): Promise<ChangeBatch> {
  return store.changes(cursor)
}

/** Hints of the database, as long as it gives them. Started again and again: once it works, that does nothing. */
function listening(store: KeyStore, hint: () => void) {
  let attempt: Promise<() => Promise<void>> | undefined
  return {
    start(): void {
      if (attempt !== undefined || store.listen === undefined) return
      const listened = listenTo(store, hint)
      attempt = listened
      // What happened before it worked was not hinted at.
      listened.then(hint).catch(() => {
        if (attempt === listened) attempt = undefined
      })
    },
    stop(): void {
      attempt?.then((unlisten) => unlisten()).catch(nothing)
      attempt = undefined
    },
  }
}

async function listenTo(store: KeyStore, hint: () => void): Promise<() => Promise<void>> {
  return (await store.listen?.(hint)) ?? (async () => {})
}

function nothing(): void {}
