import type { KeyObject, SignKeyObjectInput } from 'node:crypto'
import { nodeCrypto } from '../core/runtime.ts'

/** A protected header without `alg`: what is written there is what is signed with, always. */
export interface JwsHeader {
  readonly alg?: never
  readonly [member: string]: unknown
}

/**
 * Signs claims: a JWS in its compact form (RFC 7515 section 3.1). Members that are `undefined` are left out.
 *
 * @param key a private key that fits the algorithm; whoever made or read the key has seen to it
 * @param algorithm one of RFC 7518 section 3.1 that has a public key, or `EdDSA`, `Ed25519`, `Ed448`
 * @throws Error where there is no `node:crypto`
 */
export function signJws(key: KeyObject, algorithm: string, header: JwsHeader, claims: object): string {
  if (nodeCrypto === undefined) throw new Error('Signing needs node:crypto')
  const { constants, sign } = nodeCrypto
  const input = `${encode({ alg: algorithm, ...header })}.${encode(claims)}`
  const how: SignKeyObjectInput = { key }
  if (algorithm.startsWith('PS')) {
    how.padding = constants.RSA_PKCS1_PSS_PADDING
    how.saltLength = constants.RSA_PSS_SALTLEN_DIGEST
  } else {
    // RFC 7518 section 3.4: r and s side by side, not DER. Other kinds of keys do not look at it.
    how.dsaEncoding = 'ieee-p1363'
  }
  return `${input}.${sign(hashOf(algorithm), Buffer.from(input), how).toString('base64url')}`
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}

/** RFC 7518 section 3.1: the number in the name is the size of the hash. Edwards curves bring their own. */
function hashOf(algorithm: string): string | null {
  return algorithm.startsWith('Ed') ? null : `sha${algorithm.slice(2)}`
}
