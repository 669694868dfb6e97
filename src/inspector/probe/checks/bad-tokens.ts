import { type Answer, challengeOf } from '../answer.ts'
import { type Bench, CannotTell } from '../bench.ts'
import type { Check } from '../check.ts'
import { jwtOf, noSignature, randomText } from '../guesses.ts'
import { leaksOf, words } from '../leaks.ts'
import { isPastGate, type Survey } from '../survey.ts'
import { askEach, reportAll, reportBroken, type Variation } from './ask-each.ts'

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
    reportAll(
      bench,
      'bad-token-admitted',
      'Admitted',
      trial.tried.filter(([, answer]) => isPastGate(answer)),
    )
    reportBroken(bench, trial.tried)
    await judgeStatus(bench, survey, given)
    await judgeWords(bench, survey, given)
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
    // What a comparison with a setting that is not there takes for good.
    text('the word undefined', 'undefined'),
    text('the word None', 'None'),
    text('the name of a variable', '$MCP_TOKEN', false),
  ]
}

async function judgeStatus(bench: Bench, survey: Survey, given: readonly Given[]): Promise<void> {
  const wrong = given.filter(([bad, answer]) => isWrongStatus(bad, answer, survey))
  if (wrong.length === 0) return
  // Somebody on the way may have had enough of this probe: then it is not about the token.
  const { key, baseline } = survey
  const again = await bench.ask({ message: key })
  if (again.status !== baseline.status)
    throw new CannotTell(
      `A request without a token is now answered with ${again.status || 'nothing'}, and was with ${baseline.status} before: the server, or a proxy in front of it, has begun to turn this probe away.`,
    )
  reportAll(
    bench,
    'bad-token-status',
    'Not answered with 401',
    wrong.map(([bad, answer]) => [`${bad.name} (${answer.status || 'no answer'})`, answer]),
  )
}

/** Malformed credentials may be answered with 400; what refuses everybody in the same wrong way was told before. */
function isWrongStatus({ isWellFormed }: BadToken, answer: Answer, { baseline }: Survey): boolean {
  const { status, verdict } = answer
  if (status === 401 || verdict === 'broken' || isPastGate(answer)) return false
  if (baseline.status !== 401 && status === baseline.status) return false
  return isWellFormed || (status !== 400 && status !== 403)
}

async function judgeWords(bench: Bench, { key }: Survey, given: readonly Given[]): Promise<void> {
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
  const said = ([bad, answer]: Given) => words(answer, [...bad.marks, bad.token])
  const differing = new Map(refused.map((one) => [said(one), one] as const))
  const [first] = refused
  if (differing.size < 2 || !first) return
  // The same again: what differs then has nothing to do with the token.
  const [{ token }] = first
  const again = await bench.ask({ message: key, authorization: `Bearer ${token}`, isGuess: true })
  if (said([first[0], again]) === said(first))
    bench.report(
      'bad-tokens-differ',
      `${differing.size} different answers to ${refused.length} tokens of which none is good.`,
      [...differing.values()].map(([, answer]) => answer),
    )
}
