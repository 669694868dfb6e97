import { batch, type Signal, signal } from '@preact/signals'
import { stopwatch, systemClock } from '../../../core/clock.ts'
import type { LogLine, Progress } from '../mcp/call-once.ts'
import type { JsonObject } from '../mcp/message.ts'
import { missingScopes, type Problem, problemOf } from '../mcp/problem.ts'
import { onTokenChange } from '../state.ts'
import { announce } from '../ui/announcer.tsx'
import { short } from '../ui/plain.ts'
import type { Item } from './item.ts'
import { client, refusedScopes } from './lists.ts'
import { askPerson } from './questions.ts'

/** What is done: a request, and what it was made from. */
export interface Job {
  readonly item: Item
  readonly method: string
  readonly params: JsonObject
  readonly headers: Readonly<Record<string, string>>
  /** What stood in the form. */
  readonly input: unknown
}

/** A message of JSON-RPC, as it went or came. */
export interface Message {
  readonly direction: 'sent' | 'came'
  readonly message: unknown
}

/** One use of a tool, resource or prompt. */
export interface Run extends Job {
  readonly id: number
  /** Milliseconds since 1970. */
  readonly at: number
  readonly state: 'running' | 'done' | 'failed'
  readonly ms: number | undefined
  readonly progress: Progress | undefined
  readonly lines: readonly LogLine[]
  readonly messages: readonly Message[]
  readonly result: JsonObject | undefined
  readonly problem: Problem | undefined
}

const mostRuns = 50
const mostLines = 200
const mostMessages = 100

/** The newest first. */
export const runs: Signal<readonly Run[]> = signal([])

/** News of runs that are not written down yet, by the number of the run: a server may send thousands at once. */
const news = new Map<number, ((run: Run) => Partial<Run>)[]>()
const mostNews = 500
const pause = 100
let timer: ReturnType<typeof setTimeout> | undefined

const stops = new Map<number, AbortController>()
let lastId = 0

onTokenChange(() => {
  for (const stop of stops.values()) stop.abort()
  stops.clear()
  news.clear()
  runs.value = []
})

/** Starts it; what comes of it is written into {@link runs}. @returns the number of the run */
export function startRun(job: Job): number {
  const id = ++lastId
  const stop = new AbortController()
  stops.set(id, stop)
  const run: Run = {
    ...job,
    id,
    at: systemClock(),
    state: 'running',
    ms: undefined,
    progress: undefined,
    lines: [],
    messages: [],
    result: undefined,
    problem: undefined,
  }
  for (const old of runs.peek().slice(mostRuns - 1)) cancelRun(old.id)
  runs.value = [run, ...runs.peek().slice(0, mostRuns - 1)]
  void work(run, stop.signal)
  return id
}

/** Stops one that is on its way. */
export function cancelRun(id: number): void {
  stops.get(id)?.abort()
}

async function work(run: Run, signal: AbortSignal): Promise<void> {
  const { id, method, params, headers, item } = run
  const began = stopwatch()
  const ended = (what: Partial<Run>) => {
    stops.delete(id)
    writeNews()
    change(id, () => ({ ...what, ms: Math.round(stopwatch() - began) }))
  }
  try {
    const result = await client().request(method, params, {
      signal,
      headers,
      onProgress: (progress) => tell(id, () => ({ progress })),
      onLog: (line) => tell(id, ({ lines }) => ({ lines: [...lines.slice(1 - mostLines), line] })),
      onMessage: (message, direction) =>
        tell(id, ({ messages }) => ({
          messages: [...messages.slice(1 - mostMessages), { direction, message }],
        })),
      ask: (question) => askPerson(question, short(item.title ?? item.name), signal),
    })
    ended({ state: 'done', result })
    announce(`${short(item.name)}: done`)
  } catch (error) {
    const problem = problemOf(error)
    ended({ state: 'failed', problem })
    announce(`${short(item.name)}: ${problem.kind === 'cancelled' ? 'cancelled' : 'failed'}`)
    const scopes = missingScopes(problem)
    const isShown = runs.peek().some((one) => one.id === id)
    if (scopes !== undefined && isShown)
      refusedScopes.value = new Map([...refusedScopes.peek(), [item.key, scopes]])
  }
}

/** Has something written down soon, together with what comes in the meantime. */
function tell(id: number, next: (run: Run) => Partial<Run>): void {
  news.set(id, [...(news.get(id) ?? []).slice(1 - mostNews), next])
  timer ??= setTimeout(writeNews, pause)
}

function writeNews(): void {
  clearTimeout(timer)
  timer = undefined
  batch(() => {
    for (const [id, changes] of news)
      change(id, (run) => {
        let now = run
        for (const next of changes) now = { ...now, ...next(now) }
        return now
      })
  })
  news.clear()
}

/** A run that is not there any more stays away. */
function change(id: number, next: (run: Run) => Partial<Run>): void {
  runs.value = runs.peek().map((run) => (run.id === id ? { ...run, ...next(run) } : run))
}
