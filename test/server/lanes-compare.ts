import { expect } from 'vitest'
import type { Side, World } from './lanes-worlds.ts'

/** One HTTP request, as it is sent to both sides. */
export interface Sent {
  readonly verb: string
  /** Lines of the head; a name may come twice. */
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly body: string | undefined
}

/** What came back, as far as it has to be the same. */
export interface Answered {
  readonly status: number
  readonly headers: readonly string[]
  readonly body: unknown
}

/** States that were taken out of an answer, to be tried. */
export type States = string[]

const unreached = 'http://localhost/mcp'

/** Sends one request to one side, through `fetch`. */
export async function ask({ server }: Side, sent: Sent, states: States = []): Promise<Answered> {
  const { verb, headers, body } = sent
  const init = { method: verb, headers: headers.map(([name, value]) => [name, value] as [string, string]) }
  const request = new Request(unreached, body === undefined ? init : { ...init, body })
  const response = await server.fetch(request)
  // What a GET opens is a stream that never ends.
  const isStanding = verb === 'GET' && response.status === 200
  if (isStanding) await response.body?.cancel()
  const text = isStanding ? '' : await response.text()
  return answered(response.status, [...response.headers], text, states)
}

/**
 * What has to be the same of an answer. The parts that are random by their nature stand for themselves: a state has to be
 * there, and the test tries whether it is good; a session has to have an id.
 */
export function answered(
  status: number,
  headers: readonly (readonly [string, string])[],
  text: string,
  states: States,
): Answered {
  const lines = headers.map(([name, value]) => {
    const lower = name.toLowerCase()
    return `${lower}: ${lower === 'mcp-session-id' && /^[\w-]{32}$/.test(value) ? '<session>' : value}`
  })
  const isStream = lines.some((line) => line.startsWith('content-type: text/event-stream'))
  const read = (json: string) => withoutStates(JSON.parse(json), states)
  if (!isStream) return { status, headers: lines.sort(), body: text === '' ? '' : read(text) }
  const events = text.split('\n\n').filter((event) => event !== '')
  return { status, headers: lines.sort(), body: events.map((event) => eventIn(event, read)) }
}

function eventIn(event: string, read: (json: string) => unknown): unknown {
  const lines = event.split('\n').map((line) => /^(\w+): ?(.*)$/.exec(line)?.slice(1) ?? [line])
  return lines.map(([field, value]) => (field === 'data' && value ? read(value) : [field, value]))
}

function withoutStates(message: unknown, states: States): unknown {
  const { result } = (message ?? {}) as { result?: { requestState?: unknown } }
  if (typeof result?.requestState !== 'string') return message
  states.push(result.requestState)
  return { ...(message as object), result: { ...result, requestState: '<state>' } }
}

/** Asks one side. */
export type Asker = (side: Side, sent: Sent, states: States) => Promise<Answered>

/**
 * Both sides answer the same, and the same has run.
 *
 * @returns what they answered
 */
export async function expectSame(
  world: World,
  sent: Sent,
  states: States = [],
  by: Asker = ask,
): Promise<Answered> {
  world.pass(7_000)
  const fast = await inTime(by(world.fast, sent, states), sent)
  const slow = await inTime(by(world.slow, sent, states), sent)
  const [ranFast, ranSlow] = [world.fast.ran(), world.slow.ran()]
  // By text first: `toEqual` costs more than the requests.
  if (JSON.stringify([fast, ranFast]) !== JSON.stringify([slow, ranSlow]))
    expect({ sent, ...fast, ran: ranFast }).toEqual({ sent, ...slow, ran: ranSlow })
  return fast
}

/** No answer is a finding, too, and says to what. */
async function inTime<T>(answer: Promise<T>, sent: Sent): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer to ${JSON.stringify(sent)}`)), 10_000)
  })
  try {
    return await Promise.race([answer, late])
  } finally {
    clearTimeout(timer)
  }
}
