import { generateKeyPair } from 'node:crypto'
import { promisify } from 'node:util'
import { checkOptions, numberBetween } from '../core/options.ts'
import { KeyPair, privateKeyFromPem } from './key-pair.ts'

const algorithms = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'] as const

/** A signature algorithm of RSA keys (RFC 7518 sections 3.3 and 3.5). */
export type RSAAlgorithm = (typeof algorithms)[number]

/** How an RSA key pair is made. */
export interface RSAKeyPairOptions {
  /** Bits of the modulus, 2048 to 8192. Default: 2048. */
  readonly modulusLength?: number
  /** What tokens are signed with. Default: `RS256`. */
  readonly algorithm?: RSAAlgorithm
}

/**
 * An RSA key pair that signs tokens, **for development and tests**. In production tokens come from an authorization
 * server.
 *
 * @example
 * ```ts
 * import { RSAKeyPair } from 'mcp-bearer/issuer'
 * import { BearerAuthProvider } from 'mcp-bearer/verify'
 *
 * const pair = await RSAKeyPair.generate()
 * const auth = new BearerAuthProvider({
 *   publicKey: pair.publicKey,
 *   issuer: 'https://dev.example.com',
 *   audience: 'my-dev-server',
 * })
 * const token = await pair.createToken({
 *   subject: 'dev-user',
 *   issuer: 'https://dev.example.com',
 *   audience: 'my-dev-server',
 *   scopes: ['read', 'write'],
 * })
 * ```
 */
export class RSAKeyPair extends KeyPair {
  /** @throws TypeError naming the option that is unknown or out of bounds */
  static async generate(options: RSAKeyPairOptions = {}): Promise<RSAKeyPair> {
    checkOptions('RSAKeyPair', options, ['modulusLength', 'algorithm'])
    const modulusLength = numberBetween('modulusLength', options.modulusLength ?? 2048, 2048, 8192)
    const algorithm = checkAlgorithm(options.algorithm)
    const { privateKey } = await promisify(generateKeyPair)('rsa', { modulusLength })
    return new RSAKeyPair(privateKey, algorithm)
  }

  /**
   * The pair of a private key in PEM (PKCS #8 or PKCS #1).
   * @throws TypeError when it is none, or no RSA key; the message does not show it
   */
  static fromPem(privateKeyPem: string, options: Pick<RSAKeyPairOptions, 'algorithm'> = {}): RSAKeyPair {
    checkOptions('RSAKeyPair', options, ['algorithm'])
    const key = privateKeyFromPem('RSAKeyPair', privateKeyPem)
    if (key.asymmetricKeyType !== 'rsa') throw new TypeError('RSAKeyPair: privateKeyPem is no RSA key')
    return new RSAKeyPair(key, checkAlgorithm(options.algorithm))
  }
}

function checkAlgorithm(algorithm: RSAAlgorithm = 'RS256'): RSAAlgorithm {
  if (algorithms.includes(algorithm)) return algorithm
  throw new TypeError(`RSAKeyPair: algorithm must be one of ${algorithms.join(', ')}`)
}
