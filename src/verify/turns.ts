import { stopwatch } from '../core/clock.ts'

/** Milliseconds of one turn of the event loop that may go into checking tokens nobody has seen before. */
const allowance = 2

let spent = 0
let next: Promise<void> | undefined

/**
 * Runs `work` now, or in a later turn of the event loop when this one has done its share: many tokens that arrive at
 * once are checked one after another, and other work comes in between. The event loop is one for all verifiers, and so
 * is the account.
 */
export function inTurn<T>(work: () => T | Promise<T>): T | Promise<T> {
  return spent >= allowance ? later(work) : account(work)
}

async function later<T>(work: () => T | Promise<T>): Promise<T> {
  // All that wait wake together: the first ones may use the turn up.
  while (spent >= allowance) await nextTurn()
  return account(work)
}

function account<T>(work: () => T | Promise<T>): T | Promise<T> {
  const started = stopwatch()
  try {
    return work()
  } finally {
    spent += stopwatch() - started
    void nextTurn()
  }
}

function nextTurn(): Promise<void> {
  next ??= new Promise((resolve) => {
    schedule(() => {
      spent = 0
      next = undefined
      resolve()
    })
  })
  return next
}

const schedule: (run: () => void) => void =
  globalThis.setImmediate ?? ((run: () => void) => void globalThis.setTimeout(run, 0))
