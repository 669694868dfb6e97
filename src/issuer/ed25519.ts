import { generateKeyPair } from 'node:crypto'
import { promisify } from 'node:util'
import { KeyPair, privateKeyFromPem } from './key-pair.ts'

/**
 * An Ed25519 key pair that signs tokens with `EdDSA` (RFC 8037 section 3.1), **for development and tests**.
 *
 * @example
 * ```ts
 * import { Ed25519KeyPair } from 'mcp-bearer/issuer'
 * import { jwtVerifier } from 'mcp-bearer/verify'
 *
 * const pair = await Ed25519KeyPair.generate()
 * const verifier = jwtVerifier({ publicKey: pair.publicKey, algorithm: 'EdDSA' })
 * ```
 */
export class Ed25519KeyPair extends KeyPair {
  static async generate(): Promise<Ed25519KeyPair> {
    const { privateKey } = await promisify(generateKeyPair)('ed25519')
    return new Ed25519KeyPair(privateKey, 'EdDSA')
  }

  /**
   * The pair of a private key in PEM (PKCS #8).
   * @throws TypeError when it is none, or no Ed25519 key; the message does not show it
   */
  static fromPem(privateKeyPem: string): Ed25519KeyPair {
    const key = privateKeyFromPem('Ed25519KeyPair', privateKeyPem)
    if (key.asymmetricKeyType !== 'ed25519') {
      throw new TypeError('Ed25519KeyPair: privateKeyPem is no Ed25519 key')
    }
    return new Ed25519KeyPair(key, 'EdDSA')
  }
}
