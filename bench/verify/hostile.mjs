// Tokens that are made to take long. Whoever can reach the server can send them, so the time for each has a bound.

import { median, note, ratio, round, takeTurns } from '../measure.mjs'
import { hostileTokens } from './hostile-tokens.mjs'
import { mcpBearer, raw, takeApart } from './libraries.mjs'
import { copyOf, makeKey, makeTokenOfUsualSize } from './tokens.mjs'

const base = 'node:crypto RS256'

/** @returns one row for each shape, the slowest first; the first of all is the bare signature check */
export async function measureHostile({ tokens: amount, rounds }) {
  const key = makeKey('RS256')
  const outcomes = new Map()
  const variants = []
  for (const { shape, token, isGood = false } of hostileTokens(key)) {
    outcomes.set(shape, await outcomeOf(key, token))
    const inputs = () => copies(token, amount)
    variants.push({ name: shape, verify: mcpBearer(key, 0), length: token.length, expects: isGood, inputs })
  }
  const parts = Array.from({ length: amount }, () => takeApart(makeTokenOfUsualSize(key)))
  const floor = { name: base, verify: raw(key), inputs: () => parts, isSync: true }
  const samples = await takeTurns('hostile', [floor, ...variants], { rounds, warmUp: 2 })
  note('')
  const rows = [floor, ...variants].map(({ name, length }) => ({
    shape: name,
    ...(length !== undefined && { characters: length, outcome: outcomes.get(name) }),
    cpuMicros: round(median(samples.get(name)), 1),
    toRaw: round(ratio(samples, name, base)),
  }))
  return [rows[0], ...rows.slice(1).sort((a, b) => b.cpuMicros - a.cpuMicros)]
}

/** The reason why a token is refused, or `accepted`. */
async function outcomeOf(key, token) {
  let outcome = 'accepted'
  const onRefused = (refusal) => {
    outcome = refusal.reason
  }
  await mcpBearer(key, 0, { onRefused })(token)
  return outcome
}

function copies(token, amount) {
  return Array.from({ length: amount }, () => copyOf(token))
}
