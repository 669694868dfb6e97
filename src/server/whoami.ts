import { type AccessToken, redact, secretsOf } from '../core/index.ts'
import { redacted } from '../core/redacted.ts'
import { isRefusal } from '../http/gate.ts'
import { jsonAnswer, type PlainAnswer } from '../http/refusal.ts'
import type { Door } from './door.ts'
import { closed, type Endpoint, type Visit } from './endpoint.ts'
import type { WhoAmI } from './pages/inspector-config.ts'

/** Where the server says who the caller is. */
export const whoAmIPath = '/inspector/whoami'

/**
 * Tells a caller whom the server takes them for, behind the same door and gate as the MCP endpoint. It holds nothing but
 * what their own token says, so one that is bound to tools may ask as well.
 */
export async function answerWhoAmI(
  { incoming }: Pick<Visit, 'incoming'>,
  door: Door,
  endpoint: Endpoint,
): Promise<PlainAnswer> {
  const answer = await endpoint.admit({ incoming }, door)
  const isRefused = answer !== undefined && isRefusal(answer)
  const isNobody = isRefused && answer.code === 'unauthorized' && endpoint.isOpenToEverybody
  if (isRefused && !isNobody) return answer
  if (endpoint.isClosed) return closed
  const { method } = incoming.head
  if (method !== 'GET' && method !== 'HEAD')
    return jsonAnswer(405, { error: 'method_not_allowed' }, { allow: 'GET' })
  const told = answer === undefined || isRefused ? nobody : shown(answer)
  return jsonAnswer(200, told, { 'x-content-type-options': 'nosniff' })
}

const nobody: WhoAmI = { authenticated: false }

/**
 * Verifiers write what they like into claims, also what tools need and callers must not have: nobody is shown the
 * credential itself, another one, or what JSON has no word for.
 */
function shown(caller: AccessToken): unknown {
  const secrets = secretsOf(caller.token)
  const text = JSON.stringify(whoAmI(caller), (_name, value: unknown) =>
    typeof value === 'bigint' ? String(value) : value,
  )
  return JSON.parse(text, (name, value: unknown) => {
    if (typeof value === 'string') return secretName.test(name) ? redacted : redact(value, secrets)
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [redact(key, secrets), member]))
  })
}

/** Of a claim whose value is one: `refresh_token`, and not `token_use`. */
const secretName = /(?:token|secret|password|api[-_]?key|authorization)$/i

function whoAmI({ subject, clientId, issuer, scopes, expiresAt, tools, claims }: AccessToken): WhoAmI {
  return {
    authenticated: true,
    clientId,
    scopes,
    claims,
    ...(subject !== undefined && { subject }),
    ...(issuer !== undefined && { issuer }),
    ...(expiresAt !== undefined && { expiresAt: expiresAt.toISOString() }),
    ...(tools !== undefined && { tools }),
  }
}
