import { expandHome, readSecretFile } from '../../client/stores/secret-file.ts'
import { type KeyPair, keyPairFromPem, type SigningAlgorithm, signingAlgorithms } from '../../issuer/index.ts'
import { UsageError } from '../command.ts'
import { secretInput } from '../keys/secret-input.ts'
import { oneOf } from '../keys/words.ts'
import { printableLine } from '../printable.ts'
import type { Terminal } from '../terminal.ts'

/** Bytes. An RSA key of 8192 bits has 6.5 kB; an issuer's file holds two. */
export const longestKeyFile = 65_536

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
    : await readKeyFile(where, '--key', terminal)
  return keyPairOf(pem, where === '-' ? 'standard input' : where, algorithm)
}

/**
 * The text of a file that holds a private key. One that others can read is warned of.
 * @throws UsageError
 */
export async function readKeyFile(path: string, option: string, terminal: Terminal): Promise<string> {
  const found = await readSecretFile(await expandHome(path), longestKeyFile)
  const name = printableLine(path, 200)
  if ('fault' in found) throw new UsageError(`${option}: ${name} ${found.fault}`)
  if ((found.others & 4) !== 0) {
    terminal.note(
      `mcp-bearer: warning: others on this machine can read the private key in ${name}; chmod 600 ends that`,
    )
  }
  return found.text
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
      `${shown}: the key has a passphrase. openssl pkey -in FILE writes it without one; give that with --key -`,
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
