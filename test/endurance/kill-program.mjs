// Changes keys until somebody kills it. Arguments: the database, a seed, how many things are done at the same time.
//
// Before each change it writes what it is about to do to which keys, and after it what is acknowledged:
//   ["begin", [id, …]]
//   ["created", [[id, key], …]]   ["rotated", old, id, key, activate]   ["revoked", [id, …]]
//   ["enabled", id, true | false]   ["named", id, name]
// Written at once: a line that is in the pipe was said after the commit.
import { writeSync } from 'node:fs'
import { apiKeys, openKeyStore } from '../../dist/apikeys/index.js'
import { randomFrom } from '../soak/random.mjs'

const [db, seed, workers] = process.argv.slice(2)
const say = (...words) => writeSync(1, `${JSON.stringify(words)}\n`)
const keys = apiKeys({ store: await openKeyStore(db) })
say('ready')
await Promise.all(
  Array.from({ length: Number(workers) }, (_, index) => work(randomFrom(Number(seed) + index))),
)

/** Only its own keys, so that what it says of one is in the order of what was done. */
async function work(random) {
  const mine = []
  const made = (created) => {
    for (const [id, key] of created) mine.push({ id, key })
    return created
  }
  const description = () => ({ name: 'kill', owner: `owner-${random.below(5)}`, scopes: ['a', 'b'] })
  const some = () => mine.splice(0, 1 + random.below(3)).map(({ id }) => id)

  const steps = {
    async create() {
      say('begin', [])
      const { key, apiKey } = await keys.create(description())
      say('created', made([[apiKey.id, key]]))
    },
    async createMany() {
      say('begin', [])
      const results = await keys.createMany(Array.from({ length: 2 + random.below(20) }, description))
      say('created', made(results.map(done).map(({ key, apiKey }) => [apiKey.id, key])))
    },
    async rotate() {
      const { id: old } = mine.shift()
      const activate = random.percent(50) ? 'now' : 'on-first-use'
      say('begin', [old])
      const { key, apiKey } = await keys.rotate(old, {
        graceSeconds: random.percent(50) ? 0 : 3600,
        activate,
      })
      say('rotated', old, apiKey.id, key, activate)
      // One that waits for its first use cannot be rotated again, but revoked; here it is left alone.
      if (activate === 'now') made([[apiKey.id, key]])
    },
    async revoke() {
      const { id } = mine.shift()
      say('begin', [id])
      await keys.revoke(id, { reason: 'kill' })
      say('revoked', [id])
    },
    async revokeMany() {
      const ids = some()
      say('begin', ids)
      const results = await keys.revokeMany(ids)
      results.map(done)
      say('revoked', ids)
    },
    async revokeLeaked() {
      const { id, key } = mine.shift()
      say('begin', [id])
      await keys.revokeLeaked(key)
      say('revoked', [id])
    },
    async disable() {
      const { id } = mine[0]
      say('begin', [id])
      await keys.disable(id)
      say('enabled', id, false)
    },
    async enable() {
      const { id } = mine[0]
      say('begin', [id])
      await keys.enable(id)
      say('enabled', id, true)
    },
    async update() {
      const { id } = mine[0]
      const name = `name ${random.hex()}`
      say('begin', [id])
      await keys.update(id, { name, metadata: { [random.hex()]: name } })
      say('named', id, name)
    },
  }
  const often = ['create', 'rotate', 'rotate', 'revoke', 'revoke']
  const names = [...often, 'createMany', 'revokeMany', 'revokeLeaked', 'disable', 'enable', 'update']
  while (true) await steps[mine.length === 0 ? 'create' : random.one(names)]()
}

function done({ ok, value, error }) {
  if (!ok) throw error
  return value
}
