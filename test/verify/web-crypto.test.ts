import * as nodeCrypto from 'node:crypto'
import { type JwsAlgorithm, jwtVerifier } from 'mcp-bearer/verify'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { importJwk, importSecret } from '../../src/verify/keys.ts'
import { signatures } from '../../src/verify/signature.ts'
import { allVectors, type Need, type Vector } from '../runtimes/vectors.ts'
import { judgeMany } from './differential.ts'
import { audience, clock, encodePart, forge, goodClaims, issuer, quiet } from './forge.ts'
import { claimExamples, otherExamples, type SignedExample } from './rfc-examples.ts'
import { ed25519, p256, publicJwk, rsa } from './vectors/material.ts'

/** A runtime that has nothing but the Web: in this file, the whole package. But who signs the vectors needs more. */
const runtime = vi.hoisted((): { nodeCrypto: typeof import('node:crypto') | undefined } => ({
  nodeCrypto: undefined,
}))
vi.mock('../../src/core/runtime.ts', () => ({
  get nodeCrypto() {
    return runtime.nodeCrypto
  },
  isWorkerd: false,
  sha256: () => undefined,
}))

async function signedVectors(): Promise<readonly Vector[]> {
  runtime.nodeCrypto = nodeCrypto
  try {
    return await allVectors()
  } finally {
    runtime.nodeCrypto = undefined
  }
}

/** What is lacking then; the same as in `test/runtimes/verify.test.ts` for workerd without node. */
const lacks: Readonly<Record<Need, string>> = {
  Ed448: 'unsupported',
  PEM: 'unsupported',
  'early look at keys': 'bad_signature',
}

/** What becomes of a token: twice the same, or both. */
async function judge({ options, token, now, keySet }: Vector): Promise<string> {
  const reasons: string[] = []
  const environment = {
    clock: () => now * 1000,
    logger: quiet,
    onRefused: ({ reason }: { readonly reason: string }) => void reasons.push(reason),
    ...(keySet && { fetch: async () => Response.json(keySet) }),
  }
  const outcomes = new Set<string>()
  try {
    const verifier = jwtVerifier(options, environment)
    for (let time = 0; time < 2; time++) {
      const accepted = await verifier.verifyToken(token)
      outcomes.add([...(accepted ? ['accepted'] : []), ...reasons.splice(0)].join(' and '))
    }
  } catch (error) {
    const isOfKey = error instanceof TypeError && error.message.startsWith('publicKey ')
    outcomes.add(isOfKey ? 'unsupported' : String((error as { readonly code?: string }).code))
  }
  return [...outcomes].join(', then ')
}

function expectedOf({ needs, expected, keySet }: Vector): string {
  const lack = needs && lacks[needs]
  return lack === 'unsupported' && keySet !== undefined ? 'no_matching_key' : (lack ?? expected)
}

describe('with Web Crypto alone', () => {
  it('is what these tests run with', () => {
    expect(signatures.readsPem).toBe(false)
  })

  it('B-06 B-10 B-11 every vector comes out as with node:crypto, but for what is known to be lacking', async () => {
    const vectors = await signedVectors()
    const wrong: unknown[] = []
    for (const vector of vectors) {
      const outcome = await judge(vector)
      if (outcome !== expectedOf(vector)) wrong.push([vector.name, outcome, expectedOf(vector)])
    }
    expect(wrong).toEqual([])
    expect(vectors.length).toBeGreaterThan(800)
    for (const need of Object.keys(lacks)) expect(vectors.some(({ needs }) => needs === need)).toBe(true)
  })

  it.each(['HS256', 'EdDSA', 'ES256', 'RS256'] as const)(
    'B-04 B-10 B-11 mutated tokens of %s are accepted when jose and the rules accept them, and never else',
    { timeout: 300_000 },
    async (algorithm) => {
      const outcomes = await judgeMany(algorithm, 600)
      expect(outcomes.total).toBe(600)
      expect(outcomes.share('accepted')).toBeGreaterThan(0.1)
      expect(outcomes.share('bad_signature')).toBeGreaterThan(0.02)
    },
  )
})

describe('Web Crypto beside the published examples', () => {
  const examples = [...claimExamples, ...otherExamples]

  it.each(examples)(
    'B-01 B-11 verifies $section, $algorithm, and not with one bit changed',
    async (example) => {
      const { check, input, signature } = prepare(example)
      expect(await check(input, signature)).toBe(true)
      for (const bytes of [input, signature]) {
        for (const place of [0, bytes.length >> 1, bytes.length - 1]) {
          const flipped = bytes.map((byte, at) => (at === place ? byte ^ 1 : byte))
          const isGood = bytes === input ? check(flipped, signature) : check(input, flipped)
          expect(await isGood).toBe(false)
        }
      }
    },
  )

  it('B-01 the signature of RFC 8037 A.4 is also one of Ed25519, the name RFC 9864 gives it', async () => {
    const example = otherExamples.find(({ section }) => section === 'RFC 8037 A.4')
    const { check, input, signature } = prepare({ ...(example as SignedExample), algorithm: 'Ed25519' })
    expect(await check(input, signature)).toBe(true)
  })
})

