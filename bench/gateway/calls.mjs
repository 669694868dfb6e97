// What is asked over HTTP. Nothing is measured that was not seen to be right once.
import { Agent, request } from 'node:http'
import { assertProtected, assertRight, openSession, prepare, send } from '../server/requests.mjs'
import { toolCount } from './targets/answers.mjs'

const settings = { kind: 'echo behind', tools: toolCount }

/**
 * A request that can be sent again and again, in a session where the revision has them.
 *
 * @param server `{ url }`
 * @param how `{ revision, operation, token, tools }`; `token` is `undefined` for a server that asks for none
 * @returns resolves with what {@link send} takes
 */
export async function prepared(server, { revision, operation = 'call', token, tools = toolCount }) {
  const sessionId = revision === 'session' ? await openSession(server, token) : undefined
  if (revision === 'session' && sessionId === undefined) throw new Error(`${server.title}: no session`)
  const made = prepare(server, { revision, operation, token, sessionId })
  await assertRight(made, operation, { ...settings, tools })
  return made
}

/** A gateway that lets everybody through would be fast. Once for each: wrong tokens are counted. */
export async function assertRefuses(server, token) {
  await assertProtected(await prepared(server, { revision: 'stateless', token }), token)
}

/** What sends one of these; each time the next. */
export function sender(list) {
  let next = 0
  return async () => {
    await send(list[next++ % list.length])
  }
}

const agent = new Agent({ keepAlive: true })

/** What calls the tool that answers with many messages, and resolves with the bytes of them. */
export async function streamSender(server, { revision, token, wanted }) {
  const { url, headers } = await prepared(server, { revision, token })
  let nextId = 1_000_000
  return () => {
    const id = nextId++
    const params = { name: 'stream', arguments: wanted, _meta: { progressToken: id } }
    const body = JSON.stringify({ jsonrpc: '2.0', id, method: 'tools/call', params })
    return bytesOf(url, { ...headers, 'content-length': body.length }, body, wanted)
  }
}

function bytesOf(url, headers, body, { events, bytes: least }) {
  return new Promise((resolve, reject) => {
    const sent = request(url, { method: 'POST', agent, headers }, (response) => {
      let bytes = 0
      response.on('data', (chunk) => {
        bytes += chunk.length
      })
      response.once('error', reject).once('end', () => {
        if (bytes >= events * least * 0.95) resolve(bytes)
        else reject(new Error(`a stream of ${bytes} bytes with the status ${response.statusCode}`))
      })
    })
    sent.once('error', reject).end(body)
  })
}

export const disconnectStreams = () => agent.destroy()
