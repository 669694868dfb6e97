import { resolve } from 'node:path'
import { writePrivateFile } from '../../client/stores/private-file.ts'
import { expandHome } from '../../client/stores/secret-file.ts'
import { generateKeyPair, type KeyPair, type SigningAlgorithm } from '../../issuer/index.ts'
import type { Terminal } from '../terminal.ts'
import { keyPairOf, makeKeyFile, readKeyFile, warnings } from './key-file.ts'

/**
 * The keys of an issuer in one file: first the one that signs, which `token mint --key` takes, then the one before it,
 * whose tokens are still good.
 */
export interface IssuerKeys {
  readonly path: string
  readonly current: KeyPair
  readonly previous: KeyPair | undefined
  /** There was no file. */
  readonly isNew: boolean
}

/**
 * Reads the keys of a file; one that is not there is made, for its owner only.
 * @param algorithm of a new key. What is there keeps its own
 * @throws UsageError naming the file, and nothing of what is in it
 */
export async function openIssuerKeys(
  file: string,
  algorithm: SigningAlgorithm | undefined,
  terminal: Terminal,
): Promise<IssuerKeys> {
  // Whole: what is printed with it is pasted elsewhere.
  const path = resolve(await expandHome(file))
  const isNew = await makeKeyFile(path, '--key', algorithm)
  const [current, previous] = pemsOf(await readKeyFile(path, '--key', warnings(terminal)))
  return {
    path,
    isNew,
    current: keyPairOf(current ?? '', path, algorithm),
    // Another algorithm than that of an RSA key is a wish for the key that signs.
    previous: previous === undefined ? undefined : previousOf(previous, path, algorithm),
  }
}

/** A fresh key that signs from now on, and the one that signed until now. Written before anybody sees it. */
export async function rotated({ path, current }: IssuerKeys): Promise<IssuerKeys> {
  const next = await generateKeyPair(current.algorithm as SigningAlgorithm)
  await writePrivateFile(path, next.privateKey + current.privateKey)
  return { path, current: next, previous: current, isNew: false }
}

function pemsOf(text: string): string[] {
  return text.match(/-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?-----END [A-Z ]*PRIVATE KEY-----/g) ?? []
}

function previousOf(pem: string, path: string, algorithm: SigningAlgorithm | undefined): KeyPair {
  const isRsa = algorithm?.startsWith('RS') || algorithm?.startsWith('PS')
  return keyPairOf(pem, path, isRsa ? algorithm : undefined)
}
