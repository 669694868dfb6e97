import { createHash, createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'
import { type Clock, systemClock } from '../core/clock.ts'
import { checkOptions, oneOrMany } from '../core/options.ts'
import { isScopeToken } from '../core/scopes.ts'
import { signJws } from './sign.ts'

/** What goes into a token. */
export interface CreateTokenOptions {
  /** `sub`. Default: `fastmcp-user`. */
  readonly subject?: string
  /** `iss`. Default: `https://fastmcp.example.com`. */
  readonly issuer?: string
  /** `aud`: one text, or a list. Default: no such claim. */
  readonly audience?: string | readonly string[]
  /** `scope`, written with spaces between them. Default: no such claim. */
  readonly scopes?: readonly string[]
  /** Seconds from now to `exp`. Negative for a token that has expired, for tests. Default: 3600. */
  readonly expiresInSeconds?: number
  /** More claims. They win over all others; a claim that is `undefined` here is left out of the token. */
  readonly additionalClaims?: object
  /** The `kid` header, for looking the key up in a key set. Default: the id of the key pair. */
  readonly kid?: string
}

/** A public key as it stands in a JSON Web Key Set (RFC 7517 section 4). */
export interface IssuerJwk {
  readonly kty: string
  readonly kid: string
  readonly use: 'sig'
  readonly alg: string
  readonly [member: string]: unknown
}

/** A JSON Web Key Set (RFC 7517 section 5). */
export interface IssuerJwkSet {
  readonly keys: readonly IssuerJwk[]
}

/**
 * What all key pairs share. For development and tests: a production service verifies tokens of an authorization
 * server and holds no signing key. Made by `generate` or `fromPem` of {@link RSAKeyPair}, {@link ECKeyPair} and
 * {@link Ed25519KeyPair}.
 */
export abstract class KeyPair {
  /** The public key: SPKI in PEM. */
  readonly publicKey: string
  /** The algorithm tokens are signed with, such as `RS256`. */
  readonly algorithm: string
  /** The id of the key: its thumbprint (RFC 7638). */
  readonly kid: string
  readonly #key: KeyObject
  readonly #jwk: IssuerJwk

  protected constructor(key: KeyObject, algorithm: string) {
    const publicKey = createPublicKey(key)
    this.publicKey = String(publicKey.export({ type: 'spki', format: 'pem' }))
    this.algorithm = algorithm
    this.#key = key
    const jwk = publicKey.export({ format: 'jwk' })
    this.kid = thumbprint(jwk)
    this.#jwk = Object.freeze({ ...jwk, kty: String(jwk.kty), kid: this.kid, use: 'sig', alg: algorithm })
    Object.freeze(this)
  }

  /** The private key: PKCS #8 in PEM. Not enumerable; printing or serialising the pair does not show it. */
  get privateKey(): string {
    return String(this.#key.export({ type: 'pkcs8', format: 'pem' }))
  }

  /** The public key as a JSON Web Key Set (RFC 7517), to be served at a `jwks_uri`. */
  jwks(): IssuerJwkSet {
    return { keys: [this.#jwk] }
  }

  /**
   * Signs a JWT with the claims `iss`, `sub`, `iat`, `exp`, and `aud` and `scope` when given.
   *
   * @param clock where `iat` comes from. Default: the clock of this machine
   * @throws TypeError naming the option that is unknown or of the wrong type
   */
  async createToken(options: CreateTokenOptions = {}, clock: Clock = systemClock): Promise<string> {
    const claims = claimsOf(options, Math.floor(clock() / 1000))
    return signJws(this.#key, this.algorithm, { typ: 'JWT', kid: options.kid ?? this.kid }, claims)
  }
}

/**
 * Reads a private key in PEM (PKCS #8, PKCS #1 or SEC 1).
 * @throws TypeError that does not show it
 */
export function privateKeyFromPem(owner: string, pem: unknown): KeyObject {
  try {
    return createPrivateKey(pem as string)
  } catch {
    throw new TypeError(`${owner}: privateKeyPem is not a readable private key in PEM`)
  }
}

function claimsOf(options: CreateTokenOptions, now: number): Readonly<Record<string, unknown>> {
  checkOptions('createToken', options, tokenOptionNames)
  const {
    subject = 'fastmcp-user',
    issuer = 'https://fastmcp.example.com',
    expiresInSeconds = 3600,
  } = options
  const { audience, scopes, additionalClaims = {}, kid } = options
  for (const [name, value] of Object.entries({ subject, issuer, kid: kid ?? '' })) {
    if (typeof value !== 'string') throw new TypeError(`createToken: ${name} must be a string`)
  }
  oneOrMany('createToken: audience', audience)
  if (!Number.isFinite(expiresInSeconds)) {
    throw new TypeError('createToken: expiresInSeconds must be a number of seconds')
  }
  if (scopes !== undefined && !(Array.isArray(scopes) && Array.from(scopes).every(isScope))) {
    throw new TypeError('createToken: scopes must be a list of scopes, without spaces in them')
  }
  if (typeof additionalClaims !== 'object' || additionalClaims === null || Array.isArray(additionalClaims)) {
    throw new TypeError('createToken: additionalClaims must be an object')
  }
  return {
    iss: issuer,
    sub: subject,
    aud: audience,
    scope: scopes?.join(' '),
    iat: now,
    exp: now + expiresInSeconds,
    ...additionalClaims,
  }
}

function isScope(value: unknown): boolean {
  return typeof value === 'string' && isScopeToken(value)
}

const tokenOptionNames = [
  'subject',
  'issuer',
  'audience',
  'scopes',
  'expiresInSeconds',
  'additionalClaims',
  'kid',
] as const satisfies readonly (keyof CreateTokenOptions)[]

/** RFC 7638 section 3: the SHA-256 of the required members, in alphabetical order. */
function thumbprint(jwk: Readonly<Record<string, unknown>>): string {
  const required = ['crv', 'e', 'kty', 'n', 'x', 'y'].filter((name) => Object.hasOwn(jwk, name))
  const text = JSON.stringify(Object.fromEntries(required.map((name) => [name, jwk[name]])))
  return createHash('sha256').update(text).digest('base64url')
}
