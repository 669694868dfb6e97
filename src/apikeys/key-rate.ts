import { stopwatch } from '../core/clock.ts'
import type { SharedCounters } from '../core/counters.ts'
import type { EventSink } from '../core/events.ts'
import { checkOptions, numberBetween } from '../core/options.ts'
import type { KeyRecord } from './key-record.ts'
import { quietSink, timed } from './store-events.ts'

/** Holds keys to their `rateLimit`. */
export interface KeyRates {
  /**
   * Counts one request with a key, if it may pass: most are decided at once.
   * @returns `undefined` when it may pass, else whole seconds after which to try again, at least 1. Never rejects
   */
  take(record: KeyRecord): number | undefined | Promise<number | undefined>
}

/** How requests are counted. */
export interface KeyRatesOptions {
  /** Told `store`. */
  readonly onEvent?: EventSink | undefined
  /** Milliseconds that never go back. Default: those of this machine. */
  readonly stopwatch?: () => number
  /** How many keys are remembered. 1 to 1,000,000. Default: 10,000. Forgetting one costs a question, and nothing else. */
  readonly maxKeys?: number
}

/** What this process knows of a key and those it replaced: they have one limit together, where it is the same. */
interface Rate {
  readonly name: string
  readonly limit: number
  /** Requests that are paid for, until when, and how many it were. */
  paid: number
  paidUntil: number
  block: number
  /** How full the bucket of all processes was when it was seen last. */
  level: number
  waiting: number
  paying: Promise<void> | undefined
  refusedUntil: number
  /** What passed here, whoever counted it; for when nobody else counts. */
  readonly own: { level: number; at: number }
}

/** Milliseconds after which what was paid for and not used is void. */
const paidFor = 3000
/** No process holds more than this part of the limit, nor more than half of this part of what is free. */
const share = 20
/** A refusal is remembered at least for so many milliseconds: a flood asks no database. */
const leastRefusal = 100
/** Milliseconds between two questions to a database that does not answer. */
const retryMs = 1000
const minute = 60_000
/** Less than any count, and more than what is lost in adding fractions. */
const rounding = 1e-6

/**
 * Makes {@link KeyRates}: buckets that leak all the time, one for each key and those it replaced with the same limit,
 * shared by all processes on one database. As many requests pass at once as the limit says, and from then on as many a
 * minute; a caller who stays below always passes.
 *
 * A process pays for some requests in advance: for twice as many as it needed before, at most a twentieth of the limit,
 * and fewer the fuller the bucket is. What passes was paid before, so all processes together never let pass more than one
 * alone would, only up to three seconds later.
 *
 * A database that cannot be reached is no reason to refuse: until it is there again each process counts by itself, up to
 * the whole limit. Whether the key is still good is another question, and not answered here.
 *
 * @throws TypeError naming the option that is out of bounds
 */
export function keyRates(counters: SharedCounters, options: KeyRatesOptions = {}): KeyRates {
  checkOptions('keyRates', options, ['onEvent', 'stopwatch', 'maxKeys'])
  const watch = options.stopwatch ?? stopwatch
  const most = numberBetween('keyRates: maxKeys', options.maxKeys ?? 10_000, 1, 1_000_000)
  const rates = new Map<string, Rate>()
  const till = paying(counters, watch, quietSink(options.onEvent))

  return {
    take(record) {
      if (record.rateLimit === undefined) return undefined
      const name = nameOf(record.rateLimit, record.lineageId)
      const rate = rates.get(name) ?? open(name, record.rateLimit)
      const decided = decide(rate, watch())
      if (decided !== 'unknown') return decided
      return till.isDown ? alone(rate) : wait(rate)
    },
  }

  async function wait(rate: Rate): Promise<number | undefined> {
    rate.waiting += 1
    try {
      while (true) {
        rate.paying ??= till.pay(rate)
        await rate.paying
        // Those who wait for the same payment take from it one after another; it may not be enough for all.
        const decided = decide(rate, watch())
        if (decided !== 'unknown') return decided
        if (till.isDown) return alone(rate)
      }
    } finally {
      rate.waiting -= 1
    }
  }

  /** Nobody waits for a database that does not answer; it is asked now and then. */
  function alone(rate: Rate): number | undefined {
    const now = watch()
    if (till.isDue) rate.paying ??= till.pay(rate)
    leak(rate, now)
    if (rate.own.level + 1 > rate.limit + rounding) {
      return secondsFor(msUntilRoom(rate.own.level, rate.limit))
    }
    rate.own.level += 1
    return undefined
  }

  function open(name: string, limit: number): Rate {
    if (rates.size >= most) rates.delete(rates.keys().next().value ?? '')
    const rate = newRate(name, limit, watch())
    rates.set(name, rate)
    return rate
  }
}

