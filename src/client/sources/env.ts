import { AuthError, redact } from '../../core/index.ts'
import { readToken } from '../bearer-auth.ts'
import { isVariableName } from '../config/interpolate.ts'
import type { TokenSource } from '../token-source.ts'

/**
 * A token from an environment variable, read anew for every request. White space, quotes and `Bearer ` around it are
 * taken off.
 *
 * @param name the variable
 * @returns a {@link TokenSource}; its `token` throws an `AuthError` with code `token_unavailable` when the variable
 *   is gone later
 * @throws TypeError naming the variable when it is not set, empty, or holds something that cannot be a token
 *
 * @example
 * ```ts
 * import { Client, envToken } from 'mcp-bearer/client'
 *
 * const client = new Client('https://mcp.example.com/mcp', { auth: envToken('MCP_API_KEY') })
 * ```
 */
export function envToken(name: string): TokenSource {
  if (typeof name !== 'string' || name === '')
    throw new TypeError('envToken: give the name of an environment variable')
  // Somebody put the token where its name belongs, or a shell did: it is not repeated.
  if (!isVariableName(name) || name.length > longestName || redact(name) !== name) {
    throw new TypeError(
      'envToken: what was given is not the name of an environment variable; give its name, not its value',
    )
  }
  const first = read(name)
  if (first.fault !== undefined) throw new TypeError(`envToken: ${first.fault}`)
  return Object.freeze({
    name,
    async token(): Promise<string> {
      const now = read(name)
      if (now.fault !== undefined) throw new AuthError('token_unavailable', `No token: ${now.fault}`)
      return now.token
    },
  })
}

/** Characters. */
const longestName = 128

function read(name: string): ReturnType<typeof readToken> {
  const value: unknown = process.env[name]
  if (typeof value !== 'string') return { fault: `the environment variable ${name} is not set` }
  const found = readToken(value)
  return found.fault === undefined
    ? found
    : { fault: `the value of the environment variable ${name} ${found.fault}` }
}
