import { isLoopbackHost } from '../../core/options.ts'
import { guardedFetch } from '../../verify/guarded-fetch.ts'
import type { FetchLike } from '../fetch/authorized-fetch.ts'
import { readErrorBody } from '../fetch/error-body.ts'
import { conceal, secretsOf } from '../fetch/secrets.ts'

/** What a flow may reach, besides the public internet. */
export interface Reach {
  /** The MCP server, whose own origin may be asked for its metadata. */
  readonly server: URL
  readonly fetch: FetchLike | undefined
  readonly allowPrivateNetwork: boolean
}

/** Milliseconds for one question. */
const patience = 10_000

/**
 * The `fetch` of an OAuth flow. Whom it talks to is the server's word (RFC 9728), so it refuses plain http, redirects
 * and addresses of this machine and of private networks, unless the MCP server is there itself (RFC 9728 section 7.7);
 * and it reads no more than 64 KiB. What the flow sent is taken out of an error before the flow reads it: it ends up in
 * messages.
 */
export function oauthFetch({ server, fetch, allowPrivateNetwork }: Reach): FetchLike {
  const custom =
    fetch && ((input: string | URL | Request, init?: RequestInit) => fetch(new URL(urlOf(input)), init))
  const loopback = isLoopbackHost(server.hostname)
  const home = guardedFetch({ loopback, privateNetwork: true }, custom)
  const elsewhere = guardedFetch({ loopback, privateNetwork: allowPrivateNetwork }, custom)
  return async (input, init = {}) => {
    const url = new URL(input)
    const headers = Object.fromEntries(new Headers(init.headers))
    const body = init.body === undefined || init.body === null ? undefined : String(init.body)
    const send = url.origin === server.origin ? home : elsewhere
    const response = await send(url, {
      method: init.method === 'POST' ? 'POST' : 'GET',
      headers,
      ...(body !== undefined && { body }),
      signal: AbortSignal.timeout(patience),
    })
    const text = await readErrorBody(response)
    const clean = response.ok ? text : conceal(text, sentSecrets(headers, body))
    // A redirect is not followed; as an error nobody takes it for more.
    const status =
      response.status >= 200 && response.status < 300 ? response.status : Math.max(response.status, 400)
    return new Response(status === 204 ? null : clean, { status, headers: plain(response.headers) })
  }
}

function urlOf(input: string | URL | Request): string | URL {
  return input instanceof Request ? input.url : input
}

/** The fields of the form and the credential of the header, whatever they are called. */
function sentSecrets(headers: Readonly<Record<string, string>>, body: string | undefined): readonly string[] {
  const { authorization = '' } = headers
  const fields = [...new URLSearchParams(body ?? '')]
  return secretsOf([['authorization', authorization], ...fields.filter(([name]) => secretFields.has(name))])
}

const secretFields = new Set([
  'client_secret',
  'client_assertion',
  'refresh_token',
  'code',
  'code_verifier',
  'assertion',
  'subject_token',
])

/** The body has been decoded. */
function plain(headers: Headers): Headers {
  const copy = new Headers(headers)
  copy.delete('content-encoding')
  copy.delete('content-length')
  return copy
}
