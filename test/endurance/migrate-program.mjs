// Opens a database, which makes its tables. Says when it begins and when that is done, and stays.
import { writeSync } from 'node:fs'
import { openKeyStore } from '../../dist/apikeys/index.js'

// Loaded before, so that it begins with the database.
await Promise.allSettled([import('pg'), import('@photostructure/sqlite')])
writeSync(1, 'begin\n')
const started = performance.now()
const store = await openKeyStore(process.argv[2])
writeSync(1, `${performance.now() - started}\n`)
process.stdin.on('end', () => store.close()).resume()
