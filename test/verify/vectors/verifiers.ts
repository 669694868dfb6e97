import type { JwtVerifierOptions } from 'mcp-bearer/verify'
import { audience, issuer } from '../forge.ts'
import { keySets } from './key-sets.ts'
import { ed448, ed25519, p256, p384, p521, pem, publicJwk, rsa, secret } from './material.ts'
import { providerVerifiers } from './providers.ts'

/** A verifier as it is set up, and a few words about it for the table. */
export interface Setup {
  readonly about: string
  readonly options: JwtVerifierOptions
}

const names = { issuer, audience }
const rs256 = { publicKey: publicJwk(rsa), ...names }
/** A verifier of the RSA key with rules of its own. */
const ruled = (rules: JwtVerifierOptions['rules']): JwtVerifierOptions => ({ ...rs256, rules: rules ?? {} })

const byAlgorithm = {
  rs256: { about: 'an RSA key, everything else by default', options: rs256 },
  pem: { about: 'the same key as PEM', options: { publicKey: pem, ...names } },
  rs384: { about: 'the RSA key, RS384', options: { ...rs256, algorithm: 'RS384' } },
  rs512: { about: 'the RSA key, RS512', options: { ...rs256, algorithm: 'RS512' } },
  ps256: { about: 'the RSA key, PS256', options: { ...rs256, algorithm: 'PS256' } },
  ps384: { about: 'the RSA key, PS384', options: { ...rs256, algorithm: 'PS384' } },
  ps512: { about: 'the RSA key, PS512', options: { ...rs256, algorithm: 'PS512' } },
  es256: {
    about: 'a P-256 key, ES256',
    options: { publicKey: publicJwk(p256), algorithm: 'ES256', ...names },
  },
  es384: {
    about: 'a P-384 key, ES384',
    options: { publicKey: publicJwk(p384), algorithm: 'ES384', ...names },
  },
  es512: {
    about: 'a P-521 key, ES512',
    options: { publicKey: publicJwk(p521), algorithm: 'ES512', ...names },
  },
  eddsa: {
    about: 'an Ed25519 key, EdDSA',
    options: { publicKey: publicJwk(ed25519), algorithm: 'EdDSA', ...names },
  },
  ed25519: {
    about: 'an Ed25519 key, Ed25519',
    options: { publicKey: publicJwk(ed25519), algorithm: 'Ed25519', ...names },
  },
  ed448: {
    about: 'an Ed448 key, Ed448',
    options: { publicKey: publicJwk(ed448), algorithm: 'Ed448', ...names },
  },
  'eddsa-448': {
    about: 'an Ed448 key, EdDSA and Ed448',
    options: { publicKey: publicJwk(ed448), algorithms: ['EdDSA', 'Ed448'], ...names },
  },
  hs256: { about: 'a shared secret, HS256', options: { secret, algorithm: 'HS256', ...names } },
  hs384: { about: 'a shared secret, HS384', options: { secret, algorithm: 'HS384', ...names } },
  hs512: { about: 'a shared secret, HS512', options: { secret, algorithm: 'HS512', ...names } },
  'rs256-ps256': {
    about: 'the RSA key, RS256 and PS256',
    options: { ...rs256, algorithms: ['RS256', 'PS256'] },
  },
  'many-algorithms': {
    about: 'the RSA key, RS256, ES256 and EdDSA',
    options: { ...rs256, algorithms: ['RS256', 'ES256', 'EdDSA'] },
  },
} as const satisfies Readonly<Record<string, Setup>>

