import type { AccessToken } from '../../core/index.ts'
import { type Passage, UpstreamError } from '../upstream.ts'

/**
 * Whose a process or a session is. One that was told which client of a principal it is for is for no other client of theirs.
 *
 * @param isTold whether processes know who calls
 */
export function ownerOf({ principal, caller }: Passage, isTold: boolean): string {
  return isTold ? JSON.stringify([principal, caller.clientId]) : principal
}

/**
 * The environment with the caller in it, and nobody else: what is not known of the caller is not there. Never the token
 * nor its scopes: the process answers more than this one request.
 *
 * @throws UpstreamError when a name cannot stand in an environment
 */
export function callerEnvironment(
  env: Readonly<Record<string, string>>,
  { subject, clientId, issuer }: AccessToken,
): Record<string, string> {
  const result: Record<string, string> = Object.assign(Object.create(null), env)
  const names = { MCP_BEARER_SUBJECT: subject, MCP_BEARER_CLIENT_ID: clientId, MCP_BEARER_ISSUER: issuer }
  for (const [name, value] of Object.entries(names)) {
    // It would end there, and be somebody else.
    if (value?.includes('\0')) {
      throw new UpstreamError('unreachable', 'the caller cannot be named to a process: a name holds U+0000')
    }
    if (value === undefined) delete result[name]
    else result[name] = value
  }
  return result
}
