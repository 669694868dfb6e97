import { AuthError, type BearerChallenge, isScopeToken } from '../../core/index.ts'
import { abortable } from '../abortable.ts'
import { readToken } from '../bearer-auth.ts'
import { canonicalResource } from '../canonical.ts'
import { awaitsChallenge, type TokenSource } from '../token-source.ts'
import { authError, type Server } from './server.ts'

/** The request a token is for. */
export interface TokenUse {
  readonly url: string
  /** Of the caller: who stops waiting does not stop what others wait for. */
  readonly signal?: AbortSignal | undefined
}

/** A token source as one server sees it: what it gives is clean, and what was refused is reported once. */
export interface TokenKeeper {
  /** What the server has asked for so far, and tokens are asked with. A new list whenever it grows. */
  readonly scopes: readonly string[]
  /** The token for a request; `''` of a source that waits for a challenge. Throws `AuthError` when there is none. */
  current(use: TokenUse): Promise<string>
  /**
   * Reports a refused token and asks for a better one.
   * @returns it, or `undefined` when there is none: the source cannot renew, or gave the same token again
   */
  renew(used: string, challenge: BearerChallenge | undefined, use: TokenUse): Promise<string | undefined>
  /**
   * Asks for a token that carries more scopes (MCP authorization "Step-Up Authorization Flow").
   * @param asked what {@link scopes} were when the token that was used was asked for
   * @returns it, or `undefined` when there is none: nothing new was named, the source gave the same token again, or is
   *   not one to be asked twice; it is told the scopes with the next request then
   */
  widen(
    used: string,
    asked: readonly string[],
    needed: readonly string[],
    use: TokenUse,
  ): Promise<string | undefined>
}

/** A server that names more than this does not know what it needs, and shall not fill our requests. */
const mostScopes = 32
const longestScope = 256

/** Makes a {@link TokenKeeper}. */
export function tokenKeeper(source: TokenSource, server: Server): TokenKeeper {
  const ask = asker(source, server)
  const scoped = scopeKeeper(ask)
  /** Reports under way, by refused token: fifty requests that fail with one token are one report. */
  const reports = new Map<string, Promise<void>>()
  /** The last token that was reported. A straggler that comes back with it needs the new one, not another renewal. */
  let reported: string | undefined

  const current = async (use: TokenUse): Promise<string> => {
    try {
      return await ask(use, scoped.known)
    } catch (error) {
      throw await sourceFailure(server, error, use.signal)
    }
  }
  const report = async (used: string, challenge: BearerChallenge, { signal }: TokenUse): Promise<void> => {
    try {
      const begin = async () => {
        await source.refused?.(used, challenge)
        reported = used
      }
      await abortable(once(reports, used, begin), signal)
    } catch (error) {
      throw await sourceFailure(server, error, signal)
    }
  }

  return {
    get scopes() {
      return scoped.known
    },
    current,
    async renew(used, challenge = { scopes: [] }, use) {
      if (source.refused === undefined) return undefined
      const known = used === reported ? await current(use) : used
      if (known !== used) return known
      await report(used, challenge, use)
      const better = await current(use)
      return better === used ? undefined : better
    },
    async widen(used, asked, needed, use) {
      const union = scoped.with(needed)
      if (union === undefined || needed.every((scope) => asked.includes(scope))) return undefined
      if (source.refused === undefined) {
        scoped.known = union
        return undefined
      }
      try {
        const better = union === scoped.known ? await current(use) : await scoped.widen(union, use)
        return better === used ? undefined : better
      } catch (error) {
        throw await sourceFailure(server, error, use.signal)
      }
    },
  }
}

type Ask = (use: TokenUse, scopes: readonly string[]) => Promise<string>

/** Asks the source, and checks what it gives. */
function asker(source: TokenSource, server: Server): Ask {
  const resource = canonicalResource(server.url)
  const mayWait = (source as { [awaitsChallenge]?: unknown })[awaitsChallenge] === true
  /** Known to be clean: most sources give the same one again and again. */
  let last: string | undefined
  return async ({ url, signal }, scopes) => {
    const request = { url, resource, ...(scopes.length > 0 && { scopes }), ...(signal && { signal }) }
    const given: unknown = await abortable(source.token(request), signal)
    if (given === last && last !== undefined) return last
    if (given === '' && mayWait) return ''
    const { token, fault } = readToken(given)
    if (token !== undefined) {
      last = token
      return token
    }
    const message = `No token for ${server.label}: what the token source gave ${fault}.`
    throw authError(server, 'token_unavailable', message)
  }
}

/** What the server has asked for, and requests for more. */
function scopeKeeper(ask: Ask) {
  /** Under way, by scopes: fifty requests that lack a scope ask once. */
  const pending = new Map<string, Promise<string>>()
  const keeper = {
    known: [] as readonly string[],
    /** With more scopes; `undefined` when these are too many, or no scopes (RFC 6749 section 3.3). */
    with(more: readonly string[]): readonly string[] | undefined {
      if (!more.every((scope) => isScopeToken(scope) && scope.length <= longestScope)) return undefined
      const union = unionOf(keeper.known, more)
      return union.length > mostScopes ? undefined : union
    },
    async widen(union: readonly string[], { url, signal }: TokenUse): Promise<string> {
      // Nobody's signal: others may wait for the same token.
      const begin = () => ask({ url }, union)
      const token = await abortable(once(pending, union.join(' '), begin), signal)
      // Kept only now: a scope that cannot be had must not fail every later request.
      keeper.known = unionOf(keeper.known, union)
      return token
    },
  }
  return keeper
}

/** The list itself when nothing is new. */
function unionOf(known: readonly string[], more: readonly string[]): readonly string[] {
  return more.every((scope) => known.includes(scope)) ? known : [...new Set([...known, ...more])]
}

/** Work that is under way is not begun again. */
function once<T>(pending: Map<string, Promise<T>>, key: string, begin: () => Promise<T>): Promise<T> {
  const known = pending.get(key)
  if (known) return known
  const started = begin().finally(() => pending.delete(key))
  pending.set(key, started)
  return started
}

/** What a source failed with. Its own `AuthError` is passed on, and so is the reason of a caller who gave up. */
export async function sourceFailure(
  server: Server,
  error: unknown,
  signal: AbortSignal | undefined,
): Promise<unknown> {
  if (signal?.aborted) return signal.reason
  if (error instanceof AuthError) return error
  const { foreignError } = await import('./foreign-error.ts')
  const message = `No token for ${server.label}: the token source failed.`
  return authError(server, 'token_unavailable', message, { cause: foreignError(error) })
}
