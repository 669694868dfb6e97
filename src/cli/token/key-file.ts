import { link, mkdir, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { writePrivateFile } from '../../client/stores/private-file.ts'
import { expandHome, readSecretFile } from '../../client/stores/secret-file.ts'
import {
  generateKeyPair,
  type KeyPair,
  keyPairFromPem,
  type SigningAlgorithm,
  signingAlgorithms,
} from '../../issuer/index.ts'
import { UsageError } from '../command.ts'
import { secretInput } from '../keys/secret-input.ts'
import { oneOf } from '../keys/words.ts'
import { printableLine } from '../printable.ts'
import type { Terminal } from '../terminal.ts'

/** Bytes. An RSA key of 8192 bits has 6.5 kB; an issuer's file holds two. */
const longestKeyFile = 65_536

/**
 * An algorithm as a person writes it.
 * @throws UsageError
 */
export function algorithmOf(text: string): SigningAlgorithm {
  return oneOf(text, '--algorithm', signingAlgorithms)
}

/**
 * The key pair a person names: a path, `file:PATH`, `env:NAME`, or `-` for standard input.
 *
 * @throws UsageError that shows nothing of the key
 */
export async function readKeyPair(
  where: string,
  algorithm: SigningAlgorithm | undefined,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<KeyPair> {
  if (where.includes('-----BEGIN')) {
    throw new UsageError(
      '--key takes the name of a file, env:NAME or -, not the key itself: whoever saw this command line has the key now',
    )
  }
  const isElsewhere = where === '-' || /^(?:env|file):/.test(where)
  const pem = isElsewhere
    ? await secretInput(where, 'a private key', terminal, signal)
    : await readKeyFile(where, '--key', warnings(terminal))
  return keyPairOf(pem, where === '-' ? 'standard input' : where, algorithm)
}

/** Where {@link readKeyFile} says that a key may be known to others. */
export type KeyWarnings = (message: string) => void

/** Tells the person. */
export function warnings(terminal: Terminal): KeyWarnings {
  return (message) => terminal.note(`mcp-bearer: warning: ${message}`)
}

/**
 * The text of a file that holds a private key. One that others can read or change is warned of.
 * @param option what it was named with, for messages
 * @throws UsageError
 */
export async function readKeyFile(path: string, option: string, warn: KeyWarnings): Promise<string> {
  const found = await readSecretFile(await expandHome(path), longestKeyFile)
  const name = printableLine(path, 200)
  if ('fault' in found) throw new UsageError(`${option}: ${name} ${found.fault}`)
  if ((found.others & 6) !== 0) {
    const what = (found.others & 4) !== 0 ? 'read' : 'replace'
    warn(`others on this machine can ${what} the private key in ${name}; chmod 600 ends that`)
  }
  if (found.isForeign) warn(`the private key in ${name} is another user's, who knows it as well`)
  return found.text
}

/** Whether a file of that name leads anywhere. */
export async function isKeyFileThere(path: string): Promise<boolean> {
  const found = await readSecretFile(path, longestKeyFile)
  return !('fault' in found) || found.code !== 'ENOENT'
}

/**
 * Makes a file with a new private key, for its owner only, and the folder around it; one that is there is left alone. Of
 * two programs that do it at once, whoever is later leaves the key of the other.
 *
 * @param algorithm default: RS256
 * @returns whether it was made
 * @throws UsageError naming the file
 */
export async function makeKeyFile(
  path: string,
  option: string,
  algorithm: SigningAlgorithm | undefined,
): Promise<boolean> {
  if (await isKeyFileThere(path)) return false
  const own = `${path}.${crypto.randomUUID()}.new`
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 })
    await writePrivateFile(own, (await generateKeyPair(algorithm)).privateKey)
    // Never over what is there, and never through a link.
    await link(own, path)
    return true
  } catch (error) {
    const { code = 'no reason given' } = error as NodeJS.ErrnoException
    if (code === 'EEXIST') return false
    throw new UsageError(`${option}: ${printableLine(path, 200)} cannot be written (${code})`)
  } finally {
    await rm(own, { force: true })
  }
}

/**
 * The pair of a private key, or what is wrong with it.
 * @param name what the key is called in messages
 * @throws UsageError
 */
export function keyPairOf(pem: string, name: string, algorithm: SigningAlgorithm | undefined): KeyPair {
  const shown = printableLine(name, 200)
  if (/-----BEGIN ENCRYPTED PRIVATE KEY-----|Proc-Type: 4,ENCRYPTED/.test(pem)) {
    throw new UsageError(
      `${shown}: the key has a passphrase; openssl pkey -in FILE -out NEW-FILE writes it without one`,
    )
  }
  if (/-----BEGIN (?:RSA )?PUBLIC KEY-----/.test(pem) && !pem.includes('PRIVATE KEY-----')) {
    throw new UsageError(`${shown} holds a public key; tokens are signed with the private one`)
  }
  try {
    return keyPairFromPem(pem, algorithm)
  } catch (error) {
    throw new UsageError(`${shown}: ${(error as Error).message.replace(/^\w+: /, '')}`, { cause: error })
  }
}
