import type { IncomingHttpHeaders } from 'node:http'
import { answer, type Handler, listen, type TestServer } from './servers.ts'

/** A request to a token endpoint, as it arrived. */
export interface TokenForm {
  readonly fields: Readonly<Record<string, string>>
  readonly headers: IncomingHttpHeaders
}

/** What a token endpoint says to a request. */
export type TokenAnswers = (form: TokenForm, count: number) => Handler

/** An authorization server on a port of its own, that writes down what is asked. */
export interface FakeIssuer {
  readonly issuer: string
  readonly tokenEndpoint: string
  readonly server: TestServer
  /** Requests to the token endpoint, in order. */
  readonly forms: readonly TokenForm[]
  /** Says from now on what the token endpoint answers. */
  answer(how: TokenAnswers): void
}

/** A good answer of a token endpoint. */
export function tokens(members: Record<string, unknown>): Handler {
  return answer(200, { 'cache-control': 'no-store' }, { token_type: 'Bearer', expires_in: 3600, ...members })
}

/** An error of RFC 6749 section 5.2. */
export function refuses(error: string, description?: string, status = 400): Handler {
  return answer(status, {}, { error, ...(description !== undefined && { error_description: description }) })
}

/** Settings of {@link fakeIssuer}. */
export interface FakeIssuerSettings {
  /** Members of the metadata besides `issuer` and `token_endpoint`; these can be overwritten. */
  readonly metadata?: (origin: string) => Record<string, unknown>
  /** Where the metadata is. Default: `/.well-known/oauth-authorization-server`. */
  readonly at?: string
  /** After the origin. Default: none. */
  readonly path?: string
}

/** Starts a {@link FakeIssuer}. It gives `token-1`, `token-2` and so on, each for an hour. */
export async function fakeIssuer(settings: FakeIssuerSettings = {}): Promise<FakeIssuer> {
  const { at = '/.well-known/oauth-authorization-server', path = '', metadata = () => ({}) } = settings
  let how: TokenAnswers = (_form, count) => tokens({ access_token: `token-${count}` })
  const forms: TokenForm[] = []
  const server = await listen((request, response, body) => {
    const origin = `http://${request.headers.host}`
    if (request.url === at) {
      const document = { issuer: origin + path, token_endpoint: `${origin}/token`, ...metadata(origin) }
      answer(200, {}, document)(request, response, body)
      return
    }
    if (request.url !== '/token' || request.method !== 'POST') {
      answer(404)(request, response, body)
      return
    }
    const form = { fields: Object.fromEntries(new URLSearchParams(body)), headers: request.headers }
    forms.push(form)
    how(form, forms.length)(request, response, body)
  })
  return {
    issuer: server.origin + path,
    tokenEndpoint: `${server.origin}/token`,
    server,
    forms,
    answer(next) {
      how = next
    },
  }
}

/** An MCP server, as far as its metadata goes: the document for each path, or how it is answered. */
export async function resourceServer(
  documents: (origin: string) => Readonly<Record<string, unknown>>,
): Promise<TestServer> {
  return listen((request, response, body) => {
    const document = documents(`http://${request.headers.host}`)[request.url ?? '']
    const handler = typeof document === 'function' ? (document as Handler) : undefined
    const respond = handler ?? (document === undefined ? answer(404) : answer(200, {}, document))
    respond(request, response, body)
  })
}

/** Where the metadata of an MCP server at `/mcp` is. */
export const pathInserted = '/.well-known/oauth-protected-resource/mcp'
export const atRoot = '/.well-known/oauth-protected-resource'
