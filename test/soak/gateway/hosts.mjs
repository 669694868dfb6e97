// Hosts that speak in lines to a bridge.
import { setTimeout as pause } from 'node:timers/promises'
import { strange } from './clients.mjs'
import { start } from './processes.mjs'

const meta = 'io.modelcontextprotocol/'
const clientInfo = { name: 'soak', version: '1' }

/**
 * @param world `{ book, where, notes, mayFail, url }`
 * @param who `{ mark, token }`
 */
export function bridgeHost(world, who, isModern) {
  const { book, url, mayFail, where, notes } = world
  const name = `${where} ${who.mark.slice(5, 7)}`
  const bridge = start(name, ['connect', url, '--auth', 'env:TOKEN'], { TOKEN: who.token })
  const waiting = new Map()
  const keys = new Set()
  let last = 0

  const send = (message) => void bridge.input.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`)

  function heard(message) {
    const { id, method, params } = message
    if (method === 'notifications/message') {
      const { key } = params.data
      if (keys.has(key)) book.fault(`${who.mark} heard ${key} twice`)
      keys.add(key)
      notes.heard++
    } else if (method === 'elicitation/create')
      send({ id, result: { action: 'accept', content: { mark: who.mark } } })
    else if (method === 'notifications/progress') {
      const call = waiting.get(params.progressToken)
      if (call?.text !== params.message) book.fault(`${who.mark} heard of ${params.message}`)
    } else if (!/list_changed$/.test(method)) book.fault(`${who.mark} heard ${JSON.stringify(message)}`)
  }

  bridge.lines.on('line', (line) => {
    strange(book, who, line)
    const message = JSON.parse(line)
    if (message.method !== undefined) return heard(message)
    const call = waiting.get(message.id)
    waiting.delete(message.id)
    if (!call) return book.fault(`${name} answered twice, or what nobody asked: ${line}`)
    call.answer(message)
  })

  function ask(method, params, text) {
    const id = ++last
    const _meta = {
      progressToken: id,
      ...(isModern && {
        [`${meta}protocolVersion`]: '2026-07-28',
        [`${meta}clientInfo`]: clientInfo,
        [`${meta}clientCapabilities`]: {},
      }),
    }
    const answer = new Promise((resolve) => waiting.set(id, { text, answer: resolve }))
    send({ id, method, params: { ...params, _meta } })
    return answer
  }

  return {
    who,
    isModern,
    where,
    process: bridge,
    async open() {
      if (isModern) return
      const params = { protocolVersion: '2025-11-25', capabilities: { elicitation: {} }, clientInfo }
      const { error } = await ask('initialize', params)
      if (error) book.fault(`${name}: ${JSON.stringify(error)}`)
      send({ method: 'notifications/initialized' })
    },
    async ask(text, how) {
      const failed = mayFail(who)
      // A session that is lost again while a call is sent once more is too much.
      const isLostAgain = who.sky.watch()
      if (how === 'forget') who.sky.begin()
      const { result, error } = await ask('tools/call', { name: 'echo', arguments: { text, how } }, text)
      if (how === 'forget') who.sky.end()
      if (result) {
        if (result.content?.[0]?.text !== text) book.fault(`${text}: got ${JSON.stringify(result)}`)
        return book.end(text, 'result')
      }
      const isNoSession = error.message === 'Session not found'
      const isMeant = how === 'cut' || how === 'break' || (isNoSession && isLostAgain())
      if (!isMeant && !failed()) book.fault(`${text}: ${how} failed for no reason: ${JSON.stringify(error)}`)
      book.end(text, isNoSession || error.data?.status === 503 ? 'refused' : 'error')
      await pause(25)
    },
    async close() {
      bridge.input.end()
      return bridge.ended
    },
  }
}
