import type { OAuthTokenVerifier } from '@modelcontextprotocol/server'
import {
  AuthError,
  type AuthErrorCode,
  type Clock,
  type Logger,
  systemClock,
  type TokenVerifier,
} from '../core/index.ts'
import { checkOptions, numberBetween } from '../core/options.ts'
import { toAuthInfo } from './auth-info.ts'
import { bearerGate, isRefusal } from './gate.ts'
import type { RequestHead } from './head.ts'

/** What {@link sdkVerifier} may be told. */
export interface SdkVerifierOptions {
  /** Seconds for which a token without expiry is reported as good. Default: 300. */
  readonly revalidateAfter?: number
  /** Where faults of the verifier go. Default: standard error. */
  readonly logger?: Logger
  /** Default: the clock of this machine. */
  readonly clock?: Clock
}

/**
 * A verifier in the shape of the MCP SDK, for hosts that keep the SDK's own `requireBearerAuth`. It reports tokens
 * without expiry as good for a while, because that gate refuses them (modelcontextprotocol/typescript-sdk#1907), and
 * its scope check knows no hierarchy. An outage becomes `server_error`, which it answers with 500. Where there is a
 * choice, `bearerAuth` of this package has neither limit.
 *
 * @throws TypeError naming the option that is unknown, missing or wrong. The verifier made throws the SDK's `OAuthError`
 *
 * @example
 * ```ts
 * import { requireBearerAuth } from '@modelcontextprotocol/server'
 * import { sdkVerifier } from 'mcp-bearer/sdk'
 *
 * const verifier = sdkVerifier({
 *   verifyToken: async (token: string) => (token === 'sk-abc123' ? { token, clientId: 'alice' } : null),
 * })
 * export const gate = requireBearerAuth({ verifier })
 * ```
 */
export function sdkVerifier(verifier: TokenVerifier, options: SdkVerifierOptions = {}): OAuthTokenVerifier {
  checkOptions('sdkVerifier', options, ['revalidateAfter', 'logger', 'clock'])
  const { revalidateAfter = 300, clock = systemClock, logger } = options
  const horizon = numberBetween('sdkVerifier: revalidateAfter', revalidateAfter, 1, 86_400)
  const gate = bearerGate({ verifier, clock, ...(logger && { logger }) })
  return {
    async verifyAccessToken(token) {
      const answer = await gate.authenticate(headWith(token))
      if (isRefusal(answer)) throw await oauthError(answer.code)
      // The SDK copies what it gets, so here the token has to be an ordinary member.
      return { expiresAt: Math.floor(clock() / 1000) + horizon, ...toAuthInfo(answer), token }
    },
  }
}

function headWith(token: string): RequestHead {
  return { method: 'POST', url: '/', header: (name) => (name === 'authorization' ? [`Bearer ${token}`] : []) }
}

/** Loaded when something is wrong, not at start: the SDK is large. */
async function oauthError(code: AuthErrorCode): Promise<Error> {
  const { OAuthError } = await import('@modelcontextprotocol/server')
  return new OAuthError(oauthCodes[code] ?? 'server_error', new AuthError(code).message)
}

const oauthCodes: Partial<Record<AuthErrorCode, string>> = {
  unauthorized: 'invalid_token',
  invalid_request: 'invalid_token',
  invalid_token: 'invalid_token',
  insufficient_scope: 'insufficient_scope',
  access_denied: 'access_denied',
  rate_limited: 'too_many_requests',
}
