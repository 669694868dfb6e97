import { base62Number, base62OfBytes, base62OfUint32, randomBase62 } from './base62.ts'
import { crc32 } from './crc32.ts'
import type { KeyEnvironment } from './key-record.ts'

/**
 * The format of keys: `<prefix>_<live|test>_<id>_<secret><checksum>`.
 *
 * - prefix: of the project, a lower-case letter and 1 to 15 lower-case letters and digits; easy to search for.
 * - id: 12 random characters of base62, public. Logs, lists and look-ups use it.
 * - secret: 32 random characters of base62, 190 bits.
 * - checksum: CRC-32 of everything before it, 6 characters of base62. Typing errors and cut-off keys are found without
 *   asking a database, and scanners can tell a real key from a made-up one. It protects from nobody.
 *
 * The whole is a `b64token` of RFC 6750 section 2.1, and one word for whoever clicks on it twice.
 */
const prefixGrammar = '[a-z][a-z0-9]{1,15}'
const idLength = 12
const secretLength = 32
const checksumLength = 6
/** Characters. What is longer is not looked at. */
export const longestText = 512

/**
 * The source of an expression for keys of one prefix, or of any. Without groups, anchors and look-around, so that the
 * engines of all secret scanners take it.
 */
export function keyExpression(prefix: string = prefixGrammar): string {
  return `${prefix}_(?:live|test)_[0-9A-Za-z]{${idLength}}_[0-9A-Za-z]{${secretLength + checksumLength}}`
}

/** Whether a text has the form of a key; its checksum is another question. Matches the whole text only. */
export const keyPattern = new RegExp(`^${keyExpression()}$`)

const prefixPattern = new RegExp(`^${prefixGrammar}$`)

/**
 * Makes a key.
 * @throws TypeError when the prefix or the environment is none
 */
export function makeKey(
  prefix: string,
  environment: KeyEnvironment,
): { readonly key: string; readonly id: string } {
  checkPrefix('makeKey', prefix)
  if (environment !== 'live' && environment !== 'test') {
    throw new TypeError('makeKey: environment must be live or test')
  }
  const random = randomBase62(idLength + secretLength)
  const id = random.slice(0, idLength)
  const unsigned = `${prefix}_${environment}_${id}_${random.slice(idLength)}`
  return { key: unsigned + base62OfUint32(crc32(unsigned)), id }
}

/** Why a text is no key. */
export type KeyFlaw = 'too_long' | 'malformed' | 'bad_checksum'

/** What a key says of itself. */
export interface ParsedKey {
  readonly prefix: string
  readonly environment: KeyEnvironment
  readonly id: string
}

/**
 * Reads a key. Asks nobody: one that is read well may still have been made up. Never throws.
 *
 * @param text the key alone
 */
export function parseKey(text: string): ParsedKey | KeyFlaw {
  if (typeof text !== 'string') return 'malformed'
  if (text.length > longestText) return 'too_long'
  if (!keyPattern.test(text)) return 'malformed'
  // From the right, where every part has its length.
  const checksum = text.length - checksumLength
  if (base62Number(text, checksum) !== crc32(text, checksum)) return 'bad_checksum'
  const id = checksum - secretLength - 1 - idLength
  return {
    prefix: text.slice(0, id - '_live_'.length),
    environment: text.slice(id - 'live_'.length, id - 1) as KeyEnvironment,
    id: text.slice(id, id + idLength),
  }
}

/**
 * Reads the prefix of a project: a lower-case letter and 1 to 15 lower-case letters and digits. Without underscores:
 * whoever takes a key apart at the first one must not be wrong.
 *
 * @param owner of the option, for the message
 * @throws TypeError when it is none
 */
export function checkPrefix(owner: string, prefix: unknown): string {
  if (typeof prefix === 'string' && prefixPattern.test(prefix)) return prefix
  throw new TypeError(
    `${owner}: prefix must be 2 to 16 lower-case letters and digits, the first one a letter`,
  )
}

/**
 * The id of a key that was made by somebody else, and so carries none: 12 characters of base62 of its SHA-256. Whoever
 * presents the key is found by it.
 *
 * @throws TypeError when the digest has not 32 bytes
 */
export function importedId(sha256: Uint8Array): string {
  if (sha256.length !== 32) throw new TypeError('importedId: a SHA-256 has 32 bytes')
  return base62OfBytes(sha256, idLength)
}
