import { stat, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { UsageError } from '../command.ts'

/**
 * Whether a report can be put there: asked before the probe, which takes a while.
 * @throws UsageError
 */
export async function checkPlace(file: string): Promise<void> {
  if (file === '') throw new UsageError('--html needs the name of a file')
  const [place, folder] = await Promise.all([kindOf(file), kindOf(dirname(file))])
  if (place === 'folder') throw new UsageError('--html names a folder; give the name of a file')
  if (folder !== 'folder') throw new UsageError('--html: the folder of that file is not there')
}

/** Writes the report. One of before is replaced: a report is made again, not kept. */
export async function writeReport(file: string, html: string): Promise<void> {
  try {
    await writeFile(file, html)
  } catch (error) {
    throw new Error(`the report cannot be written to ${file} (${(error as NodeJS.ErrnoException).code})`)
  }
}

async function kindOf(path: string): Promise<'file' | 'folder' | undefined> {
  try {
    return (await stat(path)).isDirectory() ? 'folder' : 'file'
  } catch {
    return undefined
  }
}
