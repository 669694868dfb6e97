import { createHmac, createPrivateKey } from 'node:crypto'
import {
  calculateJwkThumbprint,
  compactVerify,
  decodeProtectedHeader,
  flattenedVerify,
  importJWK,
} from 'jose'
import { Ed25519KeyPair, RSAKeyPair } from 'mcp-bearer/issuer'
import { type JwsAlgorithm, jwtVerifier, type RefusalReason } from 'mcp-bearer/verify'
import { describe, expect, it } from 'vitest'
import { importJwk, importSecret } from '../../src/verify/keys.ts'
import { encodePart, quiet } from './forge.ts'
import {
  claimExamples,
  criticalToken,
  detachedExample,
  type ExampleKey,
  joeExpires,
  jsonExamples,
  otherExamples,
  type SignedExample,
  thumbprintOfEd25519,
  thumbprintOfRsa,
  unencodedExample,
  unsecuredToken,
} from './rfc-examples.ts'

const signedExamples = [...claimExamples, ...otherExamples]
const detachedExamples = [detachedExample, unencodedExample]

type Parts = readonly [header: string, payload: string, signature: string]
const partsOf = (token: string) => token.split('.') as unknown as Parts
const secretOf = (text: string) => Buffer.from(text, 'base64url')

/** What the verifier says of a token that must not pass, `seconds` after 1970. */
async function refusalsOf(
  { algorithm, key }: { algorithm: JwsAlgorithm; key: ExampleKey },
  token: string,
  seconds = joeExpires - 1,
): Promise<readonly RefusalReason[]> {
  const refusals: RefusalReason[] = []
  const source = key.k === undefined ? { publicKey: key } : { secret: secretOf(key.k) }
  const verifier = jwtVerifier(
    { ...source, algorithm, clockSkew: 0 },
    {
      clock: () => seconds * 1000,
      logger: quiet,
      onRefused: ({ reason }) => refusals.push(reason),
    },
  )
  expect(await verifier.verifyToken(token)).toBeNull()
  return refusals
}

describe('the copies of the published examples', () => {
  it.each(signedExamples)('$section is what jose verifies as $algorithm', async (example) => {
    const { algorithm, key, token } = example
    const verified = await compactVerify(token, await importJWK(key, algorithm), { algorithms: [algorithm] })
    expect(verified.protectedHeader.alg).toBe(algorithm)
  })

  it.each(jsonExamples)('$section is what jose verifies, each signature of it', async ({ keys, jws }) => {
    const { payload } = jws
    const signatures = 'signatures' in jws ? jws.signatures : [jws]
    expect(signatures).toHaveLength(Object.keys(keys).length)
    for (const signature of signatures) {
      const algorithm = String(signature.header?.alg ?? decodeProtectedHeader(signature).alg)
      const key = await importJWK(keys[algorithm] as ExampleKey, algorithm)
      await flattenedVerify({ ...signature, payload }, key)
    }
  })

  it.each(detachedExamples)('$section is what jose verifies with its payload beside it', async (example) => {
    const [header, , signature] = partsOf(example.token)
    const key = await importJWK(example.key, 'HS256')
    await flattenedVerify({ protected: header, payload: example.payload, signature }, key)
  })
})

describe('the signature check beside the published examples', () => {
  it.each(signedExamples)('B-01 B-11 verifies $section, $algorithm', async (example) => {
    const { check, input, signature } = prepare(example)
    expect(await check(input, signature)).toBe(true)
  })

  it.each(signedExamples)('B-11 does not verify $section with one bit changed', async (example) => {
    const { check, input, signature } = prepare(example)
    for (const place of placesOf(signature)) {
      expect(await check(input, flipped(signature, place))).toBe(false)
    }
    for (const place of placesOf(input)) {
      expect(await check(flipped(input, place), signature)).toBe(false)
    }
  })

  it('B-01 the signature of RFC 8037 A.4 is also one of Ed25519, the name RFC 9864 gives it', async () => {
    const example = otherExamples.find(({ section }) => section === 'RFC 8037 A.4')
    const { check, input, signature } = prepare({ ...(example as SignedExample), algorithm: 'Ed25519' })
    expect(await check(input, signature)).toBe(true)
  })
})

/** The check our own key import makes of the example's key, and what it is to be called with. */
function prepare({ section, algorithm, key, token }: SignedExample) {
  const allowed = new Set([algorithm])
  const imported = key.k === undefined ? importJwk(key, allowed) : importSecret(secretOf(key.k), allowed)
  const check = typeof imported === 'string' ? undefined : imported.checks.get(algorithm)
  if (check === undefined) throw new Error(`the key of ${section} was not taken`)
  const [header, payload, signature] = partsOf(token)
  return { check, input: Buffer.from(`${header}.${payload}`), signature: Buffer.from(signature, 'base64url') }
}

function placesOf(bytes: Uint8Array): readonly number[] {
  return [0, bytes.length >> 1, bytes.length - 1]
}

function flipped(bytes: Uint8Array, place: number): Uint8Array {
  return bytes.map((byte, at) => (at === place ? byte ^ 1 : byte))
}

