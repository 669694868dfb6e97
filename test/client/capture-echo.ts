import type { IncomingMessage } from 'node:http'
import type { Handler } from './servers.ts'

/** How a server writes down what it was sent. */
export type Writing = (text: string) => string

const hexOf = (char: string): string => char.charCodeAt(0).toString(16).padStart(2, '0')
const escaping =
  (what: RegExp, how: (hex: string) => string): Writing =>
  (text) =>
    text.replace(what, (char) => how(hexOf(char)))

/** Encodings people use, and some they use by mistake. */
export const writings: readonly (readonly [string, Writing])[] = [
  ['as it is', (text) => text],
  ['in JSON', (text) => JSON.stringify(text).slice(1, -1)],
  ['in JSON with slashes escaped', (text) => JSON.stringify(text).slice(1, -1).replaceAll('/', '\\/')],
  ['in JSON escaped for HTML', escaping(/[^A-Za-z0-9 ]/g, (hex) => `\\u00${hex}`)],
  ['in HTML', escaping(/[^A-Za-z0-9 ]/g, (hex) => `&#x${hex};`)],
  ['in a URL', (text) => encodeURIComponent(text)],
  ['in a URL in a URL', (text) => encodeURIComponent(encodeURIComponent(text))],
  ['in a form', (text) => new URLSearchParams({ t: text }).toString().slice(2)],
  ['in base64', (text) => Buffer.from(text).toString('base64')],
  ['in base64url', (text) => Buffer.from(text).toString('base64url')],
  ['in hexadecimal digits', (text) => Buffer.from(text).toString('hex')],
  ['cut short', (text) => text.replace(/[^\s:;=,"]{24,}/g, (word) => `${word.slice(0, 16)}…`)],
]

/** Three that differ in kind, where the others go the same way. */
export const someWritings = writings.filter(([name]) => ['as it is', 'in HTML', 'in base64'].includes(name))

/** All that came with a request, as a debug page would list it. */
export function dump(request: IncomingMessage, body: string): string {
  const lines = []
  for (let at = 0; at < request.rawHeaders.length; at += 2) {
    lines.push(`${request.rawHeaders[at]}: ${request.rawHeaders[at + 1]}`)
  }
  return `${request.method} ${request.url} ${lines.join(' ')} ${body}`
}

/** Where a server repeats it. `written` holds no line break, and is ASCII unless the request was not. */
export type Place = (written: string) => Reply

/** An answer. */
export interface Reply {
  readonly status?: number
  readonly reason?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

/** A server that repeats each request, written in one way, in one place. */
export function echo(writing: Writing, place: Place): Handler {
  return (request, response, body) => {
    const written = writing(dump(request, body)).replaceAll('…', '...')
    const { status = 200, reason = '', headers = {}, body: text = '' } = place(written)
    response.writeHead(status, reason, headers).end(text)
  }
}

const json = { 'content-type': 'application/json' }
const quoted = (text: string): string => text.replace(/["\\]/g, '\\$&')

/** A text is put into JSON as it is when it is escaped already, so that the escapes are the ones that were asked for. */
const inJson = (text: string): string => (/^[^"\n]*$/.test(text) && isJson(`"${text}"`) ? text : quoted(text))

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

const challenge = (status: number, error: string) => (written: string) => ({
  status,
  headers: {
    'www-authenticate': `Bearer realm="${quoted(written)}", error="${error}", error_description="${quoted(
      written,
    )}", scope="a ${quoted(written)}", resource_metadata="https://x.example/${quoted(written)}", x="${quoted(written)}"`,
  },
})

const page = (status: number) => (written: string) => ({
  status,
  headers: { 'content-type': 'text/html' },
  body: `<pre>${written}</pre>`,
})

const oauthError = (status: number, error: string) => (written: string) => ({
  status,
  headers: json,
  body: `{"error":"${error}","error_description":"${inJson(written)}","scope":"${inJson(written)}","x":"${inJson(written)}"}`,
})

const rpcError = (status: number) => (written: string) => ({
  status,
  headers: json,
  body: `{"jsonrpc":"2.0","id":null,"error":{"code":-32000,"message":"${inJson(written)}","data":["${inJson(written)}"]}}`,
})

/** Places a failed request is told about. */
export const places: readonly (readonly [string, Place])[] = [
  ['the challenge of 401', challenge(401, 'invalid_token')],
  ['the challenge of 403', challenge(403, 'insufficient_scope')],
  ['the challenge of 400', challenge(400, 'invalid_request')],
  [
    'the error of a challenge',
    (written) => ({
      status: 401,
      headers: { 'www-authenticate': `Bearer error="${quoted(written.slice(0, 500))}"` },
    }),
  ],
  ['a challenge without quotes', (written) => ({ status: 401, headers: { 'www-authenticate': written } })],
  ...[400, 401, 403, 404, 405, 429, 500, 502, 503].flatMap((status): (readonly [string, Place])[] => [
    [`a page of ${status}`, page(status)],
    [`JSON-RPC of ${status}`, rpcError(status)],
  ]),
  ['the OAuth error of 400', oauthError(400, 'invalid_request')],
  ['the OAuth error of 401', oauthError(401, 'invalid_token')],
  ['the OAuth error of 403', oauthError(403, 'insufficient_scope')],
  ['the OAuth error of 503', oauthError(503, 'temporarily_unavailable')],
  [
    'the error itself',
    (written) => ({ status: 401, headers: json, body: `{"error":"${inJson(written.slice(0, 500))}"}` }),
  ],
  ['a header', (written) => ({ status: 500, headers: { 'x-debug': written, etag: `"${written}"` } })],
  ['a cookie', (written) => ({ status: 404, headers: { 'set-cookie': `a=${written}` } })],
  ['the reason', (written) => ({ status: 500, reason: written })],
  ['the reason of 400', (written) => ({ status: 400, reason: written })],
  ['the time to wait', (written) => ({ status: 429, headers: { 'retry-after': written } })],
  ['a redirect here', (written) => ({ status: 307, headers: { location: `/${written}` } })],
  ['a redirect to a query', (written) => ({ status: 308, headers: { location: `/mcp?x=${written}` } })],
  [
    'a redirect elsewhere',
    (written) => ({ status: 307, headers: { location: `https://x.example/${written}` } }),
  ],
  [
    'a redirect with a user',
    (written) => ({ status: 302, headers: { location: `https://${written}@x.example` } }),
  ],
  ['a redirect to nowhere', (written) => ({ status: 302, headers: { location: `http://[${written}` } })],
  ['a page of 300', page(300)],
  ['a page of 302 without a place', page(302)],
]
