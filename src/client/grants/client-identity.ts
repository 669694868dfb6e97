import { checkOptions } from '../../core/options.ts'
import type { JwsAlgorithm } from '../../verify/algorithms.ts'
import {
  type ClientAuthentication,
  clientSecretBasic,
  clientSecretPost,
  readCredential,
} from '../../verify/client-authentication.ts'
import { type PrivateJwk, privateKeyJwt } from '../../verify/private-key-jwt.ts'

/**
 * Who a client is at an authorization server (RFC 6749 section 2): an id with a secret, with a private key, or with
 * neither, which is a public client.
 */
export interface ClientIdentity {
  readonly id: string
  /**
   * Sent as `client_secret_basic`, or as `client_secret_post` where the metadata of the server lists only that (RFC 6749
   * section 2.3.1). Never both a secret and a key.
   */
  readonly secret?: string | undefined
  /** Signs a `private_key_jwt` for each request (RFC 7523 section 2.2): PEM, or a private JWK. Needs `node:crypto`. */
  readonly privateKey?: string | PrivateJwk | undefined
  /** Of the key. Default: the `alg` of a JWK, else what the key is for: `RS256`, `ES256`, `EdDSA`, … */
  readonly algorithm?: Exclude<JwsAlgorithm, `HS${string}`> | undefined
  /** The name by which the authorization server knows the key. Default: the `kid` of a JWK, else none. */
  readonly kid?: string | undefined
  /** `aud` of the `private_key_jwt`. Default: the issuer, as RFC 7523 in its revised form wants it. */
  readonly audience?: string | undefined
}

/** A {@link ClientIdentity} that was read; its secret is inside functions and shows nowhere. */
export interface TokenClient {
  readonly id: string
  /** How it says who it is, for each method of RFC 8414 section 2 it is able to, the best one first. */
  readonly methods: ReadonlyMap<string, ClientAuthentication>
  /** What the answers of a server must not repeat into messages. */
  readonly secrets: () => readonly string[]
}

const names = ['id', 'secret', 'privateKey', 'algorithm', 'kid', 'audience'] as const

/**
 * @param option how errors call it
 * @param issuer the audience of a `private_key_jwt` that names none
 * @throws TypeError naming what is missing, unknown or wrong; never shows a secret or key
 */
export function readClient(option: string, identity: unknown, issuer: string): TokenClient {
  checkOptions(option, identity, names)
  const given = identity as ClientIdentity
  const id = readCredential(`${option}.id`, given.id)
  if ('secret' in given && 'privateKey' in given) {
    throw new TypeError(`${option}: give either a secret or a privateKey, not both`)
  }
  if ('privateKey' in given) {
    const { privateKey, algorithm, kid, audience = issuer } = given
    const key = keyOf(`${option}.privateKey`, privateKey)
    const sign = privateKeyJwt(id, {
      privateKey: key,
      audience,
      ...(algorithm !== undefined && { algorithm }),
      ...(kid !== undefined && { kid }),
    })
    return frozen(id, [['private_key_jwt', sign]])
  }
  for (const name of ['algorithm', 'kid', 'audience'] as const) {
    if (given[name] !== undefined) throw new TypeError(`${option}: ${name} goes with a privateKey only`)
  }
  if (!('secret' in given)) return frozen(id, [['none', ({ form }) => form.set('client_id', id)]])
  const secret = readCredential(`${option}.secret`, given.secret)
  return frozen(
    id,
    [
      ['client_secret_basic', clientSecretBasic(id, secret)],
      ['client_secret_post', clientSecretPost(id, secret)],
    ],
    [secret],
  )
}

function keyOf(option: string, value: unknown): string | PrivateJwk {
  return typeof value === 'object' && value !== null ? (value as PrivateJwk) : readText(option, value)
}

function readText(option: string, value: unknown): string {
  if (typeof value === 'string' && value !== '') return value
  throw new TypeError(`${option} is empty or not set; set the environment variable it is read from`)
}

function frozen(
  id: string,
  methods: readonly (readonly [string, ClientAuthentication])[],
  secrets: readonly string[] = [],
): TokenClient {
  return Object.freeze({ id, methods: new Map(methods), secrets: () => secrets })
}
