import { connect } from 'node:net'

/** A request as it goes over the wire. */
export interface Ask {
  readonly method: string
  /** The request target, byte for byte. */
  readonly target: string
  readonly headers: readonly string[]
  readonly body?: string
}

/** What came back. */
export interface Told {
  /** 0 when the connection was closed without an answer, -1 when nothing came at all. */
  readonly status: number
  /** Lower-case names; several lines of one name joined with a comma. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/**
 * Sends many requests over a few connections that are kept, and gives the answers in the order of the requests. One at a
 * time on each: what is malformed is answered out of turn.
 */
export async function askAll(
  port: number,
  asks: readonly Ask[],
  host = `localhost:${port}`,
): Promise<readonly Told[]> {
  const told: Told[] = new Array(asks.length)
  let next = 0
  const lane = async () => {
    let line: Line | undefined
    while (next < asks.length) {
      const at = next++
      if (line?.isOpen !== true) line = newLine(port)
      told[at] = await line.ask(asks[at]!, host)
      // Node answers nothing malformed any more on a connection on which somebody asked for an upgrade.
      if (asks[at]!.headers.some((header) => /^upgrade:/i.test(header))) line.close()
    }
    line?.close()
  }
  await Promise.all(Array.from({ length: Math.min(8, asks.length) }, lane))
  return told
}

/** Sends one request on a connection of its own. */
export async function askOnce(port: number, ask: Ask, host?: string): Promise<Told> {
  const [told] = await askAll(port, [ask], host)
  return told!
}

interface Line {
  readonly isOpen: boolean
  ask(ask: Ask, host: string): Promise<Told>
  close(): void
}

const nothing: Told = { status: 0, headers: {}, body: '' }
/** Nobody closed the connection either. */
const silence: Told = { status: -1, headers: {}, body: 'silence' }

function newLine(port: number): Line {
  const socket = connect(port, '127.0.0.1').setNoDelay(true)
  let received = ''
  let isOpen = true
  let method = ''
  let answer = (_told: Told) => {}
  const take = () => {
    for (let one = read(received, method, !isOpen); one; one = read(received, method, !isOpen)) {
      received = received.slice(one.length)
      if (one.told.status < 200) continue
      // Node says that it closes, and closes a little later.
      if (one.told.headers.connection === 'close') isOpen = false
      return answer(one.told)
    }
    if (!isOpen) answer(nothing)
  }
  socket.on('error', () => {})
  socket.on('close', () => {
    isOpen = false
    take()
  })
  socket.on('data', (chunk) => {
    received += chunk.toString('latin1')
    take()
  })
  socket.setTimeout(3000, () => {
    answer(silence)
    socket.destroy()
  })
  return {
    get isOpen() {
      return isOpen
    },
    ask(one, host) {
      method = one.method
      return new Promise((resolve) => {
        answer = resolve
        socket.write(Buffer.from(bytesOf(one, host), 'latin1'))
      })
    },
    close() {
      isOpen = false
      socket.destroy()
    },
  }
}

function bytesOf({ method, target, headers, body = '' }: Ask, host: string): string {
  const isChunked = headers.some((line) => /^transfer-encoding/i.test(line))
  const length = isChunked || body === '' ? [] : [`Content-Length: ${body.length}`]
  const named = headers.some((line) => /^host:/i.test(line)) ? [] : [`Host: ${host}`]
  const lines = [`${method} ${target} HTTP/1.1`, ...named, ...headers, ...length, '', '']
  return lines.join('\r\n') + (isChunked ? `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n` : body)
}

/** The first answer in the text, and how much of the text it is. */
function read(text: string, method: string | undefined, ended: boolean) {
  const end = text.indexOf('\r\n\r\n')
  if (end === -1) return undefined
  const [line = '', ...lines] = text.slice(0, end).split('\r\n')
  const status = Number(line.split(' ')[1])
  const headers: Record<string, string> = {}
  for (const one of lines) {
    const at = one.indexOf(':')
    const name = one.slice(0, at).toLowerCase()
    const value = one.slice(at + 1).trim()
    headers[name] = headers[name] === undefined ? value : `${headers[name]}, ${value}`
  }
  const start = end + 4
  const told = (body: string, length: number) => ({ told: { status, headers, body }, length })
  if (method === 'HEAD' || status < 200 || status === 204 || status === 304) return told('', start)
  if (headers['transfer-encoding'] === 'chunked') return unchunked(text, start, told)
  const length = headers['content-length']
  if (length === undefined) return ended ? told(text.slice(start), text.length) : undefined
  const stop = start + Number(length)
  return text.length < stop ? undefined : told(text.slice(start, stop), stop)
}

function unchunked<Result>(text: string, start: number, told: (body: string, length: number) => Result) {
  let body = ''
  for (let at = start; ; ) {
    const line = text.indexOf('\r\n', at)
    if (line === -1) return undefined
    const size = Number.parseInt(text.slice(at, line), 16)
    const stop = line + 2 + size + 2
    if (text.length < stop) return undefined
    if (size === 0) return told(body, stop)
    body += text.slice(line + 2, stop - 2)
    at = stop
  }
}
