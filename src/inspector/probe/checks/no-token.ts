import { type Answer, challengeOf, headersOf } from '../answer.ts'
import { type Bench, CannotTell } from '../bench.ts'
import type { Check } from '../check.ts'
import type { FindingCode } from '../finding-texts.ts'
import { inSession, type Message, modern, unknownTool } from '../messages.ts'
import { isPastGate, type Survey } from '../survey.ts'
import { isLogin } from './reach.ts'

/** Requirements: without a token nothing is answered but 401. */
export const noToken: Check = {
  id: 'no-token',
  title: 'A request without a token',
  needs: ['mcp'],
  async run(bench) {
    const survey = await bench.survey()
    const { surface, isOpen, baseline, anonymous } = survey
    if (isOpen && surface) {
      const isList = surface.list.verdict === 'admitted'
      if (isList) return bench.report('no-authentication', openDetail(survey), [surface.list, surface.call])
      return bench.report('open-calls', 'tools/call was answered; tools/list was not.', [surface.call])
    }
    if (surface) {
      const list = surface.list.verdict === 'admitted' ? ' and tools/list' : ''
      const first = surface.revision === '2026-07-28' ? 'server/discover' : 'initialize'
      bench.report('open-listing', `Open to everybody: ${first}${list}.`, [
        surface.revision === '2026-07-28' ? anonymous.modern : anonymous.legacy,
        surface.list,
      ])
    } else await checkCalls(bench, anonymous)
    checkStatus(bench, survey, baseline)
  },
}

function openDetail({ surface }: Survey): string {
  return `Without a token the server listed its tools and looked for one to call (${surface?.revision}).`
}

/** A server may guard its first request and forget the one that does something. */
async function checkCalls(bench: Bench, { modern: first, legacy }: Survey['anonymous']): Promise<void> {
  const params = { name: unknownTool, arguments: {} }
  // Only where the first request is refused: elsewhere an error may be about something else.
  const message = first.verdict === 'refused' ? modern('tools/call', params) : undefined
  const older = legacy.verdict === 'refused' ? inSession('tools/call', undefined, params) : undefined
  for (const one of [message, older]) {
    const call = one && (await bench.ask({ message: one }))
    if (call && isPastGate(call)) {
      const detail = 'Other requests are refused without a token; tools/call was answered.'
      return bench.report('open-calls', detail, [call])
    }
  }
  if (!older) return
  // Who looks at the method of a message finds none in a list of them (JSON-RPC 2.0 section 6).
  const batch = await bench.ask({ message: behindPing(older) })
  if (isPastGate(batch))
    bench.report('open-calls', 'A single request is refused without a token; a list of two was answered.', [
      batch,
    ])
}

function behindPing(message: Message): Message {
  return { ...message, body: `[{"jsonrpc":"2.0","id":2,"method":"ping"},${message.body}]` }
}

const wrongStatuses: Readonly<Record<number, FindingCode>> = {
  200: 'refused-with-200',
  400: 'refused-with-400',
  403: 'refused-with-403',
}

/** RFC 6750 section 3.1 and MCP "Error Handling": 401. */
function checkStatus(bench: Bench, survey: Survey, baseline: Answer): void {
  const { anonymous, isAdmitted } = survey
  const refusals = [baseline, anonymous.modern, anonymous.legacy]
  if (refusals.some(({ status }) => status === 401)) return
  if (baseline.verdict === 'broken') return
  // What else might be wrong with the request is known only from one that was taken.
  if (!isAdmitted && !isAboutToken(baseline)) {
    throw new CannotTell(
      `A request without a token is answered with ${baseline.status}. Whether that is about the token can only be told with one.`,
    )
  }
  const code =
    baseline.verdict === 'redirect'
      ? 'refused-with-redirect'
      : Object.hasOwn(wrongStatuses, baseline.status)
        ? wrongStatuses[baseline.status]!
        : 'refused-with-another-status'
  bench.report(code, `The answer is ${baseline.status}.`, [baseline])
}

function isAboutToken(answer: Answer): boolean {
  if (challengeOf(answer) || headersOf(answer.response, 'www-authenticate').length > 0) return true
  if (answer.verdict === 'redirect') return isLogin(answer)
  return /\b(?:un)?auth(?:enticat|ori[sz])|\btoken\b|credential|api[-_ ]?key|<input[^>]+password/i.test(
    answer.response?.body ?? '',
  )
}
