// Clients over HTTP, of both eras, that go on whatever becomes of connections and sessions.
import { request } from 'node:http'
import { setTimeout as pause } from 'node:timers/promises'
import { host } from '../crowd.mjs'
import { bytesOf } from '../wire.mjs'

const meta = 'io.modelcontextprotocol/'
const clientInfo = { name: 'soak', version: '1' }
/** Milliseconds before somebody tries again. */
const againMs = 25

/**
 * @param world `{ book, net, port, where, reconnects, mayFail }`
 * @param who `{ mark, token }`
 */
export function modernClient(world, who) {
  const ids = counter()
  const client = {
    who,
    isModern: true,
    async ready() {},
    ask(text, how) {
      const id = ids()
      const params = {
        name: 'echo',
        arguments: { text, how },
        _meta: {
          progressToken: id,
          [`${meta}protocolVersion`]: '2026-07-28',
          [`${meta}clientInfo`]: clientInfo,
          [`${meta}clientCapabilities`]: {},
        },
      }
      const headers = { ...headersOf(who, '2026-07-28'), 'mcp-method': 'tools/call', 'mcp-name': 'echo' }
      return send(world, client, { text, how, id, headers, message: { id, method: 'tools/call', params } })
    },
    heard: (message) => world.book.fault(`${who.mark} heard ${JSON.stringify(message)}`),
    lost() {},
    async close() {},
  }
  return client
}

/** One with a session, and a stream of its own. */
export function sessionClient(world, who) {
  const { book, net, reconnects } = world
  const ids = counter()
  let session
  let opening
  let isClosed = false
  let keys = new Set()
  let stream

  const headers = () => ({ ...headersOf(who, '2025-11-25'), ...(session && { 'mcp-session-id': session }) })

  async function post(message) {
    const bytes = bytesOf({ headers: headers(), body: JSON.stringify({ jsonrpc: '2.0', ...message }) })
    const wire = net.take()
    const answer = await wire.ask(bytes)
    net.give(wire)
    return answer
  }

  async function open() {
    const capabilities = { elicitation: {} }
    const params = { protocolVersion: '2025-11-25', capabilities, clientInfo }
    for (let attempt = 0; attempt < 400 && !isClosed; attempt++) {
      const failed = world.mayFail(who)
      const answer = await post({ id: ids(), method: 'initialize', params })
      const [, name] = /^mcp-session-id: (.*)\r$/im.exec(answer.text) ?? []
      if (answer.status === 200 && name) {
        session = name
        keys = new Set()
        await post({ method: 'notifications/initialized' })
        stream?.renew()
        return
      }
      if (answer.status === 503) rest(world, who, answer)
      else if (!failed()) book.fault(`${who.mark} got no session: ${answer.text}`)
      await pause(againMs * (answer.status === 503 ? 8 : 1))
    }
    if (!isClosed) book.fault(`${who.mark} gets no session`)
  }

  const client = {
    who,
    isModern: false,
    async ready() {
      if (session !== undefined) return
      opening ??= open().finally(() => {
        opening = undefined
      })
      await opening
    },
    ask(text, how) {
      const id = ids()
      const params = { name: 'echo', arguments: { text, how }, _meta: { progressToken: id } }
      const message = { id, method: 'tools/call', params }
      return send(world, client, { text, how, id, headers: headers(), message, session })
    },
    /** What a server says by itself, or asks. */
    heard(message) {
      const { id, method, params } = message
      if (method === 'notifications/message') {
        const { mark, key } = params.data
        if (mark !== who.mark) book.fault(`${who.mark} heard of ${mark}`)
        if (keys.has(key)) book.fault(`${who.mark} heard ${key} twice`)
        keys.add(key)
        world.notes.heard++
      } else if (method === 'elicitation/create') {
        if (params.message !== who.mark) book.fault(`${who.mark} was asked for ${params.message}`)
        void post({ id, result: { action: 'accept', content: { mark: who.mark } } })
      } else if (method !== 'notifications/tools/list_changed')
        book.fault(`${who.mark} heard ${JSON.stringify(message)}`)
    },
    /** There is no such session any more. */
    lost(which) {
      if (session !== which || isClosed) return
      session = undefined
      reconnects.sessions++
    },
    /** Opens the stream that belongs to no call, and keeps it. */
    listen() {
      stream = standingStream(world, client, () => (isClosed ? undefined : { session, headers: headers() }))
    },
    cutStream: () => void stream?.cut(),
    /** Ends the session as clients do, and begins another with the next call. */
    async restart() {
      const which = session
      if (which === undefined) return
      const calm = world.storm(who)
      client.lost(which)
      await end(which)
      calm()
    },
    async close() {
      isClosed = true
      stream?.close()
      const which = session
      session = undefined
      if (which !== undefined) await end(which)
    },
  }

  async function end(which) {
    const wire = net.take()
    const own = { ...headersOf(who, '2025-11-25'), 'mcp-session-id': which }
    const failed = world.mayFail(who)
    const { status } = await wire.ask(bytesOf({ method: 'DELETE', headers: own }))
    net.give(wire)
    if (status !== 204 && status !== 404 && !failed()) book.fault(`the end of a session: ${status}`)
  }

  return client
}

function counter() {
  let last = 0
  return () => ++last
}

function headersOf({ token }, version) {
  return {
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    authorization: `Bearer ${token}`,
    'mcp-protocol-version': version,
  }
}

