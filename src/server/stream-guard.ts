import {
  type AccessToken,
  AuthError,
  type Clock,
  type ScopePolicy,
  type TokenVerifier,
} from '../core/index.ts'
import { type TokenWatch, tokenWatch } from '../http/token-watch.ts'
import { turnKey } from './admission.ts'
import type { Exchange } from './exchange.ts'
import type { EventStream } from './reply.ts'

/** Keeps long streams within bounds: not longer than their token is good, and not more than one principal may have. */
export interface StreamGuard {
  /**
   * Takes a stream into its care.
   * @returns whether it may be sent; if not, `exchange.refused` says why
   */
  admits(stream: EventStream, exchange: Exchange): boolean
  /** Whether one more would be admitted now: for those who must know before anything is done. */
  hasRoom(exchange: Exchange): boolean
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
  let isEnding = false
  const watch: TokenWatch | undefined = verifier && tokenWatch({ clock, verifier, scopes })

  function count(owner: string, change: 1 | -1): void {
    const next = (open.get(owner) ?? 0) + change
    if (next > 0) open.set(owner, next)
    else open.delete(owner)
  }

  function hasRoom(owner: string): boolean {
    return (open.get(owner) ?? 0) < maxStreams
  }

  return {
    hasRoom: (exchange) => hasRoom(turnKey(exchange)),
    admits(stream, exchange) {
      const owner = turnKey(exchange)
      if (!hasRoom(owner)) {
        exchange.refused = new AuthError('rate_limited', undefined, { retryAfter: 60 })
        stream.close()
        return false
      }
      count(owner, 1)
      if (stream.isStanding) standing.add(stream)
      stream.onClose(() => {
        count(owner, -1)
        standing.delete(stream)
      })
      if (exchange.auth && watch) guarded(stream, exchange.auth, watch)
      // It was on its way when the others were ended.
      if (stream.isStanding && isEnding) stream.dismiss()
      return true
    },
    endStanding() {
      isEnding = true
      for (const stream of standing) stream.dismiss()
    },
    close: () => watch?.close(),
  }
}

/** What the stream was opened for was decided by what its token may; one that may less opens it no more. */
function guarded(stream: EventStream, token: AccessToken, watch: TokenWatch): void {
  const watched = watch.watch(token, () => stream.dismiss())
  stream.guard = () => {
    if (!watched.check()) return false
    if (mayAsMuch(watched.token, token)) return true
    stream.dismiss()
    return false
  }
  stream.onClose(() => watched.stop())
}

function mayAsMuch(now: AccessToken, before: AccessToken): boolean {
  if (!before.scopes.every((scope) => now.scopes.includes(scope))) return false
  const { tools } = now
  return tools === undefined || before.tools?.every((name) => tools.includes(name)) === true
}
