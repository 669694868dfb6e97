// What a remembered token costs in memory. In processes of their own, which can ask for a garbage collection.
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { note } from '../measure.mjs'

const child = fileURLToPath(new URL('./memory-child.mjs', import.meta.url))

/** @returns one row for each library */
export async function measureMemory({ remembered: amount }) {
  const rows = []
  for (const library of ['mcp-bearer', 'fast-jwt']) {
    note(`memory: ${amount} tokens in ${library}`)
    const { stdout } = await promisify(execFile)(process.execPath, ['--expose-gc', child, library, amount])
    rows.push(JSON.parse(stdout))
  }
  note('')
  return rows
}
