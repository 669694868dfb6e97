import { conceal, repeatsSecret } from './secrets.ts'
import { authError, isWithin, type Server } from './server.ts'

const redirects = new Set([301, 302, 303, 307, 308])

/**
 * Where an answer sends a request that carries a credential (RFC 9110 section 15.4). Only 307 and 308 within the
 * origin are followed: they keep method and body. A redirect elsewhere would hand the credential, the custom headers
 * and the body to somebody else (RFC 9728 section 7, MCP authorization "Token Handling").
 *
 * @param from the URL that was asked
 * @returns the URL to ask instead, or `undefined` when the answer is no redirect
 * @throws AuthError `origin_mismatch` when it leads to another origin; Error when it may not be followed otherwise
 */
export function redirectTarget(
  response: Response,
  from: URL,
  server: Server,
  secrets: readonly string[],
): URL | undefined {
  const { status } = response
  if (response.type === 'opaqueredirect') {
    throw authError(
      server,
      'origin_mismatch',
      `${server.label} answered with a redirect, which is not followed. ${advice}`,
    )
  }
  const location = redirects.has(status) ? response.headers.get('location') : null
  if (location === null || !URL.canParse(location, from.href)) return undefined
  response.body?.cancel().catch(() => {})
  const target = new URL(location, from)
  if (!isWithin(target, server) || target.username !== '' || target.password !== '') {
    const lower = secrets.map((secret) => secret.toLowerCase())
    const elsewhere = conceal(target.origin, [...secrets, ...lower])
    throw authError(
      server,
      'origin_mismatch',
      `${server.label} answered ${status} with a redirect to ${elsewhere}; the credential does not go there. ${advice}`,
      { status },
    )
  }
  if (status !== 307 && status !== 308) {
    throw new Error(
      `${server.label} answered ${status} with a redirect, which would change the request. ${advice}`,
    )
  }
  // MCP authorization "Token Requirements": no token in a URI. It would stand in the log of every proxy.
  if (repeatsCredential(target, server, secrets)) {
    throw new Error(
      `${server.label} answered ${status} with a redirect that repeats the credential. ${advice}`,
    )
  }
  return target
}

/** Whether a URL holds what was sent. What stands in the URL of the endpoint is no secret: the name of a tenant. */
export function repeatsCredential({ href }: URL, { url }: Server, secrets: readonly string[]): boolean {
  const hidden = secrets.filter((secret) => !repeatsSecret(url.href, [secret]))
  return repeatsSecret(decoded(href), hidden) || repeatsSecret(href, hidden)
}

function decoded(href: string): string {
  try {
    return decodeURIComponent(href)
  } catch {
    return href
  }
}

const advice = 'Configure the URL of the MCP endpoint itself.'
