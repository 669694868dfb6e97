import type { Server } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import type { TokenVerifier, Verdict } from 'mcp-bearer'

/** An answer as it came over the wire. */
export interface RawAnswer {
  readonly statusLine: string
  readonly status: number
  /** Every value of a header, one for each line. */
  header(name: string): string[]
  readonly body: string
  /** All bytes of it. */
  readonly raw: string
}

/** A connection that speaks bytes. */
export interface RawConnection {
  /** Writes bytes (Latin-1), and reads one answer. */
  ask(bytes: string): Promise<RawAnswer>
  close(): void
}

export function openConnection(port: number): RawConnection {
  const socket = connect(port, '127.0.0.1')
  let received = ''
  let ended = false
  let wake = () => {}
  const note = () => wake()
  socket.on('data', (chunk: Buffer) => {
    received += chunk.toString('latin1')
    note()
  })
  socket.on('close', () => {
    ended = true
    note()
  })
  socket.on('error', () => {})
  return {
    async ask(bytes) {
      write(socket, bytes)
      const bodyless = bytes.startsWith('HEAD ')
      for (;;) {
        const answer = parseAnswer(received, bodyless, ended)
        if (answer !== undefined) {
          received = received.slice(answer.raw.length)
          return answer
        }
        if (ended) throw new Error(`connection closed after ${JSON.stringify(received)}`)
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
    },
    close: () => socket.destroy(),
  }
}

/** One answer on a connection of its own. */
export async function askRaw(port: number, bytes: string): Promise<RawAnswer> {
  const connection = openConnection(port)
  try {
    return await connection.ask(bytes)
  } finally {
    connection.close()
  }
}

/** The bytes of a POST with a small body, and the given header lines. */
export function post(...lines: string[]): string {
  return request('POST /mcp HTTP/1.1', lines, '{"a":1}')
}

export function request(start: string, lines: readonly string[], body = ''): string {
  const length = body === '' ? [] : ['Content-Type: application/json', `Content-Length: ${body.length}`]
  return [start, 'Host: localhost', ...length, ...lines, '', body].join('\r\n')
}

function write(socket: Socket, bytes: string): void {
  socket.write(Buffer.from(bytes, 'latin1'))
}

function parseAnswer(received: string, bodyless: boolean, ended: boolean): RawAnswer | undefined {
  const head = received.indexOf('\r\n\r\n')
  if (head === -1) return undefined
  const [statusLine = '', ...lines] = received.slice(0, head).split('\r\n')
  const header = (name: string) =>
    lines
      .filter((line) => line.toLowerCase().startsWith(`${name.toLowerCase()}:`))
      .map((line) => line.slice(name.length + 1).trim())
  const status = Number(statusLine.split(' ')[1])
  const end =
    bodyless || status === 204 || status === 100 ? head + 4 : endOfBody(received, head + 4, header, ended)
  if (end === undefined) return undefined
  return {
    statusLine,
    status,
    header,
    body: received.slice(head + 4, end),
    raw: received.slice(0, end),
  }
}

function endOfBody(
  received: string,
  start: number,
  header: (name: string) => string[],
  ended: boolean,
): number | undefined {
  const [length] = header('content-length')
  if (length !== undefined) {
    const end = start + Number(length)
    return received.length >= end ? end : undefined
  }
  if (header('transfer-encoding')[0] === 'chunked') {
    const last = received.indexOf('0\r\n\r\n', start)
    return last === -1 ? undefined : last + 5
  }
  return ended ? received.length : undefined
}

/** Starts a server on a free port of this machine. */
export async function listening(server: Server): Promise<{ port: number; close(): Promise<void> }> {
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/** A verifier that knows some tokens, and remembers what it was asked. */
export function knowing(tokens: Readonly<Record<string, Verdict | (() => Verdict)>>): TokenVerifier & {
  readonly asked: string[]
} {
  const known = new Map(Object.entries(tokens))
  const asked: string[] = []
  return {
    asked,
    async verifyToken(token) {
      asked.push(token)
      const verdict = known.get(token)
      return typeof verdict === 'function' ? verdict() : verdict
    },
  }
}

/** Shaped like a JWT, so that its segments can be searched for. */
export const goodToken =
  'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhbGljZSIsInNjb3BlIjoibWNwOnJlYWQifQ.c2lnbmF0dXJlLW9mLWFsaWNl'
