// What is asked, in each revision of the protocol, and what the right answer is.
import { Agent, request } from 'node:http'
import { resource } from './targets/catalogue.mjs'

/** How a client speaks. */
export const revisions = {
  session: { title: '2025-11-25 session', version: '2025-11-25' },
  stateless: { title: '2025-11-25 stateless', version: '2025-11-25' },
  modern: { title: '2026-07-28', version: '2026-07-28' },
}

const text = 'what the tool gives back'

/** What a client asks for. `isRight` looks at the result, and gets the settings of the server. */
export const operations = {
  call: {
    method: 'tools/call',
    params: { name: 'tool_0', arguments: { text } },
    mcpName: 'tool_0',
    isRight: ({ content }, { schema }) => content?.[0]?.text === (schema === false ? 'done' : text),
  },
  list: {
    method: 'tools/list',
    params: {},
    isRight: ({ tools }, settings) =>
      tools?.length === settings.tools && tools.every(({ inputSchema }) => inputSchema?.properties?.text),
  },
  read: {
    method: 'resources/read',
    params: { uri: resource.uri },
    mcpName: resource.uri,
    isRight: ({ contents }) => contents?.[0]?.text === resource.text,
  },
}

/** Requests at the same time, each on a connection of its own, unless somebody wants it otherwise. */
export const connections = 4
/** A server that never answers must not keep everybody waiting. */
const patienceMs = 20_000
const agent = new Agent({ keepAlive: true })

/** Ends the connections that are kept alive. */
export const disconnect = () => agent.destroy()

/**
 * Everything of a request but its id, made once.
 *
 * @param server `{ url }`
 * @param how `{ revision, operation, token, sessionId }`, the last two may be missing
 */
export function prepare({ url }, { revision, operation, token, sessionId }) {
  const { version } = revisions[revision]
  const { method, params, mcpName } = operations[operation]
  const isModern = revision === 'modern'
  const message = { method, params: isModern ? { ...params, _meta: metaOf(version) } : params }
  const headers = {
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    'mcp-protocol-version': version,
    ...(isModern && { 'mcp-method': method, ...(mcpName && { 'mcp-name': mcpName }) }),
    ...(sessionId && { 'mcp-session-id': sessionId }),
    ...(token && { authorization: `Bearer ${token}` }),
  }
  return { url, headers, end: `,${JSON.stringify(message).slice(1)}`, nextId: 1 }
}

/** A client does not use an id twice in a session. Everything is ASCII, so that characters are bytes. */
function bodyOf(prepared) {
  return `{"jsonrpc":"2.0","id":${prepared.nextId++}${prepared.end}`
}

function metaOf(version) {
  return {
    'io.modelcontextprotocol/protocolVersion': version,
    'io.modelcontextprotocol/clientInfo': { name: 'bench', version: '1' },
    'io.modelcontextprotocol/clientCapabilities': {},
  }
}

/**
 * Sends one request and throws its answer away.
 * @returns resolves with milliseconds when the answer is complete
 * @throws Error when its status is not 200
 */
export function send(prepared) {
  const started = performance.now()
  return new Promise((resolve, reject) => {
    post(prepared, bodyOf(prepared), reject, (response) => {
      response.resume().once('end', () => {
        if (response.statusCode === 200) resolve(performance.now() - started)
        else reject(new Error(`the answer was ${response.statusCode}`))
      })
    })
  })
}

/** Sends one request. @returns `{ status, headers, body }`, the body as text */
function exchange(prepared, body = bodyOf(prepared)) {
  return new Promise((resolve, reject) => {
    post(prepared, body, reject, async (response) => {
      const chunks = await response.toArray().catch(reject)
      const { statusCode: status, headers } = response
      if (chunks) resolve({ status, headers, body: Buffer.concat(chunks).toString() })
    })
  })
}

function post({ url, headers }, body, onError, onResponse) {
  const options = {
    method: 'POST',
    agent,
    timeout: patienceMs,
    headers: { ...headers, 'content-length': body.length },
  }
  const sent = request(url, options, onResponse)
  sent.once('timeout', () => sent.destroy(new Error(`no answer within ${patienceMs / 1000} s`)))
  sent.once('error', onError).end(body)
}

/**
 * Opens a session of revision 2025-11-25.
 * @returns its id; `undefined` when the server opens none
 */
export async function openSession(server, token) {
  const params = {
    protocolVersion: '2025-11-25',
    capabilities: {},
    clientInfo: { name: 'bench', version: '1' },
  }
  const prepared = prepare(server, { revision: 'session', operation: 'call', token })
  const initialize = JSON.stringify({ jsonrpc: '2.0', id: 'initialize', method: 'initialize', params })
  const { status, headers, body } = await exchange(prepared, initialize)
  if (status !== 200) throw new Error(`initialize was answered with ${status}: ${body.slice(0, 300)}`)
  const sessionId = headers['mcp-session-id']
  if (sessionId === undefined) return undefined
  const inSession = { ...prepared, headers: { ...prepared.headers, 'mcp-session-id': sessionId } }
  await exchange(inSession, JSON.stringify({ jsonrpc: '2.0', method: 'notifications/initialized' }))
  return sessionId
}

/**
 * Numbers of servers that answer wrongly would be worth nothing.
 * @throws Error telling what is wrong with the answer
 */
export async function assertRight(prepared, operation, settings) {
  const { status, body } = await exchange(prepared)
  const { method, isRight } = operations[operation]
  const result = status === 200 ? resultIn(body) : undefined
  const isEcho = settings.kind === 'echo'
  if (!result || !(isEcho || isRight(result, settings))) {
    throw new Error(`${method} was answered with ${status}: ${body.slice(0, 300)}`)
  }
}

/** @throws Error when a token with a wrong signature is not refused */
export async function assertProtected(prepared, token) {
  const end = token.lastIndexOf('.') + 1
  const wrong = `${token.slice(0, end)}${token[end] === 'A' ? 'B' : 'A'}${token.slice(end + 1)}`
  const headers = { ...prepared.headers, authorization: `Bearer ${wrong}` }
  const { status } = await exchange({ ...prepared, headers })
  if (status !== 401) throw new Error(`a token with a wrong signature was answered with ${status}`)
}

/** The result in a JSON body or in an event stream. */
function resultIn(body) {
  const json = body.startsWith('{') ? body : /^data: *(\{.*)$/m.exec(body)?.[1]
  return json && JSON.parse(json).result
}