describe('jwtVerifier beside the published examples', () => {
  it.each(claimExamples)('B-49 takes the signature of $section, and misses a subject', async (example) => {
    expect(await refusalsOf(example, example.token)).toEqual(['no_identity'])
  })

  it.each(claimExamples)('B-45 takes the signature of $section, which has expired', async (example) => {
    expect(await refusalsOf(example, example.token, joeExpires)).toEqual(['expired'])
  })

  it.each(claimExamples)(
    'B-11 refuses $section with one character of its claims changed',
    async (example) => {
      // "joe" becomes "jof": the claims stay as good as they were.
      const changed = example.token.replace('OiJqb2Ui', 'OiJqb2Yi')
      expect(changed).not.toBe(example.token)
      expect(await refusalsOf(example, changed)).toEqual(['bad_signature'])
    },
  )

  it.each(claimExamples)('B-02 refuses RFC 7515 A.5 with the key of $section', async (example) => {
    expect(await refusalsOf(example, unsecuredToken)).toEqual(['malformed'])
    const signature = partsOf(example.token)[2]
    expect(await refusalsOf(example, unsecuredToken + signature)).toEqual(['algorithm_not_allowed'])
  })

  it.each(otherExamples)('B-32 refuses $section: rightly signed, and no claims', async (example) => {
    expect(await refusalsOf(example, example.token)).toEqual(['malformed'])
  })

  it.each(jsonExamples)('B-12 refuses $section: the JSON serialisation', async ({ keys, jws }) => {
    for (const [algorithm, key] of Object.entries(keys)) {
      const example = { algorithm: algorithm as JwsAlgorithm, key }
      expect(await refusalsOf(example, JSON.stringify(jws))).toEqual(['malformed'])
    }
  })

  it.each(detachedExamples)('B-12 refuses $section: the payload is not in it', async ({ key, token }) => {
    expect(await refusalsOf({ algorithm: 'HS256', key }, token)).toEqual(['malformed'])
  })
})

describe('jwtVerifier beside the published extensions', () => {
  const [example] = claimExamples.filter(({ algorithm }) => algorithm === 'HS256') as [SignedExample]
  const claims = partsOf(example.token)[1]
  const [criticalHeader] = partsOf(criticalToken)
  const [unencodedHeader, , unencodedSignature] = partsOf(unencodedExample.token)

  /** A header in front of the claims of RFC 7515 A.1, rightly signed: all that is wrong is the header. */
  function signedWith(header: string): string {
    const input = `${header}.${claims}`
    const mac = createHmac('sha256', secretOf(example.key.k ?? '')).update(input)
    return `${input}.${mac.digest('base64url')}`
  }

  it('B-49 the way these tests sign is right: a plain header passes as far as RFC 7515 A.1', async () => {
    expect(await refusalsOf(example, signedWith(encodePart({ alg: 'HS256' })))).toEqual(['no_identity'])
  })

  it.each<[string, string, RefusalReason]>([
    ['RFC 7515 E as printed, without a signature', criticalToken, 'malformed'],
    ['RFC 7515 E with alg none and something for a signature', `${criticalToken}AA`, 'algorithm_not_allowed'],
    ['RFC 7515 E with an allowed algorithm', signedWith(allowing(criticalHeader)), 'critical_header'],
    [
      'RFC 7515 4.1.11 with an allowed algorithm',
      signedWith(encodePart({ alg: 'HS256', crit: ['exp'], exp: 1363284000 })),
      'critical_header',
    ],
  ])('B-21 refuses a critical parameter: %s', async (_name, token, reason) => {
    expect(await refusalsOf(example, token)).toEqual([reason])
  })

  it.each<[string, string]>([
    ['around its own payload', `${unencodedHeader}.${encodePart('$.02')}.${unencodedSignature}`],
    ['around claims, where both ways to read them sign the same bytes', signedWith(unencodedHeader)],
  ])('B-22 refuses b64 false: the header of RFC 7797 4.2 %s', async (_name, token) => {
    expect(await refusalsOf(example, token)).toEqual(['critical_header'])
  })

  it.each([
    [
      'in the JSON serialisation',
      JSON.stringify({ protected: unencodedHeader, payload: '$.02', signature: unencodedSignature }),
    ],
    ['with its payload in it', `${unencodedHeader}.$.02.${unencodedSignature}`],
  ])('B-12 B-22 refuses RFC 7797 4.2 %s', async (_name, token) => {
    expect(await refusalsOf(example, token)).toEqual(['malformed'])
  })
})

/** The same header with HS256 for "none": else the algorithm is what is refused. */
function allowing(header: string): string {
  const text = Buffer.from(header, 'base64url').toString()
  return encodePart(text.replace('"none"', '"HS256"'))
}

describe('the key ids of issuer keys beside the published thumbprints', () => {
  const pemOf = (key: ExampleKey) =>
    String(createPrivateKey({ key, format: 'jwk' }).export({ type: 'pkcs8', format: 'pem' }))

  it('an RSA key has the thumbprint of RFC 7638 3.1', async () => {
    const { key, thumbprint } = thumbprintOfRsa
    expect(await calculateJwkThumbprint(key)).toBe(thumbprint)
    expect(RSAKeyPair.fromPem(pemOf(key)).kid).toBe(thumbprint)
  })

  it('an Ed25519 key has the thumbprint of RFC 8037 A.3', async () => {
    const { key, thumbprint } = thumbprintOfEd25519
    expect(await calculateJwkThumbprint(key)).toBe(thumbprint)
    expect(Ed25519KeyPair.fromPem(pemOf(key)).kid).toBe(thumbprint)
  })
})
