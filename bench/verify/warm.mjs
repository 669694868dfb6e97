// A token that is remembered. Looked up in random order, among few and among all that are remembered.
import { hash } from 'node:crypto'
import { median, note, round, takeTurns } from '../measure.mjs'
import { fastJwt, mcpBearer } from './libraries.mjs'
import { copyOf, makeKey, makeTokenOfUsualSize } from './tokens.mjs'

export const wantedMicros = 3
const hotTokens = 100

/**
 * HS256, because 100,000 tokens of it are signed in a second; what is remembered does not depend on the algorithm.
 * @returns one row for each library and set of tokens
 */
export async function measureWarm({ remembered: amount, lookUps, rounds }) {
  const key = makeKey('HS256')
  note(`warm: making ${amount} tokens`)
  const tokens = Array.from({ length: amount }, () => makeTokenOfUsualSize(key))
  const libraries = [
    { name: 'SHA-256 and a Map', ...digestMap() },
    { name: 'mcp-bearer', verify: mcpBearer(key, amount) },
    { name: 'fast-jwt', verify: fastJwt(key, amount), isSync: true },
  ]
  for (const { name, verify } of libraries) {
    note(`warm: showing ${amount} tokens to ${name}`)
    for (const token of tokens) await verify(token)
  }
  const rows = []
  for (const among of [Math.min(hotTokens, amount), amount]) {
    const inputs = () => pick(tokens, among, lookUps)
    const samples = await takeTurns(
      `warm, ${among} tokens`,
      libraries.map((library) => ({ ...library, inputs })),
      { rounds, warmUp: 2 },
    )
    for (const { name } of libraries) {
      rows.push({ variant: name, remembered: amount, among, cpuMicros: round(median(samples.get(name))) })
    }
  }
  return rows
}

/** The floor of a memory that holds no tokens but their digests. */
function digestMap() {
  const known = new Map()
  return {
    isSync: true,
    verify: (token) => {
      const digest = hash('sha256', token, 'base64')
      if (!known.has(digest)) known.set(digest, { digest })
      return known.get(digest)
    },
  }
}

/** Random ones of the first `among` tokens, each a string of its own. */
function pick(tokens, among, amount) {
  return Array.from({ length: amount }, () => copyOf(tokens[Math.floor(Math.random() * among)]))
}
