// Shows keys to a verifier, and tells by how much the memory grew. Arguments: a folder for its database, how many keys.
import { join } from 'node:path'
import { apiKeyVerifier } from '../../dist/verify/index.js'
import { sqliteOf } from './sqlite.mjs'
import { logger, verifyAll } from './verify.mjs'

const [folder, amount] = [process.argv[2], Number(process.argv[3])]
const { store, keys } = await sqliteOf(join(folder), amount, amount)

function memory() {
  for (let n = 0; n < 3; n++) globalThis.gc()
  const { heapUsed, external } = process.memoryUsage()
  return { heapUsed, external }
}

// Code is compiled and shapes are known before anything counts.
const first = apiKeyVerifier({ store }, { logger })
await verifyAll(first, keys.slice(0, 3000))
await first.close()

const verifier = apiKeyVerifier({ store }, { logger, rememberTokens: amount })
const before = memory()
await verifyAll(verifier, keys)
const after = memory()
const heap = (after.heapUsed - before.heapUsed) / amount
const external = (after.external - before.external) / amount
// Still in use, so still there when it was measured.
await verifyAll(verifier, keys.slice(0, 10))
await verifier.close()
await store.close()
console.log(
  JSON.stringify({
    remembered: amount,
    heapBytes: Math.round(heap),
    externalBytes: Math.round(external),
    bytesPerKey: Math.round(heap + external),
  }),
)
