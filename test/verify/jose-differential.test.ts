import { generateKeyPairSync } from 'node:crypto'
import fc from 'fast-check'
import { jwtVerify } from 'jose'
import { jwtVerifier } from 'mcp-bearer/verify'
import { describe, expect, it } from 'vitest'
import { audience, clock, forge, goodClaims, issuer, now, quiet } from './forge.ts'

const { privateKey, publicKey } = generateKeyPairSync('ed25519')
const verifier = jwtVerifier(
  { publicKey: publicKey.export({ format: 'jwk' }), algorithm: 'EdDSA', issuer, audience },
  { clock, logger: quiet },
)
const header = { alg: 'EdDSA', typ: 'at+jwt', kid: 'k1' }

async function joseAccepts(token: string): Promise<boolean> {
  try {
    await jwtVerify(token, publicKey, {
      algorithms: ['EdDSA'],
      issuer,
      audience,
      clockTolerance: 60,
      currentDate: new Date(now * 1000),
      requiredClaims: ['exp'],
    })
    return true
  } catch {
    return false
  }
}

const oddValue = fc.oneof(
  fc.jsonValue({ maxDepth: 2 }),
  fc.constantFrom(audience, issuer, [audience], now, now + 60, now + 61, now - 60, now - 59, 'EdDSA', 'JWT', [
    'b64',
  ]),
)
const claimName = fc.constantFrom(
  'iss',
  'sub',
  'client_id',
  'aud',
  'scope',
  'iat',
  'exp',
  'nbf',
  'cnf',
  '__proto__',
)
const headerName = fc.constantFrom('alg', 'typ', 'kid', 'crit', 'b64', 'cty', 'jwk', 'jku')

/** A really signed token with one member of the header and one or two claims put wrong, or not. */
const signedToken = fc
  .tuple(
    fc.option(fc.tuple(headerName, oddValue), { freq: 3 }),
    fc.array(fc.tuple(claimName, oddValue), { maxLength: 2 }),
  )
  .map(([member, claims]) => {
    const headers = member === null ? header : { ...header, ...Object.fromEntries([member]) }
    return forge(privateKey, headers, { ...goodClaims, ...Object.fromEntries(claims) })
  })

/** A good token with a few characters of it changed, removed or put in. */
const damagedToken = fc
  .array(fc.tuple(fc.nat(600), fc.nat(2), fc.constantFrom(...'ABgw048-_.=+/ \n~é')), {
    minLength: 1,
    maxLength: 3,
  })
  .map((edits) => {
    let token = forge(privateKey, header, goodClaims)
    for (const [place, removed, added] of edits) {
      const at = place % token.length
      token = token.slice(0, at) + added + token.slice(at + removed)
    }
    return token
  })

describe('beside jose', () => {
  it.each([
    ['signed around odd claims', signedToken],
    ['damaged', damagedToken],
  ])('B-11 accepts nothing jose refuses: tokens %s', async (_name, tokens) => {
    let accepted = 0
    await fc.assert(
      fc.asyncProperty(tokens, async (token) => {
        if ((await verifier.verifyToken(token)) === null) return
        accepted += 1
        expect(await joseAccepts(token)).toBe(true)
      }),
      { numRuns: 2500, examples: [[forge(privateKey, header, goodClaims)]] },
    )
    expect(accepted).toBeGreaterThan(0)
  })
})
