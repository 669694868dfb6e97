import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openKeyStore } from '../../src/apikeys/open-key-store.ts'
import { assertKept, type KillProgram, killProgram } from './kill-program.ts'

let program: KillProgram
const folder = mkdtempSync(join(tmpdir(), 'mcp-bearer-sqlite-kill-'))

beforeAll(async () => {
  program = await killProgram()
})
afterAll(() => {
  program.remove()
  rmSync(folder, { recursive: true, force: true })
})

test('FL-101 ten times kill -9 in the middle of commits: what was acknowledged is there, and nothing is half done', async () => {
  const db = join(folder, 'killed.db')
  const before = await openKeyStore(db)
  const { cursor } = await before.changes(undefined)
  await before.close()
  const said: string[] = []
  for (let run = 0; run < 10; run++) {
    said.push(...(await program.runAndKill(db, 2 + 3 * run)))
    // As whoever comes next finds it: nobody has cleaned up.
    const after = await openKeyStore(db)
    await assertKept(after, cursor, said)
    await after.close()
  }
  expect(said.filter((line) => line.startsWith('revoked')).length).toBeGreaterThan(20)
})

test('two programs on one file that are killed one after the other do not harm each other', async () => {
  const db = join(folder, 'shared.db')
  const before = await openKeyStore(db)
  const { cursor } = await before.changes(undefined)
  await before.close()
  const said = await Promise.all([program.runAndKill(db, 10), program.runAndKill(db, 30)])
  const after = await openKeyStore(db)
  await assertKept(after, cursor, said.flat())
  await after.close()
})
