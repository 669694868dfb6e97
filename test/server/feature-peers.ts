import { Client, type ClientOptions, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import type { MCPServer } from 'mcp-bearer/server'
import { afterEach } from 'vitest'
import { rpc } from './fixtures.ts'

/** A JSON-RPC answer, and the HTTP answer it came in. */
export interface Answered {
  readonly status: number
  readonly headers: Headers
  readonly result: Record<string, unknown>
  readonly error: { readonly code: number; readonly message: string; readonly data?: unknown } | undefined
  /** What came before the answer, on its stream. */
  readonly before: readonly Record<string, unknown>[]
  /** Everything, as it came. */
  readonly text: string
}

const closing: (() => unknown)[] = []
/** Closes something after the test. */
export function closeLater<T extends { close(): unknown }>(one: T): T {
  closing.push(() => one.close())
  return one
}
afterEach(async () => {
  // Clients leave before their server.
  for (const close of closing.splice(0).reverse()) await close()
})

/** Listens, until the test is over. */
export async function listening(server: MCPServer): Promise<string> {
  closeLater(server)
  const { url } = await server.listen({ port: 0 })
  return url
}

/** A request of 2026-07-28 over a socket, of a client that can do what `capabilities` says. */
export async function ask(
  url: string,
  token: string | undefined,
  method: string,
  params: Record<string, unknown> = {},
  { capabilities = {}, headers = {} }: Asking = {},
): Promise<Answered> {
  const message = rpc(method, params)
  const body = JSON.parse(message.body)
  body.params._meta['io.modelcontextprotocol/clientCapabilities'] = capabilities
  return send(url, token, { ...message.headers, ...headers }, body)
}

/** What a request says beside what is asked. */
export interface Asking {
  readonly capabilities?: Record<string, unknown>
  readonly headers?: Record<string, string>
}

/** A request of 2025-11-25 over a socket. */
export function askLegacy(
  url: string,
  token: string | undefined,
  method: string,
  params: Record<string, unknown> = {},
  headers: Record<string, string> = {},
): Promise<Answered> {
  const message = rpc(method, params, '2025-11-25')
  return send(url, token, { ...message.headers, ...headers }, JSON.parse(message.body))
}

async function send(
  url: string,
  token: string | undefined,
  headers: Record<string, string>,
  body: unknown,
): Promise<Answered> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { ...headers, ...(token !== undefined && { authorization: `Bearer ${token}` }) },
    body: JSON.stringify(body),
  })
  const text = await response.text()
  const isStream = response.headers.get('content-type')?.startsWith('text/event-stream')
  const messages = isStream ? eventsIn(text) : [text === '' ? {} : JSON.parse(text)]
  const { result = {}, error } = messages.at(-1)
  const { status, headers: sent } = response
  return { status, headers: sent, result, error, before: messages.slice(0, -1), text }
}

/** The messages in the text of a stream. */
export function eventsIn(text: string) {
  return text
    .split('\n')
    .filter((line) => line.startsWith('data: {'))
    .map((line) => JSON.parse(line.slice('data: '.length)))
}

/** The official client, connected; `auto` speaks 2026-07-28, `legacy` opens a session of 2025-11-25. */
export async function officialClient(
  url: string,
  token: string | undefined,
  mode: 'auto' | 'legacy',
  options: ClientOptions = {},
  prepare: (client: Client) => void = () => {},
): Promise<Client> {
  const client = new Client({ name: 'host', version: '1' }, { versionNegotiation: { mode }, ...options })
  prepare(client)
  const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` }
  await client.connect(new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers } }))
  return closeLater(client)
}

/** Opens a session of 2025-11-25; what comes back are the headers of everything that follows. */
export async function openSession(
  url: string,
  token: string | undefined,
  capabilities: Record<string, unknown> = {},
): Promise<Record<string, string>> {
  const answer = await askLegacy(url, token, 'initialize', {
    protocolVersion: '2025-11-25',
    capabilities,
    clientInfo: { name: 'raw', version: '1' },
  })
  return { 'mcp-session-id': answer.headers.get('mcp-session-id')! }
}

/** Messages of a stream as they come. */
export async function openStream(
  url: string,
  token: string | undefined,
  method: string,
  params: Record<string, unknown>,
) {
  const message = rpc(method, params)
  const response = await fetch(url, {
    method: 'POST',
    headers: { ...message.headers, ...(token !== undefined && { authorization: `Bearer ${token}` }) },
    body: message.body,
  })
  return streamOf(response)
}

/** Reads the messages of a response one by one. */
export function streamOf(response: Response) {
  const reader = response.body!.getReader()
  const decoder = new TextDecoder()
  let text = ''
  return {
    response,
    /** The next message; `undefined` when there is no more. */
    async next(): Promise<Record<string, unknown> | undefined> {
      for (;;) {
        const end = text.indexOf('\n\n')
        if (end >= 0) {
          const [message] = eventsIn(text.slice(0, end))
          text = text.slice(end + 2)
          if (message) return message
          continue
        }
        const { done, value } = await reader.read()
        if (done) return undefined
        text += decoder.decode(value, { stream: true })
      }
    },
    close: () => reader.cancel(),
  }
}
