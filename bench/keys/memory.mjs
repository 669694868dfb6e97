// What a remembered key costs in memory. In a process of its own, which can ask for a garbage collection.
import { execFile } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { note } from '../measure.mjs'

const child = fileURLToPath(new URL('./memory-child.mjs', import.meta.url))

export async function measureMemory(folder, amount) {
  note(`memory: ${amount} keys`)
  const own = join(folder, 'memory')
  mkdirSync(own)
  const { stdout } = await promisify(execFile)(process.execPath, ['--expose-gc', child, own, amount])
  note('')
  return JSON.parse(stdout)
}