const [jwksUri, oneOfEach, two, empty] = Object.keys(keySets) as [string, string, string, string]
const byKeySet = {
  jwks: {
    about: 'a key set with good and odd keys; RS256, PS256, ES256, EdDSA',
    options: { jwksUri, algorithms: ['RS256', 'PS256', 'ES256', 'EdDSA'], ...names },
  },
  'jwks-448': {
    about: 'the same key set; EdDSA, Ed448',
    options: { jwksUri, algorithms: ['EdDSA', 'Ed448'], ...names },
  },
  'jwks-one-of-each': {
    about: 'a key set with one RSA and one EC key',
    options: { jwksUri: oneOfEach, algorithms: ['RS256', 'ES256'], ...names },
  },
  'jwks-two': { about: 'a key set with two RSA keys', options: { jwksUri: two, ...names } },
  'jwks-empty': { about: 'a key set without keys', options: { jwksUri: empty, ...names } },
} as const satisfies Readonly<Record<string, Setup>>

const { publicKey } = rs256
const byRules = {
  open: { about: 'the RSA key, neither issuer nor audience', options: { publicKey } },
  'no-audience': { about: 'the RSA key, no audience', options: { publicKey, issuer } },
  'no-issuer': { about: 'the RSA key, no issuer', options: { publicKey, audience } },
  'two-issuers': {
    about: 'two issuers',
    options: { ...rs256, issuer: [issuer, 'https://as.example.com/other'] },
  },
  'two-audiences': {
    about: 'an audience with and without slash',
    options: { ...rs256, audience: ['https://mcp.example.com', 'https://mcp.example.com/'] },
  },
  'skew-0': { about: 'a clock skew of 0', options: { ...rs256, clockSkew: 0 } },
  'skew-300': { about: 'a clock skew of 300 seconds', options: { ...rs256, clockSkew: 300 } },
  'scope-needed': {
    about: 'a scope that every token needs',
    options: { ...rs256, requiredScopes: ['mcp:admin'] },
  },
  'exp-optional': { about: 'rules.allowMissingExp', options: ruled({ allowMissingExp: true }) },
  'max-age': { about: 'rules.maxTokenAge of 600 seconds', options: ruled({ maxTokenAge: 600 }) },
  'max-age-exp-optional': {
    about: 'rules.maxTokenAge of 600 seconds and rules.allowMissingExp',
    options: ruled({ maxTokenAge: 600, allowMissingExp: true }),
  },
  rfc9068: { about: "rules.profile 'rfc9068'", options: ruled({ profile: 'rfc9068' }) },
  'own-type': { about: "rules.types ['vnd.example+jwt']", options: ruled({ types: ['vnd.example+jwt'] }) },
  'scopes-from-permissions': {
    about: 'rules.scopesFrom reads permissions',
    options: ruled({ scopesFrom: (claims) => claims.permissions }),
  },
  tenant: {
    about: 'rules.validate asks for one tenant',
    options: ruled({ validate: ({ tid }) => tid === 'tenant-1' }),
  },
} as const satisfies Readonly<Record<string, Setup>>

/** Every verifier that vectors are shown to. */
const verifiers = { ...byAlgorithm, ...byKeySet, ...byRules, ...providerVerifiers }

export type VerifierName = keyof typeof verifiers

export const verifierSetups: Readonly<Record<VerifierName, Setup>> = verifiers

/**
 * Makes each verifier. Those with a `jwksUri` need the `fetch` that is handed along: it answers with the key set, and
 * throws for any other URL, so that nothing a token says is ever fetched.
 */
export function prepareVerifiers<Verifier>(
  make: (options: JwtVerifierOptions, fetch: typeof globalThis.fetch) => Verifier,
): Readonly<Record<VerifierName, Verifier>> {
  const made = Object.entries(verifierSetups).map(([name, { options }]) => [
    name,
    make(options, keySetFetch(options.jwksUri)),
  ])
  return Object.fromEntries(made) as Record<VerifierName, Verifier>
}

function keySetFetch(jwksUri: string | URL | undefined): typeof globalThis.fetch {
  return async (input) => {
    const answer = input === jwksUri ? keySets[String(jwksUri)] : undefined
    if (answer === undefined) throw new Error('a verifier asked for what it has no business with')
    return Response.json(answer)
  }
}
