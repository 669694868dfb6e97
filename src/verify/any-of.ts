import type { AccessToken } from '../core/access-token.ts'
import type { Clock } from '../core/clock.ts'
import type { CompleteTokenVerifier, TokenVerifier } from '../core/verifier.ts'
import { readUnverified } from './compact.ts'
import { readEnvironment, type VerifierEnvironment } from './environment.ts'
import {
  anyIssuer,
  type Call,
  checkVerifier,
  type Decider,
  type Inside,
  insideOf,
  type Outcome,
  type VerifierTraits,
  verifierFrom,
} from './inside.ts'
import { own } from './json.ts'
import type { RefusalReason } from './refusal.ts'
import { refusalReporter } from './report.ts'

/**
 * Takes tokens of several kinds: JWTs of several issuers, each with its own keys and audience, beside opaque tokens or
 * API keys. A token is routed before it is tried, by its shape and its `iss`: where a member recognises it, only those
 * that do are asked, so a JWT is never shown to the introspection endpoint of somebody else. Members that cannot
 * recognise (your own, unless they have a method `recognizes`) are asked in their order when no other one does.
 *
 * Where several recognise a token, they are asked in their order, and the first that knows it decides: a token that is
 * expired, revoked or meant for somebody else is not shown to the next. What was revoked or cut off by one member,
 * no other one lets in.
 *
 * When a member cannot tell right now, the answer is `verifier_unavailable`, and never that the token is bad.
 *
 * @param members at least one; of JWT verifiers each needs `issuer`, and no issuer may be named twice
 * @param environment told of what no member reports by itself: tokens that nobody recognised, and verdicts of verifiers
 *   of your own
 * @throws TypeError when there is no member, one is no verifier, or two would take the same JWTs
 *
 * @example
 * ```ts
 * import { anyOf, jwtVerifier } from 'mcp-bearer/verify'
 *
 * const audience = 'https://mcp.example.com/mcp'
 * const employees = 'https://login.example.com'
 * const partners = 'https://partners.example.com'
 * const verifier = anyOf([
 *   jwtVerifier({ jwksUri: `${employees}/jwks`, issuer: employees, audience }),
 *   jwtVerifier({ jwksUri: `${partners}/jwks`, issuer: partners, audience, algorithm: 'ES256' }),
 * ])
 * await verifier.verifyToken('eyJhbGciOi…')
 * ```
 */
export function anyOf(
  members: readonly TokenVerifier[],
  environment: VerifierEnvironment = {},
): CompleteTokenVerifier {
  const world = readEnvironment('anyOf', environment)
  const nobody: Decider = { method: 'custom', report: refusalReporter(world), sink: world.onEvent }
  const list = checkMembers(members).map((member) => memberOf(member, world.clock, nobody))

  return verifierFrom(
    {
      recognizes: (token) => recognizedBy(list, token),
      isCounting: list.some(({ within }) => within.isCounting),
      judge(token, call) {
        call.decider = nobody
        const { able, isSure } = candidates(list, token)
        const [first] = able
        return first !== undefined && able.length === 1
          ? first.within.judge(token, call)
          : firstToKnow(able, token, call, isSure ? nobodyElses : lastWord)
      },
    },
    traitsOfAll(list),
  )
}

interface Member {
  readonly verifier: TokenVerifier
  readonly within: Inside
  /** `undefined` where it cannot say. */
  readonly recognizes: (token: string, issuerOf: () => unknown) => boolean | undefined
}

function memberOf(verifier: TokenVerifier, clock: Clock, { report, sink }: Decider): Member {
  const within = insideOf(verifier, clock, { ...(report && { report }), sink })
  return { verifier, within, recognizes: recognition(verifier, within) }
}

function recognition(verifier: TokenVerifier, within: Inside): Member['recognizes'] {
  if (within.recognizes) return within.recognizes
  const { issuers } = verifier
  if (issuers === undefined || issuers.includes(anyIssuer)) return (token) => verifier.recognizes?.(token)
  const names: ReadonlySet<unknown> = new Set(issuers)
  return (_token, issuerOf) => names.has(issuerOf())
}

/**
 * `iss` of what looks like a JWT, to find the verifier for it and for nothing else (RFC 8725 section 3.8). Read once for
 * all members, and only when one of them asks.
 */
