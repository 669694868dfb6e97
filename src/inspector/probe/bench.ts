import { pause, secondsToWait } from '../../client/fetch/retry-after.ts'
import { stopwatch } from '../../core/clock.ts'
import type { Clock } from '../../core/index.ts'
import { type Answer, answerOf, headerOf, silence } from './answer.ts'
import { type ProbeRequest, type ProbeSender, ProbeUnreachable } from './exchange.ts'
import type { Observation } from './finding.ts'
import type { FindingCode } from './finding-texts.ts'
import type { Message } from './messages.ts'
import type { Endpoint } from './probed-endpoint.ts'
import { type Survey, surveyOf } from './survey.ts'
import type { Veil } from './veil.ts'

/** What a check works with: it sends requests, and says what it found. */
export interface Bench {
  readonly endpoint: Endpoint
  readonly token: string | undefined
  readonly clock: Clock
  /** Everything that came back so far. */
  readonly answers: readonly Answer[]
  /** What the server does with plain requests: the same for every check, asked once. */
  survey(): Promise<Survey>
  /**
   * Sends a request. A server that says "too many requests" is obeyed: once in a probe it is waited for, then what is left
   * is given up.
   * @throws CannotTell
   */
  ask(ask: Ask): Promise<Answer>
  /** Whether the sender can put this target on the wire as it is. */
  canAsk(target: string): boolean
  /** Remembers a secret that was made or found on the way. */
  hide(secret: string): void
  /** @param detail what exactly; one or two sentences for people */
  report(code: FindingCode, detail: string, seen: readonly Answer[]): void
}

/** A request of a check. */
export interface Ask {
  readonly message?: Message
  /** Default: POST */
  readonly method?: string
  /** Default: the endpoint. */
  readonly target?: string
  /** The lines of `Authorization`. Default: none. */
  readonly authorization?: string | readonly string[]
  readonly headers?: readonly (readonly [name: string, value: string])[]
  /** Whether it holds a credential that is not good: servers count those. */
  readonly isGuess?: boolean
}

/** A check that cannot say whether all is well, and why. */
export class CannotTell extends Error {
  override readonly name = 'CannotTell'
}

/** Requests of a probe. An honest server gets about 80. */
const mostRequests = 110
/** Milliseconds of a probe, after which no more is asked: a server may take its time with each answer. */
const longestProbe = 300_000
/** Seconds a server may ask us to wait. */
const longestWait = 10
/** Exchanges of a finding that are kept. */
const mostEvidence = 4

/** What {@link benchFor} needs. */
export interface BenchParts {
  readonly endpoint: Endpoint
  readonly token: string | undefined
  readonly sender: ProbeSender
  readonly signal: AbortSignal
  readonly clock: Clock
  readonly veil: Veil
}

/** A {@link Bench} with what only the run may do. */
export interface RunBench extends Bench {
  readonly requests: number
  /** What was reported since it was last asked. */
  takeObservations(): Observation[]
}

/** Makes the bench of one probe. */
export function benchFor(parts: BenchParts): RunBench {
  return new ProbeBench(parts)
}

class ProbeBench implements RunBench {
  readonly #parts: BenchParts
  readonly answers: Answer[] = []
  requests = 0
  #observations: Observation[] = []
  #survey: Promise<Survey> | undefined
  #hasWaited = false
  readonly #startedAt = stopwatch()
  /** What the server wants no more of. */
  #givenUp: 'nothing' | 'guesses' | 'everything' = 'nothing'

  constructor(parts: BenchParts) {
    this.#parts = parts
  }

  get endpoint(): Endpoint {
    return this.#parts.endpoint
  }

  get token(): string | undefined {
    return this.#parts.token
  }

  get clock(): Clock {
    return this.#parts.clock
  }

  survey(): Promise<Survey> {
    this.#survey ??= surveyOf(this)
    return this.#survey
  }

  async ask(ask: Ask): Promise<Answer> {
    const { isGuess = false } = ask
    if (this.#givenUp === 'everything' || (isGuess && this.#givenUp === 'guesses')) throw tooMany()
    const request = this.#requestOf(ask)
    const answer = await this.#send(request)
    if (answer.verdict !== 'throttled') return answer
    const seconds = secondsToWait(headerOf(answer.response, 'retry-after') ?? null, this.clock)
    if (!this.#hasWaited && seconds !== undefined && seconds <= longestWait) {
      this.#hasWaited = true
      await pause(seconds * 1000, this.#parts.signal)
      const second = await this.#send(request)
      if (second.verdict !== 'throttled') return second
    }
    this.#givenUp = isGuess ? 'guesses' : 'everything'
    throw tooMany()
  }

  canAsk(target: string): boolean {
    if (this.#parts.sender.isRaw) return true
    const { origin } = this.endpoint
    if (!URL.canParse(target, origin)) return false
    const url = new URL(target, origin)
    return url.origin === origin && `${url.pathname}${url.search}` === target
  }

  hide(secret: string): void {
    this.#parts.veil.hide(secret)
  }

  report(code: FindingCode, detail: string, seen: readonly Answer[]): void {
    const { veil } = this.#parts
    this.#observations.push({
      code,
      detail: veil.text(detail),
      seen: seen.slice(0, mostEvidence).map((one) => veil.exchange(one)),
    })
  }

  takeObservations(): Observation[] {
    return this.#observations.splice(0)
  }

  async #send(request: ProbeRequest): Promise<Answer> {
    const { sender, signal } = this.#parts
    signal.throwIfAborted()
    if (this.requests >= mostRequests)
      throw new CannotTell('The probe has sent as many requests as it allows itself.')
    if (stopwatch() - this.#startedAt > longestProbe)
      throw new CannotTell('The server is slow, and the probe has taken as long as it allows itself.')
    this.requests += 1
    const answer = await sender.send(request, signal).then(
      (response) => answerOf(request, response),
      (error: unknown) => {
        signal.throwIfAborted()
        // Once it has answered, saying nothing is an answer, too.
        if (error instanceof ProbeUnreachable && this.answers.some(({ status }) => status > 0))
          return silence(request, error.message)
        throw error
      },
    )
    this.answers.push(answer)
    return answer
  }

  #requestOf({ message, method = 'POST', target, authorization = [], headers = [] }: Ask): ProbeRequest {
    const lines = typeof authorization === 'string' ? [authorization] : authorization
    return {
      method,
      target: target ?? this.endpoint.target,
      headers: [
        ...lines.map((line) => ['Authorization', line] as const),
        ...(message?.headers ?? []),
        ...headers,
      ],
      ...(message && method !== 'GET' && method !== 'HEAD' && { body: message.body }),
    }
  }
}

function tooMany(): CannotTell {
  return new CannotTell('The server answers that there were too many requests (429). Ask again in a minute.')
}
