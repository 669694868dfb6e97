import { AuthError, type AuthErrorCode, type AuthErrorDetails } from '../../core/index.ts'
import { isLoopbackHost } from '../../core/options.ts'

/** The server a client talks to: where it is, and what messages call it. */
export interface Server {
  readonly url: URL
  /** The name of the configuration, else the origin: `AuthError.server`. */
  readonly name: string
  /** Name and origin, for messages. The rest of the URL may hold secrets. */
  readonly label: string
}

/**
 * Checks the URL of a server.
 *
 * @param owner whose option it is, for messages
 * @param credentialed whether a credential will be sent there: then it must be https, or this machine
 *   (MCP authorization "Communication Security", RFC 6750 section 5.3)
 * @throws TypeError when it is no absolute http or https URL, or not fit for a credential; never shows the URL
 */
export function serverAt(
  owner: string,
  url: unknown,
  name: string | undefined,
  credentialed: boolean,
): Server {
  const parsed = credentialed ? guarded(owner, url) : httpUrl(`${owner}: url`, url)
  // RFC 8707 section 2: a resource identifier has no fragment; a request would drop it silently.
  if (parsed.hash !== '') throw new TypeError(`${owner}: url must not hold a fragment (#)`)
  if (name !== undefined && (typeof name !== 'string' || name === '')) {
    throw new TypeError(`${owner}: serverName must be a non-empty string`)
  }
  const { origin } = parsed
  return { url: parsed, name: name ?? origin, label: name === undefined ? origin : `${name} (${origin})` }
}

/** Whether a URL is of the server's origin. A `blob:` has one as well, and is none of its pages. */
export function isWithin({ protocol, origin }: URL, { url }: Server): boolean {
  return protocol === url.protocol && origin === url.origin
}

/** An {@link AuthError} that names the server. */
export function authError(
  server: Server,
  code: AuthErrorCode,
  message: string,
  details: AuthErrorDetails = {},
): AuthError {
  return new AuthError(code, message, { ...details, server: server.name })
}

function guarded(owner: string, value: unknown): URL {
  const url = httpUrl(`${owner}: url`, value)
  if (url.protocol === 'http:' && !isLoopbackHost(url.hostname)) {
    throw new TypeError(
      `${owner}: url must use https when a credential is sent; anybody on the way can read it otherwise (allowInsecure: true sends it all the same)`,
    )
  }
  return url
}

function httpUrl(option: string, value: unknown): URL {
  const text = value instanceof URL ? value.href : value
  if (typeof text !== 'string' || !URL.canParse(text))
    throw new TypeError(`${option} must be an absolute URL`)
  const url = new URL(text)
  if (url.protocol !== 'https:' && url.protocol !== 'http:') {
    throw new TypeError(`${option} must use https or http`)
  }
  if (url.username !== '' || url.password !== '') {
    throw new TypeError(`${option} must not hold a user name or password`)
  }
  return url
}
