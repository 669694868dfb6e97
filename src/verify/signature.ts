import {
  constants,
  createHmac,
  type KeyObject,
  timingSafeEqual,
  type VerifyKeyObjectInput,
  verify,
} from 'node:crypto'
import { algorithmRules, type JwsAlgorithm } from './algorithms.ts'

/** Whether `signature` is one of the key over `input`. All that can be prepared once is prepared. */
export type SignatureCheck = (input: Uint8Array, signature: Uint8Array) => boolean

/**
 * The one place where signatures are checked. Synchronous on purpose: an RS256 check takes some 30 µs, and handing it
 * to the thread pool costs more than it saves.
 *
 * @param key must fit the algorithm; `keys.ts` sees to it
 */
export function signatureCheck(algorithm: JwsAlgorithm, key: KeyObject): SignatureCheck {
  const { kind, hash, pss, size } = algorithmRules[algorithm]
  if (kind === 'secret') return hmacCheck(hash ?? 'sha256', key)
  const how: VerifyKeyObjectInput = { key }
  if (kind === 'RSA' && pss) {
    how.padding = constants.RSA_PKCS1_PSS_PADDING
    // RFC 7518 section 3.5: the salt is as long as the hash.
    how.saltLength = constants.RSA_PSS_SALTLEN_DIGEST
  } else if (kind !== 'RSA') {
    // RFC 7518 section 3.4: r and s side by side, not DER.
    how.dsaEncoding = 'ieee-p1363'
  }
  return (input, signature) =>
    (size === undefined || signature.length === size) && verify(hash, input, how, signature)
}

function hmacCheck(hash: string, key: KeyObject): SignatureCheck {
  return (input, signature) => {
    const expected = createHmac(hash, key).update(input).digest()
    return expected.length === signature.length && timingSafeEqual(expected, signature)
  }
}
