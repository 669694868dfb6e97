import { type ProbeRequest, type ProbeResponse, ProbeUnreachable } from '../../probe/exchange.ts'
import { problemHeader, problemIn } from './passed-on.ts'
import { credentialsIn } from './redact-entry.ts'
import { noteAnswer } from './refusal.ts'
import { sessionHeaders } from './session.ts'
import { shown } from './shown.ts'
import { trace } from './trace.ts'
import { abortable } from './under-way.ts'

/**
 * Has the bridge send one request to its server, byte for byte. The log shows that request and not the one to the bridge.
 *
 * @param send path of the bridge for it, on the origin of the page
 * @throws ProbeUnreachable when no answer comes
 */
export async function sendExactly(
  send: string,
  request: ProbeRequest,
  signal: AbortSignal,
): Promise<ProbeResponse> {
  const { method, target, headers, body } = request
  const secrets = credentialsIn(headers)
  const written = trace({ purpose: 'probe', method, path: target, headers, body, secrets })
  const { controller, done } = abortable(signal)
  try {
    const answer = await ask(send, request, controller.signal)
    written.head(answer.status, answer.headers)
    written.body(answer.body)
    const complete = note(request, answer)
    const shown = written.end(!answer.isCut)
    complete?.(shown)
    return answer
  } catch (error) {
    const isKnown = error instanceof ProbeUnreachable
    const why = isKnown
      ? error.message
      : 'No answer came: the program that serves this page cannot be reached.'
    written.fail(signal.aborted ? 'It was stopped.' : why)
    signal.throwIfAborted()
    throw isKnown ? error : new ProbeUnreachable(why)
  } finally {
    done()
  }
}

async function ask(send: string, request: ProbeRequest, signal: AbortSignal): Promise<ProbeResponse> {
  const url = new URL(send, location.origin)
  if (url.origin !== location.origin)
    throw new ProbeUnreachable('The bridge is not on the origin of the page.')
  const answer = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...sessionHeaders() },
    body: JSON.stringify(request),
    signal,
    credentials: 'omit',
    cache: 'no-store',
    redirect: 'error',
    referrerPolicy: 'no-referrer',
  })
  if (!answer.ok || answer.headers.has(problemHeader)) throw new ProbeUnreachable(await problemIn(answer))
  return (await answer.json()) as ProbeResponse
}

function note({ headers }: ProbeRequest, answer: ProbeResponse): ((body: string) => void) | undefined {
  const lines = answer.headers.filter(([name]) => name.toLowerCase() === 'www-authenticate')
  return noteAnswer(
    {
      purpose: 'probe',
      token: '',
      isOdd: headers.some(([name]) => name.toLowerCase() === 'authorization'),
      status: answer.status,
      header: lines.length === 0 ? null : lines.map(([, value]) => value).join(', '),
    },
    shown,
  )
}
