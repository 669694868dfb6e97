import { type Answer, challengeOf } from '../answer.ts'
import type { Bench } from '../bench.ts'
import type { Check } from '../check.ts'
import { jwtOf, noSignature, randomText } from '../guesses.ts'
import { leaksOf, words } from '../leaks.ts'
import { isPastGate, type Survey } from '../survey.ts'
import { askEach, reportAll, reportBroken, type Tried, type Variation } from './ask-each.ts'

/** A token that is none, and what may be said of it. */
interface BadToken {
  readonly name: string
  readonly token: string
  /** Words of it that stand in no answer by chance. */
  readonly marks: readonly string[]
  /** Whether it has the form of a bearer token: what has not may be called malformed (RFC 6750 section 2.1). */
  readonly isWellFormed: boolean
}

/** Requirements, B-02, B-11: no invented token opens anything, and the answer says no more than that. */
export const badTokens: Check = {
  id: 'bad-tokens',
  title: 'Tokens that are not good',
  needs: ['protected'],
  async run(bench) {
    const survey = await bench.survey()
    const bad = tokens(bench)
    const variations = bad.map(
      ({ name, token }): Variation => [
        name,
        { message: survey.key, authorization: `Bearer ${token}`, isGuess: true },
      ],
    )
    const trial = await askEach(bench, variations)
    const given = trial.tried.map(([, answer], at): Given => [bad[at]!, answer])
    judge(bench, survey, trial.tried, given)
    judgeWords(bench, given)
    trial.finish()
  },
}

type Given = readonly [bad: BadToken, answer: Answer]

function tokens(bench: Bench): readonly BadToken[] {
  const mark = randomText(12)
  const seconds = Math.floor(bench.clock() / 1000)
  const issuer = `https://probe-${mark.toLowerCase()}.invalid`
  const claims = {
    iss: issuer,
    sub: `probe-sub-${mark}`,
    aud: bench.endpoint.url,
    scope: 'admin',
    iat: seconds,
    exp: seconds + 3600,
  }
  const kid = `probe-kid-${mark}`
  const marks = [issuer, kid, claims.sub]
  const opaque = randomText(40)
  const jwt = (name: string, header: object, signature: string): BadToken => {
    const token = jwtOf(header, claims, signature)
    return { name, token, marks: [...marks, token], isWellFormed: true }
  }
  const text = (name: string, token: string, isWellFormed = true): BadToken => ({
    name,
    token,
    marks: token.length > 20 ? [token] : [],
    isWellFormed,
  })
  return [
    text('a random text', opaque),
    jwt('a JWT signed by nobody', { alg: 'RS256', typ: 'JWT', kid }, noSignature()),
    jwt('an unsigned JWT (alg none)', { alg: 'none', typ: 'JWT' }, ''),
    jwt('a JWT without its signature', { alg: 'RS256', typ: 'JWT', kid }, ''),
    jwt('a JWT with an HMAC nobody knows the key of', { alg: 'HS256', typ: 'JWT' }, `${randomText(42)}A`),
    text('the word null', 'null'),
    text('the name of a variable', '$MCP_TOKEN', false),
  ]
}

function judge(bench: Bench, survey: Survey, tried: readonly Tried[], given: readonly Given[]): void {
  reportAll(
    bench,
    'bad-token-admitted',
    'Admitted',
    tried.filter(([, answer]) => isPastGate(answer)),
  )
  reportBroken(bench, tried)
  const wrong = given.filter(([bad, answer]) => isWrongStatus(bad, answer, survey))
  reportAll(
    bench,
    'bad-token-status',
    'Not answered with 401',
    wrong.map(([bad, answer]) => [`${bad.name} (${answer.status})`, answer]),
  )
}

/** Malformed credentials may be answered with 400; what refuses everybody in the same wrong way was told before. */
function isWrongStatus({ isWellFormed }: BadToken, answer: Answer, { baseline }: Survey): boolean {
  const { status, verdict } = answer
  if (status === 401 || verdict === 'broken' || verdict === 'silent' || isPastGate(answer)) return false
  if (baseline.status !== 401 && status === baseline.status) return false
  return isWellFormed || (status !== 400 && status !== 403)
}

function judgeWords(bench: Bench, given: readonly Given[]): void {
  const refused = given.filter(([{ isWellFormed }, { status }]) => isWellFormed && status === 401)
  const silent = refused.filter(([, answer]) => {
    const challenge = challengeOf(answer)
    return challenge !== undefined && challenge.error === undefined
  })
  reportAll(
    bench,
    'no-invalid-token',
    'No error in the challenge for',
    silent.map(([bad, answer]) => [bad.name, answer]),
  )
  const leaks = given.flatMap(([bad, answer]) =>
    leaksOf(answer, bad.marks, bench.endpoint.origin).map(
      (leak) => [`${leak}, for ${bad.name}`, answer] as const,
    ),
  )
  reportAll(bench, 'leaks-details', 'The answer', leaks)
  const differing = new Map(
    refused.map(([bad, answer]) => [words(answer, [...bad.marks, bad.token]), answer] as const),
  )
  if (differing.size > 1)
    bench.report(
      'bad-tokens-differ',
      `${differing.size} different answers to ${refused.length} tokens of which none is good.`,
      [...differing.values()],
    )
}
