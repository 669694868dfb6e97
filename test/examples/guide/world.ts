import { Client, type ClientOptions, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { afterAll, beforeAll, describe, onTestFinished } from 'vitest'
import { type Running, runExample } from '../harness.ts'

/** The tests of the programs of a part of the guide, by the name of the program. */
export type GuideTests = Readonly<Record<string, (program: GuideProgram) => void>>

/** A program of the guide, running once for all of its tests. */
export interface GuideProgram {
  readonly url: string
  readonly port: number
  /** Where another path of the same host is. */
  at(path: string): string
  /** Resolves with the first line the program printed that matches. */
  line(pattern: RegExp): Promise<RegExpMatchArray>
}

/** The revisions of the protocol, each with how the official client is told to speak it. */
export const revisions = [
  ['2025-11-25', 'legacy'],
  ['2026-07-28', 'auto'],
] as const
export type Mode = (typeof revisions)[number][1]

/** Runs the tests of one program while it runs. Tests that take no program start their own. */
export function guide(name: string, tests: (program: GuideProgram) => void): void {
  describe(name, () => {
    if (tests.length === 0) {
      ;(tests as () => void)()
      return
    }
    let started: Started | undefined
    const current = (): Started => {
      if (!started) throw new Error(`${name} has not been started`)
      return started
    }
    beforeAll(async () => {
      started = await start(name)
    })
    afterAll(() => started?.program.kill())
    tests({
      get url() {
        return current().url
      },
      get port() {
        return current().port
      },
      at: (path) => current().at(path),
      line: (pattern) => current().line(pattern),
    })
  })
}

interface Started extends GuideProgram {
  readonly program: Running
}

async function start(name: string, env: Record<string, string> = {}): Promise<Started> {
  const program = runExample(`guide/${name}`, { PORT: '0', ...env })
  const [, url = ''] = await program.line(/^Listening on (\S+)$/)
  return {
    url,
    port: Number(new URL(url).port),
    at: (path) => new URL(path, url).href,
    line: (pattern) => program.line(pattern),
    program,
  }
}

/** Starts a program for one test, with variables of its own. */
export async function startProgram(name: string, env: Record<string, string> = {}): Promise<Started> {
  const started = await start(name, env)
  onTestFinished(() => started.program.kill())
  return started
}

/** The official client, connected. Closed after the test. */
export async function connected(
  url: string,
  mode: Mode,
  token: string | undefined,
  { prepare, ...options }: ClientOptions & { readonly prepare?: (client: Client) => void } = {},
): Promise<Client> {
  const client = new Client({ name: 'host', version: '1' }, { ...options, versionNegotiation: { mode } })
  prepare?.(client)
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` }
  await client.connect(new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers } }))
  onTestFinished(() => client.close())
  return client
}

/** The text of the first content block of what a tool answered. */
export async function said(client: Client, name: string, args: Record<string, unknown> = {}) {
  const { content } = await client.callTool({ name, arguments: args })
  return (content as { text?: string }[])[0]?.text
}

/** Names of the tools a client sees. */
export async function toolNames(client: Client): Promise<string[]> {
  return (await client.listTools()).tools.map(({ name }) => name)
}

/** Posts one request of 2026-07-28, as any HTTP client can. */
export function ask(
  url: string,
  token: string | undefined,
  method: string,
  params: Record<string, unknown> = {},
  capabilities: Record<string, unknown> = {},
  moreHeaders: Record<string, string> = {},
): Promise<Response> {
  const name = params.name ?? params.uri
  const _meta = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientInfo': { name: 'test', version: '1' },
    'io.modelcontextprotocol/clientCapabilities': capabilities,
  }
  return fetch(url, {
    method: 'POST',
    headers: {
      ...jsonHeaders,
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': method,
      ...(typeof name === 'string' && { 'mcp-name': name }),
      ...bearer(token),
      ...moreHeaders,
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: { ...params, _meta } }),
  })
}

/** Calls a tool so. */
export function call(url: string, token: string | undefined, name: string, args: object = {}) {
  return ask(url, token, 'tools/call', { name, arguments: args })
}

/** Posts one request of 2025-11-25. */
export function askOld(
  url: string,
  token: string,
  method: string,
  params: Record<string, unknown> = {},
  session?: string,
): Promise<Response> {
  return fetch(url, {
    method: 'POST',
    headers: {
      ...jsonHeaders,
      'mcp-protocol-version': '2025-11-25',
      ...bearer(token),
      ...(session !== undefined && { 'mcp-session-id': session }),
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
  })
}

/** The parameters of `initialize`. */
export const hello = {
  protocolVersion: '2025-11-25',
  capabilities: {},
  clientInfo: { name: 'test', version: '1' },
}

const jsonHeaders = {
  'content-type': 'application/json',
  accept: 'application/json, text/event-stream',
}

export function bearer(token: string | undefined): Record<string, string> {
  return token === undefined ? {} : { authorization: `Bearer ${token}` }
}

/** What a JSON-RPC answer holds. */
export interface Told {
  readonly result: Record<string, unknown> & { readonly content?: { readonly text?: string }[] }
  readonly error?: { readonly code: number; readonly message: string }
}

/** The text a tool answered with, over JSON. */
export async function textOf(response: Response): Promise<string | undefined> {
  const { result } = (await response.json()) as Told
  return result.content?.[0]?.text
}

/** Status and scopes of the challenge: what a client goes by when it is refused. */
export async function refusal(response: Response) {
  const challenge = response.headers.get('www-authenticate') ?? undefined
  const scope = challenge && /scope="([^"]*)"/.exec(challenge)?.[1]
  const { error } = (await response.json()) as { error?: unknown }
  return { status: response.status, error, scope }
}

/** A promise, and what fulfils it. */
export function signal<T = void>() {
  let give = (_value: T) => {}
  const given = new Promise<T>((resolve) => {
    give = resolve
  })
  return { given, give }
}
