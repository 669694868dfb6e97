import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  request,
  type Server,
  type ServerResponse,
} from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { text } from 'node:stream/consumers'
import type { LogEntry } from '../../src/core/index.ts'

/** What came back. */
export interface Got {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
  json(): unknown
}

/** A request, every header of which is said. */
export interface Said {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string | readonly string[]>>
  readonly body?: string
}

/** Where a site of this machine is. */
export interface Site {
  readonly origin: string
  readonly url: string
}

/** Sends a request to a site; its path stands on the request line as it is. */
export async function ask(site: Site, path: string, said: Said = {}): Promise<Got> {
  const answer = await begin(site, path, said)
  const body = await text(answer)
  return { status: answer.statusCode ?? 0, headers: answer.headers, body, json: () => JSON.parse(body) }
}

/** The same, up to the head of the answer. */
export function begin({ origin }: Site, path: string, { method = 'GET', headers = {}, body }: Said = {}) {
  const { hostname, port } = new URL(origin)
  return new Promise<IncomingMessage>((resolve, reject) => {
    const sent = request({
      hostname,
      port,
      method,
      path,
      headers: headers as Record<string, string>,
      agent: false,
    })
    sent.once('response', resolve)
    sent.once('error', reject)
    sent.end(body)
  })
}

/** What a socket gives back for some bytes, until it is closed. */
export function bytes({ origin }: Site, sent: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(new URL(origin).port), '127.0.0.1', () => socket.write(sent, 'latin1'))
    let got = ''
    socket.setEncoding('latin1').on('data', (piece: string) => {
      got += piece
    })
    socket.once('error', reject)
    socket.once('close', () => resolve(got))
  })
}

/** The key in an address. */
export function keyOf(url: string): string {
  return new URLSearchParams(new URL(url).hash.slice(1)).get('key') ?? ''
}

/** Tries a key. */
export function tryKey(site: Site, key: unknown, headers: Record<string, string> = {}): Promise<Got> {
  return ask(site, '/inspector/open', {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ key }),
  })
}

/** Opens a site as its page does. @returns the header that every request of the page carries */
export async function open(site: Site, url = site.url): Promise<{ 'x-inspector-session': string }> {
  const { session } = (await tryKey(site, keyOf(url))).json() as { session: string }
  return { 'x-inspector-session': session }
}

/** A log that is kept. */
export function keptLog(): { readonly entries: LogEntry[]; logger(entry: LogEntry): void } {
  const entries: LogEntry[] = []
  return { entries, logger: (entry) => void entries.push(entry) }
}

const servers: Server[] = []

/** A server that does what the test says and nothing else: it reads no body by itself. */
export async function bareServer(
  respond: (req: IncomingMessage, res: ServerResponse) => void,
): Promise<Site> {
  const server = createServer(respond)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  servers.push(server)
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return { origin, url: `${origin}/mcp` }
}

/** Closes them all. */
export async function closeBareServers(): Promise<void> {
  const closed = servers.splice(0).map((server) => {
    server.closeAllConnections()
    return new Promise((resolve) => server.close(resolve))
  })
  await Promise.all(closed)
}

/** A promise, and what keeps it. */
export function deferred<T = void>(): { readonly promise: Promise<T>; resolve(value: T): void } {
  let keep: (value: T) => void = () => {}
  const promise = new Promise<T>((resolve) => {
    keep = resolve
  })
  return { promise, resolve: (value) => keep(value) }
}
