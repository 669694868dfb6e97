import { fileURLToPath } from 'node:url'
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { onTestFinished } from 'vitest'
import { Client as OwnClient } from '../../src/client/client.ts'
import type { ClientOptions } from '../../src/client/client-options.ts'
import type { LogEntry } from '../../src/core/index.ts'
import {
  type CommandUpstream,
  type CommandUpstreamOptions,
  commandUpstream,
} from '../../src/gateway/command/command-upstream.ts'
import type { GatewayOptions } from '../../src/gateway/gateway-options.ts'
import type { JsonObject } from '../../src/gateway/message.ts'
import { fakeClock } from '../../src/testing/fake-clock.ts'
import { alice, type Opened, opened, request } from './front-support.ts'

/** A fixture, as the command of an upstream. */
export function program(
  name: 'server-sdk' | 'server-raw',
  ...words: readonly string[]
): Pick<CommandUpstreamOptions, 'command' | 'args' | 'env'> {
  const path = fileURLToPath(new URL(`./fixtures/${name}.mjs`, import.meta.url))
  return { command: process.execPath, args: [path, ...words], env: {} }
}

/** Time that a test lets pass: a clock, and what looks at it. */
export interface HandTime {
  readonly clock: () => number
  readonly schedule: (run: () => void) => () => void
  /** Lets time pass, second by second. */
  pass(milliseconds: number): void
}

export function handTime(): HandTime {
  const clock = fakeClock(1_000_000)
  const runs = new Set<() => void>()
  return {
    clock,
    schedule(run) {
      runs.add(run)
      return () => void runs.delete(run)
    },
    pass(milliseconds) {
      for (let passed = 0; passed < milliseconds; passed += 1000) {
        clock.advance(Math.min(1000, milliseconds - passed))
        for (const run of runs) run()
      }
    },
  }
}

/** A gateway in front of processes. */
export interface World extends Omit<Opened, 'upstream'> {
  readonly commands: CommandUpstream
  readonly time: HandTime
  readonly upstreamLog: LogEntry[]
}

export async function world(
  options: Partial<CommandUpstreamOptions>,
  more: Partial<GatewayOptions> = {},
): Promise<World> {
  const time = handTime()
  const upstreamLog: LogEntry[] = []
  const commands = commandUpstream(
    {
      ...program('server-raw'),
      clock: time.clock,
      logger: (entry) => void upstreamLog.push(entry),
      ...options,
    },
    time.schedule,
  )
  const { upstream: _, ...rest } = await opened({ upstream: commands, ...more })
  return { ...rest, commands, time, upstreamLog }
}

/** The official SDK's client, connected. `legacy` does not ask for 2026-07-28 at all. */
export async function sdkClient(
  { url }: Pick<World, 'url'>,
  token = alice,
  mode: 'auto' | 'legacy' | { pin: string } = 'auto',
  prepare: (client: Client) => void = () => {},
): Promise<{ readonly client: Client; readonly transport: StreamableHTTPClientTransport }> {
  const capabilities = { elicitation: { form: {} }, sampling: {}, roots: {} }
  const client = new Client({ name: 'sdk', version: '1' }, { capabilities, versionNegotiation: { mode } })
  prepare(client)
  const requestInit = { headers: { authorization: `Bearer ${token}` } }
  const transport = new StreamableHTTPClientTransport(new URL(url), { requestInit })
  onTestFinished(() => client.close())
  await client.connect(transport)
  return { client, transport }
}

/** Our own client. */
export function ownClient({ url }: Pick<World, 'url'>, auth = alice, options: ClientOptions = {}): OwnClient {
  const client = new OwnClient(url, { auth, ...options })
  onTestFinished(() => client.close())
  return client
}

/** The text of a result. */
export function textOf(result: unknown): string {
  const { content } = result as { content: { text: string }[] }
  return content.map(({ text }) => text).join('')
}

/** Waits until it holds: looks again after each turn of the event loop. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 5))
}

/** What a client of HTTP and nothing else sees. */
export interface Wire {
  /** Sends a message in a session, or without one. */
  send(message: JsonObject, more?: WireOptions): Promise<Answer>
  /** Opens a session. @returns its id */
  open(params?: JsonObject): Promise<string>
  /** Opens the stream of no request. */
  listen(session: string): Promise<Answer>
}

export interface WireOptions {
  readonly session?: string | undefined
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal
}

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly isStream: boolean
  /** The next message; `undefined` at the end. */
  next(): Promise<JsonObject | undefined>
  /** All that come until the end. */
  all(): Promise<readonly JsonObject[]>
  /** Leaves. */
  leave(): void
}

export function wire({ url }: Pick<World, 'url'>, token = alice): Wire {
  async function send(message: JsonObject | undefined, more: WireOptions = {}): Promise<Answer> {
    const abort = new AbortController()
    onTestFinished(() => abort.abort())
    const response = await fetch(url, {
      method: more.method ?? 'POST',
      headers: {
        authorization: `Bearer ${token}`,
        accept: 'application/json, text/event-stream',
        ...(message && { 'content-type': 'application/json' }),
        ...(more.session !== undefined && { 'mcp-session-id': more.session }),
        ...more.headers,
      },
      ...(message && { body: JSON.stringify(message) }),
      signal: more.signal ? AbortSignal.any([abort.signal, more.signal]) : abort.signal,
    })
    return answerOf(response, () => abort.abort())
  }

  return {
    send,
    listen: (session) => send(undefined, { session, method: 'GET' }),
    async open(params = {}) {
      const capabilities = { elicitation: {}, sampling: {}, roots: {} }
      const clientInfo = { name: 'wire', version: '1' }
      const given = { protocolVersion: '2025-11-25', capabilities, clientInfo, ...params }
      const answer = await send(request('initialize', given))
      const session = answer.headers.get('mcp-session-id')
      if (session === null)
        throw new Error(`no session: ${answer.status} ${JSON.stringify(await answer.all())}`)
      await answer.all()
      await send({ jsonrpc: '2.0', method: 'notifications/initialized' }, { session })
      return session
    },
  }
}

function answerOf(response: Response, leave: () => void): Answer {
  const isStream = response.headers.get('content-type') === 'text/event-stream'
  const messages = isStream ? events(response) : whole(response)
  const next = async () => (await messages.next()).value as JsonObject | undefined
  return {
    status: response.status,
    headers: response.headers,
    isStream,
    next,
    async all() {
      const all: JsonObject[] = []
      for (let one = await next(); one; one = await next()) all.push(one)
      return all
    },
    leave,
  }
}

async function* whole(response: Response): AsyncGenerator<JsonObject> {
  const text = await response.text()
  if (text !== '') yield JSON.parse(text)
}

async function* events(response: Response): AsyncGenerator<JsonObject> {
  let text = ''
  const decoder = new TextDecoder()
  for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
    text += decoder.decode(chunk, { stream: true })
    const parts = text.split('\n\n')
    text = parts.pop() ?? ''
    for (const part of parts) {
      const data = part.split('\n').find((line) => line.startsWith('data: {'))
      if (data) yield JSON.parse(data.slice(6))
    }
  }
}
