import { stopwatch } from '../core/clock.ts'
import { AuthError } from '../core/errors.ts'
import type { LogEntry } from '../core/log.ts'
import { redact } from '../core/redact.ts'
import { type BackOff, backOff } from './back-off.ts'
import type { ClientAuthentication } from './client-authentication.ts'
import type { Place } from './discovery.ts'
import type { Environment } from './environment.ts'
import { fetchText, StatusError, type TextAnswer } from './fetch-json.ts'
import { type JsonObject, own, parseJsonObject } from './json.ts'

/** Where questions about tokens go. */
export interface IntrospectionEndpoint {
  /** @throws AuthError `verifier_unavailable` unless there is an answer */
  ask(token: string): Promise<JsonObject>
  /** Ends what is under way; nothing is asked any more. */
  close(): void
}

/**
 * Questions about tokens of callers, and when to ask none. A failure alone says nothing of the endpoint: something on
 * the way may take offence at the very token, and whoever found such a token would send it again and again. So a
 * question about a token of our own follows, and only when that fails too, and nothing was answered for a while, the
 * endpoint is left alone.
 */
export function introspectionEndpoint(
  place: Place,
  client: ClientAuthentication,
  world: Environment,
): IntrospectionEndpoint {
  const { send, isClosed, close } = sender(place, client, world)
  const pause = backOff(world.clock)
  const log = outageLog(place.url, world)
  let failures = 0
  let checking: Promise<void> | undefined

  return { ask, close }

  async function ask(token: string): Promise<JsonObject> {
    // Not always: of many who come at once the first has to be able to make the others wait.
    if (checking !== undefined) await checking
    if (isClosed() || pause.wait() > 0) throw unavailable(pause, undefined)
    // After an outage one caller's question goes along with one of our own, and all others wait for that.
    if (failures > patience) check()
    try {
      return answered(await send(token))
    } catch (error) {
      failures += 1
      check(error)
      throw unavailable(pause, error)
    }
  }

  function check(suspicion?: unknown): void {
    if (isClosed() || pause.wait() > 0) return
    checking ??= inquire(suspicion).finally(() => {
      checking = undefined
    })
  }

  async function inquire(suspicion: unknown): Promise<void> {
    try {
      // Nobody outside can choose it, or know it beforehand.
      answered(await send(crypto.randomUUID()))
      if (suspicion !== undefined) log.odd(suspicion)
    } catch (error) {
      if (isClosed()) return
      failures += 1
      if (failures > patience || asksForPause(error)) pause.failed(error)
      log.failed(error)
    }
  }

  function answered(answer: JsonObject): JsonObject {
    failures = 0
    pause.succeeded()
    log.over()
    return answer
  }
}

/** Failures in a row that are forgiven: a network has its moments. */
const patience = 3

function asksForPause(error: unknown): boolean {
  return error instanceof StatusError && error.retryAfter > 0
}

function unavailable(pause: BackOff, cause: unknown): AuthError {
  return new AuthError(
    'verifier_unavailable',
    'The authorization server cannot be asked about tokens right now',
    {
      retryAfter: Math.max(1, Math.ceil(pause.wait() / 1000)),
      ...(cause !== undefined && { cause }),
    },
  )
}

/** Sends one question, whatever happened before. */
function sender({ url, fetch }: Place, client: ClientAuthentication, { clock, onEvent }: Environment) {
  // Not one signal for all: each request would listen to it, and many would look like a leak.
  const running = new Set<AbortController>()
  let isOver = false

  return {
    isClosed: () => isOver,
    close() {
      isOver = true
      for (const controller of running) controller.abort()
    },
    async send(token: string): Promise<JsonObject> {
      const started = stopwatch()
      const tell = (result: 'active' | 'inactive' | 'failed') =>
        onEvent?.({ type: 'introspection', result, seconds: (stopwatch() - started) / 1000 })
      const controller = new AbortController()
      running.add(controller)
      const headers: Record<string, string> = {}
      const form = new URLSearchParams({ token, token_type_hint: 'access_token' })
      const prepare = () => client({ endpoint: new URL(url), headers, form, clock })
      try {
        const { signal } = controller
        const answer = readAnswer(await fetchText(url, fetch, { form, headers, prepare, signal }))
        tell(own(answer, 'active') === true ? 'active' : 'inactive')
        return answer
      } catch (error) {
        tell('failed')
        throw withoutSecrets(error, headers, form)
      } finally {
        running.delete(controller)
      }
    },
  }
}

