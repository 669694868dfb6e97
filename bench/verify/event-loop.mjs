// For how long nothing else can run, while 64 new tokens come at once.

import { median, note, round } from '../measure.mjs'
import { mcpBearer } from './libraries.mjs'
import { copyOf, makeKey, makeTokenOfUsualSize } from './tokens.mjs'

export const wantedMilliseconds = 5
const atOnce = 64
const algorithms = ['RS256', 'RS256, 4096 bits', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA', 'HS256']

/** @returns one row for each algorithm, and one for a loop with nothing to do */
export async function measureEventLoop({ repeats, warmUp }) {
  const rows = [await measure('nothing', { repeats, warmUp }, () => () => Promise.resolve(true))]
  for (const name of algorithms) {
    note(`event loop: ${name}`)
    const key = makeKey(name)
    const tokens = Array.from({ length: atOnce }, () => makeTokenOfUsualSize(key))
    // A verifier for each time: it has seen none of the tokens.
    const fresh = () => {
      const verify = mcpBearer(key)
      const copies = tokens.map(copyOf)
      return () => Promise.all(copies.map(verify))
    }
    rows.push(await measure(name, { repeats, warmUp }, fresh))
  }
  note('')
  return rows
}

async function measure(name, { repeats, warmUp }, fresh) {
  const samples = []
  for (let n = -warmUp; n < repeats; n++) {
    const sample = await longestBlock(fresh())
    if (n >= 0) samples.push(sample)
  }
  const blocked = samples.map((sample) => sample.blocked)
  return {
    algorithm: name,
    blockedMsMedian: round(median(blocked)),
    blockedMsMax: round(Math.max(...blocked)),
    allDoneMsMedian: round(median(samples.map((sample) => sample.done))),
  }
}

/** A chain of `setImmediate` runs once in each turn of the loop; the longest pause between two links is the block. */
async function longestBlock(work) {
  let last = performance.now()
  let blocked = 0
  let isRunning = true
  const link = () => {
    const now = performance.now()
    blocked = Math.max(blocked, now - last)
    last = now
    if (isRunning) setImmediate(link)
  }
  setImmediate(link)
  await turns(3)
  blocked = 0
  const started = performance.now()
  const answers = await work()
  const done = performance.now() - started
  await turns(2)
  isRunning = false
  if (Array.isArray(answers) && answers.includes(null)) throw new Error('a good token was refused')
  return { blocked, done }
}

async function turns(count) {
  for (let n = 0; n < count; n++) await new Promise((resolve) => setImmediate(resolve))
}
