// The life of an API key, in a file and in memory, with the built package. Prints what came of it as JSON.
import { apiKeys, memoryKeyStore, sqliteKeyStore } from '../../dist/apikeys/index.js'
import { apiKeyVerifier } from '../../dist/verify/index.js'

const told = {}
for (const [name, open] of [
  ['sqlite', () => sqliteKeyStore(process.argv[2])],
  ['memory', async () => memoryKeyStore()],
]) {
  const store = await open()
  const keys = apiKeys({ store })
  const { key, apiKey } = await keys.create({ name: 'one', owner: 'alice', addresses: ['192.0.2.0/24'] })
  const verifier = apiKeyVerifier({ store }, { logger() {} })
  const subjectFor = async (text, address) => (await verifier.verifyToken(text, { address }))?.subject ?? null
  const before = [await subjectFor(key, '192.0.2.9'), await subjectFor(key, '192.0.3.9')]
  const next = await keys.rotate(apiKey.id)
  await keys.revoke(apiKey.id)
  const after = [await subjectFor(key, '192.0.2.9'), await subjectFor(next.key, '192.0.2.9')]
  await verifier.close()
  const { useCount } = await keys.get(next.apiKey.id)
  await store.close()
  told[name] = { before, after, useCount }
}
console.log(JSON.stringify(told))
