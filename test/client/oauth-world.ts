import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { OAuthClientProvider, StoredOAuthTokens } from '@modelcontextprotocol/client'
import { listen, type TestServer } from './servers.ts'

/** What the authorization server is told to do differently. */
export interface Behaviour {
  /** More members of its metadata; `undefined` takes one away. */
  readonly metadata?: Readonly<Record<string, unknown>>
  /** The query of the redirect back; default `code`, `state` and `iss`. */
  readonly answer?: (query: URLSearchParams, issuer: string) => Record<string, string>
  /** Answers a token request, instead of tokens. */
  readonly token?: (form: URLSearchParams, authorization: string | undefined) => Answer | undefined
  readonly expiresIn?: number
}

export interface Answer {
  readonly status: number
  readonly body: unknown
}

/** An authorization server that lets everybody in. */
export interface AuthorizationServer extends TestServer {
  /** The queries of the authorization page. */
  readonly signIns: URLSearchParams[]
  readonly tokenRequests: URLSearchParams[]
  readonly registrations: number
  behave(behaviour: Behaviour): void
}

export async function authorizationServer(name: string): Promise<AuthorizationServer> {
  let behaviour: Behaviour = {}
  const signIns: URLSearchParams[] = []
  const tokenRequests: URLSearchParams[] = []
  let registrations = 0
  let given = 0
  const routes: Readonly<
    Record<string, (url: URL, body: string, request: IncomingMessage) => Answer | string>
  > = {
    '/.well-known/oauth-authorization-server': () => ({
      status: 200,
      body: {
        issuer: server.origin,
        authorization_endpoint: `${server.origin}/authorize`,
        token_endpoint: `${server.origin}/token`,
        registration_endpoint: `${server.origin}/register`,
        response_types_supported: ['code'],
        grant_types_supported: ['authorization_code', 'refresh_token', 'client_credentials'],
        code_challenge_methods_supported: ['S256'],
        authorization_response_iss_parameter_supported: true,
        ...behaviour.metadata,
      },
    }),
    '/register': (_url, body) => {
      registrations += 1
      return { status: 201, body: { ...(JSON.parse(body) as object), client_id: `${name}-client` } }
    },
    '/authorize': ({ searchParams: query }) => {
      signIns.push(query)
      const answer = behaviour.answer?.(query, server.origin) ?? {
        code: randomUUID(),
        state: query.get('state') ?? '',
        iss: server.origin,
      }
      return `${query.get('redirect_uri')}?${new URLSearchParams(answer)}`
    },
    '/token': (_url, body, request) => {
      const form = new URLSearchParams(body)
      tokenRequests.push(form)
      given += 1
      const scope = form.get('scope') ?? signIns.at(-1)?.get('scope')
      return (
        behaviour.token?.(form, request.headers.authorization) ?? {
          status: 200,
          body: {
            access_token: `${name}-access-${given}`,
            refresh_token: `${name}-refresh-${given}`,
            token_type: 'Bearer',
            expires_in: behaviour.expiresIn ?? 3600,
            ...(scope && { scope }),
          },
        }
      )
    },
  }
  const server = await listen((request, response, body) => {
    const url = new URL(request.url ?? '', 'http://localhost')
    const answer = routes[url.pathname]?.(url, body, request) ?? { status: 404, body: {} }
    if (typeof answer === 'string') response.writeHead(302, { location: answer }).end()
    else json(response, answer)
  })
  return {
    ...server,
    signIns,
    tokenRequests,
    get authorizations() {
      return server.authorizations
    },
    get registrations() {
      return registrations
    },
    behave(next) {
      behaviour = next
    },
  }
}

/** How a protected server judges a request: 200, or an answer with this challenge. */
export type Judge = (token: string | undefined) => { readonly status: number; readonly challenge?: string }

/** A server whose metadata names its authorization servers. `judge` may be changed. */
export async function protectedServer(
  issuers: () => readonly string[],
): Promise<TestServer & { judge: Judge }> {
  const control: { judge: Judge } = { judge: () => ({ status: 401 }) }
  const server = await listen((request, response) => {
    if (request.url?.startsWith('/.well-known/oauth-protected-resource')) {
      json(response, {
        status: 200,
        body: { resource: `${server.origin}/mcp`, authorization_servers: issuers() },
      })
      return
    }
    const token = request.headers.authorization?.replace(/^\w+ /, '')
    const { status, challenge = 'Bearer realm="mcp"' } = control.judge(token)
    if (status === 200) json(response, { status, body: { ok: true } })
    else response.writeHead(status, { 'www-authenticate': challenge }).end('{}')
  })
  return Object.defineProperty(server, 'judge', {
    set: (judge: Judge) => {
      control.judge = judge
    },
  }) as TestServer & { judge: Judge }
}

function json(response: ServerResponse, { status, body }: Answer): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

/** A provider in memory, and a person who goes where they are sent. */
export interface Person {
  readonly provider: OAuthClientProvider
  readonly callback: () => Promise<URL>
  /** How often they were sent somewhere. */
  readonly prompts: number
  tokens: StoredOAuthTokens | undefined
}

export function person(): Person {
  const registrations = new Map<
    string,
    Parameters<NonNullable<OAuthClientProvider['saveClientInformation']>>[0]
  >()
  let verifier = ''
  let page = deferred<URL>()
  let prompts = 0
  const state: { tokens: StoredOAuthTokens | undefined } = { tokens: undefined }
  const redirectUrl = 'http://localhost/callback'
  const provider: OAuthClientProvider = {
    redirectUrl,
    clientMetadata: {
      redirect_uris: [redirectUrl],
      client_name: 'a test',
      grant_types: ['authorization_code', 'refresh_token'],
    },
    state: () => randomUUID(),
    clientInformation: (context) => registrations.get(context?.issuer ?? ''),
    saveClientInformation: (information, context) =>
      void registrations.set(context?.issuer ?? '', information),
    tokens: () => state.tokens,
    saveTokens(tokens) {
      state.tokens = tokens
    },
    async redirectToAuthorization(url) {
      prompts += 1
      const response = await fetch(url, { redirect: 'manual' })
      page.resolve(new URL(response.headers.get('location') ?? 'http://localhost/nowhere'))
    },
    saveCodeVerifier(text) {
      verifier = text
    },
    codeVerifier: () => verifier,
    invalidateCredentials(what) {
      if (what === 'tokens' || what === 'all') state.tokens = undefined
    },
  }
  return {
    provider,
    async callback() {
      const answer = await page.promise
      page = deferred<URL>()
      return answer
    },
    get prompts() {
      return prompts
    },
    get tokens() {
      return state.tokens
    },
    set tokens(tokens) {
      state.tokens = tokens
    },
  }
}

function deferred<T>(): { readonly promise: Promise<T>; readonly resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => {}
  const promise = new Promise<T>((done) => {
    resolve = done
  })
  return { promise, resolve }
}
