import { AuthError, type BearerChallenge, type Clock, isBearerToken, type Logger } from '../../core/index.ts'
import { backOff } from '../../verify/back-off.ts'
import { abortable } from '../abortable.ts'
import { canonicalResource } from '../canonical.ts'
import type { StoredTokens } from '../stores/token-store.ts'
import type { DpopProver, TokenRequest, TokenSource } from '../token-source.ts'
import { noToken } from './token-failure.ts'
import { type ShelfParts, type TokenShelf, tokenShelf } from './token-shelf.ts'

/** What a grant is asked for. */
export interface TokenNeed {
  /** The MCP server, in canonical form. */
  readonly server: string
  /** The scopes of the source, those the server has asked for, and those the last token was asked with. */
  readonly scopes: readonly string[]
  /** The last one there was. */
  readonly refreshToken: string | undefined
  /** `resource_metadata` of the last challenge. Not checked. */
  readonly metadataUrl: string | undefined
  /** How many tokens the server has refused within the last minute. */
  readonly refusals: number
  /** Tokens the server has seen: what it says may repeat them. */
  readonly seen: readonly string[]
  /** Keeps a refresh token that came in an answer which is no good otherwise. */
  readonly rotated: (refreshToken: string) => Promise<void>
}

/** What {@link renewing} is made of. */
export interface Renewing {
  /** What messages call the source. */
  readonly name: string
  /** Gets new tokens. An `AuthError` goes to those who wait; what else it throws is not shown. */
  readonly acquire: (need: TokenNeed) => Promise<StoredTokens>
  /** Asked for in any case. */
  readonly scopes: readonly string[]
  /** The tokens are bound to the key of this process: those of another one are of no use. */
  readonly dpop?: DpopProver | undefined
  readonly clock: Clock
  readonly log: Logger
  /** Where the tokens are kept. */
  readonly shelf: Omit<ShelfParts, 'log'>
  /** From 0 to 1. Default: `Math.random`. */
  readonly random?: (() => number) | undefined
}

/** Servers that are remembered. Beyond it the oldest is forgotten, and asks anew. */
const mostServers = 1000

/**
 * A token source out of a way to get tokens. When tokens are got stands here and nowhere else:
 *
 * - One token for each server, and one acquisition at a time, however many wait for it. One caller who gives up stops
 *   waiting, and nothing else.
 * - Some time before a token expires a new one is got, while the old one goes on being used. When that fails, the old
 *   one is used to its end, and attempts become rarer.
 * - A refused token is replaced, three times a minute at most: a server that refuses whatever it gets does not make us
 *   ask the authorization server without end. Neither does one that asks for more and more scopes.
 * - Scopes once asked for, with success, are asked for again.
 */
export function renewing(parts: Renewing): TokenSource {
  const servers = new Map<string, Renewal>()
  const shelf = tokenShelf({ ...parts.shelf, log: parts.log })
  const renewalFor = ({ url, resource }: TokenRequest): Renewal => {
    const server = canonicalResource(resource ?? url)
    const known = servers.get(server)
    if (known) return known
    const [oldest] = servers.keys()
    if (oldest !== undefined && servers.size >= mostServers) servers.delete(oldest)
    const made = renewal(server, parts, shelf)
    servers.set(server, made)
    return made
  }
  return Object.freeze({
    name: parts.name,
    ...(parts.dpop && { dpop: parts.dpop }),
    async token(request) {
      request.signal?.throwIfAborted()
      return renewalFor(request).token(request)
    },
    async refused(token, challenge) {
      for (const one of servers.values()) one.refused(token, challenge)
    },
  } satisfies TokenSource)
}

/** The token of one server. */
interface Renewal {
  token(request: TokenRequest): Promise<string>
  refused(token: string, challenge: BearerChallenge): void
}

/** A token that is in use. */
interface Held extends StoredTokens {
  readonly asked: readonly string[]
  readonly at: number
  /** Milliseconds since 1970, when a new one is due. */
  readonly renewAt: number
}

/** How often a server may make us ask, in a minute. */
const mostRefusals = 3
const mostStepUps = 10

