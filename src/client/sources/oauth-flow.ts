import type { OAuthClientProvider, OAuthTokens } from '@modelcontextprotocol/client'
import { AuthError } from '../../core/index.ts'
import { isLoopbackHost } from '../../core/options.ts'
import type { FetchLike } from '../fetch/authorized-fetch.ts'
import { oauthFetch } from './oauth-fetch.ts'

/** One run of the flow. */
export interface Authorization {
  /** The canonical URI of the MCP server. */
  readonly server: string
  readonly scopes: readonly string[]
  /** Where the challenge says the metadata is. */
  readonly metadataUrl?: string | undefined
  /** Whether a refresh would not do: more scopes are needed, or the last refreshed token was refused. */
  readonly force: boolean
  /** There still is a good token: nobody is to be asked to sign in. Default: false. */
  readonly isSilent?: boolean | undefined
  readonly callback?: (() => Promise<string | URL | URLSearchParams>) | undefined
  readonly fetch?: FetchLike | undefined
  readonly allowPrivateNetwork?: boolean | undefined
}

/**
 * Runs the SDK's flow once: refresh, or authorization with the person's answer.
 * @throws AuthError `token_unavailable`; nothing that was sent or received as a secret is in it
 */
export async function authorize(provider: OAuthClientProvider, run: Authorization): Promise<OAuthTokens> {
  const { auth } = await import('@modelcontextprotocol/client')
  const { server, scopes, callback, fetch, allowPrivateNetwork = false } = run
  const leg = oneRun(provider, run.isSilent === true)
  const request = {
    serverUrl: server,
    fetchFn: oauthFetch({ server: new URL(server), fetch, allowPrivateNetwork }),
    ...metadataAt(run),
    ...(scopes.length > 0 && { scope: scopes.join(' ') }),
  }
  try {
    const result = await auth(leg.provider, { ...request, forceReauthorization: run.force })
    if (result === 'REDIRECT') {
      if (callback === undefined)
        throw new Fault('the person has to sign in, and the option callback is not set')
      const { code, iss } = leg.answer(readAnswer(await callback()))
      await auth(leg.provider, { ...request, authorizationCode: code, ...(iss !== null && { iss }) })
    }
  } catch (error) {
    throw failure(server, error)
  }
  const tokens = await provider.tokens()
  if (tokens === undefined) throw failure(server, new Fault('the provider has kept no tokens'))
  return tokens
}

/** RFC 9728 section 7.7: a server names a place of its own, or it is not asked. */
function metadataAt({ server, metadataUrl }: Authorization): { resourceMetadataUrl?: URL } {
  if (metadataUrl === undefined || new URL(metadataUrl).origin !== new URL(server).origin) return {}
  return { resourceMetadataUrl: new URL(metadataUrl) }
}

type Discovery = Awaited<ReturnType<NonNullable<OAuthClientProvider['discoveryState']>>>

interface Run {
  readonly provider: OAuthClientProvider
  /** Checks the answer against what was asked. */
  answer(params: URLSearchParams): { readonly code: string; readonly iss: string | null }
}

/**
 * The provider for one run. What was discovered is kept from its first to its second leg and no longer: a server that
 * has moved to another authorization server must not meet what was known before (SEP-2352). And the way to the person's
 * browser is checked.
 */
function oneRun(provider: OAuthClientProvider, isSilent: boolean): Run {
  let discovery: Discovery
  let state: string | null = null
  const own: Partial<OAuthClientProvider> = {
    discoveryState: () => discovery,
    saveDiscoveryState(found) {
      discovery = found
    },
    async redirectToAuthorization(url) {
      if (isSilent) throw new Fault('the token could not be refreshed')
      checkAuthorization(url, discovery)
      state = url.searchParams.get('state')
      await provider.redirectToAuthorization(url)
    },
  }
  return {
    provider: overlay(provider, own),
    answer(params) {
      if (state !== null && params.get('state') !== state) {
        throw new Fault('the answer belongs to another request (its state differs)')
      }
      const [code, refusal] = [params.get('code'), params.get('error')]
      if (code !== null) return { code, iss: params.get('iss') }
      throw new Fault(
        refusal === null ? 'the answer holds neither code nor error' : `the answer is ${word(refusal)}`,
      )
    },
  }
}

/** MCP authorization "Authorization Code Protection": no PKCE, no flow; and only a web page is opened. */
function checkAuthorization(url: URL, discovery: Discovery): void {
  const isWeb = url.protocol === 'https:' || (url.protocol === 'http:' && isLoopbackHost(url.hostname))
  if (!isWeb) throw new Fault('the authorization server names a page that is not https')
  const methods = discovery?.authorizationServerMetadata?.code_challenge_methods_supported
  if (methods?.includes('S256') !== true) {
    throw new Fault('the authorization server does not say that it supports PKCE with S256')
  }
}

/** The provider with some members replaced; its own methods run on itself, private fields included. */
function overlay(provider: OAuthClientProvider, own: Partial<OAuthClientProvider>): OAuthClientProvider {
  return new Proxy(provider, {
    get(target, name) {
      if (Object.hasOwn(own, name)) return own[name as keyof OAuthClientProvider]
      const value: unknown = Reflect.get(target, name, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
    has: (target, name) => Object.hasOwn(own, name) || Reflect.has(target, name),
  })
}

function readAnswer(answer: string | URL | URLSearchParams): URLSearchParams {
  if (answer instanceof URLSearchParams) return answer
  const text = String(answer)
  return URL.canParse(text) ? new URL(text).searchParams : new URLSearchParams(text)
}

/** A reason in our own words. */
class Fault extends Error {}

/** The SDK's errors quote bodies and URLs; of those only the names are kept. */
function failure(server: string, error: unknown): AuthError {
  if (error instanceof AuthError) return error
  const reason = error instanceof Fault ? error.message : namedReason(error)
  const code = codeOf(error)
  return new AuthError('token_unavailable', `No token for ${server}: ${reason}.`, {
    ...(code !== undefined && { error: code }),
  })
}

function namedReason(error: unknown): string {
  const code = codeOf(error)
  if (code !== undefined) return `the authorization server refused it: ${code}`
  const name = error instanceof Error ? (reasons[error.name] ?? error.name) : 'an error'
  return `the authorization failed (${word(name)})`
}

const reasons: Readonly<Record<string, string>> = {
  IssuerMismatchError: 'the answer is not from the authorization server that was asked',
  AuthorizationServerMismatchError: 'the credentials belong to another authorization server',
}

/** `error` of RFC 6749 section 5.2, where the SDK has read one. */
function codeOf(error: unknown): string | undefined {
  const { code } = (error ?? {}) as { code?: unknown }
  return typeof code === 'string' && /^[a-z][a-z_]{2,40}$/.test(code) ? code : undefined
}

function word(text: string): string {
  return /^[\w ()-]{1,80}$/.test(text) ? text : 'an error without a name'
}
