import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { program, tell } from './program.ts'

/**
 * Whether somebody who measures how long a refusal takes learns why. What is asked of two kinds of refusal is how good
 * the best guess is that can be made from one time: the threshold is chosen that tells every other one of the times apart
 * best, and those in between are guessed with it. A coin is right in half of the cases. Unlike a test of means it says how
 * much a time tells, and not only that enough of them tell something; a pause of the machine counts as one time, however
 * long. And the medians must not differ by more than a twentieth, for those who can ask often.
 */
type Times = Readonly<Record<Kind, readonly number[]>>
const kinds = ['unknown', 'wrong', 'revoked'] as const
type Kind = (typeof kinds)[number]

const folder = mkdtempSync(join(tmpdir(), 'mcp-bearer-timing-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** In a process of its own, where nothing else happens. */
async function measured(what: string, count: number) {
  const running = program('timing-program', what, String(count))
  const { code, stderr } = await running.ended
  if (code !== 0) throw new Error(stderr)
  return JSON.parse(running.lines[0]!) as { times: Times; comparisons: Record<Kind, number> }
}

function median(times: readonly number[]): number {
  return [...times].sort((one, other) => one - other)[times.length >> 1]!
}

/** How often the best guess is right. */
function guessed(one: readonly number[], other: readonly number[]): number {
  const isEven = (_: number, index: number) => index % 2 === 0
  const isOdd = (_: number, index: number) => index % 2 === 1
  const learned = [
    ...one.filter(isEven).map((time) => ({ time, step: 1 })),
    ...other.filter(isEven).map((time) => ({ time, step: -1 })),
  ].sort((first, second) => first.time - second.time)
  // How many more of the one than of the other are not above a time.
  let lead = 0
  let best = { lead: 0, time: 0 }
  for (const { time, step } of learned) {
    lead += step
    if (Math.abs(lead) > Math.abs(best.lead)) best = { lead, time }
  }
  const isOne = (time: number) => time <= best.time === best.lead > 0
  const [ones, others] = [one.filter(isOdd), other.filter(isOdd)]
  return (
    (ones.filter(isOne).length + others.filter((time) => !isOne(time)).length) / (ones.length + others.length)
  )
}

function tellTimes(what: string, times: Times): void {
  const medians = kinds.map((kind) => `${kind} ${(median(times[kind]) / 1000).toFixed(1)} µs`).join(', ')
  const guesses = pairs.map(
    ([one, other]) => `${one}/${other} ${guessed(times[one], times[other]).toFixed(3)}`,
  )
  tell(`${what}: median ${medians}; guessed right ${guesses.join(', ')}`)
}

const pairs = [
  ['unknown', 'wrong'],
  ['unknown', 'revoked'],
  ['wrong', 'revoked'],
] as const

function expectAlike(times: Times, one: Kind, other: Kind): void {
  expect(guessed(times[one], times[other]), `${one} and ${other} are told apart`).toBeLessThan(0.55)
  const ratio = median(times[one]) / median(times[other])
  expect(Math.max(ratio, 1 / ratio), `medians of ${one} and ${other}`).toBeLessThan(1.05)
}

test('B-102 100,000 comparisons take as long for a key that is not there, a wrong secret and a revoked key', async () => {
  const { times } = await measured('compare', 33_334)
  tellTimes('comparison', times)
  for (const [one, other] of pairs) expectAlike(times, one, other)
})

/**
 * A whole verifier. How long it takes may say that an id exists, as a record has to be read and judged then; ids are
 * public, and who has one has nothing. The digest is compared nevertheless, in constant time, whatever was found. The
 * times are told and not judged.
 */
test.each(['memory', 'SQLite'])(
  'B-102 a verifier compares digests in constant time, also where there is nothing to compare with: %s',
  async (name) => {
    const count = 16_667
    const { times, comparisons } = await measured(
      name === 'memory' ? 'memory:' : join(folder, 'keys.db'),
      count,
    )
    tellTimes(`verifier, ${name}`, times)
    expect(comparisons).toEqual({ unknown: count, wrong: count, revoked: count })
  },
)
