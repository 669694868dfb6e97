// A server that speaks Streamable HTTP, with sessions for whoever initializes, and as little protocol as that takes.
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { answerText, lastText, progressText, streamOf } from './answers.mjs'

const server = createServer((req, res) => {
  if (req.method !== 'POST') return void res.writeHead(req.method === 'GET' ? 405 : 200).end()
  const chunks = []
  req.on('data', (chunk) => chunks.push(chunk))
  req.on('end', () => {
    const message = JSON.parse(Buffer.concat(chunks).toString())
    if (message.id === undefined) return void res.writeHead(202, { 'content-length': 0 }).end()
    const wanted = streamOf(message)
    if (wanted) return void stream(res, message, wanted)
    const body = answerText(message)
    const session = message.method === 'initialize' ? { 'mcp-session-id': randomUUID() } : {}
    res
      .writeHead(200, {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(body),
        ...session,
      })
      .end(body)
  })
})

async function stream(res, message, { events, bytes }) {
  res.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' })
  for (let n = 1; n <= events && !res.destroyed; n++) {
    if (!res.write(`event: message\ndata: ${progressText(message, n, bytes)}\n\n`)) await once(res, 'drain')
  }
  res.end(`event: message\ndata: ${lastText(message)}\n\n`)
}

server.listen(0, '127.0.0.1', () => process.send({ ready: `http://127.0.0.1:${server.address().port}/mcp` }))
