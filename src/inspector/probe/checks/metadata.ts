import { parseChallenges } from '../../../core/challenge.ts'
import { isLoopbackHost } from '../../../core/options.ts'
import { isObject } from '../../../verify/json.ts'
import { type Answer, headersOf } from '../answer.ts'
import { type Bench, CannotTell } from '../bench.ts'
import type { Check } from '../check.ts'
import { parsed } from '../event-stream.ts'

/** Requirements A-61, C-01 to C-15: what clients need to find the authorization server. Asked for without a token. */
export const metadata: Check = {
  id: 'metadata',
  title: 'Where tokens come from',
  needs: ['protected'],
  async run(bench) {
    const { baseline, anonymous } = await bench.survey()
    const refusals = [baseline, anonymous.modern, anonymous.legacy]
    const refusal = refusals.find((one) => namedIn(one) !== undefined)
    if (refusal) return checkNamed(bench, refusal, namedIn(refusal) ?? '')
    const found = await lookAround(bench)
    if (!found) throw new CannotTell('The server names no authorization server: its tokens come another way.')
    const path = found.request.target.slice(0, 200)
    bench.report('metadata-not-named', `It is at ${path}.`, [baseline, found])
    checkDocument(bench, found)
  },
}

function namedIn(refusal: Answer): string | undefined {
  const challenges = parseChallenges(headersOf(refusal.response, 'www-authenticate'))
  return challenges.map(({ params }) => params.resource_metadata).find((value) => value !== undefined)
}

async function checkNamed(bench: Bench, refusal: Answer, named: string): Promise<void> {
  const { origin } = bench.endpoint
  const url = URL.canParse(named) ? new URL(named) : undefined
  if (url?.protocol !== 'https:' && url?.protocol !== 'http:')
    return bench.report('metadata-address', `resource_metadata is "${named.slice(0, 200)}".`, [refusal])
  if (url.origin !== origin)
    return bench.report('metadata-elsewhere', `It is at ${url.origin}, where this probe does not ask.`, [
      refusal,
    ])
  const answer = await bench.ask({ method: 'GET', target: `${url.pathname}${url.search}` })
  if (answer.status !== 200 || !documentIn(answer))
    return bench.report(
      'metadata-missing',
      answer.status === 200
        ? 'What is there is no JSON object.'
        : `Asking for it was answered with ${answer.status}.`,
      [refusal, answer],
    )
  checkDocument(bench, answer)
}

/** The well-known places (RFC 9728 section 3.1): with the path of the endpoint behind, and without. */
async function lookAround(bench: Bench): Promise<Answer | undefined> {
  const wellKnown = '/.well-known/oauth-protected-resource'
  const { path } = bench.endpoint
  for (const target of new Set([`${wellKnown}${path === '/' ? '' : path}`, wellKnown])) {
    const answer = await bench.ask({ method: 'GET', target })
    const document = answer.status === 200 ? documentIn(answer) : undefined
    if (document && Object.hasOwn(document, 'resource')) return answer
  }
  return undefined
}

function documentIn(answer: Answer): Readonly<Record<string, unknown>> | undefined {
  const document = parsed(answer.response?.body ?? '')
  return isObject(document) ? document : undefined
}

function checkDocument(bench: Bench, answer: Answer): void {
  const { resource, authorization_servers: servers } = documentIn(answer) ?? {}
  checkResource(bench, answer, resource)
  const list = Array.isArray(servers) ? servers : []
  if (list.length === 0)
    bench.report('metadata-without-servers', 'authorization_servers is missing or empty.', [answer])
  const wrong = list.filter((one) => !isIssuer(one))
  if (wrong.length > 0)
    bench.report(
      'metadata-bad-server',
      `Not an https URL without query and fragment: ${wrong.slice(0, 5).map(named).join(', ').slice(0, 200)}.`,
      [answer],
    )
}

function named(server: unknown): string {
  return typeof server === 'string' ? server.slice(0, 200) : 'something that is no text'
}

/** RFC 8414 section 2; http on this machine is for development. */
function isIssuer(value: unknown): boolean {
  if (typeof value !== 'string' || !URL.canParse(value)) return false
  const url = new URL(value)
  const isSafe = url.protocol === 'https:' || (url.protocol === 'http:' && isLoopbackHost(url.hostname))
  return isSafe && url.search === '' && url.hash === ''
}

/** RFC 9728 section 3.3: clients do not use a document that is about something else. */
function checkResource(bench: Bench, answer: Answer, resource: unknown): void {
  const { url, origin, isLoopback } = bench.endpoint
  const named = typeof resource === 'string' && URL.canParse(resource) ? new URL(resource) : undefined
  if (!named) bench.report('metadata-resource', 'resource is missing, or no URL.', [answer])
  if (!named || named.href === new URL(url).href) return
  const detail = `resource is ${named.href.slice(0, 200)}, the endpoint is ${url}.`
  // A server on this machine may know its public name only; and some name the whole of which the endpoint is a part.
  const isWider = named.origin === origin && url.startsWith(named.href.replace(/\/?$/, '/'))
  const isElsewhereKnown = isLoopback && named.pathname === new URL(url).pathname
  bench.report(isWider || isElsewhereKnown ? 'metadata-other-name' : 'metadata-resource', detail, [answer])
}
