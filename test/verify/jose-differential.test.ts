import { createSecretKey, type KeyObject } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { CompactSign } from 'jose'
import type { AccessToken } from 'mcp-bearer'
import { type JwsAlgorithm, type JwtVerifierOptions, jwtVerifier } from 'mcp-bearer/verify'
import { describe, expect, it } from 'vitest'
import {
  audience,
  clock,
  ecdsa,
  edwards,
  forgeWith,
  hmac,
  issuer,
  pkcs1,
  pss,
  quiet,
  type Signer,
} from './forge.ts'
import { dice, spell } from './spelling.ts'
import { type Good, goodToken } from './valid-tokens.ts'
import { ed448, ed25519, p256, p384, p521, publicJwk, rsa, secret } from './vectors/material.ts'
import { joseTakes } from './worlds.ts'

/** How a token comes to its signature, and how many are made so. */
interface Way {
  readonly keys: Pick<JwtVerifierOptions, 'publicKey' | 'secret'>
  readonly sign: Signer
  /** jose knows no Ed448. */
  readonly josePair?: { readonly privateKey: KeyObject; readonly publicKey: KeyObject }
  readonly runs: number
}

const shared = createSecretKey(Buffer.from(secret))
const bySecret = (hash: 'sha256' | 'sha384' | 'sha512', runs: number): Way => ({
  keys: { secret },
  sign: hmac(secret, hash),
  josePair: { privateKey: shared, publicKey: shared },
  runs,
})
type Pair = NonNullable<Way['josePair']>
const byPair = (pair: Pair, sign: Signer, runs: number): Way => ({
  keys: { publicKey: publicJwk(pair) },
  sign,
  josePair: pair,
  runs,
})

const ways: Readonly<Record<JwsAlgorithm, Way>> = {
  HS256: bySecret('sha256', 600),
  HS384: bySecret('sha384', 100),
  HS512: bySecret('sha512', 100),
  EdDSA: byPair(ed25519, edwards(ed25519.privateKey), 300),
  Ed25519: byPair(ed25519, edwards(ed25519.privateKey), 100),
  Ed448: { keys: { publicKey: publicJwk(ed448) }, sign: edwards(ed448.privateKey), runs: 60 },
  ES256: byPair(p256, ecdsa(p256.privateKey), 200),
  ES384: byPair(p384, ecdsa(p384.privateKey, 'sha384'), 60),
  ES512: byPair(p521, ecdsa(p521.privateKey, 'sha512'), 60),
  RS256: byPair(rsa, pkcs1(rsa.privateKey), 100),
  RS384: byPair(rsa, pkcs1(rsa.privateKey, 'sha384'), 60),
  RS512: byPair(rsa, pkcs1(rsa.privateKey, 'sha512'), 60),
  PS256: byPair(rsa, pss(rsa.privateKey), 60),
  PS384: byPair(rsa, pss(rsa.privateKey, 'sha384'), 60),
  PS512: byPair(rsa, pss(rsa.privateKey, 'sha512'), 60),
}

/** Spelt in an odd way and signed by `node:crypto`; or, every second one, with a header written and signed by jose. */
async function write(algorithm: JwsAlgorithm, { sign, josePair }: Way, good: Good): Promise<string> {
  const payload = spell(good.claims, dice(good.spelling))
  const header = { ...good.header, alg: algorithm }
  if (josePair === undefined || good.spelling % 2 === 0) {
    return forgeWith(sign)(spell(header, dice(good.spelling + 1)), payload)
  }
  const { typ, kid } = good.header as { typ?: string; kid?: string }
  return new CompactSign(Buffer.from(payload))
    .setProtectedHeader({
      alg: algorithm,
      ...(typ !== undefined && { typ }),
      ...(kid !== undefined && { kid }),
    })
    .sign(josePair.privateKey)
}

describe.each(Object.entries(ways) as [JwsAlgorithm, Way][])('good tokens of %s', (algorithm, way) => {
  it('B-26 B-34 B-41 B-45 B-49 B-50 B-52 B-120 are accepted, and say what was put into them', {
    timeout: 300_000,
  }, async () => {
    const reasons: string[] = []
    const options = { ...way.keys, algorithm, issuer, audience }
    const verifier = jwtVerifier(options, { clock, logger: quiet })
    const publicKey = way.josePair?.publicKey
    let judged = 0
    const property = fc.asyncProperty(goodToken, async (good) => {
      const token = await write(algorithm, way, good)
      fc.pre(token.length <= 8192)
      judged += 1
      // Twice: a token that was good is remembered, and judged in another way.
      for (const time of ['first', 'second']) {
        const accepted = await verifier.verifyToken(token, { refused: (reason) => reasons.push(reason) })
        const seen = [time, ...reasons.splice(0), shownBy(accepted)]
        if (!isDeepStrictEqual(seen, [time, meantBy(good)])) expect(seen).toEqual([time, meantBy(good)])
        if (!isFrozenCopy(accepted?.claims, payloadOf(token))) expect.fail(`${time}: other claims`)
      }
      if (publicKey === undefined) return
      // Else "good" would be good in our own eyes alone.
      if (!(await joseTakes(token, publicKey, algorithm, demands))) expect.fail('jose refuses it')
    })
    await fc.assert(property, { numRuns: way.runs })
    expect(judged).toBe(way.runs)
  })
})

const demands = { issuers: [issuer], audiences: [audience], clockSkew: 60 }

function shownBy(token: AccessToken | null): unknown {
  if (token === null) return null
  const { subject, clientId, issuer: from, scopes, expiresAt } = token
  return { subject, clientId, issuer: from, scopes, expiresAt }
}

function meantBy({ claims }: Good): unknown {
  const { sub, client_id, azp, appid, cid, iss, exp, scope, scp } = claims
  const granted = scope ?? scp ?? []
  const scopes = typeof granted === 'string' ? granted.split(' ') : (granted as string[])
  return {
    subject: sub,
    clientId: client_id ?? azp ?? appid ?? cid ?? sub,
    issuer: iss,
    scopes: [...new Set(scopes)].filter((one) => one !== ''),
    expiresAt: new Date(Number(exp) * 1000),
  }
}

function payloadOf(token: string): unknown {
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())
}

/** The same names in the same order with the same values, nothing that can be changed, and nothing inherited. */
function isFrozenCopy(copy: unknown, original: unknown): boolean {
  if (typeof copy !== 'object' || copy === null) return Object.is(copy, original)
  if (typeof original !== 'object' || original === null || !Object.isFrozen(copy)) return false
  const isList = Array.isArray(original)
  if (isList !== Array.isArray(copy) || (!isList && Object.getPrototypeOf(copy) !== null)) return false
  const entries = Object.entries(original)
  const names = Object.keys(copy)
  return (
    names.length === entries.length &&
    entries.every(([name, value], at) => names[at] === name && isFrozenCopy(Reflect.get(copy, name), value))
  )
}
