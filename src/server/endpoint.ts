import { AuthError, type LogEntry, redact, secretsOf } from '../core/index.ts'
import { getAccessToken } from '../http/context.ts'
import type { Exchange } from './exchange.ts'
import { addressed, type Sdk, type Served, sdkServer } from './sdk-server.ts'

/** The MCP protocol over HTTP, behind the gate: the caller is known and the body is parsed. */
export interface Endpoint {
  /**
   * Answers one request.
   *
   * @param request the head of the request, without its body and without credentials
   * @param body the parsed JSON body of a POST
   * @returns the response; or nothing when `exchange.refused` says why the caller is refused
   */
  respond(request: Request, body: unknown, exchange: Exchange): Promise<Response | undefined>
  close(): Promise<void>
}

/** Both protocol revisions behind one URL: 2026-07-28, and 2025-11-25 without sessions. */
export function endpoint(sdk: Sdk, served: Served): Endpoint {
  const exchanges = new WeakMap<Request, { exchange: Exchange; body: unknown }>()
  const handler = sdk.createMcpHandler(
    ({ requestInfo }) => {
      const known = requestInfo && exchanges.get(requestInfo)
      if (!known) throw new Error('a request without an exchange')
      checkScopes(served, known.exchange, known.body)
      return sdkServer(sdk, served, known.exchange)
    },
    { onerror: (error) => served.logger(protocolEntry(error)) },
  )
  return {
    async respond(request, body, exchange) {
      exchanges.set(request, { exchange, body })
      const response = await handler.fetch(request, { parsedBody: body })
      return settle(response, exchange)
    },
    close: () => handler.close(),
  }
}

/**
 * Refuses before anything runs. The SDK asks for a server only after it has checked the body and that the headers
 * agree with it, so the body decides, and a malformed message is a 400 rather than a 403.
 */
function checkScopes({ registry }: Served, exchange: Exchange, body: unknown): void {
  const needed = addressed(registry, body)?.scopes ?? []
  if (needed.length === 0 || exchange.covers(needed)) return
  exchange.refused = new AuthError(exchange.auth ? 'insufficient_scope' : 'unauthorized', undefined, {
    scopes: needed,
  })
  throw exchange.refused
}

/** Holds the answer back until its first byte is known: up to then a refusal can still become an HTTP status. */
async function settle(response: Response, exchange: Exchange): Promise<Response | undefined> {
  const stream = response.headers.get('content-type')?.startsWith('text/event-stream') ? response.body : null
  if (!stream) {
    if (exchange.refused) await response.body?.cancel()
    return exchange.refused ? undefined : response
  }
  const reader = stream.getReader()
  const first = await reader.read()
  if (exchange.refused) {
    await reader.cancel()
    return undefined
  }
  const { status, headers } = response
  return new Response(resumed(first, reader), { status, headers })
}

type Chunks = ReadableStreamDefaultReader<Uint8Array>
type Chunk = Awaited<ReturnType<Chunks['read']>>

function resumed(first: Chunk, reader: Chunks): ReadableStream<Uint8Array> {
  const pass = (controller: ReadableStreamDefaultController<Uint8Array>, read: Chunk) =>
    read.done ? controller.close() : controller.enqueue(read.value)
  return new ReadableStream({
    start: (controller) => pass(controller, first),
    pull: async (controller) => pass(controller, await reader.read()),
    cancel: (reason) => reader.cancel(reason),
  })
}

/** What the protocol engine complains of. A caller may have put a token where it does not belong. */
function protocolEntry(error: Error): LogEntry {
  const caller = getAccessToken()
  const message = redact(error.message, caller ? secretsOf(caller.token) : [])
  return { level: 'info', event: 'protocol', message }
}
