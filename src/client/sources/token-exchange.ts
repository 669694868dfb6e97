import { checkOptions } from '../../core/options.ts'
import { readCredential } from '../../verify/client-authentication.ts'
import type { ClientIdentity } from '../grants/client-identity.ts'
import { askedFrom, grantOptions, grantSource, requireFunction, tokenTypeName } from '../grants/grant.ts'
import type { TokenSourceEnvironment } from '../grants/token-environment.ts'
import { noToken } from '../grants/token-failure.ts'
import type { DpopProver, TokenSource } from '../token-source.ts'

/** Options of {@link tokenExchange}. */
export interface TokenExchangeOptions {
  /** The authorization server, as its metadata calls it. Subject token and credentials are sent nowhere else. */
  readonly issuer: string
  /** Its token endpoint. Default: what its metadata says (RFC 8414, OpenID Connect Discovery). */
  readonly tokenEndpoint?: string | undefined
  /** Who the client is. Default: the server does not ask. */
  readonly client?: ClientIdentity | undefined
  /** Gives the token that is exchanged: whom the new one is about. Asked each time. */
  readonly subjectToken: () => string | Promise<string>
  /** What it is (RFC 8693 section 3). Default: `urn:ietf:params:oauth:token-type:access_token`. */
  readonly subjectTokenType?: string | undefined
  /** What to get; it is sent to the MCP server as it is. Default: what the authorization server gives. */
  readonly requestedTokenType?: string | undefined
  /** A name of the MCP server at the authorization server, besides `resource`. Default: none. */
  readonly audience?: string | undefined
  /** Scopes to ask for. Default: those the MCP server asks for in a challenge, else those it lists, else none. */
  readonly scopes?: readonly string[] | undefined
  /** What the authorization server knows the MCP server by (RFC 8707). Default: what the server calls itself, else its URL. */
  readonly resource?: string | undefined
  /** Binds the tokens to a key (RFC 9449). Default: bearer tokens. */
  readonly dpop?: DpopProver | undefined
}

/**
 * Another token for the same subject: `token-exchange` (RFC 8693). For a service that acts for its caller at an MCP
 * server: the caller's token is exchanged for one that is meant for that server, and never passed through (MCP security
 * best practices, "Token Passthrough"). One source for each caller.
 *
 * @param environment see {@link TokenSourceEnvironment}; its `store` is not used
 * @returns a {@link TokenSource}; its `token` throws an `AuthError` with code `token_unavailable`
 * @throws TypeError naming the option that is missing, unknown or wrong; never shows a secret or key
 *
 * @example
 * ```ts
 * import { Client, tokenExchange } from 'mcp-bearer/client'
 *
 * const clientFor = (subjectToken: () => Promise<string>) => {
 *   const client = { id: 'my-service', secret: process.env.CLIENT_SECRET! }
 *   const auth = tokenExchange({ issuer: 'https://idp.example.com', client, subjectToken })
 *   return new Client('https://mcp.example.com/mcp', { auth })
 * }
 * ```
 */
export function tokenExchange(
  options: TokenExchangeOptions,
  environment?: TokenSourceEnvironment,
): TokenSource {
  checkOptions(owner, options, names)
  const { subjectToken, audience } = options
  requireFunction(`${owner}: subjectToken`, subjectToken)
  const subjectTokenType = tokenTypeName(
    `${owner}: subjectTokenType`,
    options.subjectTokenType ?? accessToken,
  )
  const requestedTokenType =
    options.requestedTokenType === undefined
      ? undefined
      : tokenTypeName(`${owner}: requestedTokenType`, options.requestedTokenType)
  if (audience !== undefined) readCredential(`${owner}: audience`, audience)
  // What grantSource reads is read by name; what is of this grant only goes no further.
  return grantSource(owner, options, environment, {
    label: 'token exchange',
    type: 'urn:ietf:params:oauth:grant-type:token-exchange',
    remedy: 'Check the subject token: its type, audience and expiry',
    takesListedScopes: true,
    async acquire({ need, world }, ask) {
      const subject = await askedFrom('subjectToken', subjectToken, need.server, world.clock)
      const fields = {
        subject_token: subject,
        subject_token_type: subjectTokenType,
        requested_token_type: requestedTokenType,
        audience,
      }
      const answer = await ask({ fields })
      if (requestedTokenType !== undefined && answer.issuedTokenType !== requestedTokenType) {
        const words = 'the authorization server gave a token of another type than requestedTokenType.'
        throw noToken(need.server, words)
      }
      return { ...answer, refreshToken: undefined }
    },
  })
}

const owner = 'tokenExchange'
const accessToken = 'urn:ietf:params:oauth:token-type:access_token'
const names = [
  ...grantOptions,
  'subjectToken',
  'subjectTokenType',
  'requestedTokenType',
  'audience',
] as const satisfies readonly (keyof TokenExchangeOptions)[]
