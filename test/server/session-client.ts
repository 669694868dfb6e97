import type { Clock, TokenVerifier } from 'mcp-bearer'
import {
  type AccessTokenInit,
  type HttpOptions,
  type Listening,
  MCPServer,
  type MCPServerOptions,
} from 'mcp-bearer/server'
import { afterEach } from 'vitest'
import { memoryLog } from './fixtures.ts'

/** Everything a verifier says of a token but the token. */
export type Person = Omit<AccessTokenInit, 'token'>

/** Somebody of one issuer. */
export function person(sub: string, scopes: readonly string[] = [], more: Person = {}): Person {
  return { claims: { sub, iss: 'https://id.example' }, scopes, ...more }
}

/** A verifier whose tokens come and go. */
export function tokens(
  known: Record<string, Person>,
): TokenVerifier & { readonly known: Map<string, Person> } {
  const people = new Map(Object.entries(known))
  return {
    known: people,
    async verifyToken(token) {
      const found = people.get(token)
      return found ? { token, ...found } : null
    },
  }
}

/** A clock that stands still until it is told to go on. */
export function handClock(start = Date.UTC(2026, 0, 1)): Clock & { advance(ms: number): void } {
  let now = start
  return Object.assign(() => now, {
    advance(ms: number) {
      now += ms
    },
  })
}

const open: { close(): Promise<void> }[] = []

afterEach(async () => {
  await Promise.all(open.splice(0).map((each) => each.close()))
})

/** A server with sessions. Whatever listens is closed after the test. */
export function keeping(options: Partial<MCPServerOptions> = {}, http: HttpOptions = {}) {
  const log = memoryLog()
  const server = new MCPServer({ name: 'keeping', logger: log.logger, ...options }, http)
  open.push(server)
  return { server, entries: log.entries, listen: (): Promise<Listening> => server.listen({ port: 0 }) }
}

/** One event of a stream. */
export interface StreamEvent {
  readonly id?: string
  readonly event?: string
  readonly retry?: string
  /** The JSON-RPC message, where there is one. */
  readonly message?: Message
  readonly data: string
}

export interface Message {
  readonly id?: string | number | null
  readonly method?: string
  readonly params?: Record<string, unknown>
  readonly result?: Record<string, unknown>
  readonly error?: { readonly code: number; readonly message: string }
}

/** Reads the events of a response as they come. */
export interface EventReader {
  /** The next event with a message; `undefined` when the stream has ended. */
  next(): Promise<Message | undefined>
  /** The next event of any kind. */
  event(): Promise<StreamEvent | undefined>
  /** All messages up to the end. */
  rest(): Promise<Message[]>
  /** The id of the last event that had one. */
  readonly lastId: string
  /** Cuts the connection. */
  cut(): Promise<void>
}

export function reading(response: Response): EventReader {
  const reader = response.body!.getReader()
  const decoder = new TextDecoder()
  let buffer = ''
  let lastId = ''

  async function event(): Promise<StreamEvent | undefined> {
    for (;;) {
      const end = buffer.indexOf('\n\n')
      if (end !== -1) {
        const block = buffer.slice(0, end)
        buffer = buffer.slice(end + 2)
        const parsed = parseEvent(block)
        if (parsed?.id !== undefined) lastId = parsed.id
        if (parsed) return parsed
        continue
      }
      const { value, done } = await reader.read()
      if (done) return undefined
      buffer += decoder.decode(value, { stream: true })
    }
  }

  async function next(): Promise<Message | undefined> {
    for (let found = await event(); found; found = await event()) if (found.message) return found.message
    return undefined
  }

  return {
    event,
    next,
    async rest() {
      const all: Message[] = []
      for (let found = await next(); found; found = await next()) all.push(found)
      return all
    },
    get lastId() {
      return lastId
    },
    cut: () => reader.cancel(),
  }
}

function parseEvent(block: string): StreamEvent | undefined {
  const fields = new Map(
    block
      .split('\n')
      .filter((line) => !line.startsWith(':'))
      .map((line): [string, string] => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]),
  )
  if (fields.size === 0) return undefined
  const data = fields.get('data') ?? ''
  const [id, event, retry] = [fields.get('id'), fields.get('event'), fields.get('retry')]
  return {
    data,
    ...(id !== undefined && { id }),
    ...(event !== undefined && { event }),
    ...(retry !== undefined && { retry }),
    ...(data.startsWith('{') && { message: JSON.parse(data) as Message }),
  }
}

