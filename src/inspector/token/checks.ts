import type { RefusalReason } from '../../verify/refusal.ts'

/** What a verifier asks of a JWT, in its order (docs/verification.md). */
export type JwtCheck = (typeof jwtChecks)[number]
/** What a verifier asks of an API key, in its order. */
export type KeyCheck = (typeof keyChecks)[number]

/** `not_asked`: the configuration does not ask for it. `not_reached`: one before it has decided. */
export type CheckOutcome = 'passed' | 'refused' | 'unknown' | 'not_asked' | 'not_reached'

/** One check, and what came of it. */
export interface CheckLine {
  readonly check: JwtCheck | KeyCheck
  readonly outcome: CheckOutcome
  /** What is asked, or why there is no answer. */
  readonly words: string
}

/** How a verification ended: accepted without `reason`. */
export interface Ending {
  readonly verdict: 'accepted' | 'refused' | 'insufficient_scope' | 'unavailable'
  readonly reason?: RefusalReason | undefined
  /** What the configuration leaves out. */
  readonly notAsked: ReadonlySet<JwtCheck | KeyCheck>
}

const jwtChecks = [
  'form',
  'algorithm',
  'header',
  'issuer',
  'key',
  'signature',
  'time',
  'audience',
  'kind',
  'identity',
  'rules',
  'scopes',
] as const

const keyChecks = [
  'form',
  'checksum',
  'found',
  'secret',
  'revoked',
  'enabled',
  'time',
  'environment',
  'audience',
  'address',
  'scopes',
  'uses',
] as const

/** The checks each reason can come from; without one for a kind of token, none of that kind is refused for it. */
const checksOfReason: Readonly<Record<RefusalReason, { readonly jwt?: JwtCheck; readonly key?: KeyCheck }>> =
  {
    malformed: { jwt: 'form', key: 'form' },
    too_long: { jwt: 'form', key: 'form' },
    wrong_type: { jwt: 'header' },
    algorithm_not_allowed: { jwt: 'algorithm' },
    critical_header: { jwt: 'header' },
    no_matching_key: { jwt: 'key' },
    bad_signature: { jwt: 'signature' },
    // `exp`. The claims that a profile needs are asked for later; what is said to be passed is passed in both cases.
    missing_claim: { jwt: 'time' },
    expired: { jwt: 'time', key: 'time' },
    not_yet_valid: { jwt: 'time', key: 'time' },
    issued_in_future: { jwt: 'time' },
    too_old: { jwt: 'time' },
    invalid_time: { jwt: 'time' },
    wrong_issuer: { jwt: 'issuer' },
    wrong_audience: { jwt: 'audience', key: 'audience' },
    not_an_access_token: { jwt: 'kind' },
    sender_constrained: { jwt: 'kind' },
    no_identity: { jwt: 'identity' },
    // Read with the identity, before the rules of the server.
    invalid_scope: { jwt: 'identity' },
    rejected: { jwt: 'rules' },
    revoked: { key: 'revoked' },
    placeholder: { key: 'form' },
    bad_checksum: { key: 'checksum' },
    unknown_key: { key: 'found' },
    wrong_secret: { key: 'secret' },
    disabled: { key: 'enabled' },
    wrong_environment: { key: 'environment' },
    address_not_allowed: { key: 'address' },
    usage_exhausted: { key: 'uses' },
    // Of other verifiers, which ask somebody else and are not retold.
    inactive: {},
    unknown_token: {},
    not_recognized: {},
    cut_off: {},
  }

/** What is asked, for people. */
const asked: Readonly<Record<JwtCheck | KeyCheck, string>> = {
  form: 'it looks like one',
  algorithm: 'it is signed in a way that is allowed',
  header: 'it is an access token that needs no extension',
  issuer: 'it says that it is from the right issuer',
  key: 'there is a key for it',
  signature: 'the signature fits that key',
  time: 'it is valid now',
  audience: 'it is for this server',
  kind: 'it is an access token, and not bound to a key of its client',
  identity: 'it says for whom it speaks, and what it allows',
  rules: 'the rules of this server agree',
  scopes: 'it has the scopes every token needs',
  checksum: 'it was not mistyped or cut off',
  found: 'it is in the database',
  secret: 'its secret is right',
  revoked: 'it was not revoked',
  enabled: 'it is switched on',
  environment: 'it is for this environment',
  address: 'it may be used from where the caller is',
  uses: 'it has uses left',
}

/** The checks of a JWT, in the order of the server, and how far it came. */
export function jwtCheckLines(ending: Ending): CheckLine[] {
  return linesOf(jwtChecks, ending, ending.reason && checksOfReason[ending.reason].jwt, 'key')
}

/** The same of an API key. */
export function keyCheckLines(ending: Ending): CheckLine[] {
  return linesOf(keyChecks, ending, ending.reason && checksOfReason[ending.reason].key, 'found')
}

/** @param fetching the check for which somebody else is asked, who may not answer */
function linesOf<Check extends JwtCheck | KeyCheck>(
  checks: readonly Check[],
  { verdict, notAsked }: Ending,
  refusing: Check | undefined,
  fetching: Check,
): CheckLine[] {
  const last = {
    accepted: undefined,
    refused: refusing,
    insufficient_scope: 'scopes' as const,
    unavailable: fetching,
  }[verdict]
  // A reason that no check of these has: then nothing is known of any.
  const end = verdict === 'accepted' ? checks.length : (checks as readonly unknown[]).indexOf(last)
  return checks.map((check, at) => {
    if (at === end) {
      return verdict === 'unavailable'
        ? { check, outcome: 'unknown', words: 'cannot be told' }
        : { check, outcome: 'refused', words: asked[check] }
    }
    if (notAsked.has(check)) return { check, outcome: 'not_asked', words: 'not asked' }
    return at < end
      ? { check, outcome: 'passed', words: asked[check] }
      : { check, outcome: 'not_reached', words: 'not reached' }
  })
}
