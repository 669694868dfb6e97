import { chmod, lstat, open } from 'node:fs/promises'
import { writePrivateFile } from '../../client/stores/private-file.ts'
import { UsageError } from '../command.ts'
import { printableLine } from '../printable.ts'

/** A file that is to be written. */
export interface NewFile {
  readonly path: string
  readonly text: string
  /** Only its owner may read it. */
  readonly isPrivate: boolean
}

/**
 * Writes files that are not there yet: all of them, or none when one is.
 *
 * @param replaces also write over what is there, each file in one step
 * @throws UsageError naming the file that is in the way, or cannot be written
 */
export async function writeNewFiles(files: readonly NewFile[], replaces: boolean): Promise<void> {
  if (!replaces) {
    for (const { path } of files) {
      if (await isThere(path)) throw new UsageError(`${printableLine(path, 200)} exists already; ${advice}`)
    }
  }
  for (const file of files) await written(file, replaces)
}

const advice = '--force replaces it, and then the tokens of the old key are worth nothing'

async function written({ path, text, isPrivate }: NewFile, replaces: boolean): Promise<void> {
  try {
    if (replaces) {
      await writePrivateFile(path, text)
      if (!isPrivate) await chmod(path, 0o644)
    } else await create(path, text, isPrivate ? 0o600 : 0o644)
  } catch (error) {
    throw unwritable(path, error)
  }
}

/** Never follows a link, and never writes into what somebody else made in the meantime. */
async function create(path: string, text: string, mode: number): Promise<void> {
  const file = await open(path, 'wx', mode)
  try {
    await file.writeFile(text)
    await file.sync()
  } finally {
    await file.close()
  }
}

async function isThere(path: string): Promise<boolean> {
  try {
    await lstat(path)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
    throw unwritable(path, error)
  }
}

function unwritable(path: string, error: unknown): UsageError {
  const { code } = error as NodeJS.ErrnoException
  const name = printableLine(path, 200)
  if (code === 'EEXIST') return new UsageError(`${name} exists already; ${advice}`)
  if (code === 'ENOENT') return new UsageError(`${name} cannot be written: there is no such folder`)
  return new UsageError(`${name} cannot be written (${code ?? 'no reason given'})`)
}
