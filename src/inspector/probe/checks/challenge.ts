import { type Challenge, parseChallenges } from '../../../core/challenge.ts'
import { type Answer, headerOf, headersOf } from '../answer.ts'
import { type Bench, CannotTell } from '../bench.ts'
import { challengeFlaws } from '../challenge-grammar.ts'
import type { Check } from '../check.ts'
import { parsed } from '../event-stream.ts'
import type { FindingCode } from '../finding-texts.ts'

/** Requirements: the 401 says what to do, in words that clients can read. */
export const challenge: Check = {
  id: 'challenge',
  title: 'What the refusal says',
  needs: ['protected'],
  async run(bench) {
    const { baseline, anonymous } = await bench.survey()
    const refusal = [baseline, anonymous.modern, anonymous.legacy].find(({ status }) => status === 401)
    if (!refusal) throw new CannotTell('The server answered no request with 401.')
    checkChallenge(bench, refusal)
    checkAnswer(bench, refusal)
  },
}

function checkChallenge(bench: Bench, refusal: Answer): void {
  const lines = headersOf(refusal.response, 'www-authenticate').filter((line) => line.trim() !== '')
  const report = (code: FindingCode, detail: string) => bench.report(code, detail, [refusal])
  const { isMalformed, repeated } = challengeFlaws(lines)
  if (lines.length === 0) report('no-challenge', 'The 401 has no WWW-Authenticate header.')
  if (isMalformed)
    report('malformed-challenge', 'The value of WWW-Authenticate does not follow the grammar of challenges.')
  if (repeated.length > 0)
    report('repeated-parameter', `More than once in one challenge: ${repeated.join(', ').slice(0, 200)}.`)
  if (lines.length > 0) checkBearer(parseChallenges(lines), isMalformed, report)
}

/** What else stands there is not for clients with a bearer token; a token bound to a key is asked for as DPoP. */
function checkBearer(
  challenges: readonly Challenge[],
  isMalformed: boolean,
  report: (code: FindingCode, detail: string) => void,
): void {
  const named = (name: string) => challenges.find(({ scheme }) => scheme.toLowerCase() === name)
  const bearer = named('bearer')
  if (!bearer && !named('dpop')) {
    const schemes = challenges.map(({ scheme }) => scheme).join(', ')
    report('challenge-without-bearer', `It names ${schemes.slice(0, 200) || 'no scheme'}.`)
  }
  if (!bearer) return
  if (Object.keys(bearer.params).length === 0 && !isMalformed)
    report('bare-bearer', 'The challenge says "Bearer" and nothing else.')
  const { error } = bearer.params
  if (error !== undefined)
    report('error-without-credentials', `The challenge says error="${error.slice(0, 100)}".`)
}

function checkAnswer(bench: Bench, refusal: Answer): void {
  const { response } = refusal
  if (response && !response.isCut && response.body !== '' && parsed(response.body) === undefined)
    bench.report('refusal-not-json', `The body is ${headerOf(response, 'content-type') ?? 'of no type'}.`, [
      refusal,
    ])
  if (!/no-store|private|no-cache/i.test(headerOf(response, 'cache-control') ?? ''))
    bench.report('cacheable-refusal', 'The 401 has no Cache-Control: no-store.', [refusal])
}
