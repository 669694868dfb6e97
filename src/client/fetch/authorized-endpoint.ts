import { type AuthorizedFetchOptions, type FetchLike, fetchWith, settingsOf } from './authorized-fetch.ts'
import { recentSecrets } from './exchange.ts'
import { conceal } from './secrets.ts'
import type { Server } from './server.ts'

/** One server, and the way to it. */
export interface AuthorizedEndpoint {
  readonly server: Server
  /** See {@link authorizedFetch}. */
  readonly fetch: FetchLike
  /** Takes the credentials that were sent lately out of something the server wrote. */
  conceal(text: string): string
}

/** {@link authorizedFetch}, for those who read the answers as well. */
export function authorizedEndpoint(options: AuthorizedFetchOptions, owner: string): AuthorizedEndpoint {
  const settings = settingsOf(options, owner)
  const { server } = settings
  return {
    server,
    fetch: fetchWith(settings),
    conceal: (text) => conceal(text, recentSecrets(settings)),
  }
}
