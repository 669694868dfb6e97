import type { AuthInfo } from '@modelcontextprotocol/server'
import type { RequestHandler } from 'express'
import { toAuthInfo } from '../auth-info.ts'
import { type BearerGate, type BearerGateOptions, gateOf, isRefusal, runBehind } from '../gate.ts'
import { headOf, hideCredentials, sendRefusal } from '../node-request.ts'

export { getAccessToken, requireAuth, requireScopes } from '../context.ts'
export type { BearerGate, BearerGateOptions } from '../gate.ts'

declare global {
  namespace Express {
    interface Request {
      /** The caller, behind {@link bearerAuth}. The SDK's type, so that both may declare it. */
      auth?: AuthInfo
    }
  }
}

/**
 * Protects what follows it in an Express 5 application. The caller is in `req.auth` and in {@link getAccessToken};
 * everybody else is refused before a byte of the body is read, so mount it in front of `express.json()` (MCP
 * authorization, "Error Handling"; RFC 6750 section 3).
 *
 * @param options of a gate, or a gate
 * @throws TypeError naming the option that is unknown, missing or wrong
 *
 * @example
 * ```ts
 * import express from 'express'
 * import { bearerAuth, getAccessToken } from 'mcp-bearer/express'
 *
 * const verifier = {
 *   verifyToken: async (token: string) => (token === 'sk-abc123' ? { token, clientId: 'alice' } : null),
 * }
 * const app = express()
 * app.use('/mcp', bearerAuth({ verifier }), express.json(), (_req, res) => {
 *   res.json({ caller: getAccessToken()?.clientId })
 * })
 * ```
 */
export function bearerAuth(options: BearerGateOptions | BearerGate): RequestHandler {
  const gate = gateOf(options)
  return async (req, res, next) => {
    const answer = await gate.authenticate(headOf(req, res))
    if (isRefusal(answer)) return sendRefusal(res, answer)
    hideCredentials(req, gate.credentialHeaders)
    req.auth = toAuthInfo(answer)
    runBehind(gate, answer, next)
  }
}
