import { type Answer, headerOf, headersOf } from '../answer.ts'
import { type Bench, CannotTell } from '../bench.ts'
import type { Check } from '../check.ts'
import { hasStackTrace } from '../leaks.ts'
import type { Message } from '../messages.ts'

/** Requirement A-16: who has no token is refused before what they send is waited for. */
export const bigBody: Check = {
  id: 'big-body',
  title: 'A big body without a token',
  needs: ['protected', 'raw'],
  async run(bench) {
    const { key, baseline } = await bench.survey()
    const answer = await bench.ask({
      headers: [...key.headers, ['Content-Length', '104857600']],
    })
    if (answer.verdict !== 'silent') return
    if (baseline.verdict === 'silent')
      throw new CannotTell('The server does not answer such requests at all.')
    bench.report('waits-for-body', 'A head that announces 100 MB, and no body: no answer came.', [answer])
  },
}

/** What answers show that is nobody's business, and what they lack. Looks at everything that came back. */
export const answers: Check = {
  id: 'answers',
  title: 'What the answers show',
  needs: ['mcp'],
  async run(bench) {
    const { key, isAdmitted } = await bench.survey()
    const broken: Message = { ...key, body: '{"jsonrpc":"2.0","id":1,"method":' }
    await bench.ask({ message: broken })
    if (isAdmitted) await bench.ask({ message: broken, authorization: `Bearer ${bench.token}` })
    checkTraces(bench)
    checkHeaders(bench)
  },
}

function checkTraces(bench: Bench): void {
  const found = bench.answers.filter(({ response }) => hasStackTrace(response?.body ?? ''))
  if (found.length > 0)
    bench.report('stack-trace', `In ${found.length} of ${bench.answers.length} answers.`, found)
}

function checkHeaders(bench: Bench): void {
  const { endpoint } = bench
  const cookies = bench.answers.filter(({ response }) => headersOf(response, 'set-cookie').length > 0)
  if (cookies.length > 0) {
    const names = cookies.flatMap(({ response }) => headersOf(response, 'set-cookie')).map(cookieName)
    bench.report('sets-cookie', `Named ${[...new Set(names)].join(', ').slice(0, 200)}.`, cookies)
  }
  const answered = bench.answers.filter(({ status }) => status > 0)
  const isStrict = ({ response }: Answer) => headerOf(response, 'strict-transport-security') !== undefined
  // RFC 6797 section 8.1: taken from an answer over TLS only.
  if (endpoint.isTls && !endpoint.isLoopback && !answered.some(isStrict))
    bench.report('no-hsts', 'No answer has a Strict-Transport-Security header.', answered.slice(0, 1))
}

function cookieName(line: string): string {
  return line.split(/[=;]/)[0]!.trim()
}

/** Requirement D17: pages that show everything a server has are for the network by decision only. */
export const publicPages: Check = {
  id: 'public-pages',
  title: 'Pages that show what the server has',
  needs: ['protected'],
  async run(bench) {
    if (bench.endpoint.isLoopback)
      throw new CannotTell('The server is on this machine: its pages are for its owner.')
    const open: Answer[] = []
    for (const [target, mark] of pages) {
      const answer = await bench.ask({ method: 'GET', target })
      if (answer.status === 200 && mark.test(answer.response?.body ?? '')) open.push(answer)
    }
    const names = open.map(({ request }) => request.target).join(', ')
    if (open.length > 0) bench.report('public-pages', `Open to everybody: ${names}.`, open)
  },
}

/** A site of somebody else has pages of these names, too: each must look like ours. */
const pages: readonly (readonly [target: string, mark: RegExp])[] = [
  ['/docs', /mcp/i],
  ['/openmcp.json', /"tools"/],
  ['/inspector', /mcp/i],
]
