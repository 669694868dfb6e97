import { type Answer, headerOf, headersOf } from '../answer.ts'
import { type Bench, CannotTell } from '../bench.ts'
import type { Check } from '../check.ts'
import { isPastGate } from '../survey.ts'

/** Nobody has this name (RFC 2606 section 2): a server that lets it in lets everybody in. */
const stranger = 'https://mcp-bearer-probe.invalid'

/** Requirements: what web pages are allowed is decided, and then works. */
export const preflight: Check = {
  id: 'preflight',
  title: 'What web pages may do',
  needs: ['mcp', 'raw'],
  async run(bench) {
    const { origin } = bench.endpoint
    await checkStranger(bench, await ask(bench, stranger))
    const own = await ask(bench, origin)
    await checkAllowed(bench, own, origin)
  },
}

interface Asked {
  readonly preflight: Answer
  readonly actual: Answer
}

/** A preflight carries no credentials (Fetch, "CORS-preflight fetch"); neither does the request behind it here. */
async function ask(bench: Bench, origin: string): Promise<Asked> {
  const { key } = await bench.survey()
  return {
    preflight: await bench.ask({
      method: 'OPTIONS',
      headers: [
        ['Origin', origin],
        ['Access-Control-Request-Method', 'POST'],
        ['Access-Control-Request-Headers', 'authorization,content-type,mcp-protocol-version'],
      ],
    }),
    actual: await bench.ask({ message: key, headers: [['Origin', origin]] }),
  }
}

async function checkStranger(bench: Bench, { preflight: first, actual }: Asked): Promise<void> {
  const reflecting = [first, actual].filter((answer) => allowedOrigin(answer) === stranger)
  if (reflecting.length === 0) return
  const withCredentials = reflecting.filter((answer) => allowsCredentials(answer))
  if (withCredentials.length > 0)
    bench.report('cors-with-credentials', `It was asked for ${stranger}, a name nobody has.`, withCredentials)
  else bench.report('cors-for-everybody', `It was asked for ${stranger}, a name nobody has.`, reflecting)
}

async function checkAllowed(bench: Bench, asked: Asked, origin: string): Promise<void> {
  const { preflight: first, actual } = asked
  const isAllowed = (answer: Answer) => ['*', origin].includes(allowedOrigin(answer) ?? '')
  if (!isAllowed(actual) && !isAllowed(first))
    throw new CannotTell('The server lets no web pages in that this probe knows of.')
  if (first.status === 401)
    bench.report('preflight-refused', 'The OPTIONS request was answered with 401.', [first])
  else if (isAllowed(first) && !names(first, 'access-control-allow-headers', 'authorization'))
    bench.report('cors-without-authorization', allowedText(first), [first])
  if (
    isAllowed(actual) &&
    actual.status === 401 &&
    !names(actual, 'access-control-expose-headers', 'www-authenticate')
  )
    bench.report('cors-hides-challenge', 'Access-Control-Expose-Headers does not name WWW-Authenticate.', [
      actual,
    ])
}

function allowedText(answer: Answer): string {
  const value = headerOf(answer.response, 'access-control-allow-headers')
  return value === undefined
    ? 'There is no Access-Control-Allow-Headers.'
    : `Access-Control-Allow-Headers is ${value.slice(0, 200)}.`
}

function allowedOrigin(answer: Answer): string | undefined {
  return headerOf(answer.response, 'access-control-allow-origin')
}

function allowsCredentials(answer: Answer): boolean {
  return headerOf(answer.response, 'access-control-allow-credentials') === 'true'
}

/** By its name: `*` does not cover `Authorization` (Fetch, "CORS non-wildcard request-header name"). */
function names(answer: Answer, header: string, name: string): boolean {
  const listed = headersOf(answer.response, header).join(',').split(',')
  const isThere = (wanted: string) => listed.some((one) => one.trim().toLowerCase() === wanted)
  return isThere(name) || (header === 'access-control-expose-headers' && isThere('*'))
}

/** Requirements D-01, D-04; MCP Streamable HTTP: a server on this machine is for this machine's programs. */
export const foreignOrigin: Check = {
  id: 'foreign-origin',
  title: 'A web page of somebody else',
  needs: ['mcp', 'raw'],
  async run(bench) {
    const { isLoopback, host } = bench.endpoint
    if (!isLoopback)
      throw new CannotTell('Which origins a server on the network lets in is for its operator to say.')
    const { key, isOpen, isAdmitted } = await bench.survey()
    const authorization = isAdmitted && bench.token !== undefined ? `Bearer ${bench.token}` : []
    const strange = stranger.slice('https://'.length)
    const port = /:\d+$/.exec(host)?.[0] ?? ''
    const origin = await bench.ask({ message: key, authorization, headers: [['Origin', stranger]] })
    const rebound = await bench.ask({
      message: key,
      authorization,
      headers: [['Host', `${strange}${port}`]],
    })
    if (isPastGate(origin)) bench.report('foreign-origin', `Admitted with Origin: ${stranger}.`, [origin])
    if (isPastGate(rebound)) bench.report('foreign-host', `Admitted with Host: ${strange}${port}.`, [rebound])
    if (!isOpen && !isAdmitted && [origin, rebound].some(({ status }) => status === 401))
      throw new CannotTell(
        'The server looks at the token first. Whether it looks at Origin can only be told with one.',
      )
  },
}
