import { createPrivateKey } from 'node:crypto'
import { link, mkdir, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { writePrivateFile } from '../../client/stores/private-file.ts'
import { expandHome, readSecretFile } from '../../client/stores/secret-file.ts'
import type { Logger } from '../../core/index.ts'
import { ECKeyPair, Ed25519KeyPair, type KeyPair, RSAKeyPair } from '../../issuer/index.ts'
import { UsageError } from '../command.ts'
import { dataFile } from '../data-folder.ts'
import { printableLine } from '../printable.ts'

/** Bytes. More is no key. */
const longestKey = 65_536

/**
 * The key the gateway signs with. One that is not there yet is made, readable by its owner only, when `make` says so.
 *
 * @returns `undefined` when it is not there and is not to be made
 * @throws UsageError naming the file, and nothing of what is in it
 */
export async function identityKey(
  file: string | undefined,
  make: boolean,
  logger: Logger,
): Promise<KeyPair | undefined> {
  const path = await expandHome(file ?? dataFile('gateway-identity.pem'))
  const known = await readKey(path, logger)
  if (known || !make) return known
  await makeKey(path)
  return readKey(path, logger)
}

async function readKey(path: string, logger: Logger): Promise<KeyPair | undefined> {
  const name = printableLine(path, 200)
  const found = await readSecretFile(path, longestKey)
  if ('fault' in found) {
    if (found.code === 'ENOENT') return undefined
    throw new UsageError(`--identity-key: ${name} ${found.fault}`)
  }
  if ((found.others & 6) !== 0) {
    const message = `Others on this machine can read or change the key ${name}: chmod 600 it`
    logger({ level: 'warn', event: 'key_file_exposed', message })
  }
  const pair = keyPairOf(found.text)
  if (pair === undefined) throw new UsageError(`--identity-key: ${name} holds no private key in PEM`)
  return pair
}

function keyPairOf(pem: string): KeyPair | undefined {
  try {
    switch (createPrivateKey(pem).asymmetricKeyType) {
      case 'rsa':
        return RSAKeyPair.fromPem(pem)
      case 'ec':
        return ECKeyPair.fromPem(pem)
      case 'ed25519':
        return Ed25519KeyPair.fromPem(pem)
      default:
        return undefined
    }
  } catch {
    return undefined
  }
}

/** Two gateways that start at once have one key: whoever is later leaves that of the other. */
async function makeKey(path: string): Promise<void> {
  const own = `${path}.${crypto.randomUUID()}.new`
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 })
    await writePrivateFile(own, (await ECKeyPair.generate()).privateKey)
    await link(own, path)
  } catch (error) {
    const { code = 'no reason given' } = error as NodeJS.ErrnoException
    if (code === 'EEXIST') return
    throw new UsageError(`--identity-key: ${printableLine(path, 200)} cannot be written (${code})`)
  } finally {
    await rm(own, { force: true })
  }
}
