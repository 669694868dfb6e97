import { isBearerToken } from '../core/authorization.ts'
import type { Clock } from '../core/clock.ts'

/**
 * How this server says who it is to an authorization server (RFC 6749 section 2.3). Adds its part to a request before
 * it is sent. Made by {@link clientSecretBasic}, {@link clientSecretPost}, {@link privateKeyJwt} and
 * {@link bearerToken}; the secret is inside the function and shows nowhere.
 *
 * @example
 * ```ts
 * import type { ClientAuthentication } from 'mcp-bearer/verify'
 *
 * // What is on the wire already, such as a client certificate (RFC 8705), needs no more than the name.
 * const client: ClientAuthentication = ({ form }) => form.set('client_id', 'my-server')
 * ```
 */
export type ClientAuthentication = (request: ClientAuthenticationRequest) => void | Promise<void>

/** A request to an authorization server as it is being written. */
export interface ClientAuthenticationRequest {
  /** Where it will go. */
  readonly endpoint: URL
  /** Its headers so far, names in lower case. To be added to. */
  readonly headers: Record<string, string>
  /** Its body so far. To be added to. */
  readonly form: URLSearchParams
  /** The time, in milliseconds since 1970. */
  readonly clock: Clock
}

/**
 * `client_secret_basic`: id and secret in the `Authorization` header, each form-urlencoded before they are joined (RFC
 * 6749 section 2.3.1 and appendix B). A server that forgets to decode them takes only letters, digits, `-`, `.` and
 * `_`; use {@link clientSecretPost} there.
 *
 * @throws TypeError naming the argument that is empty, not set, or holds a control character; never shows it
 *
 * @example
 * ```ts
 * import { clientSecretBasic, introspectionVerifier } from 'mcp-bearer/verify'
 *
 * introspectionVerifier({
 *   endpoint: 'https://idp.example.com/introspect',
 *   client: clientSecretBasic('my-server', process.env.SECRET!),
 *   audience: 'https://mcp.example.com/mcp',
 * })
 * ```
 */
export function clientSecretBasic(clientId: string, clientSecret: string): ClientAuthentication {
  const id = formEncode(readCredential('clientSecretBasic: clientId', clientId))
  const secret = formEncode(readCredential('clientSecretBasic: clientSecret', clientSecret))
  const value = `Basic ${btoa(`${id}:${secret}`)}`
  return ({ headers }) => {
    headers.authorization = value
  }
}

/**
 * `client_secret_post`: id and secret in the body (RFC 6749 section 2.3.1). For servers that do not take
 * {@link clientSecretBasic}: bodies are logged more often than `Authorization` headers.
 *
 * @throws TypeError naming the argument that is empty, not set, or holds a control character; never shows it
 *
 * @example
 * ```ts
 * import { clientSecretPost, introspectionVerifier } from 'mcp-bearer/verify'
 *
 * introspectionVerifier({
 *   endpoint: 'https://idp.example.com/introspect',
 *   client: clientSecretPost('my-server', process.env.SECRET!),
 *   audience: 'https://mcp.example.com/mcp',
 * })
 * ```
 */
export function clientSecretPost(clientId: string, clientSecret: string): ClientAuthentication {
  const id = readCredential('clientSecretPost: clientId', clientId)
  const secret = readCredential('clientSecretPost: clientSecret', clientSecret)
  return ({ form }) => {
    form.set('client_id', id)
    form.set('client_secret', secret)
  }
}

/**
 * A bearer token of this server's own, for an introspection endpoint that asks for one (RFC 7662 section 2.1). Never
 * the token that is to be introspected.
 *
 * @param token the token, or a function that is asked for it before every request and keeps its own cache
 * @returns when the function answers with what cannot be a token, using it throws an `Error` that does not show the
 *   answer; what the function throws goes through as it is
 * @throws TypeError when the token is empty, not set, or cannot be one (RFC 6750 section 2.1); never shows it
 *
 * @example
 * ```ts
 * import { readFile } from 'node:fs/promises'
 * import { bearerToken, introspectionVerifier } from 'mcp-bearer/verify'
 *
 * introspectionVerifier({
 *   endpoint: 'https://idp.example.com/introspect',
 *   client: bearerToken(async () => (await readFile('/run/secrets/introspection', 'utf8')).trim()),
 *   audience: 'https://mcp.example.com/mcp',
 * })
 * ```
 */
export function bearerToken(token: string | (() => string | Promise<string>)): ClientAuthentication {
  if (typeof token === 'function') {
    return async ({ headers }) => {
      const answer = await token()
      if (!isToken(answer)) throw new Error(`bearerToken: what the function gave ${noToken}`)
      headers.authorization = `Bearer ${answer}`
    }
  }
  if (!isToken(readCredential('bearerToken: token', token))) {
    throw new TypeError(`bearerToken: token ${noToken}`)
  }
  return ({ headers }) => {
    headers.authorization = `Bearer ${token}`
  }
}

/**
 * Reads an id, a secret or a name that, more often than not, comes out of an environment variable or a file.
 * @throws TypeError when nothing is there, or it cannot be sent as it is; never shows it
 */
export function readCredential(option: string, value: unknown): string {
  const text = readText(option, value)
  // RFC 6749 appendix A has neither; half a surrogate pair would be replaced on the way, without a word.
  if (/[\p{Control}\p{Surrogate}]/u.test(text)) {
    throw new TypeError(
      `${option} holds a line break or another character that cannot be sent; trim what comes from a file`,
    )
  }
  return text
}

/** @throws TypeError when nothing is there, or it is no text; never shows it */
export function readText(option: string, value: unknown): string {
  if (value === undefined || value === null || value === '' || isLeftover(value)) {
    throw new TypeError(`${option} is empty or not set; set the environment variable it is read from`)
  }
  if (typeof value !== 'string') throw new TypeError(`${option} must be a string`)
  return value
}

/** `${process.env.UNSET}` makes a text of the word. */
function isLeftover(value: unknown): boolean {
  return value === 'undefined' || value === 'null'
}

function isToken(value: unknown): boolean {
  return typeof value === 'string' && isBearerToken(value) && !isLeftover(value)
}

const noToken = 'is no bearer token: letters, digits and -._~+/ only, without "Bearer " and line breaks'

/** RFC 6749 appendix B: UTF-8, then `application/x-www-form-urlencoded`. What comes out is ASCII, and has no colon. */
function formEncode(value: string): string {
  return new URLSearchParams([['', value]]).toString().slice('='.length)
}
