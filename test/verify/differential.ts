import fc from 'fast-check'
import { type AccessToken, AuthError } from 'mcp-bearer'
import {
  explainToken,
  type JwtVerifierOptions,
  jwtVerifier,
  type RefusalReason,
  type VerifierEnvironment,
} from 'mcp-bearer/verify'
import { expect } from 'vitest'
import { type Draft, pick, write } from './draft.ts'
import { clock, hmac, quiet, type Signer } from './forge.ts'
import { draftOf, type Recipe, recipe } from './mutations.ts'
import { opinionOn } from './reference.ts'
import { joseTakes, joseVerifies, manners, optionsOf, type World, worlds } from './worlds.ts'

/** How many tokens are judged in a run of all tests: by recipes, and with each character or byte changed. */
export const volumes = {
  HS256: 40_000,
  EdDSA: 4_000,
  ES256: 2_600,
  RS256: 1_600,
  characters: 130_000,
  bytes: 29_000,
}

/** What a JWT can be refused for; the other reasons are those of other verifiers. */
export const reasonsOfJwts: readonly RefusalReason[] = [
  'malformed',
  'too_long',
  'wrong_type',
  'algorithm_not_allowed',
  'critical_header',
  'no_matching_key',
  'bad_signature',
  'missing_claim',
  'expired',
  'not_yet_valid',
  'issued_in_future',
  'too_old',
  'invalid_time',
  'wrong_issuer',
  'wrong_audience',
  'not_an_access_token',
  'sender_constrained',
  'no_identity',
  'invalid_scope',
  'rejected',
]

/**
 * Has many mutated tokens judged by everybody who has an opinion: half of them the same in each run of the tests, half
 * of them others. When opinions differ it fails, and shows the seed and the smallest recipe.
 */
export async function judgeMany(algorithm: keyof typeof worlds, volume: number = volumes[algorithm]) {
  const compare = await comparer(worlds[algorithm])
  const count = outcomeCount()
  const opinions = fc.asyncProperty(recipe, async (made) => {
    const { outcome, expected, differing } = await compare(made)
    count.add(outcome)
    if (outcome === expected && differing.length === 0) return
    expect({ outcome, differing }).toEqual({ outcome: expected, differing: [] })
  })
  const numRuns = volume / 2
  await fc.assert(opinions, { numRuns, seed: 20_260_801 })
  await fc.assert(opinions, { numRuns })
  return count
}

/** Counts what became of tokens. */
export function outcomeCount() {
  const counts = new Map<Outcome, number>()
  let total = 0
  return {
    add(outcome: Outcome) {
      total += 1
      counts.set(outcome, (counts.get(outcome) ?? 0) + 1)
    },
    get total() {
      return total
    },
    share: (outcome: Outcome) => (counts.get(outcome) ?? 0) / total,
    /** Outcomes that should have occurred and did not, and such as there are not. */
    missing({ except = [] }: { readonly except?: readonly RefusalReason[] } = {}): Outcome[] {
      const due: Outcome[] = [
        'accepted',
        'insufficient_scope',
        ...reasonsOfJwts.filter((reason) => !except.includes(reason)),
      ]
      return [
        ...due.filter((outcome) => !counts.has(outcome)),
        ...[...counts.keys()].filter((outcome) => !due.includes(outcome)),
      ]
    },
  }
}

/** `accepted`, a reason, or the code of an `AuthError`. Anything else that is thrown is thrown on. */
export type Outcome = string

/** What became of the token of a recipe. */
interface Comparison {
  /** What the verifier says of it. */
  readonly outcome: Outcome
  /** What the rules and jose say. */
  readonly expected: Outcome
  /** What comes out otherwise when the verifier is asked again, and when it is asked in other ways. */
  readonly differing: readonly string[]
}