function issuerReader(token: string): () => unknown {
  let read: { readonly issuer: unknown } | undefined
  return () => {
    read ??= { issuer: own(readUnverified(token)?.claims ?? {}, 'iss') }
    return read.issuer
  }
}

/** Those that recognise the token; else those that cannot say. */
function candidates(members: readonly Member[], token: string): { able: readonly Member[]; isSure: boolean } {
  const issuerOf = issuerReader(token)
  const unsure: Member[] = []
  const sure = members.filter((member) => {
    const answer = member.recognizes(token, issuerOf)
    if (answer === undefined) unsure.push(member)
    return answer === true
  })
  return sure.length > 0 ? { able: sure, isSure: true } : { able: unsure, isSure: false }
}

/** What all of them together say. */
function recognizedBy(members: readonly Member[], token: string): boolean | undefined {
  const issuerOf = issuerReader(token)
  const answers = members.map((member) => member.recognizes(token, issuerOf))
  return answers.includes(true) || (answers.includes(undefined) ? undefined : false)
}

/**
 * One after another, until one takes the token or has the last word. An outage of one ends it too, because that one
 * might have known the token.
 */
async function firstToKnow(
  able: readonly Member[],
  token: string,
  call: Call,
  isFinal: (reason: RefusalReason) => boolean,
): Promise<Outcome> {
  let last: Outcome = 'not_recognized'
  for (const { within } of able) {
    call.cache = 'none'
    last = await within.judge(token, call)
    if (typeof last !== 'string' || isFinal(last)) return last
  }
  return last
}

/** What was revoked must not be let in by somebody who does not know. */
function lastWord(reason: RefusalReason): boolean {
  return reason === 'revoked' || reason === 'cut_off'
}

/** A token that a member recognises, and refuses for what is in it, is not shown to the next one. */
function nobodyElses(reason: RefusalReason): boolean {
  return !anybodys.has(reason)
}

/** Refusals that leave it open whose token it is. */
const anybodys: ReadonlySet<RefusalReason> = new Set([
  'malformed',
  'wrong_type',
  'algorithm_not_allowed',
  'critical_header',
  'no_matching_key',
  'bad_signature',
  'wrong_issuer',
  'inactive',
  'not_recognized',
  'unknown_key',
])

function checkMembers(members: unknown): readonly TokenVerifier[] {
  if (!Array.isArray(members) || members.length === 0) {
    throw new TypeError('anyOf: members must be a list of at least one verifier')
  }
  const list: readonly TokenVerifier[] = Object.freeze(Array.from(members))
  for (const member of list) checkVerifier('anyOf', member)
  const issuers = list.flatMap((member) => member.issuers ?? [])
  if (issuers.includes(anyIssuer) && issuers.length > 1) {
    throw new TypeError('anyOf: each JWT verifier needs issuer, or nobody knows whose token is whose')
  }
  const twice = issuers.find((issuer, at) => issuers.indexOf(issuer) !== at)
  if (twice !== undefined) throw new TypeError('anyOf: two members have the same issuer')
  return list
}

function traitsOfAll(list: readonly Member[]): VerifierTraits {
  const members = list.map(({ verifier }) => verifier)
  const [first, ...others] = members
  const servers = members.flatMap((member) => member.authorizationServers ?? [])
  // What all of them need: each member asks for its own besides.
  const shared = (first?.requiredScopes ?? []).filter((scope) =>
    others.every((other) => other.requiredScopes?.includes(scope)),
  )
  return {
    authorizationServers: Object.freeze([...new Set(servers)]),
    requiredScopes: Object.freeze(shared),
    issuers: Object.freeze(members.flatMap((member) => member.issuers ?? [])),
    ...(members.every((member) => member.recognizes) && {
      recognizes: (token: string) => recognizedBy(list, token) === true,
    }),
    ...(members.some((member) => member.recheck) && {
      recheck: (token: AccessToken) => {
        for (const { verifier } of candidates(list, token.token).able) {
          const changed = verifier.recheck?.(token) ?? undefined
          if (changed !== undefined) return changed
        }
        return undefined
      },
    }),
    close: () => closeAll(members),
  }
}

/** All of them, also when one fails. */
function closeAll([first, ...others]: readonly TokenVerifier[]): void {
  try {
    if (first !== undefined) (first as Partial<CompleteTokenVerifier>).close?.()
  } finally {
    if (others.length > 0) closeAll(others)
  }
}
