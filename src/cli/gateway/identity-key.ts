import { expandHome } from '../../client/stores/secret-file.ts'
import type { Logger } from '../../core/index.ts'
import type { KeyPair } from '../../issuer/index.ts'
import { dataFile } from '../data-folder.ts'
import { isKeyFileThere, keyPairOf, makeKeyFile, readKeyFile } from '../token/key-file.ts'

const option = '--identity-key'

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
  if (make) await makeKeyFile(path, option, 'ES256')
  else if (!(await isKeyFileThere(path))) return undefined
  const pem = await readKeyFile(path, option, (message) =>
    logger({ level: 'warn', event: 'key_file_exposed', message }),
  )
  return keyPairOf(pem, `${option}: ${path}`, undefined)
}
