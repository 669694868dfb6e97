import type { AddressInfo, Socket } from 'node:net'
import { createServer } from 'node:net'
import { inspect } from 'node:util'
import { expect } from 'vitest'
import type { Revision } from './peers.ts'
import { modernFetch, serve, sessionFetch, type TestServer } from './servers.ts'

/** The credentials of these tests: nobody but the configured server may see them, and no error may show them. */
export const token = 'sk-hostile/fixture+0123456789=='
export const key = 'Hostile-Header-Fixture-0123456789'
export const headers = { 'X-API-Key': key, Cookie: `session=${key}` }

/** A JSON-RPC message as it arrived. */
export interface Message {
  readonly id?: string | number
  readonly method?: string
}

/** What goes wrong with a message; `undefined` leaves it to a real server. */
export type Fault = (message: Message, request: Request) => Response | Promise<Response> | undefined

/** A real server of a revision, that misbehaves where the fault says so. */
export async function faultyServer(revision: Revision, fault: Fault): Promise<TestServer> {
  const real = revision === '2026-07-28' ? modernFetch(() => true) : sessionFetch(() => true).fetch
  return serve(async (request) => {
    const text = request.method === 'POST' ? await request.clone().text() : ''
    const message = (text === '' ? {} : JSON.parse(text)) as Message
    return (await fault(message, request)) ?? real(request)
  })
}

/** A fault of `tools/call` alone. */
export const onCall =
  (respond: (message: Message, request: Request) => Response | Promise<Response>): Fault =>
  (message, request) =>
    message.method === 'tools/call' ? respond(message, request) : undefined

/** A server that writes bytes, and not always HTTP. */
export interface RawServer {
  readonly origin: string
  readonly url: string
  readonly sockets: readonly Socket[]
  /** The bytes that arrived, on all connections. */
  readonly heard: () => string
}

const open: (() => Promise<void>)[] = []

/** Closes every raw server of the test. */
export async function closeRawServers(): Promise<void> {
  await Promise.all(open.splice(0).map((close) => close()))
}

/** Starts one; `respond` is called with the head and body of each connection's first request. */
export async function rawServer(respond: (socket: Socket, request: string) => void): Promise<RawServer> {
  const sockets: Socket[] = []
  const heard: string[] = []
  const server = createServer((socket) => {
    sockets.push(socket)
    socket.on('error', () => {})
    let text = ''
    let answered = false
    socket.on('data', (bytes) => {
      text += bytes.toString('latin1')
      heard.push(bytes.toString('latin1'))
      if (answered || !isWhole(text)) return
      answered = true
      respond(socket, text)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  open.push(async () => {
    for (const socket of sockets) socket.destroy()
    await new Promise((resolve) => server.close(resolve))
  })
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return { origin, url: `${origin}/mcp`, sockets, heard: () => heard.join('') }
}

function isWhole(text: string): boolean {
  const end = text.indexOf('\r\n\r\n')
  if (end === -1) return false
  const length = Number(/content-length: *(\d+)/i.exec(text.slice(0, end))?.[1] ?? 0)
  return text.length >= end + 4 + length
}

/** A body that goes on and on, and tells how much of it was taken and whether it was given up. */
export function endless(chunk: Uint8Array): {
  body: ReadableStream<Uint8Array>
  readonly sent: number
  readonly cancelled: Promise<void>
} {
  let sent = 0
  let cancelled: () => void = () => {}
  const end = new Promise<void>((resolve) => {
    cancelled = resolve
  })
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      sent += chunk.length
      controller.enqueue(chunk)
    },
    cancel: () => cancelled(),
  })
  return {
    body,
    get sent() {
      return sent
    },
    cancelled: end,
  }
}

/** Everything a logger, a debugger or a crash report could show of a value. */
export function everythingOf(value: unknown, seen = new Set<unknown>()): string {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return String(value)
  if (seen.has(value)) return ''
  seen.add(value)
  const own = Reflect.ownKeys(value).map(
    (name) => `${String(name)}: ${everythingOf(Reflect.get(value, name), seen)}`,
  )
  const shown = inspect(value, { showHidden: true, depth: Number.POSITIVE_INFINITY, getters: true })
  return [shown, JSON.stringify(value), ...own].join('\n')
}

/** Fails when something shows a secret of these tests, in any case of its letters, or the beginning of one. */
export function expectNoSecret(value: unknown, secrets: readonly string[] = [token, key]): void {
  const text = everythingOf(value).toLowerCase()
  for (const secret of secrets) {
    const forms = [secret.slice(0, 15), encodeURIComponent(secret), Buffer.from(secret).toString('base64')]
    for (const form of forms) expect(text).not.toContain(form.toLowerCase())
  }
}
