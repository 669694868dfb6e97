import { checkOptions } from '../../core/options.ts'
import type { ClientIdentity } from '../grants/client-identity.ts'
import { grantOptions, grantSource, requireClient } from '../grants/grant.ts'
import type { TokenSourceEnvironment } from '../grants/token-environment.ts'
import type { DpopProver, TokenSource } from '../token-source.ts'

/** Options of {@link clientCredentials}. */
export interface ClientCredentialsOptions {
  /**
   * The authorization server, as its metadata calls it: https, or this machine. It is the only one the credentials are
   * sent to, whatever the MCP server says, and the MCP server must list it, if it lists any (RFC 9728 section 7.6).
   */
  readonly issuer: string
  /** Its token endpoint. Default: what its metadata says (RFC 8414, OpenID Connect Discovery). */
  readonly tokenEndpoint?: string | undefined
  /** Who the client is: with a secret or a private key. */
  readonly client: ClientIdentity
  /** Scopes to ask for. Default: those the MCP server asks for in a challenge, else those it lists, else none. */
  readonly scopes?: readonly string[] | undefined
  /** What the authorization server knows the MCP server by (RFC 8707). Default: what the server calls itself, else its URL. */
  readonly resource?: string | undefined
  /** Binds the tokens to a key (RFC 9449). Default: bearer tokens. */
  readonly dpop?: DpopProver | undefined
}

/**
 * Tokens for a program of its own, without a user: `client_credentials` (RFC 6749 section 4.4; MCP extension
 * `io.modelcontextprotocol/oauth-client-credentials`). One token for each MCP server, renewed before it expires and when
 * the server refuses it; requests at the same time share one.
 *
 * @param environment see {@link TokenSourceEnvironment}; with a `store`, tokens outlive the process
 * @returns a {@link TokenSource}; its `token` throws an `AuthError` with code `token_unavailable` that carries `error`,
 *   `errorDescription` and `status` of the authorization server, or `retryAfter` when that cannot be asked now
 * @throws TypeError naming the option that is missing, unknown or wrong; never shows a secret or key
 *
 * @example
 * ```ts
 * import { Client, clientCredentials } from 'mcp-bearer/client'
 *
 * const auth = clientCredentials({
 *   issuer: 'https://idp.example.com',
 *   client: { id: 'my-agent', secret: process.env.CLIENT_SECRET! },
 *   scopes: ['files:read'],
 * })
 * const client = new Client('https://mcp.example.com/mcp', { auth })
 * ```
 */
export function clientCredentials(
  options: ClientCredentialsOptions,
  environment?: TokenSourceEnvironment,
): TokenSource {
  checkOptions(owner, options, grantOptions)
  requireClient(owner, options)
  if (!('secret' in options.client) && !('privateKey' in options.client)) {
    throw new TypeError(`${owner}: client needs a secret or a privateKey (RFC 6749 section 4.4)`)
  }
  return grantSource(owner, options, environment, {
    label: 'client credentials',
    type: 'client_credentials',
    remedy: 'Check the client at the authorization server',
    takesListedScopes: true,
    identity: async () => '',
    // A refresh token is not expected (RFC 6749 section 4.4.3), and the credentials are good without.
    acquire: async (_context, ask) => ({ ...(await ask({ fields: {} })), refreshToken: undefined }),
  })
}

const owner = 'clientCredentials'