/** Somebody whose server crashed too often has to wait. */
function rest({ where, notes }, who, { text }) {
  const [, seconds] = /^retry-after: (\d+)\r$/im.exec(text) ?? []
  who.restsUntil ??= {}
  who.restsUntil[where] = performance.now() + Number(seconds ?? 1) * 1000
  notes.busy++
}

/** Asks, and says to the book what became of it. */
async function send(world, client, asked) {
  const { book, net, mayFail, reconnects } = world
  const { text, how, id, headers, message, session } = asked
  const { who } = client
  const failed = mayFail(who)
  const wire = net.take()
  const told = new Set()
  const bytes = bytesOf({ headers, body: JSON.stringify({ jsonrpc: '2.0', ...message }) })
  const answering = wire.ask(bytes)
  const questions = how === 'ask' ? watchQuestions(wire, client, told) : undefined
  if (how === 'hang' || how === 'late') {
    await Promise.race([how === 'hang' ? wire.something() : pause(10), answering])
    const answer = wire.rest()
    wire.cut()
    reconnects.calls++
    strange(book, who, answer)
    await answering
    return book.end(text, 'left')
  }
  const answer = await answering
  questions?.()
  net.give(wire)
  if (wire.surplus) book.fault(`${text}: an answer too many: ${wire.surplus.text}`)
  strange(book, who, answer.text)
  const final = answer.messages.at(-1)
  const isAnswer = final !== undefined && final.method === undefined
  for (const each of isAnswer ? answer.messages.slice(0, -1) : answer.messages) {
    if (each.method === 'notifications/progress') {
      if (each.params.progressToken !== id || each.params.message !== text)
        book.fault(`${text}: a progress of another: ${JSON.stringify(each)}`)
    } else if (each.method === undefined) book.fault(`${text}: two answers: ${answer.text}`)
    else if (!told.has(JSON.stringify(each))) client.heard(each)
  }
  if (isAnswer && final.id !== id && answer.status < 400) book.fault(`${text}: the id ${final.id}, not ${id}`)
  if (answer.status === 200 && isAnswer && final.result) {
    const [given] = final.result.content ?? []
    if (given?.text !== text) book.fault(`${text}: got ${answer.text}`)
    return book.end(text, 'result')
  }
  // It was lost in the very moment.
  if (answer.status === 400 && !client.isModern && session === undefined) return book.end(text, 'refused')
  if (answer.status === 404 && session !== undefined) {
    client.lost(session)
    return book.end(text, 'refused')
  }
  if (answer.status === 503) {
    rest(world, who, answer)
    return book.end(text, 'refused')
  }
  const isMeant = how === 'cut' || how === 'break' || how === 'crash'
  if (!isMeant && !failed())
    book.fault(`${text}: ${how} failed for no reason: ${answer.status} ${answer.text}`)
  book.end(text, 'error')
  if (answer.status === 502) await pause(againMs)
}

/** A question comes in the middle of an answer, and the answer waits for what is said to it. */
function watchQuestions(wire, client, told) {
  const look = () => {
    for (const [, data] of wire.rest().matchAll(/^data: (.*"elicitation\/create".*)\r?\n/gm)) {
      const message = JSON.parse(data)
      const key = JSON.stringify(message)
      if (told.has(key)) continue
      told.add(key)
      client.heard(message)
    }
  }
  return wire.onData(look)
}

/** Whatever somebody receives has no other mark than theirs. */
export function strange(book, { mark }, text) {
  for (const [found] of text.matchAll(/mark-\d\d-[0-9a-f]{8}/g))
    if (found !== mark) book.fault(`${mark} got something of ${found}: ${text}`)
}

/** A stream that is opened again whenever it ends. */
function standingStream(world, client, current) {
  const { book, port, reconnects } = world
  const { who } = client
  let now
  let isFirst = true
  let timer
  let isClosed = false

  function again() {
    if (isClosed) return
    clearTimeout(timer)
    timer = setTimeout(open, againMs)
  }

  function open() {
    const at = current()
    if (at === undefined || isClosed) return
    if (at.session === undefined || now) return again()
    const headers = { ...at.headers, accept: 'text/event-stream', host }
    const asking = request({ port, host: '127.0.0.1', path: '/mcp', headers, agent: false })
    now = asking
    const over = () => {
      if (now !== asking) return
      now = undefined
      again()
    }
    asking.on('error', over)
    asking.on('response', (answer) => {
      answer.on('error', () => {})
      answer.on('close', over)
      if (answer.statusCode !== 200) {
        if (answer.statusCode === 404) client.lost(at.session)
        return void answer.resume()
      }
      if (!isFirst) reconnects.streams++
      isFirst = false
      world.notes.streams++
      read(answer)
    })
    asking.end()
  }

  function read(answer) {
    let rest = ''
    answer.setEncoding('utf8')
    answer.on('data', (chunk) => {
      strange(book, who, chunk)
      const events = (rest + chunk).split('\n\n')
      rest = events.pop()
      for (const each of events) {
        const [, data] = /^data: (.+)$/m.exec(each) ?? []
        if (data) client.heard(JSON.parse(data))
      }
    })
  }

  open()
  return {
    /** Its session is another one. */
    renew() {
      now?.destroy()
    },
    cut() {
      now?.destroy()
    },
    close() {
      isClosed = true
      clearTimeout(timer)
      now?.destroy()
    },
  }
}
