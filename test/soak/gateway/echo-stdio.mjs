// A server on a pipe without a library, of both eras of the protocol. Writes down what it does, and ends when it is asked to.
import { openSync, writeSync } from 'node:fs'
import { createInterface } from 'node:readline'

const journal = openSync(process.argv[2], 'a')
const mark = process.env.MCP_BEARER_SUBJECT
const note = (...words) => writeSync(journal, `${words.join(' ')}\n`)
const send = (message) => process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`)
const questions = new Map()
/** Milliseconds for the answer to a question. */
const patience = 2000
let pushes = 0
let last = 0

note('start', mark, process.pid)

const meta = 'io.modelcontextprotocol/'

async function called({ id, params }) {
  const { text, how } = params.arguments
  note('ran', mark, text, how)
  if (how === 'crash') process.exit(3)
  const { progressToken, [`${meta}protocolVersion`]: version } = params._meta
  const progress = (n) =>
    send({ method: 'notifications/progress', params: { progressToken, progress: n, message: text } })
  if (how === 'push' && !version) {
    const data = { mark, key: `${process.pid}:${++pushes}` }
    send({ method: 'notifications/message', params: { level: 'info', data } })
  }
  if (how === 'stream' || how === 'ask') progress(1)
  if (how === 'ask') await ask()
  if (how === 'stream' || how === 'ask') progress(2)
  if (how === 'late') await new Promise((resolve) => setTimeout(resolve, 20))
  send({ id, result: { content: [{ type: 'text', text }], ...(version && { resultType: 'complete' }) } })
}

async function ask() {
  const id = `ask-${++last}`
  const params = { message: mark, requestedSchema: { type: 'object', properties: {} } }
  send({ id, method: 'elicitation/create', params })
  const answer = await new Promise((resolve) => {
    questions.set(id, resolve)
    setTimeout(resolve, patience)
  })
  questions.delete(id)
  // It went with the stream it was on, or the session has ended.
  if (answer?.result === undefined) note('unanswered')
  else if (answer.result.content?.mark !== mark) note('fault', mark, JSON.stringify(answer))
}

const serverInfo = { name: 'echo', version: '1' }
const answers = {
  initialize: ({ protocolVersion }) => ({
    protocolVersion,
    capabilities: { tools: {}, logging: {} },
    serverInfo,
  }),
  'server/discover': () => ({
    resultType: 'complete',
    supportedVersions: ['2026-07-28'],
    capabilities: { tools: {} },
    serverInfo,
  }),
}

createInterface({ input: process.stdin }).on('line', (line) => {
  const message = JSON.parse(line)
  const { id, method, params } = message
  if (method === undefined) return questions.get(id)?.(message)
  if (id === undefined) return
  if (method === 'tools/call') return void called(message)
  send({ id, result: answers[method]?.(params) ?? {} })
})
