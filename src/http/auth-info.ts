import type { AccessToken } from '../core/index.ts'

/** The identity of a caller in the shape of the MCP SDK's `AuthInfo`, which `req.auth` and `authInfo` take. */
export interface AuthInfo {
  /** The credential. Not enumerable: it is neither logged, nor written as JSON, nor copied. */
  token: string
  clientId: string
  scopes: string[]
  /** Seconds since 1970; absent when the token does not expire. */
  expiresAt?: number
  extra: {
    /** Subject, unique only together with `iss`. */
    sub?: string
    /** Issuer. */
    iss?: string
    claims: Readonly<Record<string, unknown>>
    /** The only tools it may use, and nothing else, when it is bound to some. */
    tools?: string[]
  }
}

/**
 * An {@link AccessToken} in the shape of the MCP SDK's `AuthInfo`. A token without expiry gets none.
 *
 * @example
 * ```ts
 * import { AccessToken } from 'mcp-bearer'
 * import { toAuthInfo } from 'mcp-bearer/sdk'
 *
 * toAuthInfo(new AccessToken({ token: 'sk-abc123', clientId: 'desk', scopes: ['read'] })).scopes // ['read']
 * ```
 */
export function toAuthInfo(token: AccessToken): AuthInfo {
  const { clientId, scopes, expiresAt, subject, issuer, claims, tools } = token
  const info: Omit<AuthInfo, 'token'> = {
    clientId,
    scopes: [...scopes],
    ...(expiresAt !== undefined && { expiresAt: Math.floor(expiresAt.getTime() / 1000) }),
    extra: {
      ...(subject !== undefined && { sub: subject }),
      ...(issuer !== undefined && { iss: issuer }),
      claims,
      ...(tools !== undefined && { tools: [...tools] }),
    },
  }
  return Object.defineProperty(info, 'token', { get: () => token.token }) as AuthInfo
}