/** The check our own key import makes of the example's key, and what it is to be called with. */
function prepare({ section, algorithm, key, token }: SignedExample) {
  const allowed: ReadonlySet<JwsAlgorithm> = new Set([algorithm])
  const imported =
    key.k === undefined ? importJwk(key, allowed) : importSecret(Buffer.from(key.k, 'base64url'), allowed)
  const check = typeof imported === 'string' ? undefined : imported.checks.get(algorithm)
  if (check === undefined) throw new Error(`the key of ${section} was not taken`)
  const [header, payload, signature = ''] = token.split('.')
  return { check, input: Buffer.from(`${header}.${payload}`), signature: Buffer.from(signature, 'base64url') }
}

describe.each(['with Buffer', 'without Buffer'])('keys of a set, Web Crypto alone, %s', (place) => {
  const good = publicJwk(ed25519, { kid: 'good' })
  const token = forge(ed25519.privateKey, { alg: 'EdDSA', kid: 'good' }, goodClaims)

  /** The package as a runtime loads it that has no `Buffer`. */
  async function load(): Promise<typeof import('mcp-bearer/verify')> {
    vi.resetModules()
    onTestFinished(() => void vi.resetModules())
    if (place === 'with Buffer') return import('mcp-bearer/verify')
    vi.stubGlobal('Buffer', undefined)
    try {
      return await import('mcp-bearer/verify')
    } finally {
      vi.unstubAllGlobals()
    }
  }

  it.each<[name: string, odd: object]>([
    ['whose crv cannot be made a text', { kty: 'EC', crv: { toString: 1 }, x: 'AAAA', y: 'AAAA' }],
    ['whose crv is a list', { ...publicJwk(p256), crv: ['P-256'] }],
    ['whose n is of a length that no bytes have', { kty: 'RSA', n: 'A'.repeat(401), e: 'AQAB' }],
    ['whose e is of a length that no bytes have', { ...publicJwk(rsa), e: 'AQABA' }],
    ['whose x is of a length that no bytes have', { kty: 'OKP', crv: 'Ed25519', x: 'A'.repeat(45) }],
    ['whose x is another spelling of the same bytes', { ...good, x: otherEnd(String(good.x)) }],
    ['whose n is plain base64', { ...publicJwk(rsa), n: '+/+/' }],
    ['whose kty is a list', { ...publicJwk(rsa), kty: ['RSA'] }],
  ])('B-73 J11 FL-53 one %s is left out, and spoils nothing', async (_name, odd) => {
    const { jwtVerifier: make } = await load()
    const reasons: string[] = []
    const algorithms: JwsAlgorithm[] = ['EdDSA', 'ES256', 'RS256']
    const verifier = make(
      { jwksUri: 'https://as.example.com/jwks', issuer, audience, algorithms },
      {
        clock,
        logger: quiet,
        fetch: async () => Response.json({ keys: [{ ...odd, kid: 'odd' }, null, good] }),
        onRefused: ({ reason }) => void reasons.push(reason),
      },
    )
    expect((await verifier.verifyToken(token))?.subject).toBe('user-1')
    for (const alg of algorithms) {
      const [header, payload, signature] = token.split('.')
      expect(header).toBeDefined()
      await verifier.verifyToken([encodePart({ alg, kid: 'odd' }), payload, signature].join('.'))
    }
    expect(reasons).toEqual(['no_matching_key', 'no_matching_key', 'no_matching_key'])
  })

  it('B-31 B-32 decodes every byte and every length', async () => {
    const { jwtVerifier: make } = await load()
    const verifier = make({ publicKey: good, algorithm: 'EdDSA', issuer, audience }, { clock, logger: quiet })
    for (const more of ['', 'x', 'xx']) {
      const claims = { ...goodClaims, note: `ÿþ~?>${'ÿ¿ﻼ🂡𝄞\u0000'.repeat(9)}${more}`, 'ключ 🔑': more }
      const accepted = await verifier.verifyToken(forge(ed25519.privateKey, { alg: 'EdDSA' }, claims))
      expect(accepted?.claims).toEqual(claims)
    }
  })
})

/** The last character changed in a bit that carries nothing. */
function otherEnd(part: string): string {
  return part.slice(0, -1) + String.fromCharCode(part.charCodeAt(part.length - 1) + 1)
}
