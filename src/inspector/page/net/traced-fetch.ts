import { config } from '../state.ts'
import { isHeld } from './known-secrets.ts'
import type { Purpose } from './log-entry.ts'
import { NotPassedOn, problemHeader, problemIn, statusOf } from './passed-on.ts'
import { credentialsIn } from './redact-entry.ts'
import { noteAnswer } from './refusal.ts'
import { sessionHeaders } from './session.ts'
import { shown } from './shown.ts'
import { type Trace, trace } from './trace.ts'
import { abortable } from './under-way.ts'

/** A request of the page. */
export interface TracedRequest {
  readonly purpose: Purpose
  readonly method: string
  /** A path on the origin of the page, with query. Nothing else is ever asked. */
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  /** The token to send; `undefined` for none. Where it goes is decided here and nowhere else. */
  readonly token?: string | undefined
  readonly signal?: AbortSignal
}

/**
 * The only way out of the page: sends a request to the origin of the page, writes it and its answer into the log as they
 * happen, without tokens, and remembers what the server said of the credential (`refusal` of the state).
 *
 * The answer can be read like any other, streams included; reading it, or not, changes nothing of the log.
 *
 * @throws TypeError when the path is none on the origin of the page, or no header can carry the token; AbortError when the
 *   token was forgotten; NotPassedOn; what `fetch` throws otherwise
 */
export async function tracedFetch(request: TracedRequest): Promise<Response> {
  const url = onThisOrigin(request.path)
  const sent = request.token ?? ''
  // Some browsers would quote it in their message.
  if (!/^[\x21-\x7e]*$/.test(sent)) throw new TypeError('token: it has characters that no header can carry')
  if (sent !== '' && !isForServer(url)) throw new TypeError('token: it goes to the server and to nobody else')
  if (sent !== '' && !isHeld(sent)) throw new DOMException('token: it was forgotten', 'AbortError')
  const headers: readonly (readonly [string, string])[] = [
    ...Object.entries(request.headers ?? {}),
    ...(sent === '' ? [] : [['Authorization', `Bearer ${sent}`] as const]),
  ]
  const written = trace({ ...request, path: shownPath(url), headers, secrets: credentialsIn(headers) })
  const { controller, done } = abortable(request.signal)
  try {
    const answer = await fetch(url, {
      method: request.method,
      headers: [...headers, ...Object.entries(config.peek().kind === 'server' ? {} : sessionHeaders())].map(
        ([name, value]): [string, string] => [name, value],
      ),
      ...(request.body !== undefined && { body: request.body }),
      signal: controller.signal,
      // Nothing of the browser's own goes along, and nothing is kept (Fetch, section 5.4).
      credentials: 'omit',
      cache: 'no-store',
      redirect: 'manual',
      referrerPolicy: 'no-referrer',
    })
    return await answered(request, answer, written, done)
  } catch (error) {
    done()
    written.fail(problemOf(error, controller.signal))
    throw error
  }
}

/** The address of a path. Anything that would lead elsewhere is refused before something is sent. */
function onThisOrigin(path: string): URL {
  const url = new URL(path, location.origin)
  if (!path.startsWith('/') || url.origin !== location.origin) {
    throw new TypeError('path: the page asks its own origin and nobody else')
  }
  return url
}

function problemOf(error: unknown, signal: AbortSignal): string {
  if (error instanceof NotPassedOn) return error.message
  return signal.aborted ? 'It was stopped.' : 'No answer came: the connection failed.'
}

/** A bridge passes on what is below its own path; what is beside it is the bridge itself, which needs no token. */
function isForServer({ pathname }: URL): boolean {
  return config.peek().kind !== 'bridge' || bridged.test(pathname)
}

const bridged = /^\/target(?=[/?]|$)/

/** As the server sees it: a bridge takes the part away that leads to the server. */
function shownPath({ pathname, search }: URL): string {
  const path = pathname + search
  if (config.peek().kind !== 'bridge' || !bridged.test(path)) return path
  return path.replace(bridged, '').replace(/^(?!\/)/, '/')
}

async function answered(
  request: TracedRequest,
  answer: Response,
  written: Trace,
  done: () => void,
): Promise<Response> {
  if (answer.type === 'opaqueredirect') {
    done()
    written.fail('The server answered with a redirect, and nobody follows one with a token.')
    return answer
  }
  if (answer.headers.has(problemHeader)) throw new NotPassedOn(await problemIn(answer))
  const status = statusOf(answer)
  written.head(status, [...answer.headers])
  const complete = note(request, status, answer.headers)
  const end = (isWhole: boolean) => {
    done()
    const body = written.end(isWhole)
    complete?.(body)
  }
  const { statusText, headers } = answer
  if (answer.body === null || bodiless.has(status)) {
    end(true)
    return new Response(null, { status, statusText, headers })
  }
  const fail = () => {
    done()
    written.fail('The answer broke off, or was stopped.')
  }
  return new Response(watched(answer.body, { text: written.body, end, fail }), {
    status,
    statusText,
    headers,
  })
}

/** Answers that cannot be made with a body, whatever a browser gives (Fetch, "null body status"). */
const bodiless = new Set([204, 205, 304])

function note(
  request: TracedRequest,
  status: number,
  headers: Headers,
): ((body: string) => void) | undefined {
  const { purpose, token: sent = '' } = request
  const isOdd = Object.keys(request.headers ?? {}).some((name) => name.toLowerCase() === 'authorization')
  const header = headers.get('www-authenticate')
  return noteAnswer({ purpose, token: sent, isOdd, status, header }, shown)
}

/** So much is read ahead of a reader that does not read, in bytes. */
const readAhead = 1 << 20

interface Watcher {
  text(part: string): void
  end(isWhole: boolean): void
  fail(): void
}

/** The same stream, of which somebody else is told what comes. */
function watched(source: ReadableStream<Uint8Array>, watcher: Watcher): ReadableStream<Uint8Array> {
  const reader = source.getReader()
  const decoder = new TextDecoder()
  let isLeft = false
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { done, value } = await reader.read()
          // Whoever has read enough has ended it already; what was being read then is no end, and nothing broke off.
          if (isLeft) return
          watcher.text(decoder.decode(value, { stream: !done }))
          if (!done) return controller.enqueue(value)
          watcher.end(true)
          controller.close()
        } catch (error) {
          if (isLeft) return
          watcher.fail()
          controller.error(error)
        }
      },
      cancel(reason) {
        isLeft = true
        watcher.end(false)
        return reader.cancel(reason)
      },
    },
    new ByteLengthQueuingStrategy({ highWaterMark: readAhead }),
  )
}