function renewal(server: string, parts: Renewing, shelf: TokenShelf): Renewal {
  const { clock, log, dpop, random = Math.random } = parts
  let held: Held | undefined
  let refusedToken: string | undefined
  let metadataUrl: string | undefined
  const refusals = allowance(clock, mostRefusals)
  const stepUps = allowance(clock, mostStepUps)

  const isGood = (one: StoredTokens): boolean =>
    one.accessToken !== refusedToken && (one.expiresAt === undefined || clock() < one.expiresAt)
  const isDue = ({ at, renewAt }: Held): boolean => clock() >= renewAt || clock() < at
  /** Of another process, or of an earlier run of this one. */
  const isFound = (stored: StoredTokens, scopes: readonly string[]): boolean =>
    dpop === undefined &&
    stored.accessToken !== held?.accessToken &&
    isBearerToken(stored.accessToken) &&
    isGood(stored) &&
    includes(stored.scopes ?? [], scopes)

  const flights = oneFlight(server, clock, async (scopes) => {
    const seen = [held?.accessToken, refusedToken].filter((token) => token !== undefined)
    const need = { server, scopes, metadataUrl, refusals: refusals.taken(), seen }
    const tokens = await obtain(need, parts, shelf, (stored) => isFound(stored, scopes))
    const at = clock()
    held = { ...tokens, asked: scopes, at, renewAt: renewalTime(at, tokens.expiresAt, random()) }
    refusedToken = undefined
    return tokens.accessToken
  })
  const renewEarly = (scopes: readonly string[]): void => {
    if (flights.current !== undefined || flights.isPaused()) return
    flights.start(scopes, false).work.catch((error: AuthError) => {
      const message = 'A token could not be renewed early; the one there is is used until it expires'
      log({ level: 'warn', event: 'token_renewal_failed', message, details: { reason: error.message } })
    })
  }

  return {
    async token({ scopes: extra = [], signal }) {
      for (;;) {
        const scopes = union(parts.scopes, held?.asked ?? [], extra)
        const good = held !== undefined && isGood(held) ? held : undefined
        if (good) {
          const isEnough = includes(union(good.asked, good.scopes ?? []), scopes)
          if (isEnough && isDue(good)) renewEarly(scopes)
          if (isEnough || (flights.current === undefined && !stepUps.take())) return good.accessToken
        }
        const flight = flights.current ?? flights.start(scopes, good !== undefined)
        if (includes(flight.scopes, scopes)) return abortable(flight.work, signal)
        // It is for fewer scopes; how it ends is the business of those who asked for them.
        await abortable(flight.work.then(noop, noop), signal)
      }
    },
    refused(token, challenge) {
      if (token !== held?.accessToken || token === refusedToken) return
      metadataUrl = challenge.resourceMetadata ?? metadataUrl
      // Kept when there have been too many: it is then sent, and refused, without anybody else being bothered.
      if (refusals.take()) refusedToken = token
    },
  }
}

/** An acquisition under way. */
interface Flight {
  readonly scopes: readonly string[]
  readonly work: Promise<string>
}

/** Acquisitions for one server: one at a time, and after a failure none for a while. */
interface Flights {
  readonly current: Flight | undefined
  isPaused(): boolean
  /**
   * Begins one; there must be none under way.
   * @param isStepUp there is a good token, and whoever can live with that is not to wait because of this one
   */
  start(scopes: readonly string[], isStepUp: boolean): Flight
}

function oneFlight(
  server: string,
  clock: Clock,
  acquire: (scopes: readonly string[]) => Promise<string>,
): Flights {
  const pause = backOff(clock)
  let current: Flight | undefined
  let lastFailure: AuthError | undefined

  const run = async (scopes: readonly string[], isStepUp: boolean): Promise<string> => {
    const wait = pause.wait()
    try {
      if (wait > 0 && lastFailure && !isStepUp) throw again(lastFailure, wait)
      const token = await acquire(scopes)
      pause.succeeded()
      return token
    } catch (error) {
      const failure = asAuthError(error, server)
      if (isStepUp || wait > 0) throw failure
      lastFailure = failure
      pause.failed(failure.cause)
      throw failure
    } finally {
      current = undefined
    }
  }
  return {
    get current() {
      return current
    },
    isPaused: () => pause.wait() > 0,
    start(scopes, isStepUp) {
      // Begins a moment later: what fails at once must not have ended before it is known.
      const work = Promise.resolve().then(() => run(scopes, isStepUp))
      current = { scopes, work }
      return current
    },
  }
}

