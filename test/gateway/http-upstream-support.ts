import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { type AddressInfo, connect, createServer as createTcpServer, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'
import type { LogEntry } from '../../src/core/index.ts'
import { gateway } from '../../src/gateway/gateway.ts'
import type { GatewayOptions } from '../../src/gateway/gateway-options.ts'
import type { HttpUpstreamOptions } from '../../src/gateway/http/http-settings.ts'
import { httpUpstream } from '../../src/gateway/http/http-upstream.ts'
import type { GatewayPolicy } from '../../src/gateway/policy.ts'
import { alice, directory } from './front-support.ts'

/** A gateway in front of a URL, and what it wrote to its log. */
export interface Fronted {
  readonly url: string
  readonly log: LogEntry[]
  close(): Promise<void>
  /** Sends a message as somebody. */
  post(message: unknown, headers?: Record<string, string>, token?: string): Promise<Response>
  get(headers?: Record<string, string>, token?: string, signal?: AbortSignal): Promise<Response>
}

/** Puts a gateway in front of a URL, until the test is over. */
export async function fronted(
  url: string,
  options: Partial<HttpUpstreamOptions> = {},
  more: Partial<GatewayOptions> = {},
): Promise<Fronted> {
  const log: LogEntry[] = []
  const logger = (entry: LogEntry) => void log.push(entry)
  const upstream = httpUpstream({ url, logger, ...options })
  const door = gateway({ upstream, auth: directory(), logger, ...more })
  onTestFinished(() => {
    // A call in flight would be waited for.
    for (const cut of cuts.splice(0)) cut()
    return door.close()
  })
  const { url: own } = await door.listen({ port: 0, closeOnSigterm: false })
  const bearer = (token: string) => ({ authorization: `Bearer ${token}` })
  return {
    url: own,
    log,
    close: () => door.close(),
    post: (message, headers = {}, token = alice) =>
      fetch(own, {
        method: 'POST',
        headers: { ...json, ...bearer(token), ...headers },
        body: JSON.stringify(message),
      }),
    get: (headers = {}, token = alice, signal) =>
      fetch(own, {
        headers: { accept: 'text/event-stream', ...bearer(token), ...headers },
        ...(signal && { signal }),
      }),
  }
}

const json = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' }

/** Ends what the servers of a test are doing. */
const cuts: (() => void)[] = []

/** A call of a tool. */
export const call = (id: number, name = 'echo', args: object = {}) => ({
  jsonrpc: '2.0',
  id,
  method: 'tools/call',
  params: { name, arguments: args },
})

export const initialize = {
  jsonrpc: '2.0',
  id: 0,
  method: 'initialize',
  params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'test', version: '1' } },
}

/** A request as it arrived behind the gateway. */
export interface Behind {
  readonly method: string
  readonly url: string
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

/** A server of Node's behind the gateway, and what it heard. Closed after the test. */
export async function behind(
  answer: (request: IncomingMessage, response: ServerResponse, body: string) => void,
): Promise<{ readonly url: string; readonly heard: Behind[]; readonly sockets: Set<Socket> }> {
  const heard: Behind[] = []
  const server = createServer(async (request, response) => {
    let body = ''
    for await (const chunk of request) body += chunk
    const { method = '', url = '', headers } = request
    heard.push({ method, url, headers, body })
    answer(request, response, body)
  })
  const sockets = new Set<Socket>()
  server.on('connection', (socket) => sockets.add(socket))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  cuts.push(() => server.closeAllConnections())
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`, heard, sockets }
}

/** A server that says these very bytes to each request, or whatever it likes. Closed after the test. */
export async function raw(answer: string | Buffer | ((socket: Socket, request: string) => void)) {
  let requests = 0
  const sockets = new Set<Socket>()
  const server = createTcpServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
    socket.on('data', (bytes) => {
      requests += 1
      if (typeof answer === 'function') answer(socket, bytes.toString())
      else socket.write(answer)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/mcp`,
    sockets,
    get requests() {
      return requests
    },
  }
}

/** What stands in between, and writes down every byte on its way to the server. */
export async function tapped(url: string): Promise<{ readonly url: string; bytes(): string }> {
  const { port } = new URL(url)
  const seen: Buffer[] = []
  const server = createTcpServer((from) => {
    const to = connect(Number(port), '127.0.0.1')
    from.on('data', (bytes) => seen.push(bytes))
    from.pipe(to).pipe(from)
    for (const socket of [from, to]) {
      socket.on('error', () => {})
      socket.on('close', () => {
        from.destroy()
        to.destroy()
      })
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`,
    bytes: () => Buffer.concat(seen).toString('latin1'),
  }
}

/** The answer of a server in one piece, head and all. */
export function whole(body: string, head = 'HTTP/1.1 200 OK', type = 'application/json'): string {
  return `${head}\r\nContent-Type: ${type}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
}

/** A policy that lets everything pass, and looks at what goes back. */
export function reviewing(
  review: NonNullable<ReturnType<GatewayPolicy['review']>>,
): Pick<GatewayOptions, 'policy'> {
  return { policy: { judge: () => ({ kind: 'pass' }), review: () => review } }
}

/** Resolves when something is so. */
export async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setImmediate(resolve))
}
