import { type Answer, headerOf, rpcCodeOf } from './answer.ts'
import type { Bench } from './bench.ts'
import { initialize, inSession, type Message, modern, type Revision, unknownTool } from './messages.ts'

/** What a server does with plain requests. */
export interface Survey {
  /** Without a token: the first request of each revision. */
  readonly anonymous: { readonly modern: Answer; readonly legacy: Answer }
  /** With the token, when there is one. */
  readonly own?: { readonly modern: Answer; readonly legacy: Answer }
  /** Without a token, where the first request of a revision was admitted: what else is. */
  readonly surface?: Surface
  /** A request that the server lets nobody make without a token, as far as there is one. Checks vary it. */
  readonly key: Message
  /** The answer to it without a token. */
  readonly baseline: Answer
  /** The answer to it with the token. */
  readonly good: Answer | undefined
  /** Whether anybody can use the server. */
  readonly isOpen: boolean
  /** Whether it is known to ask for a token. */
  readonly isProtected: boolean
  /** Whether the token was taken. */
  readonly isAdmitted: boolean
  /** A session of 2025-11-25 that was opened with the token. */
  readonly session: string | undefined
}

/** What is open to everybody in one revision. */
export interface Surface {
  readonly revision: Revision
  readonly session?: string | undefined
  readonly list: Answer
  readonly call: Answer
}

/** Asks. Without a token first: an answer to that decides what the others mean. */
export async function surveyOf(bench: Bench): Promise<Survey> {
  const first = { modern: modern('server/discover'), legacy: initialize() }
  const anonymous = {
    modern: await bench.ask({ message: first.modern }),
    legacy: await bench.ask({ message: first.legacy }),
  }
  const authorization = bench.token === undefined ? undefined : `Bearer ${bench.token}`
  const own = authorization !== undefined && {
    modern: await bench.ask({ message: first.modern, authorization }),
    legacy: await bench.ask({ message: first.legacy, authorization }),
  }
  const session = own ? sessionOf(own.legacy) : undefined
  if (session !== undefined) bench.hide(session)

  const surface = await surfaceOf(bench, anonymous)
  const { key, baseline } = surface ? keyBeside(surface, session) : keyOf(first, anonymous, own || undefined)
  const good = await goodAnswer(bench, key, own || undefined, authorization)
  const isOpen = surface !== undefined && isPastGate(surface.call)
  // Behind an open first request, the key may be a call of a tool that does not exist.
  const isAdmitted = good !== undefined && (surface ? isPastGate(good) : good.verdict === 'admitted')
  return {
    anonymous,
    ...(own && { own }),
    ...(surface && { surface }),
    key,
    baseline,
    good,
    isOpen,
    isProtected: !isOpen && !isPastGate(baseline) && (baseline.verdict === 'refused' || isAdmitted),
    isAdmitted,
    session,
  }
}

/** Errors that are found only by who carries a message out: whoever gets one was let in. */
const protocolErrors: ReadonlySet<number | undefined> = new Set([-32601, -32602])

/**
 * Whether a request got to the protocol, and not only to the one who asks for tokens. What is wrong with the request itself
 * (400), or is said to nobody in particular (no id), may be found before the token is looked at.
 */
export function isPastGate(answer: Answer): boolean {
  if (answer.verdict === 'admitted') return true
  const isToUs = answer.verdict === 'rpc_error' && answer.status === 200 && answer.message?.id != null
  return isToUs && protocolErrors.has(rpcCodeOf(answer))
}

/** The session an answer opens. */
export function sessionOf(answer: Answer): string | undefined {
  return answer.verdict === 'admitted' ? headerOf(answer.response, 'mcp-session-id') : undefined
}

async function surfaceOf(bench: Bench, anonymous: Survey['anonymous']): Promise<Surface | undefined> {
  const call = { name: unknownTool, arguments: {} }
  if (anonymous.modern.verdict === 'admitted') {
    return {
      revision: '2026-07-28',
      list: await bench.ask({ message: modern('tools/list') }),
      call: await bench.ask({ message: modern('tools/call', call) }),
    }
  }
  if (anonymous.legacy.verdict !== 'admitted') return undefined
  const session = sessionOf(anonymous.legacy)
  if (session !== undefined) bench.hide(session)
  await bench.ask({ message: inSession('notifications/initialized', session) })
  return {
    revision: '2025-11-25',
    session,
    list: await bench.ask({ message: inSession('tools/list', session) }),
    call: await bench.ask({ message: inSession('tools/call', session, call) }),
  }
}

/** Where the first request is open to everybody, one behind it may not be. */
function keyBeside(
  { revision, list, call, session: opened }: Surface,
  session = opened,
): Pick<Survey, 'key' | 'baseline'> {
  const isListClosed = list.verdict === 'refused'
  const params = isListClosed ? {} : { name: unknownTool, arguments: {} }
  const method = isListClosed ? 'tools/list' : 'tools/call'
  const key = revision === '2026-07-28' ? modern(method, params) : inSession(method, session, params)
  return { key, baseline: isListClosed ? list : call }
}

/** The one the token opens. Without one, the handshake: a server of the other revision says that it does not know it. */
function keyOf(
  first: { readonly modern: Message; readonly legacy: Message },
  anonymous: Survey['anonymous'],
  own: Survey['own'],
): Pick<Survey, 'key' | 'baseline'> {
  const isModern = own
    ? own.modern.verdict === 'admitted' || own.legacy.verdict !== 'admitted'
    : anonymous.legacy.verdict !== 'refused' && anonymous.modern.verdict === 'refused'
  const of = isModern ? 'modern' : 'legacy'
  return { key: first[of], baseline: anonymous[of] }
}

async function goodAnswer(
  bench: Bench,
  key: Message,
  own: Survey['own'],
  authorization: string | undefined,
): Promise<Answer | undefined> {
  if (!own || authorization === undefined) return undefined
  if (key.method === 'server/discover') return own.modern
  return key.method === 'initialize' ? own.legacy : bench.ask({ message: key, authorization })
}
