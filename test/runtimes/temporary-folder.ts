import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'

/** An empty folder, deleted when the test is over. */
export async function temporaryFolder(): Promise<string> {
  const { path, remove } = await newFolder()
  onTestFinished(remove)
  return path
}

/** An empty folder, for whoever needs it longer than one test and deletes it. */
export async function newFolder(): Promise<{ readonly path: string; remove(): Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), 'mcp-bearer-runtime-'))
  return { path, remove: () => rm(path, { recursive: true, force: true }) }
}
