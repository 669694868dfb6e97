import type { FileHandle } from 'node:fs/promises'
import { AuthError } from '../../core/index.ts'

/** What is in a file that holds secrets, and who can get at it. */
export interface SecretFile {
  readonly text: string
  /** What the group and others may do: 4 is reading, 2 is writing. 0 where files have no such modes. */
  readonly others: number
  /** Whether another user owns it, and could have written it. The administrator is no other user. */
  readonly isForeign: boolean
}

/** Why there is nothing to read, as the rest of a sentence that begins with the path. */
export interface FileFault {
  readonly fault: string
  /** The code of the system: `ENOENT`. */
  readonly code?: string | undefined
}

/**
 * Reads a small file. Never waits for a pipe, never reads more than the limit, and looks at the mode of what it has
 * opened: between two looks by path, a file can be another one.
 *
 * @param limit bytes
 */
export async function readSecretFile(path: string, limit: number): Promise<SecretFile | FileFault> {
  const { constants } = await import('node:fs/promises')
  try {
    const flags = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0)
    return await withFile(path, flags, (file) => readOpened(file, limit))
  } catch (error) {
    return faultOf(error)
  }
}

async function readOpened(file: FileHandle, limit: number): Promise<SecretFile | FileFault> {
  const stat = await file.stat()
  if (!stat.isFile()) return { fault: 'is not a file' }
  const buffer = Buffer.alloc(limit + 1)
  let length = 0
  for (let read = -1; read !== 0 && length <= limit; length += read) {
    read = (await file.read(buffer, length, buffer.length - length)).bytesRead
  }
  if (length > limit) return { fault: `is larger than ${limit} bytes` }
  const owner = process.getuid?.()
  return {
    text: buffer.toString('utf8', 0, length),
    others: owner === undefined ? 0 : ((stat.mode >> 3) | stat.mode) & 7,
    isForeign: owner !== undefined && stat.uid !== owner && stat.uid !== 0,
  }
}

/**
 * Opens a file, and closes it whatever happens. One that is made is its owner's only.
 *
 * @param flags as `fs.open` takes them
 * @throws the error of the file system
 */
export async function withFile<T>(
  path: string,
  flags: string | number,
  use: (file: FileHandle) => Promise<T>,
): Promise<T> {
  const { open } = await import('node:fs/promises')
  const file = await open(path, flags, 0o600)
  try {
    return await use(file)
  } finally {
    await file.close()
  }
}

/** `~` at the beginning is the home folder of the user this process runs as; only a shell knows those of others. */
export async function expandHome(path: string): Promise<string> {
  if (!/^~(?:[\\/]|$)/.test(path)) return path
  const { homedir } = await import('node:os')
  return homedir() + path.slice(1)
}

/**
 * Reads the path of a file given as an option.
 * @throws TypeError when it is none
 */
export function filePath(option: string, path: unknown): string {
  if (path instanceof URL) {
    const convert = globalThis.process?.getBuiltinModule?.('node:url').fileURLToPath
    if (path.protocol === 'file:' && path.host === '' && convert) return convert(path)
  } else if (typeof path === 'string' && path.trim() !== '' && !path.includes('\0')) {
    return path
  }
  throw new TypeError(`${option} must be the path of a file, or a URL that begins with file:///`)
}

/** The error of the file system in words. */
function faultOf(error: unknown): FileFault {
  const { code } = error as NodeJS.ErrnoException
  const known = typeof code === 'string' ? faults.get(code) : undefined
  return { fault: known ?? `cannot be read (${code ?? 'no reason given'})`, code }
}

const faults: ReadonlyMap<string, string> = new Map([
  ['ENOENT', 'does not exist'],
  ['ENOTDIR', 'does not exist'],
  ['EACCES', 'may not be read by this process'],
  ['EPERM', 'may not be read by this process'],
  ['EISDIR', 'is not a file'],
  ['ENXIO', 'is not a file'],
])

/** What becomes of an error of the file system when secrets were to be written. */
export function unwritable(path: string, error: unknown): AuthError {
  const { code = 'no reason given' } = error as NodeJS.ErrnoException
  return new AuthError('token_unavailable', `Tokens cannot be kept: ${path} cannot be written (${code}).`)
}
