import type { AccessToken } from '../core/access-token.ts'
import type { CompleteTokenVerifier, TokenVerifier } from '../core/verifier.ts'
import { readEnvironment, type VerifierEnvironment } from './environment.ts'
import {
  anyIssuer,
  type Call,
  checkVerifier,
  type Decider,
  type Inside,
  insideOf,
  type Outcome,
  verifierFrom,
} from './inside.ts'
import { refusalReporter } from './report.ts'

/**
 * Takes tokens of several kinds: JWTs of several issuers, each with its own keys and audience, beside opaque tokens or
 * API keys. A token is routed before it is tried, by its shape and its `iss`: where a member recognises it, only those
 * that do are asked, so a JWT is never shown to the introspection endpoint of somebody else. Members that cannot
 * recognise (your own, unless they have a method `recognizes`) are asked in their order when no other one does.
 *
 * When a member cannot tell right now, the answer is `verifier_unavailable`, and never that the token is bad.
 *
 * @param members at least one; of JWT verifiers each needs `issuer`, and no issuer may be named twice
 * @param environment used for what no member decided: tokens that nobody recognised
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
  const list = checkMembers(members)
  const nobody: Decider = { method: 'custom', report: refusalReporter(world), sink: world.onEvent }
  const insides = new Map(list.map((member) => [member, insideOf(member, world.clock)]))

  return verifierFrom(
    {
      judge(token, call) {
        const able = candidates(list, token)
        const [first] = able
        const only = able.length === 1 && first !== undefined ? insides.get(first) : undefined
        if (only !== undefined) return only.judge(token, call)
        call.decider = nobody
        return firstToAccept(
          able.flatMap((member) => insides.get(member) ?? []),
          token,
          call,
        )
      },
    },
    traitsOfAll(list),
  )
}

/** Those that recognise the token; else those that cannot say. */
function candidates(members: readonly TokenVerifier[], token: string): readonly TokenVerifier[] {
  const sure = members.filter((member) => member.recognizes?.(token) === true)
  return sure.length > 0 ? sure : members.filter((member) => member.recognizes === undefined)
}

/** One after another; an outage of one ends it, because that one might have known the token. */
async function firstToAccept(able: readonly Inside[], token: string, call: Call): Promise<Outcome> {
  let last: Outcome = 'not_recognized'
  for (const one of able) {
    last = await one.judge(token, call)
    if (typeof last !== 'string') return last
  }
  return last
}

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

function traitsOfAll(members: readonly TokenVerifier[]): Omit<CompleteTokenVerifier, 'verifyToken'> {
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
      recognizes: (token: string) => members.some((member) => member.recognizes?.(token)),
    }),
    recheck: (token: AccessToken) => {
      for (const member of candidates(members, token.token)) {
        const changed = member.recheck?.(token)
        if (changed !== undefined) return changed
      }
      return undefined
    },
    close: () => {
      for (const member of members) (member as Partial<CompleteTokenVerifier>).close?.()
    },
  }
}
