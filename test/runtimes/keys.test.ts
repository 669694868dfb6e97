import { once } from 'node:events'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { type ProgramRuntime, patience, startProgram } from './programs.ts'
import { temporaryFolder } from './temporary-folder.ts'

const program = fileURLToPath(new URL('keys.mjs', import.meta.url))
// Node 20 has no SQLite of its own, and takes that of the optional peer.
const runtimes: readonly ProgramRuntime[] = ['node-20', 'node-22', 'node-24', 'node-26', 'bun', 'deno']

describe.each(runtimes)('API keys on %s', (name) => {
  it('are made, used, bound to addresses, rotated and revoked, in a file and in memory', async () => {
    const folder = await temporaryFolder()
    const child = await startProgram(name, program, folder, {
      timeout: patience,
      killSignal: 'SIGKILL',
      words: [join(folder, 'keys.db')],
    })
    const [answer, complaint, [code]] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, 'close'),
    ])
    // A warning counts: who uses the package would see it too.
    expect([code, complaint]).toEqual([0, ''])
    const life = { before: ['alice', null], after: [null, 'alice'], useCount: 1 }
    expect(JSON.parse(answer)).toEqual({ sqlite: life, memory: life })
  })
})
