import type { createPrivateKey, JsonWebKey, KeyObject } from 'node:crypto'
import { checkOptions, numberBetween } from '../core/options.ts'
import { nodeCrypto } from '../core/runtime.ts'
import { signJws } from '../issuer/sign.ts'
import { algorithmRules, type JwsAlgorithm } from './algorithms.ts'
import { type ClientAuthentication, readCredential, readText } from './client-authentication.ts'
import { isObject, type JsonObject, own } from './json.ts'
import { importJwk, type KeyFault, type VerificationKey } from './keys.ts'

/** A private key as JSON (RFC 7517). */
export interface PrivateJwk {
  readonly kty?: string | undefined
  readonly [member: string]: unknown
}

/** How a {@link privateKeyJwt} is signed. */
export interface PrivateKeyJwtOptions {
  /** PEM (PKCS #8, PKCS #1 or SEC 1; not encrypted), or a private JWK as object or JSON text. RSA of 2048 bits or more, EC on P-256, P-384 or P-521, Ed25519, Ed448. */
  readonly privateKey: string | PrivateJwk
  /** Default: the `alg` of a JWK, else what the key is for: `RS256`, `ES256`, `ES384`, `ES512`, `EdDSA` or `Ed448`. */
  readonly algorithm?: Exclude<JwsAlgorithm, `HS${string}`>
  /** The name by which the authorization server knows the key. Default: the `kid` of a JWK, else none. */
  readonly kid?: string
  /**
   * `aud`: the authorization server. Best is its issuer identifier, which no other server can have talked this one
   * into; RFC 7523 section 3 also lets it be a URL of an endpoint. Default: the URL the request goes to.
   */
  readonly audience?: string
  /** Seconds from `iat` to `exp`, 10 to 300. Default: 60. */
  readonly lifetimeInSeconds?: number
}

/**
 * `private_key_jwt`: a JWT signed with this server's own key instead of a secret (RFC 7523 section 2.2). The key stays
 * here, and each request carries a new JWT that is good for a minute. Needs `node:crypto`.
 *
 * @param clientId the id at the authorization server: `iss` and `sub` of the JWT, and `client_id` of the request
 * @throws TypeError naming the option that is missing, unknown or wrong, or saying what is wrong with the key, which it
 *   never shows; and where there is no `node:crypto`
 *
 * @example
 * ```ts
 * import { readFileSync } from 'node:fs'
 * import { introspectionVerifier, privateKeyJwt } from 'mcp-bearer/verify'
 *
 * introspectionVerifier({
 *   endpoint: 'https://idp.example.com/introspect',
 *   client: privateKeyJwt('my-server', {
 *     privateKey: readFileSync('/run/secrets/my-server.pem', 'utf8'),
 *     kid: '2026-01',
 *     audience: 'https://idp.example.com',
 *   }),
 *   audience: 'https://mcp.example.com/mcp',
 * })
 * ```
 */
