// The floor: reads a JSON body and answers with JSON, without any protocol or token.
import { createServer } from 'node:http'

export async function start() {
  const server = createServer((req, res) => {
    const chunks = []
    req.on('data', (chunk) => chunks.push(chunk))
    req.on('end', () => {
      const { id } = JSON.parse(Buffer.concat(chunks).toString())
      const body = JSON.stringify({ jsonrpc: '2.0', id, result: {} })
      res
        .writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) })
        .end(body)
    })
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${server.address().port}/mcp`
}
