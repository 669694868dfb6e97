import { type Answer, challengeOf } from '../answer.ts'
import { type Bench, CannotTell } from '../bench.ts'
import type { Check } from '../check.ts'
import { randomText } from '../guesses.ts'
import { isPastGate } from '../survey.ts'
import { askEach, reportAll, reportBroken } from './ask-each.ts'

/** Whether the token that was given is taken. */
export const yourToken: Check = {
  id: 'your-token',
  title: 'Your token',
  needs: ['mcp'],
  async run(bench) {
    if (bench.token === undefined) throw new CannotTell('No token was given.')
    const { good, isAdmitted, isOpen } = await bench.survey()
    if (isOpen) throw new CannotTell('The server asks for no token.')
    if (isAdmitted || !good) return
    if (good.verdict === 'refused') return bench.report('token-refused', refusalOf(good), [good])
    throw new CannotTell(
      `The request with your token was answered with ${good.status}, which says nothing about the token.`,
    )
  },
}

function refusalOf(answer: Answer): string {
  const { error, errorDescription, scopes = [] } = challengeOf(answer) ?? {}
  const said = [
    ...(error === undefined ? [] : [`error ${error.slice(0, 100)}`]),
    ...(errorDescription === undefined ? [] : [`"${errorDescription.slice(0, 200)}"`]),
    ...(scopes.length === 0 ? [] : [`scopes ${scopes.join(' ').slice(0, 200)}`]),
  ]
  return `Status ${answer.status}${said.length === 0 ? ', and the challenge says no more' : `: ${said.join(', ')}`}.`
}

/** Requirement A-04; RFC 9110 section 11.1: the name of a scheme has no case. */
export const schemeCase: Check = {
  id: 'scheme-case',
  title: 'The word Bearer in another case',
  needs: ['protected', 'admitted'],
  async run(bench) {
    const { key } = await bench.survey()
    const refused: Answer[] = []
    for (const scheme of ['bearer', 'BEARER']) {
      const answer = await bench.ask({ message: key, authorization: `${scheme} ${bench.token}` })
      if (answer.verdict === 'refused' || answer.status === 400) refused.push(answer)
    }
    const [first] = refused
    if (!first) return
    // A token may end at any time.
    const again = await bench.ask({ message: key, authorization: `Bearer ${bench.token}` })
    if (!isPastGate(again)) throw new CannotTell('Your token is not admitted any more.')
    bench.report('scheme-case', `Your token was refused with ${first.status}.`, refused)
  },
}

/** Requirement X11: the scheme says how a credential is to be understood. The token goes where it belongs, in another dress. */
export const otherScheme: Check = {
  id: 'other-scheme',
  title: 'Your token without the word Bearer',
  needs: ['protected', 'admitted'],
  async run(bench) {
    const { key } = await bench.survey()
    const lines: readonly (readonly [string, string])[] = [
      ['behind a word that begins like it', `BearerX ${bench.token}`],
      ['behind another word', `Token ${bench.token}`],
      ['alone', `${bench.token}`],
    ]
    const trial = await askEach(
      bench,
      lines.map(([name, authorization]) => [name, { message: key, authorization }]),
    )
    const taken = trial.tried.filter(([, answer]) => isPastGate(answer))
    reportAll(bench, 'scheme-ignored', 'Admitted', taken)
    reportBroken(bench, trial.tried)
    trial.finish()
  },
}

/** Requirements A-08, A-09: one request has one credential. */
export const twoCredentials: Check = {
  id: 'two-credentials',
  title: 'Two credentials at once',
  needs: ['protected', 'admitted', 'raw'],
  async run(bench) {
    const { key } = await bench.survey()
    const { token } = bench
    const other = randomText(32)
    const variations: readonly (readonly [string, string | readonly string[]])[] = [
      ['your token in two lines', [`Bearer ${token}`, `Bearer ${token}`]],
      ['your token and a random one in a second line', [`Bearer ${token}`, `Bearer ${other}`]],
      ['your token behind a random one', [`Bearer ${other}`, `Bearer ${token}`]],
      ['your token and a random one in one line', `Bearer ${token}, Bearer ${other}`],
    ]
    const trial = await askEach(
      bench,
      variations.map(([name, authorization]) => [name, { message: key, authorization, isGuess: true }]),
    )
    const admitted = trial.tried.filter(([, answer]) => isPastGate(answer))
    reportAll(bench, 'two-credentials', 'Admitted', admitted)
    reportBroken(bench, trial.tried)
    trial.finish()
    await checkQuery(bench, other)
  },
}

/** RFC 6750 section 2: not more than one method. The token itself stays in its header. */
async function checkQuery(bench: Bench, other: string): Promise<void> {
  const { key } = await bench.survey()
  const { target } = bench.endpoint
  const answer = await bench.ask({
    message: key,
    target: `${target}${target.includes('?') ? '&' : '?'}access_token=${other}`,
    authorization: `Bearer ${bench.token}`,
    isGuess: true,
  })
  if (isPastGate(answer))
    bench.report('two-methods', 'Your token was admitted beside a random ?access_token= in the address.', [
      answer,
    ])
}
