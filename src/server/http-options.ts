import { checkOptions } from '../core/options.ts'

/** How a server behaves on HTTP. */
export interface HttpOptions {
  /** `Host` values taken, as `host` or `host:port`. Default: on a loopback bind its own names, elsewhere any. */
  readonly allowedHosts?: readonly string[]
  /** `Origin` values taken, exact. Default: on a loopback bind its own, elsewhere none: web pages are refused. */
  readonly allowedOrigins?: readonly string[]
  /** Bytes of a request body. Default: 4 MiB. */
  readonly maxBodyBytes?: number
  /** Milliseconds a request body may take. Default: 30,000. */
  readonly bodyTimeoutMs?: number
  /**
   * The identifier of this server: its public URL, such as `https://mcp.example.com/mcp`, and the `aud` of its tokens.
   * With it clients find the authorization servers of `auth` (RFC 9728). Default: on a loopback bind its own URL;
   * elsewhere clients have to be told.
   */
  readonly resource?: string
  /** The scopes clients should ask for at first, which need not be those every token must have. Default: none are named. */
  readonly scopesSupported?: readonly string[]
}

const known = [
  'allowedHosts',
  'allowedOrigins',
  'maxBodyBytes',
  'bodyTimeoutMs',
  'resource',
  'scopesSupported',
] as const satisfies readonly (keyof HttpOptions)[]

/** @throws TypeError naming the option that is unknown, or set to nothing where that would switch something off */
export function checkHttpOptions(http: HttpOptions): void {
  checkOptions('MCPServer (http)', http, known)
  if ('resource' in http && http.resource === undefined) {
    throw new TypeError('MCPServer (http): resource is undefined; leave it out if clients need not find it')
  }
}
