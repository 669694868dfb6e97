import { AuthError } from '../../core/index.ts'
import { checkOptions } from '../../core/options.ts'
import { readUnverified } from '../../verify/compact.ts'
import { own } from '../../verify/json.ts'
import { authorizationServer } from '../grants/authorization-server.ts'
import { type ClientIdentity, readClient } from '../grants/client-identity.ts'
import {
  askedFrom,
  expiryOf,
  type GrantContext,
  grantOptions,
  grantSource,
  requireClient,
  requireFunction,
  tokenTypeName,
} from '../grants/grant.ts'
import type { TokenAnswer } from '../grants/token-answer.ts'
import { tokenEndpoint } from '../grants/token-endpoint.ts'
import { readTokenEnvironment, type TokenSourceEnvironment } from '../grants/token-environment.ts'
import { noToken } from '../grants/token-failure.ts'
import type { DpopProver, TokenSource } from '../token-source.ts'

/** The identity provider of an enterprise: where its people log in. */
export interface IdentityProvider {
  /** As its metadata calls it. Either this or `tokenEndpoint` must be there. */
  readonly issuer?: string | undefined
  /** Its token endpoint. Default: what its metadata says. */
  readonly tokenEndpoint?: string | undefined
  /** Who the client is there. */
  readonly client: ClientIdentity
  /** Gives the token of the user who has logged in there: an ID token. Asked each time. */
  readonly subjectToken: () => string | Promise<string>
  /** What that is (RFC 8693 section 3). Default: `urn:ietf:params:oauth:token-type:id_token`. */
  readonly subjectTokenType?: string | undefined
}

/** Options of {@link enterpriseManaged}. */
export interface EnterpriseManagedOptions {
  /** Where the user has logged in. */
  readonly identityProvider: IdentityProvider
  /** The authorization server of the MCP server, as its metadata calls it. */
  readonly issuer: string
  /** Its token endpoint. Default: what its metadata says (RFC 8414, OpenID Connect Discovery). */
  readonly tokenEndpoint?: string | undefined
  /** Who the client is at the authorization server of the MCP server. */
  readonly client: ClientIdentity
  /** Scopes to ask for. Default: those the MCP server asks for in a challenge, else those it lists, else none. */
  readonly scopes?: readonly string[] | undefined
  /** What both servers know the MCP server by (RFC 8707). Default: what the server calls itself, else its URL. */
  readonly resource?: string | undefined
  /** Binds the access tokens to a key (RFC 9449). Default: bearer tokens. */
  readonly dpop?: DpopProver | undefined
}

/**
 * Tokens an enterprise decides on (MCP extension `io.modelcontextprotocol/enterprise-managed-authorization`): the identity
 * provider exchanges the token of the user for an identity assertion (ID-JAG), and the authorization server of the MCP
 * server takes that for an access token. The user is not asked again. An assertion is used until it expires, or until
 * access tokens got with it are refused. One source for each user.
 *
 * @param environment see {@link TokenSourceEnvironment}; its `store` is not used
 * @returns a {@link TokenSource}; its `token` throws an `AuthError` with code `token_unavailable`
 * @throws TypeError naming the option that is missing, unknown or wrong; never shows a secret or key
 *
 * @example
 * ```ts
 * import { Client, enterpriseManaged } from 'mcp-bearer/client'
 *
 * const clientFor = (idToken: () => Promise<string>) => {
 *   const auth = enterpriseManaged({
 *     identityProvider: {
 *       issuer: 'https://login.example.com',
 *       client: { id: 'my-app', secret: process.env.IDP_SECRET! },
 *       subjectToken: idToken,
 *     },
 *     issuer: 'https://auth.mcp.example.net',
 *     client: { id: 'my-app-at-mcp', secret: process.env.MCP_SECRET! },
 *   })
 *   return new Client('https://mcp.example.net/mcp', { auth })
 * }
 * ```
 */
export function enterpriseManaged(
  options: EnterpriseManagedOptions,
  environment?: TokenSourceEnvironment,
): TokenSource {
  checkOptions(owner, options, [...grantOptions, 'identityProvider'])
  requireClient(owner, options)
  const assertion = identityAssertion(options, environment)
  return grantSource(owner, options, environment, {
    label: 'enterprise-managed authorization',
    type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
    remedy: 'Check that the authorization server trusts the identity provider',
    takesListedScopes: true,
    async acquire(context, ask) {
      const request = (jwt: string) =>
        ask({ fields: { assertion: jwt }, grantProfile: 'urn:ietf:params:oauth:grant-profile:id-jag' })
      const known = assertion.known(context)
      if (known !== undefined) {
        try {
          return withoutRefresh(await request(known))
        } catch (error) {
          // A server may take each assertion once.
          if (!(error instanceof AuthError && error.error === 'invalid_grant')) throw error
        }
      }
      return withoutRefresh(await request(await assertion.fresh(context)))
    },
  })
}