/** Gets tokens from the shelf, where another process may have left some, or from the authorization server. */
async function obtain(
  need: Omit<TokenNeed, 'refreshToken' | 'rotated'>,
  { acquire, dpop, shelf: { refreshes } }: Renewing,
  shelf: TokenShelf,
  isFound: (stored: StoredTokens) => boolean,
): Promise<StoredTokens> {
  return shelf.exclusive(need.server, async () => {
    const stored = await shelf.load(need.server)
    if (stored !== undefined && isFound(stored)) return stored
    const refreshToken = refreshes ? await shelf.refreshToken() : undefined
    const rotated = (token: string) => shelf.saveRefreshToken(token)
    const { refreshToken: next, ...access } = await acquire({ ...need, refreshToken, rotated }).catch(
      async (error: unknown) => {
        // RFC 6749 section 5.2: it is over, and asking with it again would only look like theft.
        const isOver = error instanceof AuthError && error.error === 'invalid_grant'
        // Another process, which took this one for dead, may have left a newer one.
        const isStill = isOver && refreshToken !== undefined && (await left(shelf)) === refreshToken
        if (isStill) await shelf.saveRefreshToken(undefined)
        throw error
      },
    )
    // Before the access token is used: the old refresh token is gone (RFC 9700 section 4.14).
    if (next !== undefined && next !== refreshToken) await shelf.saveRefreshToken(next)
    // What is bound to the key of this process is of no use to others, and as a bearer token it would be another thing.
    if (dpop === undefined) await shelf.save(need.server, access)
    return access
  })
}

/** The refresh token there is now; what the store fails with must not hide a refusal. */
function left(shelf: TokenShelf): Promise<string | undefined> {
  return shelf.refreshToken().catch(() => undefined)
}

const noop = (): void => {}

/** Milliseconds before the end, and as a part of the life: RFC 6749 has no word on it, all clients do it. */
const longestLead = 60_000
const lead = 0.1
/** Up to so much earlier, so that many clients do not come at the same moment. */
const jitter = 0.05

function renewalTime(now: number, expiresAt: number | undefined, random: number): number {
  if (expiresAt === undefined) return Number.POSITIVE_INFINITY
  const life = expiresAt - now
  return expiresAt - Math.min(longestLead, life * lead) - Math.min(longestLead / 2, life * jitter) * random
}

/** So many a minute. */
function allowance(clock: Clock, most: number): { take(): boolean; taken(): number } {
  let times: readonly number[] = []
  const recent = () => {
    const now = clock()
    // Times to come are of a clock that was set back.
    times = times.filter((time) => time <= now && now - time < 60_000)
    return times
  }
  return {
    take() {
      if (recent().length >= most) return false
      times = [...times, clock()]
      return true
    },
    taken: () => recent().length,
  }
}

function union(...lists: readonly (readonly string[])[]): readonly string[] {
  return [...new Set(lists.flat())]
}

function includes(all: readonly string[], some: readonly string[]): boolean {
  return some.every((scope) => all.includes(scope))
}

function asAuthError(error: unknown, server: string): AuthError {
  if (error instanceof AuthError) return error
  // Its words are those of a store or of a function of somebody else, and may quote what it was given.
  return noToken(server, 'the token source failed; does its store work?')
}

/** The failure there was, for those who come while nobody is asked. */
function again(failure: AuthError, wait: number): AuthError {
  const { code, message, error, errorDescription, status, server } = failure
  return new AuthError(code, message, {
    retryAfter: Math.max(1, Math.ceil(wait / 1000)),
    ...(error !== undefined && { error }),
    ...(errorDescription !== undefined && { errorDescription }),
    ...(status !== undefined && { status }),
    ...(server !== undefined && { server }),
  })
}
