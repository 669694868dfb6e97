import { type AccessToken, Grant } from '../core/access-token.ts'
import type { Clock } from '../core/clock.ts'
import { judgeClaims, judgeIssuer } from './claims.ts'
import { type Jws, parseCompact } from './compact.ts'
import { headerJudge } from './header.ts'
import type { JwtSettings } from './jwt-options.ts'
import type { RefusalReason } from './refusal.ts'
import type { Verified } from './remembered.ts'
import type { SignatureCheck } from './signature-backend.ts'
import { inTurn } from './turns.ts'

/** A token that is good, and what may be remembered of it. */
export interface Good {
  readonly token: AccessToken
  readonly verified: Verified
}

type Judged = Good | RefusalReason

/** Judges a token from the start, in the order of the checks in docs/verification.md. Synchronous unless keys have to be fetched. */
export function newTokenJudge(
  { header, keys, rules }: Pick<JwtSettings, 'header' | 'keys' | 'rules'>,
  clock: Clock,
): (token: string) => Judged | Promise<Judged> {
  const headers = headerJudge(header)

  return (token) =>
    inTurn(() => {
      const jws = parseCompact(token, headers.judge)
      if (typeof jws === 'string') return jws
      // Before any key is looked for: a token of another issuer must not make this server fetch anything.
      const foreign = judgeIssuer(jws.claims, rules.issuers)
      if (foreign !== undefined) return foreign
      const checks = keys.find(jws.header.algorithm, jws.header.kid)
      return checks instanceof Promise
        ? checks.then((found) => inTurn(() => judgeWith(found, jws, token)))
        : judgeWith(checks, jws, token)
    })

  function judgeWith(checks: readonly SignatureCheck[], jws: Jws, token: string): Judged | Promise<Judged> {
    if (checks.length === 0) return 'no_matching_key'
    const check = passing(checks, jws)
    return check instanceof Promise
      ? check.then((found) => judgeSigned(found, jws, token))
      : judgeSigned(check, jws, token)
  }

  function judgeSigned(check: SignatureCheck | undefined, jws: Jws, token: string): Judged {
    if (!check) return 'bad_signature'
    headers.remember(jws.encodedHeader, jws.header)
    const {
      claims,
      header: { algorithm, kid },
    } = jws
    const judged = judgeClaims(claims, rules, clock() / 1000)
    if (typeof judged === 'string') return judged
    const grant = new Grant(judged, token)
    return { token: grant.accessToken(token), verified: { algorithm, kid, check, grant } }
  }
}

/** The check that passes; each is tried until one does. */
function passing(
  checks: readonly SignatureCheck[],
  jws: Jws,
): SignatureCheck | undefined | Promise<SignatureCheck | undefined> {
  for (const [at, check] of checks.entries()) {
    const passes = check(jws.input, jws.signature)
    if (passes === true) return check
    if (passes !== false) return passes.then((does) => (does ? check : passing(checks.slice(at + 1), jws)))
  }
  return undefined
}
