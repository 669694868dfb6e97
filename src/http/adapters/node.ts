import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { type AuthInfo, toAuthInfo } from '../auth-info.ts'
import { type BearerGate, type BearerGateOptions, gateOf, isRefusal, runBehind } from '../gate.ts'
import { headOf, hideCredentials, sendRefusal } from '../node-request.ts'

export type { AuthInfo } from '../auth-info.ts'
export { getAccessToken, requireAuth, requireScopes } from '../context.ts'
export type { BearerGate, BearerGateOptions } from '../gate.ts'

/** A request that has passed the gate. Its credential is gone from the headers. */
export type AuthenticatedRequest = IncomingMessage & { readonly auth: AuthInfo }

/**
 * Protects a listener of `node:http`: it runs only for callers with a good token, which it finds in `req.auth` and
 * through {@link getAccessToken}. Everybody else is refused before a byte of the body is read (MCP authorization,
 * "Error Handling"; RFC 6750 section 3).
 *
 * Read the body with `await` (`for await`, `node:stream/consumers`): callbacks of `req.on()` belong to the connection,
 * where no caller is known; there `req.auth` still is.
 *
 * @param options of a gate, or a gate
 * @param listener what to protect
 * @throws TypeError naming the option that is unknown, missing or wrong
 *
 * @example
 * ```ts
 * import { createServer } from 'node:http'
 * import { bearerAuth, getAccessToken } from 'mcp-bearer/node'
 *
 * const verifier = {
 *   verifyToken: async (token: string) => (token === 'sk-abc123' ? { token, clientId: 'alice' } : null),
 * }
 * export const server = createServer(
 *   bearerAuth({ verifier }, (_req, res) => {
 *     res.end(`Hello ${getAccessToken()?.clientId}`)
 *   }),
 * )
 * ```
 */
export function bearerAuth(
  options: BearerGateOptions | BearerGate,
  listener: (req: AuthenticatedRequest, res: ServerResponse) => void,
): RequestListener {
  const gate = gateOf(options)
  return async (req, res) => {
    const answer = await gate.authenticate(headOf(req, res))
    if (isRefusal(answer)) return sendRefusal(res, answer)
    hideCredentials(req, gate.credentialHeaders)
    const authenticated = Object.assign(req, { auth: toAuthInfo(answer) })
    runBehind(gate, answer, () => listener(authenticated, res))
  }
}
