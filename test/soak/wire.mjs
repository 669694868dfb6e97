// HTTP by hand: many callers on one connection, answers in the order of the questions, and connections that break.
import { connect } from 'node:net'
import { host } from './crowd.mjs'

/** Milliseconds. `node:http` closes a connection after five seconds without a request. */
const idleMs = 3000

/** Connections that are kept, and given to whoever comes next: as a proxy does. */
export function wires(port) {
  const idle = []
  const all = new Set()
  return {
    take() {
      for (let kept = idle.pop(); kept; kept = idle.pop()) {
        // A server closes what is not used; what it is about to close must not be used any more.
        if (kept.isOpen && performance.now() - kept.usedAt < idleMs) return kept
        kept.cut()
      }
      const wire = openWire(port, () => all.delete(wire))
      all.add(wire)
      return wire
    },
    give(wire) {
      wire.usedAt = performance.now()
      if (wire.isOpen) idle.push(wire)
    },
    close() {
      for (const wire of all) wire.cut()
    },
  }
}

/** The bytes of a request. */
export function bytesOf({ method = 'POST', headers, body = '' }) {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  const length = `content-length: ${Buffer.byteLength(body)}\r\n`
  return `${method} /mcp HTTP/1.1\r\nhost: ${host}\r\n${length}${lines.join('')}\r\n${body}`
}

function openWire(port, onEnd) {
  const socket = connect(port, '127.0.0.1')
  let received = ''
  const expected = []
  const wire = {
    isOpen: true,
    /** Writes bytes, and resolves to the next answer that is not expected by anybody yet. */
    ask(bytes) {
      socket.write(bytes)
      return new Promise((resolve) => expected.push(resolve))
    },
    write: (bytes) => void socket.write(bytes),
    /** Says that nothing more comes; what comes back is still read. */
    finish: () => void socket.end(),
    /** Resolves when anything has come that is no whole answer yet. */
    something: () =>
      received === '' ? new Promise((resolve) => socket.once('data', () => resolve())) : undefined,
    /** Calls back with each piece that comes. @returns what ends that */
    onData(look) {
      socket.on('data', look)
      return () => void socket.off('data', look)
    },
    /** What has come of an answer that is not whole. */
    rest: () => received,
    cut: () => void socket.destroy(),
  }
  socket.setNoDelay(true)
  socket.on('error', () => {})
  socket.on('data', (chunk) => {
    received += chunk.toString('latin1')
    for (let answer = firstAnswer(received); answer; answer = firstAnswer(received)) {
      received = received.slice(answer.length)
      // An answer nobody has asked for is one too many.
      const take = expected.shift()
      if (take) take(answer)
      else wire.surplus = answer
    }
  })
  socket.on('close', () => {
    wire.isOpen = false
    onEnd()
    for (const take of expected.splice(0)) take({ status: 0, text: received, messages: [], length: 0 })
  })
  return wire
}

/** The first whole answer in a text, if there is one. */
function firstAnswer(text) {
  const head = text.indexOf('\r\n\r\n')
  if (head === -1) return undefined
  const start = head + 4
  const top = text.slice(0, start).toLowerCase()
  const status = Number(top.slice(9, 12))
  const [, size] = /\r\ncontent-length: (\d+)\r\n/.exec(top) ?? []
  const isChunked = top.includes('\r\ntransfer-encoding: chunked\r\n')
  if (!isChunked) {
    const end = start + Number(size ?? 0)
    return text.length < end ? undefined : answer(status, text.slice(0, end), text.slice(start, end), end)
  }
  const read = chunks(text, start)
  return read && answer(status, text.slice(0, read.end), read.data, read.end)
}

function chunks(text, start) {
  let data = ''
  for (let at = start; ; ) {
    const line = text.indexOf('\r\n', at)
    if (line === -1) return undefined
    const size = Number.parseInt(text.slice(at, line), 16)
    const next = line + 2 + size + 2
    if (text.length < next) return undefined
    if (size === 0) return { data, end: next }
    data += text.slice(line + 2, line + 2 + size)
    at = next
  }
}

/** `text` is everything, the head included. */
function answer(status, text, body, length) {
  const isStream = /^content-type: text\/event-stream/im.test(text)
  const lines = isStream ? body.split('\n').filter((line) => line.startsWith('data: ')) : [body]
  const texts = lines.map((line) => (isStream ? line.slice('data: '.length) : line)).filter(Boolean)
  const messages = texts.map((each) => JSON.parse(each))
  return { status, text, messages, isStream, length }
}
