import { oneOrMany } from '../core/options.ts'

/** A signature algorithm a JWT may use here: RFC 7518 section 3.1, RFC 8037 section 3.1, RFC 9864 section 2.2. */
export type JwsAlgorithm =
  | 'RS256'
  | 'RS384'
  | 'RS512'
  | 'PS256'
  | 'PS384'
  | 'PS512'
  | 'ES256'
  | 'ES384'
  | 'ES512'
  | 'EdDSA'
  | 'Ed25519'
  | 'Ed448'
  | 'HS256'
  | 'HS384'
  | 'HS512'

/** What a key is, as far as algorithms care. */
export type KeyKind = 'RSA' | 'P-256' | 'P-384' | 'P-521' | 'Ed25519' | 'Ed448' | 'secret'

/** What an algorithm asks of its key, and how its signatures are checked. */
export interface AlgorithmRule {
  readonly kind: KeyKind
  /** Name of the digest for `node:crypto`; `undefined` where the algorithm brings its own. */
  readonly hash: 'sha256' | 'sha384' | 'sha512' | undefined
  /** RSASSA-PSS instead of PKCS #1 v1.5. */
  readonly pss?: true
  /** Exact length of a signature in bytes, where the algorithm fixes it. */
  readonly size?: number
}

/** All algorithms. There is no `none`, nothing with SHA-1, and no way to add one. */
export const algorithmRules: Readonly<Record<JwsAlgorithm, AlgorithmRule>> = {
  RS256: { kind: 'RSA', hash: 'sha256' },
  RS384: { kind: 'RSA', hash: 'sha384' },
  RS512: { kind: 'RSA', hash: 'sha512' },
  PS256: { kind: 'RSA', hash: 'sha256', pss: true },
  PS384: { kind: 'RSA', hash: 'sha384', pss: true },
  PS512: { kind: 'RSA', hash: 'sha512', pss: true },
  ES256: { kind: 'P-256', hash: 'sha256', size: 64 },
  ES384: { kind: 'P-384', hash: 'sha384', size: 96 },
  ES512: { kind: 'P-521', hash: 'sha512', size: 132 },
  EdDSA: { kind: 'Ed25519', hash: undefined, size: 64 },
  Ed25519: { kind: 'Ed25519', hash: undefined, size: 64 },
  Ed448: { kind: 'Ed448', hash: undefined, size: 114 },
  HS256: { kind: 'secret', hash: 'sha256', size: 32 },
  HS384: { kind: 'secret', hash: 'sha384', size: 48 },
  HS512: { kind: 'secret', hash: 'sha512', size: 64 },
}

/** The algorithms of an allow-list that a key of this kind can be used with, each with the rule that is applied then. */
export function fittingAlgorithms(
  kind: KeyKind,
  allowed: ReadonlySet<JwsAlgorithm>,
): ReadonlyMap<JwsAlgorithm, JwsAlgorithm> {
  const fitting = new Map(
    [...allowed].filter((name) => algorithmRules[name].kind === kind).map((name) => [name, name]),
  )
  // RFC 8037 section 3.1: `EdDSA` is either curve. Ed448 has to be asked for by its own name.
  if (fitting.has('Ed448') && allowed.has('EdDSA')) fitting.set('EdDSA', 'Ed448')
  return fitting
}

/**
 * Reads an allow-list of algorithms.
 * @throws TypeError when it is empty, holds an unknown name, or mixes shared secrets with public keys: whoever knows
 *   the public key could then sign with it (RFC 8725 section 3.1)
 */
export function readAlgorithms(option: string, value: unknown): ReadonlySet<JwsAlgorithm> {
  const names = oneOrMany(option, value) ?? ['RS256']
  for (const name of names) {
    if (!Object.hasOwn(algorithmRules, name)) {
      throw new TypeError(
        `${option} holds an unknown algorithm; known are ${Object.keys(algorithmRules).join(', ')}`,
      )
    }
  }
  const symmetric = names.filter((name) => name.startsWith('HS')).length
  if (symmetric !== 0 && symmetric !== names.length) {
    throw new TypeError(`${option} must not mix HS algorithms with those of public keys`)
  }
  return new Set(names as JwsAlgorithm[])
}
