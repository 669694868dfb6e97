import type { JwsAlgorithm } from '../../verify/algorithms.ts'
import { readUnverified } from '../../verify/compact.ts'
import type { JwtVerifierOptions } from '../../verify/index.ts'
import { own } from '../../verify/json.ts'
import { UsageError } from '../command.ts'
import { scopesOf } from '../keys/words.ts'
import type { OptionTable, ParsedWords } from '../parse-words.ts'
import { readPublicKey } from './public-key-file.ts'

/** All that have a public key. A server takes those it is told, RS256 otherwise. */
export const publicAlgorithms: readonly JwsAlgorithm[] = [
  ...(['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'] as const),
  ...(['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'] as const),
]

/** The options that say what a server takes. */
export const serverOptions = {
  'public-key': { type: 'string' },
  jwks: { type: 'string' },
  issuer: { type: 'string', multiple: true },
  audience: { type: 'string', multiple: true },
  scope: { type: 'string', multiple: true },
  algorithm: { type: 'string', multiple: true },
  'allow-private-network': { type: 'boolean' },
} as const satisfies OptionTable

/** Their lines of the help. */
export const serverOptionsHelp = `  --public-key FILE   the key that must have signed it: PEM, JWK or JWKS
  --jwks URL          where the keys of the issuer are
  --issuer URL        what iss must be; may be repeated. Without the two above, its keys are
                      found by its metadata (RFC 8414, OpenID Connect Discovery)
  --audience TEXT     what aud must hold; may be repeated, and one is enough
  --scope TEXT        what it must allow; may be repeated, or hold several
  --algorithm NAME    the algorithms to take; may be repeated. Otherwise all that have a public
                      key, and it is said when a server would have to be told
  --allow-private-network
                      fetch keys from private addresses, too`

/** What was said of a server. */
export type ServerValues = ParsedWords<typeof serverOptions>['values']

/** Whether a place for the keys of JWTs was named. @throws UsageError when two were */
export function namesKeyPlace({ 'public-key': file, jwks, issuer }: ServerValues): boolean {
  if (file !== undefined && jwks !== undefined) {
    throw new UsageError('--public-key and --jwks are two places for the key; give one')
  }
  return file !== undefined || jwks !== undefined || issuer !== undefined
}

/**
 * The options of the verifier in question.
 * @param token whose `kid` chooses among the keys of a file
 * @throws UsageError
 */
export async function verifierOptions(values: ServerValues, token: string): Promise<JwtVerifierOptions> {
  const { 'public-key': file, jwks, issuer, audience, scope, algorithm } = values
  const header = readUnverified(token)?.header ?? {}
  return {
    ...(file === undefined
      ? { jwksUri: jwks ?? 'discover' }
      : { publicKey: await readPublicKey(file, own(header, 'kid')) }),
    ...(issuer && { issuer }),
    ...(audience && { audience }),
    ...(scope && { requiredScopes: scopesOf(scope) }),
    algorithms: (algorithm as readonly JwsAlgorithm[] | undefined) ?? publicAlgorithms,
  }
}