const owner = 'enterpriseManaged'
const idJag = 'urn:ietf:params:oauth:token-type:id-jag'

function withoutRefresh(answer: TokenAnswer): TokenAnswer {
  return { ...answer, refreshToken: undefined }
}

/** Where identity assertions come from. */
interface AssertionSource {
  /** The last one for the server, while it is good. */
  known(context: GrantContext): string | undefined
  fresh(context: GrantContext): Promise<string>
}

interface Assertion {
  readonly jwt: string
  readonly scopes: string
  readonly expiresAt: number
}

/** Milliseconds; what is about to expire would on the way. */
const margin = 10_000
/** Assertions that are kept. */
const mostKept = 1000

function identityAssertion(
  { identityProvider, issuer }: EnterpriseManagedOptions,
  environment: TokenSourceEnvironment | undefined,
): AssertionSource {
  const at = `${owner}: identityProvider`
  checkOptions(at, identityProvider, [
    'issuer',
    'tokenEndpoint',
    'client',
    'subjectToken',
    'subjectTokenType',
  ])
  requireClient(at, identityProvider)
  const { tokenEndpoint: stated, subjectToken } = identityProvider
  requireFunction(`${at}.subjectToken`, subjectToken)
  const type = tokenTypeName(`${at}.subjectTokenType`, identityProvider.subjectTokenType ?? idToken)
  const world = readTokenEnvironment(owner, environment)
  const providerIssuer = identityProvider.issuer ?? stated
  if (providerIssuer === undefined) throw new TypeError(`${at} needs an issuer, or a tokenEndpoint`)
  const provider = authorizationServer(at, { issuer: providerIssuer, tokenEndpoint: stated }, world)
  const client = readClient(`${at}: client`, identityProvider.client, provider.issuer)
  const ask = tokenEndpoint(provider, client, world)
  const kept = new Map<string, Assertion>()

  return {
    known({ need: { server, refusals }, scopes }) {
      const found = kept.get(server)
      // Refused once, the access token may be to blame; twice, what it was got with.
      const isGood = found !== undefined && refusals < 2 && found.scopes === scopes.join(' ')
      return isGood && world.clock() < found.expiresAt - margin ? found.jwt : undefined
    },
    async fresh(context) {
      const { server } = context.need
      kept.delete(server)
      const subject = await askedFrom('identityProvider.subjectToken', subjectToken, server, world.clock)
      const { scopes, resource } = context
      const answer = await ask({
        server,
        grantType: 'urn:ietf:params:oauth:grant-type:token-exchange',
        grantRemedy: 'Log in again at the identity provider',
        fields: {
          requested_token_type: idJag,
          audience: issuer,
          subject_token: subject,
          subject_token_type: type,
        },
        scopes,
        resource,
        tokenType: 'N_A',
      })
      const expiresAt = expiryOfAssertion(server, answer)
      const [oldest] = kept.keys()
      if (oldest !== undefined && kept.size >= mostKept) kept.delete(oldest)
      kept.set(server, { jwt: answer.accessToken, scopes: scopes.join(' '), expiresAt })
      return answer.accessToken
    },
  }
}

const idToken = 'urn:ietf:params:oauth:token-type:id_token'

/**
 * Checks that an answer is an ID-JAG: another kind of token, sent to the authorization server of somebody else, would be
 * one more that leaked.
 * @returns when it expires, in milliseconds since 1970
 * @throws AuthError `token_unavailable`
 */
function expiryOfAssertion(server: string, { accessToken, expiresAt, issuedTokenType }: TokenAnswer): number {
  const header = readUnverified(accessToken)?.header
  const typ = header && own(header, 'typ')
  const isIdJag =
    typeof typ === 'string' && typ.toLowerCase().replace(/^application\//, '') === 'oauth-id-jag+jwt'
  if (issuedTokenType === idJag && isIdJag) return expiryOf(accessToken) ?? expiresAt ?? 0
  throw noToken(
    server,
    'the identity provider gave no ID-JAG. Check that it offers cross-app access to this client.',
  )
}
