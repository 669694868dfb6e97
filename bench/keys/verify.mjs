// Verification against SQLite: of keys that are remembered, of keys that have to be read, and of what is no key.
import { hash } from 'node:crypto'
import { memoryKeyStore } from '../../dist/apikeys/index.js'
import { apiKeyVerifier } from '../../dist/verify/index.js'
import { round } from '../measure.mjs'
import { createKeys, idOf, mistyped, unknownKey, withWrongSecret } from './keys.mjs'
import { breathe, measured, medianOf, pick, ratioOf, sample, takeRounds } from './rounds.mjs'

export const wantedWarm = 3
export const wantedColdSqlite = 60

/** Milliseconds: after five seconds a key is read again, and a round takes a part of one. */
const freshMs = 4000

/** @returns one row for each number of keys that are remembered */
export async function measureWarm(database, { few, many, lookUps, rounds }) {
  const { store } = database
  const keys = sample(database.keys, few)
  const all = await inMemory(many)
  const variants = [
    { name: 'SHA-256 and a Map', ...floor(keys, lookUps) },
    warm(`${few} remembered, of ${database.amount} in SQLite`, store, keys, lookUps),
    { name: `SHA-256 and a Map of ${many}`, ...floor(all.keys, lookUps) },
    warm(`${many} remembered`, all.store, all.keys, lookUps),
  ]
  const samples = await takeRounds('warm', variants, { rounds, warmUp: 2 })
  for (const { close } of variants) await close?.()
  return variants.map(({ name }) => ({ variant: name, 'CPU µs': medianOf(samples, name) }))
}

/** Cost at each size, and its ratio to that of the smallest. */
export async function measureGrowth(databases, { few, lookUps, rounds }) {
  const named = databases.map((database) => {
    const { amount, store } = database
    return {
      amount,
      warm: warm(`warm, ${amount}`, store, sample(database.keys, Math.min(few, amount)), lookUps),
      cold: cold(`cold, ${amount}`, store, () => pick(database.keys, lookUps)),
    }
  })
  const variants = named.flatMap(({ warm: one, cold: other }) => [one, other])
  const samples = await takeRounds('growth', variants, { rounds, warmUp: 3 })
  for (const { close } of variants) await close()
  const [least] = named
  return named.map(({ amount, warm: one, cold: other }) => ({
    'keys in SQLite': amount,
    'warm, CPU µs': medianOf(samples, one.name),
    'times the first': ratioOf(samples, one.name, least.warm.name),
    'cold, CPU µs': medianOf(samples, other.name),
    'times the first ': ratioOf(samples, other.name, least.cold.name),
  }))
}

/** @returns one row for each way of not being a key */
export async function measureRefusals(database, { lookUps, rounds }) {
  const { store, keys } = database
  const known = Array.from({ length: 100 }, unknownKey)
  const refused = { expects: null }
  const variants = [
    cold('a typing error (wrong checksum)', store, () => pick(keys, lookUps).map(mistyped), refused),
    cold('no key at all', store, () => pick(keys, lookUps).map((key) => key.slice(5)), refused),
    cold('unknown id, asked for', store, () => Array.from({ length: lookUps }, unknownKey), refused),
    cold('wrong secret, asked for', store, () => pick(keys, lookUps).map(withWrongSecret), refused),
    cold('unknown id, again within 2 s', store, () => pick(known, lookUps), { ...refused, first: known }),
  ]
  const samples = await takeRounds('refusals', variants, { rounds, warmUp: 2 })
  for (const { close } of variants) await close()
  return variants.map(({ name }) => ({ refused: name, 'CPU µs': medianOf(samples, name) }))
}

/** What comes behind the back of requests: the last use of a key, at most once a minute. */
export async function measureUses({ store, keys }, amount) {
  const uses = sample(keys, amount).map((key) => ({ id: idOf(key), count: 3, at: Date.now() }))
  const { cpu } = await measured(async () => {
    for (let at = 0; at < uses.length; at += 500) await store.recordUses(uses.slice(at, at + 500))
  })
  return round(cpu / uses.length, 1)
}

/** Keys in the memory of this process: what is measured is the cache, and a hundred thousand are read within its time. */
async function inMemory(amount) {
  const store = memoryKeyStore()
  const keys = await createKeys(store, amount, { keep: amount })
  const records = new Map()
  for (const key of keys) {
    const record = await store.find(idOf(key))
    records.set(record.id, { ...record, firstUsedAt: Date.now() })
  }
  const find = async (id) => records.get(id)
  return { store: { ...store, find, recordUses: async () => {} }, keys }
}

/** Verifies remembered keys in random order, and stops when one of them had to be read. */
function warm(name, store, keys, operations) {
  let reads = 0
  const find = (id) => {
    reads += 1
    return store.find(id)
  }
  const counting = { ...store, find }
  let verifier
  let inputs = []
  return {
    name,
    operations,
    async prepare() {
      // A new one, which reads them all: of one from the round before, some would become too old in the middle.
      await verifier?.close()
      verifier = apiKeyVerifier({ store: counting }, { logger, rememberTokens: keys.length })
      await verifyAll(verifier, keys.slice(0, 1))
      await breathe()
      const readAt = []
      for (let at = 0; at < keys.length; at += 500) {
        readAt.push(performance.now())
        await verifyAll(verifier, keys.slice(at, at + 500))
      }
      // On a busy machine the first ones are too old already when the last one has been read.
      const fresh = readAt.findIndex((time) => performance.now() - time < freshMs)
      inputs = pick(keys.slice(fresh * 500), operations).map(copyOf)
      reads = 0
    },
    async run() {
      await verifyAll(verifier, inputs)
      if (reads > operations / 100) throw new Error(`${name}: ${reads} keys were read, and not remembered`)
    },
    close: () => verifier?.close(),
  }
}

/** Verifies texts that are read from the store, each time anew where they are keys. */
function cold(name, store, texts, { expects = true, first } = {}) {
  const age = first === undefined ? { maxAge: 0 } : {}
  const verifier = apiKeyVerifier({ store, ...age }, { logger })
  let inputs = []
  return {
    name,
    get operations() {
      return inputs.length
    },
    async prepare() {
      inputs = texts().map(copyOf)
      await breathe()
      if (first) await verifyAll(verifier, first, null)
    },
    run: () => verifyAll(verifier, inputs, expects),
    close: () => verifier.close(),
  }
}

/** The floor of a memory that holds no keys but their digests. */
function floor(keys, operations) {
  const digestOf = (key) => hash('sha256', key, 'base64')
  const known = new Map(keys.map((key) => [digestOf(key), { key }]))
  let inputs = []
  return {
    operations,
    async prepare() {
      inputs = pick(keys, operations).map(copyOf)
    },
    async run() {
      for (const key of inputs)
        if (known.get(digestOf(key)) === undefined) throw new Error('not the same key')
    },
  }
}

export async function verifyAll(verifier, keys, expects = true) {
  for (const key of keys) {
    const token = await verifier.verifyToken(key)
    if (Boolean(token) !== Boolean(expects)) throw new Error('not the expected verdict')
  }
}

/** Each request brings its key as a string of its own. */
export function copyOf(text) {
  return Buffer.from(text).toString()
}

export function logger() {}
