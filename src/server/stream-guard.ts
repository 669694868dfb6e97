import { AuthError, type Clock, type ScopePolicy, type TokenVerifier } from '../core/index.ts'
import { type TokenWatch, tokenWatch } from '../http/token-watch.ts'
import { principalKey } from './admission.ts'
import type { Exchange } from './exchange.ts'
import type { EventStream } from './reply.ts'

/** Keeps long streams within bounds: not longer than their token is good, and not more than one principal may have. */
export interface StreamGuard {
  /**
   * Takes a stream into its care.
   * @returns whether it may be sent; if not, `exchange.refused` says why
   */
  admits(stream: EventStream, exchange: Exchange): boolean
  /** Ends the streams that no answer would end, each with its farewell. */
  endStanding(): void
  close(): void
}

/** Makes a {@link StreamGuard}. */
export function streamGuard(
  verifier: TokenVerifier | undefined,
  scopes: ScopePolicy,
  clock: Clock,
  maxStreams: number,
): StreamGuard {
  const open = new Map<string, number>()
  const standing = new Set<EventStream>()
  const watch: TokenWatch | undefined = verifier && tokenWatch({ clock, verifier, scopes })

  function count(owner: string, change: 1 | -1): void {
    const next = (open.get(owner) ?? 0) + change
    if (next > 0) open.set(owner, next)
    else open.delete(owner)
  }

  return {
    admits(stream, exchange) {
      const owner = principalKey(exchange)
      if ((open.get(owner) ?? 0) >= maxStreams) {
        exchange.refused = new AuthError('rate_limited', undefined, { retryAfter: 60 })
        stream.close()
        return false
      }
      count(owner, 1)
      stream.onClose(() => {
        count(owner, -1)
        standing.delete(stream)
      })
      if (stream.isStanding) standing.add(stream)
      if (exchange.auth && watch) {
        const watched = watch.watch(exchange.auth, () => stream.dismiss())
        stream.guard = () => watched.check()
        stream.onClose(() => watched.stop())
      }
      return true
    },
    endStanding() {
      for (const stream of standing) stream.dismiss()
    },
    close: () => watch?.close(),
  }
}
