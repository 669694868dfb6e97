import { type Answer, headerOf } from '../answer.ts'
import type { Check } from '../check.ts'
import { isPastGate } from '../survey.ts'

/** Is there an MCP server at all, and on a connection nobody else reads? */
export const reach: Check = {
  id: 'reach',
  title: 'The endpoint answers',
  needs: [],
  async run(bench) {
    const { endpoint } = bench
    const { anonymous, own } = await bench.survey()
    const answers = [anonymous.modern, anonymous.legacy, ...(own ? [own.modern, own.legacy] : [])]
    if (!endpoint.isTls && !endpoint.isLoopback) {
      bench.report('plain-http', `The address is ${endpoint.url}.`, [])
    }
    const broken = answers.filter(({ verdict, status }) => verdict === 'broken' && status !== 503)
    const [first] = broken
    if (first) {
      const kind = own && [own.modern, own.legacy].includes(first) ? 'with the token' : 'without a token'
      bench.report('server-error', `A plain request ${kind} was answered with ${first.status}.`, broken)
    }
    if (isMcp(answers)) return
    const moved = answers.find(({ verdict }) => verdict === 'redirect')
    if (moved) return bench.report('redirected', whereTo(moved), [moved])
    if (!first) bench.report('not-mcp', notMcp(answers), answers)
  },
}

/** Whether anything speaks the protocol, or refuses to before it would. */
export function isMcp(answers: readonly Answer[]): boolean {
  return answers.some(
    (answer) =>
      answer.verdict === 'refused' || answer.verdict === 'rpc_error' || isPastGate(answer) || isLogin(answer),
  )
}

/** A page to sign in at: somebody asks for a token, if not in the right way. */
export function isLogin({ verdict, response }: Answer): boolean {
  const location = headerOf(response, 'location') ?? ''
  return verdict === 'redirect' && /log-?in|sign-?in|oauth|authori[sz]e|\bsso\b/i.test(location)
}

function whereTo(answer: Answer): string {
  const location = headerOf(answer.response, 'location')
  if (location === undefined) return 'It does not say where to.'
  // What stands behind a question mark there may be a secret of somebody.
  return `Status ${answer.status}, to ${location.split(/[?#]/)[0]!.slice(0, 200)}.`
}

function notMcp(answers: readonly Answer[]): string {
  const statuses = [...new Set(answers.map(({ status }) => status))].join(', ')
  return `POST requests of both protocol revisions were answered with ${statuses}.`
}
