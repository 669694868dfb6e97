// How long it takes to refuse keys. Arguments: what is measured (compare, or a store for a whole verifier: memory:, or a
// path), and how many of each kind. Writes, as JSON, the nanoseconds of each refusal, by kind. Kinds take turns, so that
// whatever else the machine does meets them alike.
import crypto from 'node:crypto'
import { base62OfUint32 } from '../../dist/apikeys/base62.js'
import { crc32 } from '../../dist/apikeys/crc32.js'
import { makeKey } from '../../dist/apikeys/format.js'
import { keyHasher } from '../../dist/apikeys/hash.js'
import { apiKeys, openKeyStore } from '../../dist/apikeys/index.js'
import { apiKeyVerifier } from '../../dist/verify/index.js'

const [what, given] = process.argv.slice(2)
const count = Number(given)
const pool = 500
const warmUp = 4 * pool
const comparisons = { unknown: 0, wrong: 0, revoked: 0 }
const order = Object.keys(comparisons)

const store = await openKeyStore(what === 'compare' ? 'memory:' : what)
const keys = apiKeys({ store })
const made = async () =>
  (await keys.createMany(Array.from({ length: pool }, () => ({ name: 'timing', owner: 'o' })))).map(
    ({ value }) => value,
  )
const [good, over] = [await made(), await made()]
await keys.revokeMany(over.map(({ apiKey }) => apiKey.id))
const records = async (list) => Promise.all(list.map(({ apiKey }) => store.find(apiKey.id)))
const [goodRecords, overRecords] = [await records(good), await records(over)]

/** A key of the same id with another secret, and a good checksum. */
const withOtherSecret = ({ apiKey }) => {
  const text = makeKey('mcpk', 'live')
    .key.replace(/(?<=^mcpk_live_)[^_]+/, apiKey.id)
    .slice(0, -6)
  return text + base62OfUint32(crc32(text))
}
/** As it comes from a socket: texts that were put together are put in one piece by whoever reads them first. */
const received = (key) => Buffer.from(key).toString('latin1')
const shown = {
  unknown: () => received(makeKey('mcpk', 'live').key),
  wrong: (n) => received(withOtherSecret(good[n % pool])),
  revoked: (n) => received(over[n % pool].key),
}
const found = {
  unknown: () => undefined,
  wrong: (n) => goodRecords[n % pool],
  revoked: (n) => overRecords[n % pool],
}

const times = what === 'compare' ? timeCompare() : await timeVerifier()
await store.close()
process.stdout.write(`${JSON.stringify({ times, comparisons })}\n`)

/** The comparison alone, with what a store has found. */
function timeCompare() {
  const hasher = keyHasher()
  const measured = empty()
  const all = [...turns()].map(([n, kind]) => ({ n, kind, key: shown[kind](n), record: found[kind](n) }))
  for (const { n, kind, key, record } of all) {
    // As a store gives it: made a moment ago. Where there is none, the same was done for another.
    const read = fresh(record ?? goodRecords[n % pool])
    const shownTo = record && read
    const started = process.hrtime.bigint()
    hasher.matches(key, shownTo)
    const took = process.hrtime.bigint() - started
    if (n >= warmUp) measured[kind].push(Number(took))
  }
  return measured
}

function fresh(record) {
  return { ...record, hash: Uint8Array.from(record.hash), hashAlgorithm: 'sha256' }
}

/** A verifier that remembers nothing of those that were good once; those that never were have a new secret each time. */
async function timeVerifier() {
  const verifier = apiKeyVerifier({ store, maxAge: 0 }, { logger: () => {} })
  const compare = crypto.timingSafeEqual
  let calls = 0
  crypto.timingSafeEqual = (one, other) => {
    calls += 1
    return compare(one, other)
  }
  const measured = empty()
  for (const [n, kind] of turns()) {
    const key = shown[kind](n)
    calls = 0
    const started = process.hrtime.bigint()
    const verdict = await verifier.verifyToken(key)
    const took = process.hrtime.bigint() - started
    if (verdict !== null) throw new Error(`${kind} was accepted`)
    if (n < warmUp) continue
    measured[kind].push(Number(took))
    comparisons[kind] += calls
  }
  await verifier.close()
  return measured
}

/** Each kind is first, second and third equally often. */
function* turns() {
  for (let n = 0; n < count + warmUp; n += 1)
    for (let turn = 0; turn < 3; turn += 1) yield [n, order[(n + turn) % 3]]
}

function empty() {
  return { unknown: [], wrong: [], revoked: [] }
}
