import { AuthError, type Clock, systemClock } from '../../core/index.ts'
import { checkOptions } from '../../core/options.ts'
import { abortable } from '../abortable.ts'
import { type ReadToken, readToken } from '../bearer-auth.ts'
import { canonicalResource } from '../canonical.ts'
import type { TokenRequest, TokenSource } from '../token-source.ts'

/** A token with the time it is good for, so that it can be kept. */
export interface ExpiringToken {
  readonly token: string
  /** When it expires. Give this or `expiresIn`. */
  readonly expiresAt?: Date | undefined
  /** Seconds from now until it expires, as token endpoints say it (RFC 6749 section 5.1). */
  readonly expiresIn?: number | undefined
}

/**
 * What {@link functionToken} asks.
 *
 * @param request where the token is about to go
 * @param refused the token given last, when the server has answered 401 to it: give another one if there is one
 */
export type TokenFunction = (
  request: TokenRequest,
  refused?: string,
) => string | ExpiringToken | Promise<string | ExpiringToken>

/** Options of {@link functionToken}. */
export interface FunctionTokenOptions {
  /** What messages call the credential: `the vault`. Default: none. */
  readonly name?: string | undefined
  /** For expiry. Default: the clock of this machine. */
  readonly clock?: Clock | undefined
}

/**
 * A token from a function of yours: a vault, a session, a library of your identity provider. White space, quotes and
 * `Bearer ` around it are taken off.
 *
 * - A function that gives a **string** is asked for every request, and keeps what it wants to keep itself.
 * - One that gives an **object with an expiry** is asked when there is nothing to go on with: the token is kept for its
 *   resource (RFC 8707) and scopes until a tenth of its time, at most a minute, is left, or until it is refused.
 *   Requests that wait at the same time share one call, and one that is aborted leaves it to the others.
 *
 * What is kept is for whoever asks: make one source for each user.
 *
 * @returns a {@link TokenSource}. Its `token` throws an `AuthError` with code `token_unavailable` when the function gives
 *   something that cannot be a token or is expired already; what the function throws is passed on
 * @throws TypeError when `give` is no function or an option is wrong
 *
 * @example
 * ```ts
 * import { Client, functionToken } from 'mcp-bearer/client'
 *
 * const auth = functionToken(async ({ resource }, refused) => {
 *   const answer = await fetch('http://127.0.0.1:8200/mcp-token', {
 *     method: 'POST',
 *     body: JSON.stringify({ resource, renew: refused !== undefined }),
 *   })
 *   const { token, ttl } = (await answer.json()) as { token: string; ttl: number }
 *   return { token, expiresIn: ttl }
 * })
 * const client = new Client('https://mcp.example.com/mcp', { auth })
 * ```
 */
export function functionToken(give: TokenFunction, options: FunctionTokenOptions = {}): TokenSource {
  if (typeof give !== 'function') throw new TypeError('functionToken: give a function that gives a token')
  checkOptions('functionToken', options, ['name', 'clock'])
  const { name, clock = systemClock } = options
  if (name !== undefined && (typeof name !== 'string' || name === '')) {
    throw new TypeError('functionToken: name must be a non-empty string')
  }
  const places = new Map<string, Place>()

  const ask = async (request: TokenRequest, place: Place): Promise<string> => {
    const asked = clock()
    const given: unknown = await give(request, place.refused)
    // The same text as before is as good as before.
    const isKnown = typeof given === 'string' && given === place.last
    const read = isKnown ? { token: given, until: undefined, fault: undefined } : readGiven(given, asked)
    if (read.fault !== undefined) {
      throw new AuthError('token_unavailable', `No token: what ${name ?? 'the function'} gave ${read.fault}.`)
    }
    if (read.token !== place.refused) place.refused = undefined
    place.last = read.token
    place.until = read.until
    place.keeps = read.until !== undefined
    return read.token
  }

  const shared = (request: TokenRequest, place: Place): Promise<string> => {
    // It goes on when the one who asked first gives up.
    const { signal: _own, ...common } = request
    place.asking ??= ask(common, place).finally(() => {
      place.asking = undefined
    })
    return place.asking
  }

  const token = async (request: TokenRequest): Promise<string> => {
    const place = placeOf(places, request)
    const { last, until } = place
    if (last !== undefined && until !== undefined && clock() < until) return last
    if (place.keeps !== false) {
      const isFirst = place.asking === undefined
      const common = await abortable(shared(request, place), request.signal)
      // Only now it is known whether the answer was for everybody: a plain string is for who asked.
      if (isFirst || place.keeps) return common
    }
    return abortable(ask(request, place), request.signal)
  }

  return Object.freeze({
    ...(name !== undefined && { name }),
    token,
    async refused(refused) {
      for (const place of places.values()) {
        if (place.last !== refused) continue
        place.refused = refused
        place.until = undefined
      }
    },
  } satisfies TokenSource)
}

/** One resource with the scopes asked for: a token for one is not sent to another (RFC 8707 section 2). */
interface Place {
  /** The token given last. */
  last?: string
  /** When to ask again, in milliseconds since 1970. */
  until?: number | undefined
  /** Whether the function gives what can be kept; unknown before its first answer. */
  keeps?: boolean
  refused?: string | undefined
  asking?: Promise<string> | undefined
}

/** More servers than any client has; whoever is forgotten costs one call. */
const mostPlaces = 64

function placeOf(places: Map<string, Place>, { url, resource, scopes = [] }: TokenRequest): Place {
  const key = [resource ?? canonicalResource(url), ...[...scopes].sort()].join(' ')
  const place = places.get(key) ?? {}
  places.delete(key)
  places.set(key, place)
  if (places.size > mostPlaces) places.delete(places.keys().next().value!)
  return place
}

type ReadGiven = ReadToken & { readonly until?: number | undefined }

function readGiven(given: unknown, now: number): ReadGiven {
  if (typeof given !== 'object' || given === null) return readToken(given)
  const { token, expiresAt, expiresIn } = given as Record<keyof ExpiringToken, unknown>
  const read = readToken(token)
  if (read.fault !== undefined || (expiresAt === undefined && expiresIn === undefined)) return read
  const milliseconds = remaining(expiresAt, expiresIn, now)
  if (Number.isNaN(milliseconds))
    return { fault: 'has an expiry that is neither a Date nor a number of seconds' }
  if (milliseconds <= 0) return { fault: 'has expired already' }
  return { ...read, until: now + milliseconds - Math.min(60_000, milliseconds / 10) }
}

/** Milliseconds; `NaN` when they cannot be told. */
function remaining(expiresAt: unknown, expiresIn: unknown, now: number): number {
  if (expiresIn === undefined) return expiresAt instanceof Date ? expiresAt.getTime() - now : Number.NaN
  return typeof expiresIn === 'number' && expiresAt === undefined ? expiresIn * 1000 : Number.NaN
}
