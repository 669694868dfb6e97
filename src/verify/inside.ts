import { type AccessToken, completeVerdict } from '../core/access-token.ts'
import { type Clock, stopwatch } from '../core/clock.ts'
import { AuthError, authErrorCodes } from '../core/errors.ts'
import type { AuthMethod, CacheUse, EventSink } from '../core/events.ts'
import { scopeList, scopePolicy } from '../core/scopes.ts'
import type { CompleteTokenVerifier, TokenVerifier, VerifyContext } from '../core/verifier.ts'
import { type RefusalReason, refusalReasons } from './refusal.ts'
import type { Reporter } from './report.ts'

/** By value, not by exception: refusing is what happens most under attack, and it has to be cheap. */
export type Outcome = AccessToken | RefusalReason

/** Who decides about a token, and is told of it. */
export interface Decider {
  readonly method: AuthMethod
  readonly report?: Reporter
  readonly sink?: EventSink | undefined
  /** What every token needs that it takes. */
  readonly requiredScopes?: readonly string[] | undefined
  /** A caller learns nothing of a token, not even that it has expired: it would learn that it once was one. */
  readonly isSilent?: boolean
}

/** One verification, while it runs. Whoever decides writes down who it was. */
export interface Call {
  readonly context: VerifyContext | undefined
  decider: Decider
  cache: CacheUse
  /** Whoever stands around asks for the scopes, after a last look of its own at the token. */
  scopesLater: boolean
}

/** Makes the {@link Call} of a verification that begins. */
export function callWith(context: VerifyContext | undefined, scopesLater = false): Call {
  return { context, decider: somebodyElse, cache: 'none', scopesLater }
}

/** A verifier nobody here knows: it reports by itself, if at all. */
const somebodyElse: Decider = Object.freeze({ method: 'custom' })

/**
 * What a verifier of this package is on the inside: it judges and says why, and reports nothing yet. Verifiers that
 * stand around others ask here, so that each decision is reported once, at its end, by whoever made it.
 */
export interface Inside {
  /**
   * Synchronous unless something has to be fetched.
   * @throws AuthError `verifier_unavailable`, `insufficient_scope`
   */
  judge(token: string, call: Call): Outcome | Promise<Outcome>
  /** Whether each use of a token counts, so that nobody may answer for it from what he remembers. */
  readonly isCounting?: boolean
  /**
   * Whether a token can be one of its own; `undefined` where it cannot say. Left out where a verifier of ours says it all:
   * by `recognizes`, or by `issuers` when it takes JWTs and nothing else.
   */
  recognizes?(token: string): boolean | undefined
}

/** Where a verifier keeps its inside. */
export const inside: unique symbol = Symbol('mcp-bearer.inside')

/** A verifier with an inside. */
export interface TransparentVerifier extends CompleteTokenVerifier {
  readonly [inside]: Inside
}

/** The members of a verifier besides its verdict. */
export type VerifierTraits = Omit<CompleteTokenVerifier, 'verifyToken'>

/** The traits of another verifier, for one that stands around it. */
export function traitsOf(verifier: TokenVerifier): VerifierTraits {
  const { authorizationServers, requiredScopes, issuers, recognizes, recheck } = verifier
  const { close } = verifier as Partial<CompleteTokenVerifier>
  return {
    ...(authorizationServers && { authorizationServers }),
    ...(requiredScopes && { requiredScopes }),
    ...(issuers && { issuers }),
    ...(recognizes && { recognizes: (token: string) => recognizes.call(verifier, token) }),
    ...(recheck && { recheck: (token: AccessToken) => recheck.call(verifier, token) }),
    ...(close && { close: () => close.call(verifier) }),
  }
}

/** @throws TypeError when something is no verifier, or one with members of the wrong type */
export function checkVerifier(owner: string, value: unknown): void {
  const verifier = value as Partial<CompleteTokenVerifier> | null | undefined
  if (typeof verifier?.verifyToken !== 'function') {
    throw new TypeError(`${owner}: verifier must have a method verifyToken`)
  }
  for (const name of ['recognizes', 'recheck', 'close'] as const) {
    if (verifier[name] !== undefined && typeof verifier[name] !== 'function') {
      throw new TypeError(`${owner}: ${name} of a verifier must be a method`)
    }
  }
  if (verifier.requiredScopes !== undefined) {
    scopeList(`${owner}: requiredScopes of a verifier`, verifier.requiredScopes)
  }
}

/** The verifier that an inside was made for. */
const owners = new WeakMap<Inside, TransparentVerifier>()