/** Makes the function that shows tokens to everybody who has an opinion. */
async function comparer(world: World): Promise<(recipe: Recipe) => Promise<Comparison>> {
  const key = await world.joseKey()
  const bench = manners.map((manner) => ({
    manner,
    demands: { ...manner, ...world.demands },
    ask: askers({ ...world.keys, ...optionsOf(manner) }, world.keySet),
  }))
  let count = 0

  return async (recipe) => {
    const { manner, demands, ask } = pick(bench, recipe.verifier)
    const draft = draftOf(recipe, world.algorithm)
    const token = write(draft, signerOf(world, draft, recipe))
    const outcome = await ask.first(token)
    const { outcome: opinion, isEarly } = opinionOn(token, demands)
    // Where the signature was tampered with, that it is called bad is what is to be expected.
    const isSigned =
      isEarly ||
      (isUntouched(draft, recipe) && algorithmOf(token) === world.algorithm) ||
      (outcome !== 'bad_signature' && (await joseVerifies(token, key, world.algorithm)))
    const expected = isSigned ? opinion : 'bad_signature'
    count += 1
    const ways = [
      ask.again,
      ...(count % 4 === 0 ? [ask.forgetful] : []),
      ...(count % 64 === 0 ? [ask.explained] : []),
    ]
    const differing: string[] = []
    for (const way of ways) {
      const other = await way(token)
      if (other !== outcome) differing.push(other)
    }
    if (isGood(outcome) && !(await joseTakes(token, key, world.algorithm, manner))) differing.push('jose')
    return { outcome, expected, differing }
  }
}

/** Whether a token is good, whoever may come in with it. */
function isGood(outcome: Outcome): boolean {
  return outcome === 'accepted' || outcome === 'insufficient_scope'
}

function signerOf(
  { right, wrong, openSecrets }: World,
  { openSecret }: Draft,
  { signature }: Recipe,
): Signer {
  return openSecret === undefined ? pick([right, ...wrong], signature) : hmac(pick(openSecrets, openSecret))
}

/** Whether the signature is the right one, and nobody has changed anything since. */
function isUntouched({ openSecret, token }: Draft, { signature }: Recipe): boolean {
  return signature === 0 && openSecret === undefined && token.length === 0
}

/** What the header names: the right signature is one of the right algorithm only. */
function algorithmOf(token: string): unknown {
  return JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString()).alg
}

/** The ways to ask for the verdict on a token. */
export function askers(options: JwtVerifierOptions, keySet: object | undefined) {
  const told: string[] = []
  const environment: VerifierEnvironment = {
    clock,
    ...(keySet && { fetch: async () => Response.json(keySet) }),
  }
  const remembering = jwtVerifier(options, { ...environment, logger: quiet })
  const forgetful = jwtVerifier(options, {
    ...environment,
    logger: quiet,
    rememberTokens: 0,
    onRefused: ({ reason }) => told.push(reason),
  })
  const ask = (token: string) =>
    outcomeOf(token, async (refused) => remembering.verifyToken(token, { refused }))
  return {
    first: ask,
    again: ask,
    forgetful: (token: string) =>
      outcomeOf(token, async (refused) => {
        const verdict = await forgetful.verifyToken(token)
        for (const reason of told.splice(0)) refused(reason)
        return verdict
      }),
    async explained(token: string): Promise<Outcome> {
      const { verdict, refusal } = await explainToken(token, options, environment)
      return refusal?.reason ?? verdict
    },
  }
}

/** An accepted token counts when it says exactly what stands in its payload. */
async function outcomeOf(
  token: string,
  verify: (refused: (reason: string) => void) => Promise<AccessToken | null>,
): Promise<Outcome> {
  const reasons: string[] = []
  try {
    const accepted = await verify((reason) => reasons.push(reason))
    if (accepted === null) return reasons.join(' and ') || 'refused without a reason'
    const payload = Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()
    const isSame = JSON.stringify(accepted.claims) === JSON.stringify(JSON.parse(payload))
    return isSame ? ['accepted', ...reasons].join(' and ') : 'accepted with other claims'
  } catch (error) {
    if (error instanceof AuthError) return error.code
    throw error
  }
}
