// The libraries, each made to check the same: signature, algorithm, exp, iss, aud.
import { timingSafeEqual, verify } from 'node:crypto'
import { createVerifier } from 'fast-jwt'
import { importJWK, jwtVerify } from 'jose'
import jwt from 'jsonwebtoken'
import { jwtVerifier } from 'mcp-bearer/verify'
import { audience, detailsOf, hashOf, hmac, issuer, makeClaims, makeKey, makeToken } from './tokens.mjs'

/** The floor: the signature alone, everything else prepared. Takes what {@link takeApart} gives. */
export function raw({ algorithm, publicKey }) {
  if (algorithm.startsWith('HS')) {
    return ({ input, signature }) => timingSafeEqual(hmac(publicKey, input), signature)
  }
  const hash = hashOf(algorithm)
  const how = { key: publicKey, ...detailsOf(algorithm) }
  return ({ input, signature }) => verify(hash, input, how, signature)
}

export function takeApart(token) {
  const end = token.lastIndexOf('.')
  return {
    input: Buffer.from(token.slice(0, end)),
    signature: Buffer.from(token.slice(end + 1), 'base64url'),
  }
}

/** @param rememberTokens how many tokens are remembered; left out, the default */
export function mcpBearer({ algorithm, secret, publicPem }, rememberTokens, more = {}) {
  const where = secret === undefined ? { publicKey: publicPem } : { secret }
  const { jwksUri, onRefused } = more
  const verifier = jwtVerifier(
    { ...(jwksUri === undefined ? where : { jwksUri }), algorithm, issuer, audience },
    {
      logger: () => {},
      ...(onRefused && { onRefused }),
      ...(rememberTokens !== undefined && { rememberTokens }),
    },
  )
  return (token) => verifier.verifyToken(token)
}

export async function jose({ algorithm, publicKey, secret, jwk }, form) {
  const key = form === 'KeyObject' ? publicKey : await importJWK(jwk ?? octetJwk(secret), algorithm)
  const options = { issuer, audience, algorithms: [algorithm], requiredClaims: ['exp'] }
  return (token) => jwtVerify(token, key, options)
}

function octetJwk(secret) {
  return { kty: 'oct', k: secret.toString('base64url') }
}

/** @param cache how many tokens are remembered */
export function fastJwt({ algorithm, secret, publicPem }, cache = false) {
  return createVerifier({
    key: secret ?? publicPem,
    algorithms: [algorithm],
    allowedIss: issuer,
    allowedAud: audience,
    requiredClaims: ['exp', 'iss', 'aud'],
    cache,
  })
}

/** `undefined` for an algorithm it does not know. */
export function jsonWebToken({ algorithm, publicKey }) {
  if (algorithm === 'EdDSA') return undefined
  const options = { issuer, audience, algorithms: [algorithm] }
  return (token) => jwt.verify(token, publicKey, options)
}

/** A benchmark of checks that are not made would be worth nothing. @throws Error naming the check that is missing */
export async function assertChecks(name, verify, key) {
  const wrong = {
    signature: makeToken({ ...makeKey(key.algorithm), algorithm: key.algorithm }, makeClaims()),
    exp: makeToken(key, makeClaims({ iat: 1_500_000_000, exp: 1_600_000_000 })),
    iss: makeToken(key, makeClaims({ iss: 'https://other.example.com/' })),
    aud: makeToken(key, makeClaims({ aud: 'https://other.example.com/mcp' })),
  }
  if (!(await passes(verify, makeToken(key, makeClaims())))) throw new Error(`${name} refuses a good token`)
  for (const [check, token] of Object.entries(wrong)) {
    if (await passes(verify, token)) throw new Error(`${name} does not check ${check}`)
  }
}

async function passes(verify, token) {
  try {
    return Boolean(await verify(token))
  } catch {
    return false
  }
}