/** Makes a verifier of an inside: what a caller sees, and what the operator is told. */
export function verifierFrom(within: Inside, traits: VerifierTraits): TransparentVerifier {
  const verifier: TransparentVerifier = Object.freeze({
    ...traits,
    [inside]: within,
    async verifyToken(token: string, context?: VerifyContext): Promise<AccessToken | null> {
      const call = callWith(context)
      const started = stopwatch()
      try {
        const judged = within.judge(token, call)
        const outcome = judged instanceof Promise ? await judged : judged
        if (typeof outcome === 'string') return refuse(outcome, token, call, started)
        const { decider, cache } = call
        decider.sink?.({
          type: 'accepted',
          method: decider.method,
          cache,
          seconds: secondsSince(started),
        })
        return outcome
      } catch (error) {
        fail(error, call, started)
        throw error
      }
    },
  })
  owners.set(within, verifier)
  return verifier
}

function refuse(reason: RefusalReason, token: string, call: Call, started: number): null {
  const { context, cache } = call
  const { method, report, sink, isSilent } = call.decider
  report?.(reason, token)
  if (!isSilent) context?.refused?.(reason)
  sink?.({ type: 'refused', method, cache, reason, seconds: secondsSince(started) })
  return null
}

function fail(thrown: unknown, { cache, decider: { method, sink } }: Call, started: number): void {
  // The code of an error can be overwritten; a metric must not get a label for each.
  const isKnown = thrown instanceof AuthError && authErrorCodes.includes(thrown.code)
  const error = isKnown ? thrown.code : 'verifier_error'
  sink?.({ type: 'failed', method, cache, error, seconds: secondsSince(started) })
}

function secondsSince(started: number): number {
  return (stopwatch() - started) / 1000
}

/** The inside of a verifier; of one that somebody else wrote or changed, what can be told from its answers. */
export function insideOf(verifier: TokenVerifier, clock: Clock, reporting: Reporting = {}): Inside {
  return ownInside(verifier) ?? outside(verifier, clock, reporting)
}

/** Who is told of verdicts of a verifier that does not report by itself. */
type Reporting = Pick<Decider, 'report' | 'sink'>

/**
 * The inside speaks for the verifier it was made with. A copy, a subclass or a proxy with a `verifyToken` or scopes of
 * its own is asked in the way anybody else is, or what it adds would not count.
 */
function ownInside(verifier: TokenVerifier): Inside | undefined {
  const within = (verifier as Partial<TransparentVerifier>)[inside]
  const owner = within && owners.get(within)
  if (owner === verifier) return within
  const isUnchanged =
    verifier.verifyToken === inheritedMethod(verifier) && verifier.requiredScopes === owner?.requiredScopes
  return isUnchanged ? within : undefined
}

/** `verifyToken` of the class that all others extend: an instance has another one where somebody has overridden it. */
function inheritedMethod(verifier: TokenVerifier): unknown {
  let method: unknown
  let at: object | null = Object.getPrototypeOf(verifier)
  while (at !== null) {
    if (Object.hasOwn(at, 'verifyToken')) method = (at as TokenVerifier).verifyToken
    at = Object.getPrototypeOf(at)
  }
  return method
}

function outside(verifier: TokenVerifier, clock: Clock, reporting: Reporting): Inside {
  const { requiredScopes } = verifier
  const decider: Decider = { method: 'custom', requiredScopes, ...reporting }
  return {
    // Only a plain yes is one: a promise is none.
    recognizes: (token) =>
      verifier.recognizes === undefined ? undefined : verifier.recognizes(token) === true,
    async judge(token, call) {
      call.decider = decider
      let reason: RefusalReason = 'unknown_token'
      const context = listening(call.context, (told) => {
        reason = refusalReasons.find((known) => known === told) ?? reason
      })
      const verdict = await verifier.verifyToken(token, context)
      const complete = completeVerdict(verdict, clock)
      if (complete !== null) return granted(complete, call)
      return verdict ? 'expired' : reason
    },
  }
}

/** The reason is told to the caller once, at the end, by whoever stands outermost. */
function listening(context: VerifyContext | undefined, refused: (reason: string) => void): VerifyContext {
  return {
    ...(context?.scopes && { scopes: context.scopes }),
    ...(context?.isRecheck && { isRecheck: true }),
    // Made when they are asked for, and `undefined` where there are none: the same as an absent member.
    get signal() {
      return context?.signal as AbortSignal
    },
    get address() {
      return context?.address as string
    },
    get requestId() {
      return context?.requestId as string
    },
    refused,
  }
}

/**
 * Lets a good token through when it has the scopes that whoever decided asks for. Always the last question: a token that
 * is bad and short of a scope is bad.
 * @throws AuthError `insufficient_scope` naming all that are needed
 */
export function granted(token: AccessToken, { context, decider, scopesLater }: Call): AccessToken {
  const { requiredScopes = [] } = decider
  if (scopesLater || requiredScopes.length === 0) return token
  if ((context?.scopes ?? exact).covers(token.scopes, requiredScopes)) return token
  throw new AuthError('insufficient_scope', undefined, { scopes: requiredScopes })
}

/** How scopes compare when nobody says otherwise. */
const exact = scopePolicy()

/** Stands in `issuers` of a verifier that takes JWTs of whatever issuer. */
export const anyIssuer = '*'
