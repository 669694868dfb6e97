import { generateKeyPair } from 'node:crypto'
import { promisify } from 'node:util'
import { checkOptions } from '../core/options.ts'
import { KeyPair, privateKeyFromPem } from './key-pair.ts'

/** A curve of RFC 7518 section 6.2.1.1. */
export type ECCurve = 'P-256' | 'P-384' | 'P-521'

/** How an EC key pair is made. */
export interface ECKeyPairOptions {
  /** Default: `P-256`, which signs with ES256. */
  readonly curve?: ECCurve
}

/** The curve decides the algorithm (RFC 7518 section 3.4). */
const algorithms: ReadonlyMap<string | undefined, string> = new Map([
  ['P-256', 'ES256'],
  ['P-384', 'ES384'],
  ['P-521', 'ES512'],
  // OpenSSL's names.
  ['prime256v1', 'ES256'],
  ['secp384r1', 'ES384'],
  ['secp521r1', 'ES512'],
])

/**
 * An elliptic-curve key pair that signs tokens with ES256, ES384 or ES512, **for development and tests**.
 *
 * @example
 * ```ts
 * import { ECKeyPair } from 'mcp-bearer/issuer'
 *
 * const pair = await ECKeyPair.generate({ curve: 'P-384' })
 * const token = await pair.createToken({ subject: 'dev-user', scopes: ['read'] })
 * ```
 */
export class ECKeyPair extends KeyPair {
  /** @throws TypeError naming the option that is unknown or has another value */
  static async generate(options: ECKeyPairOptions = {}): Promise<ECKeyPair> {
    checkOptions('ECKeyPair', options, ['curve'])
    const { curve = 'P-256' } = options
    const algorithm = curve.startsWith('P-') ? algorithms.get(curve) : undefined
    if (algorithm === undefined) throw new TypeError('ECKeyPair: curve must be P-256, P-384 or P-521')
    const { privateKey } = await promisify(generateKeyPair)('ec', { namedCurve: curve })
    return new ECKeyPair(privateKey, algorithm)
  }

  /**
   * The pair of a private key in PEM (PKCS #8 or SEC 1).
   * @throws TypeError when it is none, or not on one of the three curves; the message does not show it
   */
  static fromPem(privateKeyPem: string): ECKeyPair {
    const key = privateKeyFromPem('ECKeyPair', privateKeyPem)
    const algorithm = algorithms.get(key.asymmetricKeyDetails?.namedCurve)
    if (algorithm === undefined) {
      throw new TypeError('ECKeyPair: privateKeyPem is no EC key on P-256, P-384 or P-521')
    }
    return new ECKeyPair(key, algorithm)
  }
}
