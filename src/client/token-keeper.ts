import { AuthError, type BearerChallenge } from '../core/index.ts'
import { readToken } from './bearer-auth.ts'
import { authError, type Server } from './server.ts'
import type { TokenSource } from './token-source.ts'

/** A token source as one server sees it: what it gives is clean, and what was refused is reported once. */
export interface TokenKeeper {
  /** The token for a request. Throws `AuthError` when there is none. */
  current(url: string): Promise<string>
  /**
   * Reports a refused token and asks for a better one.
   * @returns it, or `undefined` when there is none: the source cannot renew, or gave the same token again
   */
  renew(used: string, challenge: BearerChallenge | undefined, url: string): Promise<string | undefined>
}

/** Makes a {@link TokenKeeper}. */
export function tokenKeeper(source: TokenSource, server: Server): TokenKeeper {
  /** Reports under way, by refused token: fifty requests that fail with one token are one report. */
  const reports = new Map<string, Promise<void>>()
  /** The last token that was replaced. A straggler that comes back with it needs the new one, not another renewal. */
  let replaced: string | undefined

  const current = async (url: string): Promise<string> => {
    const given: unknown = await attempt(server, () => source.token({ url }))
    const { token, fault } = readToken(given)
    if (token === undefined) {
      throw authError(
        server,
        'token_unavailable',
        `No token for ${server.label}: what the token source gave ${fault}.`,
      )
    }
    return token
  }

  const report = (used: string, challenge: BearerChallenge): Promise<void> => {
    const pending = reports.get(used)
    if (pending) return pending
    const started = attempt(server, async () => source.refused?.(used, challenge)).finally(() =>
      reports.delete(used),
    )
    reports.set(used, started)
    return started
  }

  return {
    current,
    async renew(used, challenge = { scopes: [] }, url) {
      if (source.refused === undefined) return undefined
      const known = used === replaced ? await current(url) : used
      if (known !== used) return known
      await report(used, challenge)
      const better = await current(url)
      if (better === used) return undefined
      replaced = used
      return better
    },
  }
}

async function attempt<T>(server: Server, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask()
  } catch (error) {
    if (error instanceof AuthError) throw error
    throw authError(server, 'token_unavailable', `No token for ${server.label}: the token source failed.`, {
      cause: error,
    })
  }
}
