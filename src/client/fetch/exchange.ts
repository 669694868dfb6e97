import { type Call, headersOf, type Settings } from './attempt.ts'
import type { Exchange } from './refusal.ts'
import { secretsOf } from './secrets.ts'

/** What an answer is judged by. Made when one is bad, never before. */
export function exchangeOf(settings: Settings, call: Call): Exchange {
  const { server, name, headers, dpop, clock } = settings
  return {
    server,
    name: call.token ? name : undefined,
    sent: Boolean(call.token) || headers.length > 0,
    isBound: dpop !== undefined,
    secrets: sentSecrets(settings, call),
    clock,
  }
}

/** What must not be seen of the requests made lately. */
export function recentSecrets({ headers, recent }: Settings): readonly string[] {
  return secretsOf([...recent.map((token) => ['authorization', `Bearer ${token}`] as const), ...headers])
}

/** Headers of a single request that are as secret as those of the options. */
const secretHeaders = [
  'authorization',
  'cookie',
  'dpop',
  'mcp-session-id',
  'proxy-authorization',
  'x-api-key',
]

/** What went out with a request and must not come back. */
export function sentSecrets({ headers }: Settings, { sent, init }: Call): readonly string[] {
  const given = headersOf(init)
  const own = secretHeaders.flatMap((name) => {
    const value = given.get(name)
    return value === null ? [] : [[name, value] as const]
  })
  const credentials = sent.flatMap((value) => [['authorization', `Bearer ${value}`] as const])
  return secretsOf([...credentials, ...headers, ...own])
}