/** A label that is there says JSON; `application/token-introspection+jwt` (RFC 9701) is something else. */
const jsonType = /^(?:application\/(?:[\w.-]+\+)?json|text\/(?:json|plain))[\t ]*(?:;|$)/i

/** RFC 7662 section 2.2. Two readers must not see two answers in one, so it is read as strictly as a token. */
function readAnswer({ text, headers }: TextAnswer): JsonObject {
  if (!jsonType.test(headers.get('content-type') ?? 'application/json')) {
    throw new Error('the answer does not say that it is JSON')
  }
  const answer = parseJsonObject(utf8.encode(text))
  if (answer === undefined) {
    throw new Error('the answer is not one JSON object with each member once, nested at most 32 deep')
  }
  // Some servers say with status 200 that they do not know who asks: that is no verdict.
  if (own(answer, 'active') === undefined && own(answer, 'error') !== undefined) {
    throw new Error('the answer is an error')
  }
  return answer
}

const utf8 = new TextEncoder()

/** Fields of the form that are no secrets. */
const openFields: ReadonlySet<string> = new Set(['token_type_hint', 'client_id', 'client_assertion_type'])

/** What failed, as one text: an error of somebody else's `fetch` may hold all that was sent, in places nobody expects. */
function withoutSecrets(error: unknown, headers: object, form: URLSearchParams): Error {
  if (error instanceof StatusError) return error
  const texts = [error, error instanceof Error ? error.cause : undefined].flatMap((one) =>
    one instanceof Error && one.message !== '' ? [one.message] : [],
  )
  const sent = [...form].flatMap(([name, value]) => (openFields.has(name) ? [] : [value]))
  return new Error(redact(texts.join(': ') || 'unknown', [...sent, ...Object.values(headers)]))
}

/** Milliseconds between two lines of one kind. */
const silence = 60_000

/** The operator hears of each outage once, and of the same thing once a minute: nobody can fill the disk. */
function outageLog(url: URL, { clock, log }: Environment) {
  const last = new Map<string, number>()
  let current: string | undefined
  const tell = (event: keyof typeof outages, error: unknown) => {
    const at = last.get(event)
    if (event === current || (at !== undefined && Math.abs(clock() - at) < silence)) return
    current = event
    last.set(event, clock())
    log(outageEntry(url, event, error))
  }
  return {
    /** The endpoint answers nothing, or nothing to us. */
    failed: (error: unknown) =>
      tell(isOurFault(error) ? 'introspection_refused' : 'introspection_unavailable', error),
    /** It answers, but not about a certain token. */
    odd: (error: unknown) => tell('introspection_unanswered', error),
    over() {
      current = undefined
    },
  }
}

/** RFC 6749 section 5.2 and RFC 7662 section 2.3: asked about a token that nobody knows, it is about this server. */
function isOurFault(error: unknown): boolean {
  return error instanceof StatusError && error.status >= 400 && error.status < 404
}

function outageEntry(url: URL, event: keyof typeof outages, error: unknown): LogEntry {
  return {
    level: event === 'introspection_unanswered' ? 'warn' : 'error',
    event,
    message: outages[event],
    details: {
      url: `${url.origin}${url.pathname}`,
      reason: error instanceof Error ? error.message : 'unknown',
    },
  }
}

const outages = {
  introspection_refused:
    'The authorization server refuses this server: see the client option (id, secret or key, and how they are sent). Callers get 503',
  introspection_unavailable:
    'The authorization server cannot be asked about tokens: see the endpoint option, and that this machine reaches it. Callers get 503 until it answers again',
  introspection_unanswered:
    'The authorization server answers, but not about a certain token. Its caller gets 503, nobody else',
} as const
