import { stopwatch } from '../core/clock.ts'
import { isWorkerd } from '../core/runtime.ts'

/** Milliseconds of one turn of the event loop that may go into checking tokens nobody has seen before. */
const allowance = 1

let spent = 0
let isScheduled = false
/** What waits for a later turn, first come first served. A set, because the first of a long list is dear to take out. */
const waiting = new Set<() => void>()

/**
 * Runs `work` now, or in a later turn of the event loop when this one has done its share: many tokens that arrive at
 * once are checked one after another, and other work comes in between. The event loop is one for all verifiers, and so
 * is the account. On workerd there is no later turn that outlives the request, and no loop that requests share.
 */
export function inTurn<T>(work: () => T | Promise<T>): T | Promise<T> {
  if (isWorkerd) return work()
  if (spent < allowance && waiting.size === 0) return account(work)
  return new Promise((resolve, reject) => {
    waiting.add(() => {
      try {
        resolve(account(work))
      } catch (error) {
        reject(error)
      }
    })
  })
}

function account<T>(work: () => T | Promise<T>): T | Promise<T> {
  const started = stopwatch()
  try {
    return work()
  } finally {
    spent += stopwatch() - started
    if (!isScheduled) scheduleTurn()
  }
}

function scheduleTurn(): void {
  isScheduled = true
  schedule(beginTurn)
}

function beginTurn(): void {
  isScheduled = false
  spent = 0
  for (const run of waiting) {
    waiting.delete(run)
    run()
    if (spent >= allowance) break
  }
}

const schedule: (run: () => void) => void =
  globalThis.setImmediate ?? ((run: () => void) => void globalThis.setTimeout(run, 0))