/** What a client of 2025-11-25 sends. */
export interface Wire {
  readonly url: string
  readonly token?: string | undefined
  readonly session?: string | undefined
  readonly headers?: Record<string, string>
  /** Answers instead of a socket. */
  readonly fetch?: (request: Request) => Promise<Response>
}

function headersOf({ token, session, headers }: Wire, more: Record<string, string>): Record<string, string> {
  return {
    ...more,
    ...(token !== undefined && { authorization: `Bearer ${token}` }),
    ...(session !== undefined && { 'mcp-session-id': session }),
    ...headers,
  }
}

/** Posts a JSON-RPC message as it is. */
export function send(wire: Wire, message: unknown): Promise<Response> {
  const headers = headersOf(wire, {
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    'mcp-protocol-version': '2025-11-25',
  })
  const init = { method: 'POST', headers, body: JSON.stringify(message) }
  return (wire.fetch ?? fetch)(new Request(wire.url, init))
}

/** Posts a request. */
export function ask(
  wire: Wire,
  method: string,
  params: Record<string, unknown> = {},
  id: string | number = 1,
): Promise<Response> {
  return send(wire, { jsonrpc: '2.0', id, method, params })
}

/** Posts a notification. */
export function tell(wire: Wire, method: string, params: Record<string, unknown> = {}): Promise<Response> {
  return send(wire, { jsonrpc: '2.0', method, params })
}

/** Calls a tool. */
export function call(
  wire: Wire,
  name: string,
  args: Record<string, unknown> = {},
  id: string | number = 1,
  progressToken?: string,
): Promise<Response> {
  const _meta = progressToken === undefined ? {} : { _meta: { progressToken } }
  return ask(wire, 'tools/call', { name, arguments: args, ..._meta }, id)
}

export function listenOn(wire: Wire, lastEventId?: string): Promise<Response> {
  const resumed = lastEventId === undefined ? {} : { 'last-event-id': lastEventId }
  return bare(wire, 'GET', { accept: 'text/event-stream', ...resumed })
}

/** A request without a body. */
export function bare(wire: Wire, method: string, headers: Record<string, string> = {}): Promise<Response> {
  return (wire.fetch ?? fetch)(new Request(wire.url, { method, headers: headersOf(wire, headers) }))
}

/** The parameters of `initialize`. */
export function hello(capabilities: Record<string, unknown> = {}, protocolVersion = '2025-11-25') {
  return { protocolVersion, capabilities, clientInfo: { name: 'test', version: '1' } }
}

/** Opens a session: what to send with from now on. */
export async function openSession(
  wire: Wire,
  capabilities: Record<string, unknown> = {},
  version = '2025-11-25',
): Promise<Wire & { readonly session: string }> {
  const response = await ask(wire, 'initialize', hello(capabilities, version), 'init')
  const text = await response.text()
  const session = response.headers.get('mcp-session-id')
  if (response.status !== 200 || session === null) throw new Error(`no session: ${response.status} ${text}`)
  const opened = { ...wire, session }
  await (await tell(opened, 'notifications/initialized')).text()
  return opened
}

/** The text a tool answered with, whether as JSON or as a stream. */
export async function said(response: Response): Promise<string | undefined> {
  const type = response.headers.get('content-type') ?? ''
  const message = type.startsWith('text/event-stream')
    ? (await reading(response).rest()).at(-1)
    : ((await response.json()) as Message)
  return textIn(message)
}

export function textIn(message: Message | undefined): string | undefined {
  const [first] = (message?.result?.content ?? []) as { text: string }[]
  return first?.text
}

/** Names of the tools a client sees. */
export async function toolsOf(wire: Wire): Promise<string[]> {
  const { result } = (await (await ask(wire, 'tools/list')).json()) as Message
  return ((result?.tools ?? []) as { name: string }[]).map(({ name }) => name)
}

/** A door that a handler waits at: it says when somebody came, and lets everybody through when it is opened. */
export function gatehouse(): { readonly arrived: Promise<void>; enter(): Promise<void>; open(): void } {
  let arrive = () => {}
  let openIt = () => {}
  const arrived = new Promise<void>((resolve) => {
    arrive = resolve
  })
  const opened = new Promise<void>((resolve) => {
    openIt = resolve
  })
  return {
    arrived,
    enter() {
      arrive()
      return opened
    },
    open: () => openIt(),
  }
}
