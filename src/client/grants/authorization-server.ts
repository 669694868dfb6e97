import { type Clock, redact } from '../../core/index.ts'
import { isLoopbackHost } from '../../core/options.ts'
import { issuerMetadata, namedPlace, type Place, statedPlace } from '../../verify/discovery.ts'
import { type JsonObject, own } from '../../verify/json.ts'
import { conceal } from '../fetch/secrets.ts'
import type { TokenWorld } from './token-environment.ts'

/** An authorization server, pinned by its issuer identifier (RFC 8414 section 2). */
export interface AuthorizationServer {
  readonly issuer: string
  /**
   * Where tokens are asked for, and what the server says of itself.
   * @throws Error when that cannot be found out; what was thrown by the network, or a sentence about the metadata
   */
  locate(): Promise<TokenPlace>
  /** A request failed: the endpoint may have moved. */
  forget(): void
}

/** A token endpoint. */
export interface TokenPlace extends Place {
  /** `undefined` when the metadata does not say, or there is none. */
  readonly authMethods: readonly string[] | undefined
  readonly grantTypes: readonly string[] | undefined
  readonly grantProfiles: readonly string[] | undefined
}

/** Which authorization server. */
export interface AuthorizationServerOptions {
  readonly issuer: string
  readonly tokenEndpoint?: string | undefined
}

/** Milliseconds metadata is believed: methods and endpoints change, seldom. */
const metadataAge = 3_600_000

/**
 * Reads which authorization server is meant. It is what the operator wrote and nothing a server said, so that no MCP
 * server can name one that is to get the credentials of the client (RFC 9728 section 7.6). Its metadata is looked for
 * where the MCP authorization specification says ("Authorization Server Metadata Discovery"), must name the very
 * issuer, and is not needed with a token endpoint.
 *
 * @throws TypeError naming the option that must not be reached or is no URL
 */
export function authorizationServer(
  owner: string,
  { issuer, tokenEndpoint }: AuthorizationServerOptions,
  world: TokenWorld,
): AuthorizationServer {
  const home = statedPlace(`${owner}: issuer`, issuer, world)
  if (typeof issuer !== 'string' || /[?#]/.test(issuer)) {
    throw new TypeError(`${owner}: issuer must be a URL without query and fragment (RFC 8414 section 2)`)
  }
  if (tokenEndpoint !== undefined) {
    const place = { ...statedPlace(`${owner}: tokenEndpoint`, tokenEndpoint, world), ...silent }
    return { issuer, locate: async () => place, forget() {} }
  }
  return { issuer, ...remembered(() => discover(issuer, home, world), world.clock) }
}

const silent = { authMethods: undefined, grantTypes: undefined, grantProfiles: undefined }

/** Asks once for many, and again after an hour. */
function remembered(ask: () => Promise<TokenPlace>, clock: Clock): Omit<AuthorizationServer, 'issuer'> {
  let found: { readonly at: number; readonly place: Promise<TokenPlace> } | undefined
  return {
    locate() {
      const isFresh = found !== undefined && Math.abs(clock() - found.at) < metadataAge
      if (found !== undefined && isFresh) return found.place
      const asked = { at: clock(), place: ask() }
      found = asked
      asked.place.catch(() => {
        if (found === asked) found = undefined
      })
      return asked.place
    },
    forget() {
      found = undefined
    },
  }
}

async function discover(issuer: string, home: Place, world: TokenWorld): Promise<TokenPlace> {
  const metadata = await issuerMetadata(issuer, home, { milliseconds: world.timeout })
  // An issuer on this machine may name another port of it; nobody from outside may.
  const elsewhere = { loopback: isLoopbackHost(home.url.hostname), privateNetwork: false }
  return {
    ...namedPlace('token_endpoint', metadata, home, world, elsewhere),
    authMethods: namesIn(metadata, 'token_endpoint_auth_methods_supported'),
    grantTypes: namesIn(metadata, 'grant_types_supported'),
    grantProfiles: namesIn(metadata, 'authorization_grant_profiles_supported'),
  }
}

function namesIn(metadata: JsonObject, member: string): readonly string[] | undefined {
  const list = own(metadata, member)
  if (list === undefined || list === null) return undefined
  if (Array.isArray(list)) return list.filter((name) => typeof name === 'string')
  throw new Error(`the ${member} of the metadata is no list`)
}

/** Why something failed, in words that may be shown: those of a `fetch` of somebody else's may hold what was sent. */
export function reasonOf(error: unknown, secrets: readonly string[] = []): string {
  const texts = [error, error instanceof Error ? error.cause : undefined].flatMap((one) =>
    one instanceof Error && one.message !== '' ? [one.message] : [],
  )
  const words = conceal([...new Set(texts)].join(': ').slice(0, 65_536), secrets)
  return redact(words).slice(0, 500) || 'no reason given'
}
