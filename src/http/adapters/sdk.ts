import type { AuthInfo as SdkAuthInfo } from '@modelcontextprotocol/server'
import { toAuthInfo } from '../auth-info.ts'
import { withoutCredentials } from '../fetch-request.ts'
import { type BearerGate, type BearerGateOptions, gateOf, runBehind } from '../gate.ts'

export { type AuthInfo, toAuthInfo } from '../auth-info.ts'
export { getAccessToken, requireAuth, requireScopes } from '../context.ts'
export type { BearerGate, BearerGateOptions } from '../gate.ts'
export { type SdkVerifierOptions, sdkVerifier } from '../sdk-verifier.ts'

/** What {@link bearerAuth} protects: what `createMcpHandler` of the SDK returns, or anything of its shape. */
export interface SdkHandler {
  fetch(request: Request, options?: { authInfo?: SdkAuthInfo }): Promise<Response>
}

/**
 * Protects a handler of the MCP SDK: it runs only for callers with a good token, whom its tools find in
 * `ctx.http.authInfo` and through {@link getAccessToken} (MCP authorization, "Error Handling"; RFC 6750 section 3).
 *
 * @param options of a gate, or a gate
 * @param handler what to protect
 * @throws TypeError naming the option that is unknown, missing or wrong
 *
 * @example
 * ```ts
 * import { createMcpHandler, McpServer } from '@modelcontextprotocol/server'
 * import { bearerAuth } from 'mcp-bearer/sdk'
 *
 * const verifier = {
 *   verifyToken: async (token: string) => (token === 'sk-abc123' ? { token, clientId: 'alice' } : null),
 * }
 * const handler = createMcpHandler(() => new McpServer({ name: 'files', version: '1.0.0' }))
 * export default bearerAuth({ verifier }, handler)
 * ```
 */
export function bearerAuth(
  options: BearerGateOptions | BearerGate,
  handler: SdkHandler,
): { fetch(request: Request): Promise<Response> } {
  const gate = gateOf(options)
  return {
    async fetch(request) {
      const answer = await gate(request)
      if (answer instanceof Response) return answer
      const clean = withoutCredentials(request, gate.credentialHeaders)
      return runBehind(gate, answer, () => handler.fetch(clean, { authInfo: toAuthInfo(answer) }))
    },
  }
}
