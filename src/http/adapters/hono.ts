import type { IncomingMessage } from 'node:http'
import type { MiddlewareHandler } from 'hono'
import type { AccessToken } from '../../core/index.ts'
import { withoutCredentials } from '../fetch-request.ts'
import { type BearerGate, type BearerGateOptions, gateOf, isRefusal, runBehind } from '../gate.ts'
import { requestHead } from '../head.ts'
import { hideCredentials } from '../node-request.ts'
import { refusalResponse } from '../refusal.ts'

export { getAccessToken, requireAuth, requireScopes } from '../context.ts'
export type { BearerGate, BearerGateOptions } from '../gate.ts'

/**
 * Protects what follows it in a Hono application. The caller is in `c.get('auth')` and in {@link getAccessToken};
 * everybody else is refused before a byte of the body is read (MCP authorization, "Error Handling"; RFC 6750
 * section 3).
 *
 * @param options of a gate, or a gate
 * @throws TypeError naming the option that is unknown, missing or wrong
 *
 * @example
 * ```ts
 * import { Hono } from 'hono'
 * import { bearerAuth } from 'mcp-bearer/hono'
 *
 * const verifier = {
 *   verifyToken: async (token: string) => (token === 'sk-abc123' ? { token, clientId: 'alice' } : null),
 * }
 * const app = new Hono()
 * app.post('/mcp', bearerAuth({ verifier }), (c) => c.json({ caller: c.get('auth').clientId }))
 * ```
 */
export function bearerAuth(
  options: BearerGateOptions | BearerGate,
): MiddlewareHandler<{ Variables: { auth: AccessToken } }> {
  const gate = gateOf(options)
  return async (c, next) => {
    const { env } = c
    const incoming = isNode(env) ? env.incoming : undefined
    const answer = await gate.authenticate(requestHead(c.req.raw, incoming?.socket))
    if (isRefusal(answer)) return refusalResponse(answer, c.req.raw.method)
    c.req.raw = withoutCredentials(c.req.raw, gate.credentialHeaders)
    if (incoming) hideCredentials(incoming, gate.credentialHeaders)
    c.set('auth', answer)
    return runBehind(gate, answer, next)
  }
}

/** On Node the server's own request is at hand, too, with all its headers. */
function isNode(env: unknown): env is { incoming: IncomingMessage } {
  const { incoming } = (env ?? {}) as { incoming?: Partial<IncomingMessage> }
  return Array.isArray(incoming?.rawHeaders)
}
