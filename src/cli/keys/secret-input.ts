import { isVariableName } from '../../client/config/interpolate.ts'
import { expandHome, readSecretFile } from '../../client/stores/secret-file.ts'
import { redact } from '../../core/index.ts'
import { UsageError } from '../command.ts'
import { longestInput, warnOfVisible } from '../credential.ts'
import { printableLine } from '../printable.ts'
import type { Terminal } from '../terminal.ts'

/** Characters of the name of a variable. */
const longestName = 128

/**
 * The text a person names: `-` for standard input, `env:NAME`, `file:PATH`, or the text itself, which is warned of.
 * White space around it is taken off.
 *
 * @param what it is, for the warning
 * @throws UsageError that repeats nothing of it
 */
export async function secretInput(
  where: string,
  what: string,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<string> {
  const [, kind, rest = ''] = /^(env|file):(.*)$/s.exec(where) ?? []
  if (kind === 'env') return variable(rest).trim()
  if (kind === 'file') return (await file(rest)).trim()
  if (where === '-') return (await standardInput(longestInput, terminal, signal)).trim()
  warnOfVisible(what, 'use env:NAME, file:PATH, or - for standard input', terminal)
  return where.trim()
}

/**
 * Everything on standard input.
 * @throws UsageError when it is more than `limit` bytes; an error when `signal` is aborted
 */
export async function standardInput(limit: number, terminal: Terminal, signal: AbortSignal): Promise<string> {
  try {
    return await terminal.input(limit, signal)
  } catch (error) {
    signal.throwIfAborted()
    throw new UsageError((error as Error).message)
  }
}

function variable(name: string): string {
  // Somebody put the key where its name belongs, or a shell did: it is not repeated.
  if (!isVariableName(name) || name.length > longestName || redact(name) !== name)
    throw new UsageError('env: needs the name of an environment variable, not its value')
  const value = process.env[name]
  if (value === undefined) throw new UsageError(`the environment variable ${name} is not set`)
  return value
}

async function file(path: string): Promise<string> {
  const found = await readSecretFile(await expandHome(path), longestInput)
  if ('fault' in found) throw new UsageError(`the file ${printableLine(path, 200)} ${found.fault}`)
  return found.text
}
