import type { KeyObject } from 'node:crypto'
import { type ECCurve, ECKeyPair } from './ec.ts'
import { Ed25519KeyPair } from './ed25519.ts'
import { type KeyPair, privateKeyFromPem } from './key-pair.ts'
import { type RSAAlgorithm, RSAKeyPair } from './rsa.ts'

/** What a key pair signs with: RSA (RFC 7518 sections 3.3, 3.5), ECDSA (section 3.4), Ed25519 (RFC 8037 section 3.1). */
export type SigningAlgorithm = RSAAlgorithm | 'ES256' | 'ES384' | 'ES512' | 'EdDSA'

/** Each algorithm, and how a key for it is made. */
const makers: Readonly<Record<SigningAlgorithm, () => Promise<KeyPair>>> = {
  RS256: rsa('RS256'),
  RS384: rsa('RS384'),
  RS512: rsa('RS512'),
  PS256: rsa('PS256'),
  PS384: rsa('PS384'),
  PS512: rsa('PS512'),
  ES256: ec('P-256'),
  ES384: ec('P-384'),
  ES512: ec('P-521'),
  EdDSA: () => Ed25519KeyPair.generate(),
}

/** All algorithms {@link generateKeyPair} has a key for. */
export const signingAlgorithms: readonly SigningAlgorithm[] = Object.freeze(
  Object.keys(makers) as SigningAlgorithm[],
)

/**
 * A fresh key pair for an algorithm that is known only at run time, **for development and tests**. RSA keys have 2048
 * bits.
 *
 * @param algorithm what it signs with. Default: `RS256`, which verifiers take without being told
 * @throws TypeError when there is no such algorithm
 *
 * @example
 * ```ts
 * import { generateKeyPair } from 'mcp-bearer/issuer'
 *
 * const pair = await generateKeyPair('ES256')
 * const token = await pair.createToken({ subject: 'dev-user' })
 * ```
 */
export async function generateKeyPair(algorithm: SigningAlgorithm = 'RS256'): Promise<KeyPair> {
  return makers[checkAlgorithm('generateKeyPair', algorithm)]()
}

/**
 * The pair of a private key in PEM (PKCS #8, PKCS #1 or SEC 1) of any kind that can sign tokens. What stands behind the
 * first key is not looked at.
 *
 * @param algorithm what an RSA key signs with. Default: `RS256`. Other keys sign with one algorithm only
 * @throws TypeError when it is no such key, the algorithm is not for it, or it is an RSA key of less than 2048 bits (RFC
 *   7518 section 3.3); the message does not show it
 *
 * @example
 * ```ts
 * import { readFile } from 'node:fs/promises'
 * import { keyPairFromPem } from 'mcp-bearer/issuer'
 *
 * const pair = keyPairFromPem(await readFile('key.pem', 'utf8'))
 * console.log(pair.algorithm, pair.kid)
 * ```
 */
export function keyPairFromPem(privateKeyPem: string, algorithm?: SigningAlgorithm): KeyPair {
  if (algorithm !== undefined) checkAlgorithm('keyPairFromPem', algorithm)
  const key = privateKeyFromPem('keyPairFromPem', privateKeyPem)
  const pair = pairOf(key, privateKeyPem, algorithm)
  if (algorithm === undefined || pair.algorithm === algorithm) return pair
  throw new TypeError(`keyPairFromPem: this key signs with ${pair.algorithm}, and not with ${algorithm}`)
}

function pairOf(key: KeyObject, pem: string, algorithm: SigningAlgorithm | undefined): KeyPair {
  switch (key.asymmetricKeyType) {
    case 'rsa':
      if ((key.asymmetricKeyDetails?.modulusLength ?? 0) < 2048) {
        throw new TypeError('keyPairFromPem: an RSA key needs at least 2048 bits')
      }
      return RSAKeyPair.fromPem(pem, isRsa(algorithm) ? { algorithm } : {})
    case 'ec':
      return ECKeyPair.fromPem(pem)
    case 'ed25519':
      return Ed25519KeyPair.fromPem(pem)
    default:
      throw new TypeError('keyPairFromPem: privateKeyPem is no RSA, EC or Ed25519 key')
  }
}

function checkAlgorithm(owner: string, algorithm: SigningAlgorithm): SigningAlgorithm {
  if (signingAlgorithms.includes(algorithm)) return algorithm
  throw new TypeError(`${owner}: algorithm must be one of ${signingAlgorithms.join(', ')}`)
}

function isRsa(algorithm: SigningAlgorithm | undefined): algorithm is RSAAlgorithm {
  return algorithm?.startsWith('RS') === true || algorithm?.startsWith('PS') === true
}

function rsa(algorithm: RSAAlgorithm): () => Promise<KeyPair> {
  return () => RSAKeyPair.generate({ algorithm })
}

function ec(curve: ECCurve): () => Promise<KeyPair> {
  return () => ECKeyPair.generate({ curve })
}
