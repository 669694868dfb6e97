import { createPublicKey } from 'node:crypto'
import type { KeyStore } from '../../apikeys/index.ts'
import { expandHome, readSecretFile } from '../../client/stores/secret-file.ts'
import type { CompleteTokenVerifier } from '../../core/index.ts'
import {
  anyOf,
  apiKeyVerifier,
  clientSecretBasic,
  introspectionVerifier,
  type JwsAlgorithm,
  type JwtVerifierOptions,
  jwtVerifier,
  type VerifierEnvironment,
} from '../../verify/index.ts'
import { UsageError } from '../command.ts'
import { printableLine } from '../printable.ts'
import { gatewayPeppers } from './keys.ts'
import type { Settings } from './settings.ts'

type Auth = NonNullable<Settings['auth']>

/** Bytes. More is no key. */
const longestKey = 65_536

/** Whose tokens are good, in words. */
export function callersText(auth: Auth, keys: string | undefined): string[] {
  const issuers = list(auth.issuer)?.join(', ')
  const jwts = auth.jwks === undefined ? auth.publicKey : auth.jwks === 'discover' ? undefined : auth.jwks
  return [
    ...(keys === undefined ? [] : [`API keys in ${keys}`]),
    ...(auth.jwks === undefined && auth.publicKey === undefined
      ? []
      : [`JWTs${issuers ? ` of ${issuers}` : ''}${jwts ? `, keys from ${jwts}` : ''}`]),
    ...(auth.introspect ? [`tokens that ${new URL(auth.introspect.endpoint).host} knows`] : []),
  ]
}

/** Who decides whether a token is good. */
export interface GatewayVerifier {
  readonly verifier: CompleteTokenVerifier
  /** Ends all of it, and waits for what has to be written down. */
  close(): Promise<void>
}

/**
 * Makes the verifier of all that was named.
 *
 * @param store where there are API keys
 * @throws UsageError; TypeError naming the option
 */
export async function verifierOf(
  auth: Auth,
  store: KeyStore | undefined,
  environment: VerifierEnvironment,
): Promise<GatewayVerifier> {
  const scopes = auth.requiredScopes && { requiredScopes: auth.requiredScopes }
  const peppers = gatewayPeppers()
  // Keys first: they are told apart without asking anybody.
  const members: CompleteTokenVerifier[] = []
  if (store) {
    const options = { store, ...scopes, ...(peppers && { peppers }) }
    members.push(apiKeyVerifier(options, environment))
  }
  const jwts = await jwtOptions(auth)
  if (jwts) members.push(jwtVerifier({ ...jwts, ...scopes }, environment))
  if (auth.introspect) members.push(introspection(auth, environment))
  const [first, second] = members
  if (first === undefined)
    throw new UsageError('nobody may call: give --keys, --jwks, --public-key or --introspect')
  return {
    verifier: second === undefined ? first : anyOf(members, environment),
    async close() {
      await Promise.allSettled(members.map(async (member) => member.close?.()))
    },
  }
}

/**
 * How JWTs are verified; `undefined` where none are taken.
 * @throws UsageError
 */
export async function jwtOptions(auth: Auth): Promise<JwtVerifierOptions | undefined> {
  const { jwks, publicKey, issuer, audience } = auth
  if (jwks !== undefined && publicKey !== undefined) {
    throw new UsageError('--jwks and --public-key both say which key signs; give one of them')
  }
  if (jwks === undefined && publicKey === undefined) {
    const strays = [issuer && '--issuer', audience && '--audience', auth.algorithms && '--algorithm'].filter(
      Boolean,
    )
    if (strays.length > 0 && !auth.introspect) {
      throw new UsageError(
        `${strays.join(', ')} is about JWTs, and nothing says which key signs them: add --jwks discover, --jwks URL or --public-key FILE`,
      )
    }
    return undefined
  }
  const key = publicKey === undefined ? undefined : await readPublicKey(publicKey)
  const algorithms = auth.algorithms ?? (key && algorithmOf(key))
  return {
    ...(key === undefined ? { jwksUri: jwks! } : { publicKey: key }),
    ...(issuer !== undefined && { issuer }),
    ...(audience !== undefined && { audience }),
    ...(algorithms && { algorithms: algorithms as JwsAlgorithm[] }),
  }
}

async function readPublicKey(path: string): Promise<string> {
  const found = await readSecretFile(await expandHome(path), longestKey)
  if ('fault' in found) throw new UsageError(`--public-key: ${printableLine(path, 200)} ${found.fault}`)
  if (/PRIVATE KEY/.test(found.text)) {
    throw new UsageError(
      '--public-key: this is a private key; a gateway needs the public one, and must not have the other',
    )
  }
  return found.text
}

/** A key that is not RSA says by itself what it signs with. */
function algorithmOf(key: string): string[] | undefined {
  try {
    const { asymmetricKeyType, asymmetricKeyDetails } = key.trimStart().startsWith('{')
      ? createPublicKey({ key: JSON.parse(key) as Record<string, string>, format: 'jwk' })
      : createPublicKey(key)
    if (asymmetricKeyType === 'ed25519') return ['EdDSA']
    const curve = asymmetricKeyType === 'ec' ? asymmetricKeyDetails?.namedCurve : undefined
    const algorithm = curve === undefined ? undefined : curves.get(curve)
    return algorithm === undefined ? undefined : [algorithm]
  } catch {
    // The verifier says what is wrong with it.
    return undefined
  }
}

/** By OpenSSL's names (RFC 7518 section 3.4). */
const curves: ReadonlyMap<string, string> = new Map([
  ['prime256v1', 'ES256'],
  ['secp384r1', 'ES384'],
  ['secp521r1', 'ES512'],
])

function introspection(auth: Auth, environment: VerifierEnvironment): CompleteTokenVerifier {
  const { endpoint, clientId, clientSecret } = auth.introspect!
  if (clientId === undefined || clientSecret === undefined) {
    throw new UsageError('--introspect needs --introspect-client and --introspect-secret: who asks')
  }
  const { jwks, publicKey, issuer, audience, requiredScopes } = auth
  const hasJwts = jwks !== undefined || publicKey !== undefined
  return introspectionVerifier(
    {
      endpoint,
      client: clientSecretBasic(clientId, clientSecret),
      ...(audience !== undefined && { audience }),
      // Beside a key set it is the issuer of the JWTs.
      ...(issuer !== undefined && !hasJwts && { issuer }),
      ...(requiredScopes && { requiredScopes }),
      tokens: hasJwts ? 'opaque' : 'all',
    },
    environment,
  )
}

function list(value: string | readonly string[] | undefined): readonly string[] | undefined {
  return typeof value === 'string' ? [value] : value
}
