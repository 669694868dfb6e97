import { createHash } from 'node:crypto'
import type { Server } from '../../client/fetch/server.ts'
import { type TokenKeeper, tokenKeeper } from '../../client/fetch/token-keeper.ts'
import type { ClientIdentity } from '../../client/grants/client-identity.ts'
import { tokenExchange } from '../../client/sources/token-exchange.ts'
import { type AuthOption, tokenSource } from '../../client/token-source.ts'
import type { AccessToken, Clock, Logger } from '../../core/index.ts'
import { checkOptions } from '../../core/options.ts'
import { interval, type Schedule } from '../../core/schedule.ts'

/** How a caller's token is exchanged for one that is meant for the server behind the gateway (RFC 8693). */
export interface ExchangeOptions {
  /** The authorization server, as its metadata calls it. The callers' tokens are sent there and nowhere else. */
  readonly issuer: string
  /** Its token endpoint. Default: what its metadata says, asked for each caller (RFC 8414). */
  readonly tokenEndpoint?: string | undefined
  /** Who the gateway is at the authorization server. Default: it does not ask. */
  readonly client?: ClientIdentity | undefined
  /** What the callers' tokens are (RFC 8693 section 3). Default: `urn:ietf:params:oauth:token-type:access_token`. */
  readonly subjectTokenType?: string | undefined
  /** What to get. Default: what the authorization server gives. */
  readonly requestedTokenType?: string | undefined
  /** A name of the server at the authorization server, besides `resource`. Default: none. */
  readonly audience?: string | undefined
  /** Scopes to ask for. Default: those the server lists, else none. */
  readonly scopes?: readonly string[] | undefined
  /** What the authorization server knows the server by (RFC 8707). Default: what it calls itself, else its URL. */
  readonly resource?: string | undefined
  /** Also reach private addresses that the options name (RFC 1918, RFC 4193): for an issuer inside. Default: false. */
  readonly allowPrivateNetwork?: boolean | undefined
}

/** What the gateway shows to the server behind it, in place of the token it was shown itself. */
export interface UpstreamCredential {
  /** What gives the tokens for requests of this caller; `undefined` when none is sent. */
  keeperFor(caller: AccessToken): TokenKeeper | undefined
  /** Forgets the callers. */
  close(): void
}

/** What a credential is made of. */
export interface CredentialParts {
  readonly server: Server
  readonly clock: Clock
  readonly logger: Logger
  /** Default: a timer. */
  readonly schedule?: Schedule | undefined
}

/** One for all callers. @throws TypeError when it is none */
export function sharedCredential(auth: AuthOption, { server }: CredentialParts): UpstreamCredential {
  const source = tokenSource(auth, 'httpUpstream: auth')
  if (source.dpop !== undefined)
    throw new TypeError(
      'httpUpstream: auth gives tokens that are bound to a key; a gateway sends bearer tokens',
    )
  const keeper = tokenKeeper(source, server)
  return { keeperFor: () => keeper, close() {} }
}

/** None: the server asks for nobody. */
export const noCredential: UpstreamCredential = { keeperFor: () => undefined, close() {} }

/** Callers that are remembered; beyond it the one who was not heard from for longest asks anew. */
const mostCallers = 1000
/** Milliseconds for which a caller is remembered whose token does not expire. */
const longestMemory = 3_600_000
/** Milliseconds between two looks for tokens that have expired. */
const sweepEvery = 30_000

interface Remembered {
  readonly keeper: TokenKeeper
  /** Milliseconds since 1970. */
  readonly since: number
  readonly until: number
}

/**
 * One for each caller, exchanged for the caller's own token. Found by a digest of it, so that a new token of the caller's
 * is a new exchange, and what was exchanged for one token is never sent for another.
 *
 * @throws TypeError naming the option that is missing, unknown or wrong
 */
export function exchangedCredential(exchange: ExchangeOptions, parts: CredentialParts): UpstreamCredential {
  const { server, clock, logger, schedule = interval } = parts
  checkOptions('httpUpstream: exchange', exchange, known)
  const { allowPrivateNetwork, ...grant } = exchange
  const environment = { clock, logger, ...(allowPrivateNetwork !== undefined && { allowPrivateNetwork }) }
  const sourceFor = (token: string) =>
    tokenExchange({ ...given(grant), subjectToken: () => token }, environment)
  // What is wrong with the options must not wait for the first caller.
  sourceFor('none')
  const callers = new Map<string, Remembered>()
  let unschedule: (() => void) | undefined

  function forget(key: string): void {
    callers.delete(key)
    if (callers.size > 0) return
    unschedule?.()
    unschedule = undefined
  }

  function sweep(): void {
    const now = clock()
    for (const [key, one] of callers) if (!isRemembered(one, now)) forget(key)
  }

  function remember(key: string, caller: AccessToken): TokenKeeper {
    const since = clock()
    const until = Math.min(caller.expiresAt?.getTime() ?? Number.POSITIVE_INFINITY, since + longestMemory)
    const keeper = tokenKeeper(sourceFor(caller.token), server)
    callers.set(key, { keeper, since, until })
    if (callers.size > mostCallers) forget(callers.keys().next().value!)
    unschedule ??= schedule(sweep, sweepEvery)
    return keeper
  }

  return {
    keeperFor(caller) {
      const key = createHash('sha256').update(caller.token).digest('base64')
      const found = callers.get(key)
      if (found === undefined || !isRemembered(found, clock())) return remember(key, caller)
      // The last one in a map is the one that was used last.
      callers.delete(key)
      callers.set(key, found)
      return found.keeper
    },
    close() {
      for (const key of [...callers.keys()]) forget(key)
    },
  }
}

/** A clock that was set back must not make it longer. */
function isRemembered({ since, until }: Remembered, now: number): boolean {
  return now >= since && now < until
}

/** Without what is not set: an option that is `undefined` is one that somebody forgot to fill in. */
function given<T extends object>(options: T): T {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as T
}

const known = [
  'issuer',
  'tokenEndpoint',
  'client',
  'subjectTokenType',
  'requestedTokenType',
  'audience',
  'scopes',
  'resource',
  'allowPrivateNetwork',
] as const satisfies readonly (keyof ExchangeOptions)[]
