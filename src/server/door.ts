import type { Clock, Logger, TokenVerifier } from '../core/index.ts'
import { type BearerGate, bearerGate } from '../http/gate.ts'
import type { RequestHead } from '../http/head.ts'
import { loopbackOrigins, type OriginPolicy, originPolicy } from '../http/origin.ts'
import { type RefusalWriter, refusalWriter } from '../http/refusal.ts'
import { isIssuerIdentifier, type ResourceMetadata, resourceMetadata } from '../http/resource-metadata.ts'
import type { HttpOptions } from './http-options.ts'
import { hostnameOf, type ListenAddress } from './listen.ts'

/** Who may pass, and how the time is told. */
export interface Admission {
  readonly auth?: TokenVerifier
  readonly scopeHierarchy?: Readonly<Record<string, readonly string[]>>
  readonly clock: Clock
}

/** What stands in front of the protocol: from where, under which names, and with which tokens it is reached. */
export interface Door {
  readonly origins: OriginPolicy
  /** `undefined` for a server that asks for nobody. */
  readonly gate: BearerGate | undefined
  readonly refuse: RefusalWriter
  /** `undefined` unless there is an authorization server, and it is known what this server is called. */
  readonly metadata: ResourceMetadata | undefined
  /** Whether a request names a host it may; what it says of its origin is not looked at. */
  isHostAllowed(head: RequestHead): boolean
}

/** The doors of one server: they differ in the names it has. */
export interface Doors {
  /** For a server that somebody else listens for, and one that is bound to a public address. */
  readonly anywhere: Door
  /** A server bound to this machine is reached by this machine's names only (DNS rebinding), and by those it is told. */
  onLoopback(address: ListenAddress, port: number): Door
}

/**
 * @param owner whose doors they are, as messages call it. Default: `MCPServer`
 * @throws TypeError naming the option that is wrong
 */
export function doorsOf(admission: Admission, http: HttpOptions, logger: Logger, owner = 'MCPServer'): Doors {
  const { auth, scopeHierarchy, clock } = admission
  const { apiKeyHeader } = http
  const servers = auth?.authorizationServers ?? []
  checkResource(owner, http, servers)
  const sharedHeader = { ...(apiKeyHeader !== undefined && { apiKeyHeader }) }

  function door(resource: string | undefined, hosts: Names, origins: Names): Door {
    const { scopesSupported } = http
    const metadata =
      resource === undefined || servers.length === 0
        ? undefined
        : resourceMetadata({
            resource,
            authorizationServers: servers,
            ...(scopesSupported && { scopesSupported }),
          })
    const gate =
      auth &&
      bearerGate({
        verifier: auth,
        logger,
        clock,
        enforcesTools: true,
        ...sharedHeader,
        ...(http.trustProxy !== undefined && { trustProxy: http.trustProxy }),
        ...(scopeHierarchy && { scopeHierarchy }),
        ...(metadata && { resourceMetadata: metadata.url }),
      })
    const named = originPolicy({ ...(hosts && { allowedHosts: hosts }) })
    return {
      metadata,
      gate,
      refuse: gate?.refuse ?? refusalWriter({ realm: 'mcp' }),
      origins: originPolicy({
        ...sharedHeader,
        ...(hosts && { allowedHosts: hosts }),
        ...(origins && { allowedOrigins: origins }),
      }),
      isHostAllowed: (head) => named.check(withoutOrigin(head)) === 'ok',
    }
  }

  return {
    anywhere: door(http.resource, http.allowedHosts, http.allowedOrigins),
    onLoopback({ host, path }, port) {
      const own = loopbackOrigins(port)
      const name = `${hostnameOf(host)}:${port}`
      const hosts = [...own.allowedHosts, name, ...(http.allowedHosts ?? [])]
      const origins = [...own.allowedOrigins, ...(http.allowedOrigins ?? [])]
      // For development: nobody else reaches it, so its own URL is its name. Nobody asked for it, so it must not fail.
      const ownUrl = servers.every(isIssuerIdentifier) ? `http://${name}${path}` : undefined
      return door(http.resource ?? ownUrl, hosts, origins)
    },
  }
}

type Names = readonly string[] | undefined

function withoutOrigin(head: RequestHead): RequestHead {
  const { method, url } = head
  return { method, url, header: (name) => (name === 'origin' ? [] : head.header(name)) }
}

/** An option that is set and does nothing would be a server that clients cannot sign in to. */
function checkResource(
  owner: string,
  { resource, scopesSupported }: HttpOptions,
  servers: readonly string[],
): void {
  if (servers.length > 0) return
  for (const [name, value] of Object.entries({ resource, scopesSupported })) {
    if (value === undefined) continue
    throw new TypeError(
      `${owner} (http): ${name} has no effect: auth names no authorization server (issuer together with jwksUri does)`,
    )
  }
}