export function privateKeyJwt(clientId: string, options: PrivateKeyJwtOptions): ClientAuthentication {
  if (nodeCrypto === undefined) throw new TypeError(`${owner} needs node:crypto, and this runtime has none`)
  const id = readCredential(`${owner}: clientId`, clientId)
  checkOptions(owner, options, optionNames)
  const { key, algorithm, kid } = readSigningKey(options)
  const audience = readName('audience', options)
  const { lifetimeInSeconds = 60 } = options
  const lifetime = numberBetween(`${owner}: lifetimeInSeconds`, lifetimeInSeconds, 10, 300)
  return ({ endpoint, form, clock }) => {
    const now = clock() / 1000
    const claims = {
      iss: id,
      sub: id,
      aud: audience ?? endpoint.href,
      // RFC 7523 section 3: the server may take each one once.
      jti: crypto.randomUUID(),
      iat: Math.floor(now),
      exp: Math.floor(now + lifetime),
    }
    form.set('client_id', id)
    form.set('client_assertion_type', 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer')
    form.set('client_assertion', signJws(key, algorithm, { typ: 'JWT', kid }, claims))
  }
}

const owner = 'privateKeyJwt'

const optionNames = [
  'privateKey',
  'algorithm',
  'kid',
  'audience',
  'lifetimeInSeconds',
] as const satisfies readonly (keyof PrivateKeyJwtOptions)[]

/** A name that, when it is not given, has a default: but not when a variable was not set. */
function readName(name: 'kid' | 'audience', options: PrivateKeyJwtOptions): string | undefined {
  return name in options ? readCredential(`${owner}: ${name}`, options[name]) : undefined
}

interface SigningKey {
  readonly key: KeyObject
  readonly algorithm: JwsAlgorithm
  readonly kid: string | undefined
}

function readSigningKey(options: PrivateKeyJwtOptions): SigningKey {
  const { key, jwk } = readPrivateKey(options.privateKey)
  const judged = judge(key, jwk)
  if (typeof judged === 'string') throw new TypeError(`${owner}: privateKey ${complaints[judged]}`)
  // Names of `algorithmRules`, in its order: the usual one of a kind of key comes first.
  const fitting = [...judged.checks.keys()] as JwsAlgorithm[]
  const algorithm = fitting.find((name) => name === (options.algorithm ?? fitting[0]))
  if (algorithm === undefined) {
    throw new TypeError(`${owner}: algorithm must fit privateKey: ${fitting.join(' or ')}`)
  }
  return { key, algorithm, kid: readName('kid', options) ?? judged.kid }
}

/**
 * What a private key may be used for, its public half may be used for: the rules for keys stand in one place,
 * {@link importJwk}.
 */
function judge(key: KeyObject, jwk: JsonObject): VerificationKey | KeyFault {
  const operations = own(jwk, 'key_ops')
  if (operations !== undefined && !(Array.isArray(operations) && operations.includes('sign'))) return 'use'
  const publicJwk = publicJwkOf(key)
  if (publicJwk === undefined) return 'unsupported'
  const labels = { kid: own(jwk, 'kid'), use: own(jwk, 'use'), alg: own(jwk, 'alg') }
  return importJwk({ ...publicJwk, ...labels }, everyAlgorithm)
}

const everyAlgorithm: ReadonlySet<JwsAlgorithm> = new Set(Object.keys(algorithmRules) as JwsAlgorithm[])

function publicJwkOf(key: KeyObject): JsonWebKey | undefined {
  try {
    return nodeCrypto?.createPublicKey(key).export({ format: 'jwk' })
  } catch {
    // DSA and others have no form as JWK, and no JWS algorithm.
    return undefined
  }
}

function readPrivateKey(value: unknown): { readonly key: KeyObject; readonly jwk: JsonObject } {
  if (isObject(value)) return { key: importKey({ key: value as JsonWebKey, format: 'jwk' }), jwk: value }
  const text = readText(`${owner}: privateKey`, value)
  if (text.trim().startsWith('{')) return readPrivateKey(parseJwk(text))
  // Indented in source code, or with \n spelt out in an environment variable: both are common, neither is ambiguous.
  const pem = text.replaceAll('\\n', '\n').replace(/^[ \t]+/gm, '')
  if (pem.split(/-----BEGIN (?:\w+ )?PRIVATE KEY-----/).length !== 2) throw unreadable()
  return { key: importKey(pem), jwk: {} }
}

function parseJwk(text: string): JsonObject {
  try {
    const jwk: unknown = JSON.parse(text)
    if (isObject(jwk)) return jwk
  } catch {
    // The parser's message would quote the text.
  }
  throw unreadable()
}

function importKey(input: Parameters<typeof createPrivateKey>[0]): KeyObject {
  try {
    const key = nodeCrypto?.createPrivateKey(input)
    if (key !== undefined) return key
  } catch {
    // Not as a cause: the message may quote the key.
  }
  throw unreadable()
}

function unreadable(): TypeError {
  return new TypeError(`${owner}: privateKey ${unusable}`)
}

const unusable =
  'must be one readable private key: PEM (PKCS #8, PKCS #1 or SEC 1), not encrypted, or a private JWK'

/** What a person is told; the key itself is never shown. */
const complaints: Readonly<Record<KeyFault, string>> = {
  private: unusable,
  malformed: unusable,
  unsupported: 'has a type that is not supported: use RSA, EC on P-256, P-384 or P-521, Ed25519 or Ed448',
  weak: 'is too weak: RSA keys need at least 2048 bits, and an exponent of 3 or more',
  use: 'is not meant for signing: its "use" or "key_ops" says so',
  algorithm: 'is bound by its "alg" to an algorithm that does not fit it',
}
