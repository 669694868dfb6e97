import { onTestFinished } from 'vitest'
import type { AccessTokenInit } from '../../src/core/access-token.ts'
import type { LogEntry, TokenVerifier } from '../../src/core/index.ts'
import { type Gateway, gateway } from '../../src/gateway/gateway.ts'
import type { GatewayOptions } from '../../src/gateway/gateway-options.ts'
import type { JsonObject } from '../../src/gateway/message.ts'
import type { RequestEntry } from '../../src/gateway/request-entry.ts'
import type { Passage, Upstream } from '../../src/gateway/upstream.ts'
import { type Reply, rpcReply } from '../../src/server/reply.ts'
import { type Ask, askOnce, type Told } from '../server/wire.ts'

/** Tokens. Shaped like nothing else, so that any trace of them can be found. */
export const alice = 'alice-7f3a9c-token'
export const bob = 'bob-51d2e8-token'
export const late = 'late-88aa01-token'

/** Who is known, by token. */
export type People = Record<string, Omit<AccessTokenInit, 'token'>>

export const people: People = {
  [alice]: { claims: { sub: 'alice', iss: 'https://id.example' }, scopes: ['read', 'admin'] },
  [bob]: { claims: { sub: 'bob', iss: 'https://id.example' }, scopes: ['read'] },
  [late]: { claims: { sub: 'late', iss: 'https://id.example' }, expiresAt: Date.UTC(2020, 0, 1) / 1000 },
}

/** Knows people, and counts how often it was asked. */
export function directory(known: People = people): TokenVerifier & { asked: number } {
  return {
    asked: 0,
    async verifyToken(token) {
      this.asked++
      return Object.hasOwn(known, token) ? { token, ...known[token] } : null
    },
  }
}

/** An upstream that answers as it is told, and remembers what came. */
export interface FakeUpstream extends Upstream {
  readonly passages: Passage[]
  readonly asked: {
    readonly passage: Passage
    readonly method: string
    readonly params: JsonObject | undefined
  }[]
  isClosed: boolean
  reply: (passage: Passage) => Reply | Promise<Reply>
  /** One page of a list each. */
  pages: JsonObject[]
}

export function fakeUpstream(): FakeUpstream {
  return {
    name: 'fake',
    passages: [],
    asked: [],
    isClosed: false,
    pages: [{ tools: [] }],
    reply: ({ message }) =>
      message?.id === undefined
        ? { status: 202, headers: {}, body: '' }
        : rpcReply({ jsonrpc: '2.0', id: message.id, result: {} }),
    answer(passage) {
      this.passages.push(passage)
      return this.reply(passage)
    },
    async ask(passage, method, params) {
      this.asked.push({ passage, method, params })
      return this.pages[Number(params?.cursor ?? 0)]!
    },
    async close() {
      this.isClosed = true
    },
  }
}

/** A gateway that listens, and what can be seen of it. */
export interface Opened {
  readonly door: Gateway
  readonly upstream: FakeUpstream
  readonly verifier: ReturnType<typeof directory>
  readonly entries: RequestEntry[]
  readonly log: LogEntry[]
  readonly url: string
  readonly port: number
  /** Sends a request to the endpoint over a connection of its own. */
  ask(ask: Partial<Ask> & { readonly token?: string | undefined; readonly host?: string }): Promise<Told>
  /** Sends a message as a POST. */
  post(token: string | undefined, message: unknown, ...headers: readonly string[]): Promise<Told>
  /** Waits until so many requests were written down. */
  written(count: number): Promise<readonly RequestEntry[]>
}

export async function opened(options: Partial<GatewayOptions> = {}): Promise<Opened> {
  const upstream = (options.upstream as FakeUpstream | undefined) ?? fakeUpstream()
  const verifier = (options.auth as ReturnType<typeof directory> | undefined) ?? directory()
  const entries: RequestEntry[] = []
  const log: LogEntry[] = []
  let wake = () => {}
  const onRequest = (entry: RequestEntry) => {
    entries.push(entry)
    wake()
  }
  const logger = (entry: LogEntry) => void log.push(entry)
  const door = gateway({ upstream, auth: verifier, onRequest, logger, ...options })
  onTestFinished(() => door.close())
  const { url, port } = await door.listen({ port: 0, closeOnSigterm: false })
  const ask: Opened['ask'] = ({ method = 'POST', target = '/mcp', headers = [], body, token, host }) => {
    const lines = [...(token === undefined ? [] : [`Authorization: Bearer ${token}`]), ...headers]
    return askOnce(port, { method, target, headers: lines, ...(body !== undefined && { body }) }, host)
  }
  return {
    door,
    upstream,
    verifier,
    entries,
    log,
    url,
    port,
    ask,
    post(token, message, ...headers) {
      const body = typeof message === 'string' ? message : JSON.stringify(message)
      return ask({ token, headers: ['Content-Type: application/json', ...headers], body })
    },
    async written(count) {
      while (entries.length < count) {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
      return entries
    },
  }
}

/** A request of JSON-RPC. */
export function request(method: string, params?: JsonObject, id: string | number = 1): JsonObject {
  return { jsonrpc: '2.0', id, method, ...(params && { params }) }
}

/** A call of a tool. */
export function call(name: string, args: JsonObject = {}): JsonObject {
  return request('tools/call', { name, arguments: args })
}

const version = '2026-07-28'

/** A request as clients of 2026-07-28 send it, with its headers. */
export function modern(
  method: string,
  params: JsonObject = {},
): { readonly message: JsonObject; readonly headers: readonly string[] } {
  const _meta = {
    'io.modelcontextprotocol/protocolVersion': version,
    'io.modelcontextprotocol/clientInfo': { name: 'test', version: '1' },
    'io.modelcontextprotocol/clientCapabilities': {},
  }
  const name = params.name ?? params.uri
  return {
    message: request(method, { ...params, _meta }),
    headers: [
      `MCP-Protocol-Version: ${version}`,
      `Mcp-Method: ${method}`,
      ...(typeof name === 'string' ? [`Mcp-Name: ${name}`] : []),
    ],
  }
}

/** The JSON of an answer. */
export function json(told: Told): Record<string, never> {
  return JSON.parse(told.body)
}
