import { admitExchange } from './admit-exchange.ts'
import type { Outcome } from './answering.ts'
import type { ChangeListener } from './changes.ts'
import type { Exchange, Incoming } from './exchange.ts'
import { protocolEntry } from './failure.ts'
import { farewellTo } from './farewell.ts'
import { listening } from './listening.ts'
import { EventStream, rpcReply } from './reply.ts'
import { type Sdk, sdkServer } from './sdk-server.ts'
import type { Served } from './served.ts'

/** Answers whatever comes, each request with an SDK server of its own: the reference for the fast lane. */
export interface SlowLane {
  respond(incoming: Incoming, body: unknown, exchange: Exchange): Promise<Outcome>
  /** Tells those who listen that something has changed (MCP "Subscriptions"). */
  readonly notify: ChangeListener
  /** Ends subscriptions, each with a last word. */
  close(): Promise<void>
}

/** Makes a {@link SlowLane}: both protocol revisions, 2025-11-25 without sessions. */
export function slowLane(sdk: Sdk, served: Served): SlowLane {
  const exchanges = new WeakMap<Request, { exchange: Exchange; body: unknown }>()
  const { bus, within } = listening(served)
  const handler = sdk.createMcpHandler(
    async ({ requestInfo, era }) => {
      const known = requestInfo && exchanges.get(requestInfo)
      if (!known) throw new Error('a request without an exchange')
      const { exchange, body } = known
      // The SDK asks for a server only after it has checked the body and that the headers agree with it, so the body
      // decides, and a malformed message is a 400 rather than a 403.
      const isModern = era === 'modern'
      if (hasMethod(body)) await admitExchange(served, exchange, body, isModern)
      if (exchange.refused) throw exchange.refused
      return sdkServer(sdk, served, {
        exchangeOf: () => exchange,
        requestIdOf: ({ mcpReq }) => mcpReq.id,
        versions: isModern ? ['2026-07-28'] : sdk.SUPPORTED_PROTOCOL_VERSIONS,
      })
    },
    {
      bus,
      // How many there are is limited for each principal, so that nobody uses up those of others.
      maxSubscriptions: Number.POSITIVE_INFINITY,
      onerror: (error) => served.logger(protocolEntry(error)),
    },
  )
  return {
    notify: handler.notify,
    async respond(incoming, body, exchange) {
      const request = incoming.bare()
      exchanges.set(request, { exchange, body })
      const response = await within(exchange, () => handler.fetch(request, { parsedBody: body }))
      return settled(response, body, exchange)
    },
    close: () => handler.close(),
  }
}

function hasMethod(body: unknown): body is { readonly method: string; readonly params?: unknown } {
  return typeof body === 'object' && body !== null && 'method' in body && typeof body.method === 'string'
}

/** Holds the answer back until its first byte is known: up to then a refusal can still become an HTTP status. */
async function settled(response: Response, body: unknown, exchange: Exchange): Promise<Outcome> {
  const { status, headers } = response
  const isStream = headers.get('content-type')?.startsWith('text/event-stream')
  if (!isStream || !response.body) {
    const text = await response.text()
    if (exchange.refused) return { kind: 'refused' }
    const type = headers.get('content-type')
    const kept = { ...(type !== null && { 'content-type': type }), ...allowOf(headers) }
    const length = status === 202 ? {} : { 'content-length': String(new TextEncoder().encode(text).length) }
    return { kind: 'reply', reply: { status, headers: { ...kept, ...length }, body: text } }
  }
  const reader = response.body.getReader()
  const first = await reader.read()
  if (exchange.refused) {
    await reader.cancel()
    return { kind: 'refused' }
  }
  const text = first.value ? new TextDecoder().decode(first.value) : ''
  const whole = answerIn(text)
  // One message needs no stream, here as in the fast lane.
  if (whole) return { kind: 'reply', reply: rpcReply(whole) }
  return { kind: 'reply', reply: streamed(text, reader, body) }
}

function allowOf(headers: Headers): Readonly<Record<string, string>> {
  const allow = headers.get('allow')
  return allow === null ? {} : { allow }
}

/** The answer to a request, when the text is the event of one and no other. */
function answerIn(text: string): object | undefined {
  const [, data] = /^event: message\ndata: (.*)\n\n$/.exec(text) ?? []
  if (data === undefined) return undefined
  const message = JSON.parse(data) as object
  return 'id' in message && ('result' in message || 'error' in message) ? message : undefined
}

type Chunks = ReadableStreamDefaultReader<Uint8Array>

/** Passes the events on. Subscriptions get a last word, so that the client knows that nothing went wrong. */
function streamed(first: string, reader: Chunks, body: unknown): EventStream {
  const stream = new EventStream()
  stream.farewell = farewellTo(body)
  stream.isStanding = stream.farewell !== undefined
  stream.onClose(() => void reader.cancel().catch(() => {}))
  stream.raw(first)
  const decoder = new TextDecoder()
  const pump = async () => {
    for (let read = await reader.read(); !read.done; read = await reader.read()) {
      stream.raw(decoder.decode(read.value, { stream: true }))
    }
  }
  pump().then(
    () => stream.end(),
    () => stream.end(),
  )
  return stream
}
