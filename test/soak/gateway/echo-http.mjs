// A server of Streamable HTTP without a library, of both eras of the protocol, which fails in the ways it is asked to.
import { once } from 'node:events'
import { createServer } from 'node:http'
import { setTimeout as pause } from 'node:timers/promises'

const versionKey = 'io.modelcontextprotocol/protocolVersion'
/** Milliseconds a restart takes, and until nobody holds a connection of before. */
const downMs = 25
const calmMs = 200

/**
 * @param book what `callBook` made
 * @param {(request: import('node:http').IncomingMessage) => string | undefined} whoIs the mark of who calls
 * @param weather what `weather` made
 */
export async function echoServer(book, whoIs, weather) {
  const sessions = new Map()
  const sockets = new Set()
  const hanging = new Set()
  const seen = { initialized: 0, streams: 0, restarts: 0 }
  let names = 0
  let pushes = 0
  const world = { book, hanging, push, forgets: forgetting(sessions) }
  let server
  let port = 0

  function push(session) {
    const data = { mark: session.mark, key: `http:${++pushes}` }
    session.stream?.write(event({ method: 'notifications/message', params: { level: 'info', data } }))
  }

  async function take(request, response) {
    const mark = whoIs(request)
    if (!mark) return void response.writeHead(401).end()
    const id = request.headers['mcp-session-id']
    const session = id === undefined ? undefined : sessions.get(id)
    if (session && session.mark !== mark) book.fault(`${mark} is in a session of ${session.mark}`)
    if (id !== undefined && !session) {
      request.resume()
      return noSession(response, 404)
    }
    if (request.method === 'GET') return listen(session, response)
    if (request.method === 'DELETE') {
      sessions.delete(id)
      session?.stream?.end()
      return void response.writeHead(204).end()
    }
    const chunks = []
    for await (const chunk of request) chunks.push(chunk)
    const message = JSON.parse(Buffer.concat(chunks))
    if (message.method === 'initialize') return open(mark, message, response)
    if (message.id === undefined || message.method === undefined) {
      if (message.method === undefined) session?.questions.get(message.id)?.(message)
      return void response.writeHead(202).end()
    }
    const isModern = message.params?._meta?.[versionKey] !== undefined
    if (!isModern && !session) return noSession(response, 400)
    if (message.method === 'tools/call') return call(world, { mark, session, message, response, id })
    json(response, { id: message.id, result: {} })
  }

  function listen(session, response) {
    if (!session) return void response.writeHead(405).end()
    session.stream?.end()
    session.stream = response
    seen.streams++
    response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders()
    response.on('close', () => {
      if (session.stream === response) session.stream = undefined
    })
  }

  function open(mark, { id, params }, response) {
    const name = `session-${++names}-${Math.round(performance.now())}`
    sessions.set(name, { mark, stream: undefined, questions: new Map() })
    seen.initialized++
    response.setHeader('mcp-session-id', name)
    const { protocolVersion } = params
    const capabilities = { tools: {}, logging: {} }
    json(response, {
      id,
      result: { protocolVersion, capabilities, serverInfo: { name: 'echo', version: '1' } },
    })
  }

  async function start() {
    server = createServer((request, response) => {
      response.on('error', () => {})
      take(request, response).catch((error) => {
        // Its connection was cut while it came.
        if (!request.destroyed || request.complete) book.fault(`the server failed: ${error.stack}`)
      })
    })
    server.keepAliveTimeout = 120_000
    server.on('connection', (socket) => {
      sockets.add(socket)
      socket.on('close', () => sockets.delete(socket))
    })
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
    ;({ port } = server.address())
  }

  async function stop() {
    const closed = once(server, 'close')
    server.close()
    for (const socket of sockets) socket.destroy()
    await closed
    sessions.clear()
  }

  await start()
  return {
    url: `http://127.0.0.1:${port}/mcp`,
    seen,
    hanging,
    sessions,
    /**
     * Ends every connection and every session, and comes back.
     * @param {() => Promise<unknown>} calm resolves when everybody has had the time to hear of it
     */
    async restart(calm) {
      seen.restarts++
      weather.begin()
      await stop()
      await pause(downMs)
      await start()
      void pause(calmMs)
        .then(calm)
        .then(() => weather.end())
    },
    stop,
  }
}

function event(message) {
  return `data: ${JSON.stringify({ jsonrpc: '2.0', ...message })}\n\n`
}

function json(response, message) {
  const body = JSON.stringify({ jsonrpc: '2.0', ...message })
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) })
  response.end(body)
}

function noSession(response, status) {
  const error = { code: -32600, message: 'Session not found' }
  response.writeHead(status, { 'content-type': 'application/json' })
  response.end(JSON.stringify({ jsonrpc: '2.0', id: null, error }))
}

/** Forgets a session instead of carrying out a call, once for each call. */
function forgetting(sessions) {
  const before = new Set()
  return (name, session, text) => {
    if (before.has(text)) return false
    before.add(text)
    sessions.delete(name)
    session.isOver = true
    session.stream?.end()
    for (const go of session.questions.values()) go(undefined)
    return true
  }
}

async function call({ book, hanging, push, forgets }, { mark, session, message, response, id: name }) {
  const { id, params } = message
  const { text, how } = params.arguments
  if (how === 'forget' && forgets(name, session, text)) return noSession(response, 404)
  book.ran(text, mark)
  if (how === 'cut') return void response.destroy()
  const result = { content: [{ type: 'text', text }], ...(!session && { resultType: 'complete' }) }
  if (how === 'json' || how === 'push' || how === 'forget') {
    if (how === 'push' && session) push(session)
    return json(response, { id, result })
  }
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' })
  const told = (progress) => {
    const { progressToken } = params._meta
    response.write(
      event({ method: 'notifications/progress', params: { progressToken, progress, message: text } }),
    )
  }
  told(1)
  if (how === 'break') return void setTimeout(() => response.destroy(), 2)
  if (how === 'hang') {
    hanging.add(text)
    return void response.on('close', () => hanging.delete(text))
  }
  if (how === 'ask' && !session.isOver) await asked(book, session, mark, text, response)
  told(2)
  response.end(event({ id, result }))
}

/** Asks the client of a call who it is. */
async function asked(book, session, mark, text, response) {
  const { questions } = session
  const id = `ask ${text}`
  const params = { message: mark, requestedSchema: { type: 'object', properties: {} } }
  response.write(event({ id, method: 'elicitation/create', params }))
  const answer = await new Promise((resolve) => {
    questions.set(id, resolve)
    response.on('close', () => resolve(undefined))
  })
  questions.delete(id)
  if (answer && answer.result?.content?.mark !== mark)
    book.fault(`${mark} was asked, and got ${JSON.stringify(answer)}`)
}
