import { checkOptions } from '../../core/options.ts'
import type { ClientIdentity } from '../grants/client-identity.ts'
import { askedFrom, grantOptions, grantSource, requireFunction } from '../grants/grant.ts'
import type { TokenSourceEnvironment } from '../grants/token-environment.ts'
import type { DpopProver, TokenSource } from '../token-source.ts'

/** Options of {@link workloadIdentity}. */
export interface WorkloadIdentityOptions {
  /** The authorization server, as its metadata calls it. The assertion is sent nowhere else. */
  readonly issuer: string
  /** Its token endpoint. Default: what its metadata says (RFC 8414, OpenID Connect Discovery). */
  readonly tokenEndpoint?: string | undefined
  /** Who the client is, where the authorization server wants to know besides. Default: the assertion says it all. */
  readonly client?: ClientIdentity | undefined
  /**
   * Gives a JWT of the platform: a projected token of Kubernetes, one of GitHub Actions. Asked each time, so that it
   * reads the newest.
   *
   * @param audience the issuer: what `aud` of the JWT should be. Some servers want the URL of their token endpoint
   */
  readonly assertion: (audience: string) => string | Promise<string>
  /** Scopes to ask for. Default: those the MCP server asks for in a challenge, else those it lists, else none. */
  readonly scopes?: readonly string[] | undefined
  /** What the authorization server knows the MCP server by (RFC 8707). Default: what the server calls itself, else its URL. */
  readonly resource?: string | undefined
  /** Binds the tokens to a key (RFC 9449). Default: bearer tokens. */
  readonly dpop?: DpopProver | undefined
}

/**
 * Tokens for a workload that its platform vouches for, without a secret: a JWT as authorization grant (RFC 7523 section
 * 2.1). **Experimental**: the MCP extension `io.modelcontextprotocol/auth/wif` (SEP-1933) is a draft. An assertion that
 * has expired is not sent, and none is sent again after it was refused.
 *
 * @param environment see {@link TokenSourceEnvironment}; its `store` is not used
 * @returns a {@link TokenSource}; its `token` throws an `AuthError` with code `token_unavailable`
 * @throws TypeError naming the option that is missing, unknown or wrong; never shows a secret or key
 *
 * @example
 * ```ts
 * import { readFile } from 'node:fs/promises'
 * import { Client, workloadIdentity } from 'mcp-bearer/client'
 *
 * const auth = workloadIdentity({
 *   issuer: 'https://idp.example.com',
 *   assertion: () => readFile('/var/run/secrets/tokens/mcp', 'utf8'),
 * })
 * const client = new Client('https://mcp.example.com/mcp', { auth })
 * ```
 */
export function workloadIdentity(
  options: WorkloadIdentityOptions,
  environment?: TokenSourceEnvironment,
): TokenSource {
  checkOptions(owner, options, [...grantOptions, 'assertion'])
  const { issuer, assertion } = options
  requireFunction(`${owner}: assertion`, assertion)
  return grantSource(owner, options, environment, {
    label: 'workload identity',
    type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
    remedy: 'Check the assertion: its issuer, audience, subject and expiry',
    takesListedScopes: true,
    async acquire({ need, world }, ask) {
      const jwt = await askedFrom('assertion', () => assertion(issuer), need.server, world.clock)
      return { ...(await ask({ fields: { assertion: jwt } })), refreshToken: undefined }
    },
  })
}

const owner = 'workloadIdentity'
