import type { JsonWebKey, KeyObject, VerifyKeyObjectInput } from 'node:crypto'
import { algorithmRules, type JwsAlgorithm } from './algorithms.ts'
import type { JsonObject } from './json.ts'
import type { CheckingKey, SignatureBackend, SignatureCheck } from './signature-backend.ts'

type NodeCrypto = typeof import('node:crypto')

/**
 * Signatures by `node:crypto`. Synchronous on purpose: an RS256 check takes some 30 µs, and handing it to the thread
 * pool costs more than it saves. `turns.ts` sees to it that many at once do not hold up the event loop.
 */
export function nodeBackend(crypto: NodeCrypto): SignatureBackend {
  return {
    readsPem: true,
    publicKey(source) {
      const key = readKey(crypto, source)
      const jwk = key && exported(key)
      return key && jwk && { jwk, check: (algorithm) => publicKeyCheck(crypto, algorithm, key) }
    },
    secretKey(bytes): CheckingKey {
      const key = crypto.createSecretKey(bytes)
      return { jwk: undefined, check: (algorithm) => hmacCheck(crypto, algorithm, key) }
    },
  }
}

/** Makes the function that reads a public key, PEM or JWK, into the members of a JWK; `undefined` when it is none. */
export function jwkReader(crypto: NodeCrypto): (source: string | JsonObject) => JsonObject | undefined {
  return (source) => {
    const key = readKey(crypto, source)
    return key && exported(key)
  }
}

function readKey({ createPublicKey }: NodeCrypto, source: string | JsonObject): KeyObject | undefined {
  try {
    return createPublicKey(typeof source === 'string' ? source : { key: source as JsonWebKey, format: 'jwk' })
  } catch {
    return undefined
  }
}

/** Of the key as it was read: what it says of itself may be spelt in many ways. */
function exported(key: KeyObject): JsonObject | undefined {
  try {
    return key.export({ format: 'jwk' }) as JsonObject
  } catch {
    return undefined
  }
}

function publicKeyCheck(
  { constants, verify }: NodeCrypto,
  algorithm: JwsAlgorithm,
  key: KeyObject,
): SignatureCheck {
  const { kind, hash, pss, size } = algorithmRules[algorithm]
  const how: VerifyKeyObjectInput = { key }
  if (pss) {
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

function hmacCheck(
  { createHmac, timingSafeEqual }: NodeCrypto,
  algorithm: JwsAlgorithm,
  key: KeyObject,
): SignatureCheck {
  const hash = algorithmRules[algorithm].hash ?? 'sha256'
  return (input, signature) => {
    const expected = createHmac(hash, key).update(input).digest()
    return expected.length === signature.length && timingSafeEqual(expected, signature)
  }
}
