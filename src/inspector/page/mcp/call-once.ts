import { type Exchanged, exchange, type Meanwhile, type Outgoing, tell, type Wire } from './exchange.ts'
import { type JsonObject, memberOf, metaKeys, textOf } from './message.ts'
import { legacyHeaders, modernMessage, type ServerFacts } from './negotiate.ts'
import { type Asking, answerServer } from './questions.ts'

/** How far a call is, as its server says. */
export interface Progress {
  readonly progress: number
  readonly total: number | undefined
  readonly message: string | undefined
}

/** A line a server writes while it works. */
export interface LogLine {
  readonly level: string
  readonly logger: string | undefined
  readonly data: unknown
}

/** What a caller wants to hear of while a request is on its way. */
export interface CallHooks {
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: Progress) => void
  readonly onLog?: (line: LogLine) => void
  /** Every message of JSON-RPC that goes and comes. */
  readonly onMessage?: (message: unknown, direction: 'sent' | 'came') => void
  /** What the server asks the person. Without it nobody is there. */
  readonly ask?: Asking
  /** Headers beside those of the protocol. */
  readonly headers?: Readonly<Record<string, string>>
}

/** One request, and what stands around it. */
export interface Call {
  readonly id: number
  readonly method: string
  readonly params: JsonObject
  readonly hooks: CallHooks
  /** Ends everything of the client. */
  readonly closing: AbortSignal
}

/**
 * Sends a request in the way of the server's revision, and passes on what the server says while it works.
 * @throws Failed, or what `fetch` throws
 */
export async function callOnce(wire: Wire, server: ServerFacts, call: Call): Promise<Exchanged> {
  const { hooks, closing } = call
  const ending = new AbortController()
  const outgoing = outgoingOf(server, call, ending.signal)
  const signals = [closing, ...(hooks.signal ? [hooks.signal] : [])]
  const end = () => {
    // In 2025-11-25 a connection that ends cancels nothing (MCP "Cancellation").
    if (!server.isModern && hooks.signal?.aborted) notifyCancelled(wire, server, call.id)
    ending.abort()
  }
  for (const signal of signals) signal.addEventListener('abort', end, { once: true })
  try {
    for (const signal of signals) signal.throwIfAborted()
    hooks.onMessage?.(outgoing.message, 'sent')
    return await exchange(wire, outgoing, meanwhile(wire, server, call))
  } finally {
    for (const signal of signals) signal.removeEventListener('abort', end)
  }
}

function outgoingOf(server: ServerFacts, { id, method, params, hooks }: Call, signal: AbortSignal): Outgoing {
  const whole = withMeta(params, id, server, hooks)
  if (server.isModern) return modernMessage(id, method, whole, hooks.headers ?? {}, signal)
  return { message: { jsonrpc: '2.0', id, method, params: whole }, headers: legacyHeaders(server), signal }
}

function meanwhile(wire: Wire, server: ServerFacts, { id, hooks, closing }: Call): Meanwhile {
  return {
    came: (message) => hooks.onMessage?.(message, 'came'),
    notified: (method, params) => heard(method, params, id, hooks),
    // Servers of 2026-07-28 ask in their results.
    asked: (from, method, params) =>
      void (server.isModern || reply(wire, server, { from, method, params, hooks, closing })),
  }
}

/** A request of a server of 2025-11-25, and the call it came with. */
export interface Asked {
  readonly from: string | number
  readonly method: string
  readonly params: JsonObject
  readonly hooks: CallHooks
  readonly closing: AbortSignal
}

/** Answers a request of the server. Never rejects. */
export async function reply(
  wire: Wire,
  server: ServerFacts,
  { from, method, params, hooks, closing }: Asked,
): Promise<void> {
  const message = { jsonrpc: '2.0', id: from, ...(await answerServer(method, params, hooks.ask)) }
  hooks.onMessage?.(message, 'sent')
  await tell(wire, { message, headers: legacyHeaders(server), signal: closing }).catch(() => {})
}

function notifyCancelled(wire: Wire, server: ServerFacts, requestId: number): void {
  const params = { requestId, reason: 'The person cancelled it' }
  const message = { jsonrpc: '2.0', method: 'notifications/cancelled', params }
  tell(wire, { message, headers: legacyHeaders(server) }).catch(() => {})
}

/** What a request carries about itself. A progress token is only sent by those who listen. */
function withMeta(
  params: JsonObject,
  id: number,
  { isModern, capabilities }: ServerFacts,
  hooks: CallHooks,
): JsonObject {
  const _meta = {
    ...(hooks.onProgress && { progressToken: id }),
    ...(hooks.onLog &&
      isModern &&
      Object.hasOwn(capabilities, 'logging') && { [metaKeys.logLevel]: 'debug' }),
  }
  return Object.keys(_meta).length === 0 ? params : { ...params, _meta }
}

/** Passes on what a server notifies of. `id`: of the call whose progress counts. */
export function heard(
  method: string,
  params: JsonObject,
  id: number | undefined,
  { onProgress, onLog }: CallHooks,
): void {
  if (method === 'notifications/message') {
    const { level, logger, data } = params
    onLog?.({
      level: typeof level === 'string' ? level : 'info',
      logger: typeof logger === 'string' ? logger : undefined,
      data,
    })
  }
  if (method !== 'notifications/progress' || id === undefined || memberOf(params, 'progressToken') !== id)
    return
  const [progress, total] = [memberOf(params, 'progress'), memberOf(params, 'total')]
  if (typeof progress !== 'number') return
  const message = textOf(params, 'message')
  onProgress?.({ progress, total: typeof total === 'number' ? total : undefined, message })
}