/**
 * A bucket for each limit: one that is poured into under a smaller limit forgets what it cannot hold, so whoever has two
 * keys of a lineage with different limits could empty it as often as he likes.
 */
function nameOf(limit: number, lineageId: string): string {
  return `key:${limit}:${lineageId}`
}

/** What can be said without asking. */
function decide(rate: Rate, now: number): number | undefined | 'unknown' {
  if (rate.paid > 0 && now < rate.paidUntil) {
    rate.paid -= 1
    leak(rate, now)
    rate.own.level += 1
    return undefined
  }
  return now < rate.refusedUntil ? secondsFor(rate.refusedUntil - now) : 'unknown'
}

/** Pays in the bucket that all processes share. */
function paying(counters: SharedCounters, watch: () => number, onEvent: EventSink) {
  let isDown = false
  let askedAt = Number.NEGATIVE_INFINITY
  return {
    pay,
    get isDown() {
      return isDown
    },
    /** Whether a database that did not answer is to be asked again. */
    get isDue() {
      return watch() >= askedAt + retryMs
    },
  }

  /** Never rejects. */
  async function pay(rate: Rate): Promise<void> {
    const { limit } = rate
    const now = watch()
    askedAt = now
    try {
      const paid = await pour(rate, blockFor(rate, now))
      isDown = false
      rate.block = paid
      rate.paid = paid
      rate.paidUntil = now + paidFor
      if (paid > 0) return
      rate.refusedUntil = watch() + Math.max(leastRefusal, msUntilRoom(rate.level, limit))
    } catch {
      isDown = true
    } finally {
      rate.paying = undefined
    }
  }

  /** Pays for so many, or for as many as there is room for. */
  async function pour(rate: Rate, wanted: number): Promise<number> {
    const { name, limit } = rate
    for (let amount = wanted; amount >= 1; ) {
      const { isPoured, level } = await timed(onEvent, 'count', () => counters.pour(name, amount, limit))
      rate.level = level
      if (isPoured) return amount
      amount = Math.min(amount - 1, Math.floor(limit - level + rounding))
    }
    return 0
  }
}

/** For those who wait; and while a key is busy, for as many as came since it was paid for last. */
function blockFor({ limit, level, block, waiting, paidUntil }: Rate, now: number): number {
  const free = Math.max(0, limit - level)
  const largest = Math.floor(Math.min(limit, 2 * free) / share)
  const expected = now < paidUntil ? Math.min(2 * block, largest) : 1
  return Math.min(limit, Math.max(1, waiting, expected))
}

function newRate(name: string, limit: number, now: number): Rate {
  return {
    name,
    limit,
    paid: 0,
    paidUntil: Number.NEGATIVE_INFINITY,
    block: 1,
    level: 0,
    waiting: 0,
    paying: undefined,
    refusedUntil: Number.NEGATIVE_INFINITY,
    own: { level: 0, at: now },
  }
}

function leak({ own, limit }: Rate, now: number): void {
  own.level = Math.max(0, own.level - ((now - own.at) * limit) / minute)
  own.at = now
}

function msUntilRoom(level: number, limit: number): number {
  return Math.max(0, level + 1 - limit) * (minute / limit)
}

function secondsFor(milliseconds: number): number {
  return Math.max(1, Math.ceil(milliseconds / 1000 - rounding))
}
