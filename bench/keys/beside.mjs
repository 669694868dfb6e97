// This package and better-auth, each on a SQLite file with as many keys, in turns.

import { apiKeys } from '../../dist/apikeys/index.js'
import { apiKeyVerifier } from '../../dist/verify/index.js'
import { betterAuthOf } from './better-auth.mjs'
import { newKey } from './keys.mjs'
import { breathe, measured, medianOf, pick, ratioOf, takeRounds } from './rounds.mjs'
import { creationRow } from './sqlite.mjs'
import { copyOf, logger } from './verify.mjs'

const ours = 'apiKeyVerifier'
const unremembered = 'apiKeyVerifier, each read anew (maxAge: 0)'

/** @returns rows of creation one by one, and of verification */
export async function measureBeside(folder, database, { created, lookUps, rounds }) {
  const other = await betterAuthOf(folder, database.amount, created)
  const own = await createOneByOne(database, created)
  const { store } = database
  const verifiers = [apiKeyVerifier({ store }, { logger }), apiKeyVerifier({ store, maxAge: 0 }, { logger })]
  const few = database.keys.slice(0, other.keys.length)
  const accepts = (verifier) => async (key) => (await verifier.verifyToken(key)) !== null
  const variants = [
    verifying(ours, accepts(verifiers[0]), few, lookUps),
    verifying(unremembered, accepts(verifiers[1]), few, lookUps),
    verifying(other.name, other.verify, other.keys, lookUps),
  ]
  const samples = await takeRounds('beside better-auth', variants, { rounds, warmUp: 2 })
  for (const verifier of verifiers) await verifier.close()
  other.close()
  return {
    create: [own, other.creation],
    verify: variants.map(({ name }) => ({
      'a key of as many': name,
      'CPU µs': medianOf(samples, name),
      'times ours': ratioOf(samples, name, ours),
      'µs until it answers': medianOf(samples, name, 'wall'),
    })),
  }
}

async function createOneByOne({ store, amount }, created) {
  const keys = apiKeys({ store })
  const { cpu, wall } = await measured(async () => {
    for (let made = 0; made < created; made++) await keys.create(newKey(amount + made))
  })
  return creationRow({ amount, creation: { created, cpu, wall } }, 'SQLite, one by one')
}

/** All of the keys are shown before anything counts: remembered is what can be. */
function verifying(name, accepts, keys, operations) {
  let inputs = []
  return {
    name,
    operations,
    async prepare() {
      inputs = pick(keys, operations).map(copyOf)
      await breathe()
      if (name === ours) for (const key of keys) await accepts(key)
    },
    async run() {
      for (const key of inputs) if (!(await accepts(key))) throw new Error(`${name}: refuses a good key`)
    },
  }
}
