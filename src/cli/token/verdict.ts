import { parseKey } from '../../apikeys/format.ts'
import { placeholderAdvice, placeholderCause } from '../../core/placeholder.ts'
import type { JwtVerifierOptions, TokenExplanation } from '../../verify/index.ts'
import { type JsonObject, own } from '../../verify/json.ts'
import { authExitCodes, exitCode } from '../exit-codes.ts'
import { publicAlgorithms } from './server-options.ts'

/** Scripts can tell a bad token from an outage. */
export const verdictExits: Readonly<Record<TokenExplanation['verdict'], number>> = {
  accepted: exitCode.ok,
  refused: authExitCodes.invalid_token,
  insufficient_scope: authExitCodes.insufficient_scope,
  unavailable: authExitCodes.verifier_unavailable,
}

/** They are the same wherever a token is judged. */
export const verdictExitsHelp = `Exit codes: 0 good, 11 not good, 12 a scope is missing, 21 the keys cannot be fetched,
2 the words make no sense.`

/** What is needed of a verdict to tell it. */
export type Verdict = Pick<TokenExplanation, 'verdict' | 'message' | 'remedy' | 'refusal'>

/** Why a token is not good, for people; a `better` advice takes the place of the general one. */
export function refusalLines({ verdict, message, remedy, refusal }: Verdict, better?: string): string[] {
  const { reason, expected, found, hint } = refusal ?? {}
  const advice = better ?? remedy
  return [
    verdict === 'unavailable'
      ? `It cannot be told: ${message}`
      : `Not good (${reason ?? verdict}): ${message}`,
    ...(expected === undefined ? [] : [`  expected  ${expected}`]),
    ...(found === undefined ? [] : [`  found     ${found}`]),
    ...(hint === undefined ? [] : [`  ${hint}`]),
    ...(advice === undefined ? [] : [advice]),
  ]
}

/** The same for a program. */
export function verdictJson({ verdict, message, remedy, refusal }: Verdict): JsonObject {
  const { reason, expected, found, hint } = refusal ?? {}
  return { ok: verdict === 'accepted', verdict, reason, message, remedy, expected, found, hint }
}

/** What was not asked, and what a server has to be told; a good token is good only as far as it was looked at. */
export function notesOf(
  { header = {} }: Pick<TokenExplanation, 'header'>,
  options: JwtVerifierOptions,
  tookAll: boolean,
): string[] {
  const algorithm = String(own(header, 'alg'))
  return [
    ...(options.audience === undefined
      ? ['Not asked: whom it is for. --audience, or tokens for other services pass as well.']
      : []),
    ...(options.issuer === undefined ? ['Not asked: who made it. --issuer compares that.'] : []),
    ...(tookAll && algorithm !== 'RS256' && publicAlgorithms.some((name) => name === algorithm)
      ? [`It is signed with ${algorithm}: a server has to be told, it takes RS256 otherwise.`]
      : []),
  ]
}

/** What is no JWT at all gets a better advice than what a JWT has. */
export function kindAdvice(token: string): string | undefined {
  const cause = placeholderCause(token)
  if (cause !== undefined) return placeholderAdvice[cause]
  const key = parseKey(token)
  if (typeof key === 'object' || key === 'bad_checksum') {
    return 'This is an API key, not a JWT: mcp-bearer token explain, with --db, says whether it is good.'
  }
  return undefined
}
