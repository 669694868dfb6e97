// The server under measurement, in a process of its own. Configuration comes as one JSON argument; the parent asks for
// the CPU time used so far over IPC.
import { createServer } from 'node:http'
import { BearerAuthProvider, MCPServer, RSAKeyPair } from '../dist/server/index.js'

const { kind, tools = 1 } = JSON.parse(process.argv[2])
const audience = 'bench'

const start = { echo: startEcho, open: () => startServer(false), auth: () => startServer(true) }
process.on('message', (question) => {
  if (question === 'usage') process.send({ usage: process.cpuUsage() })
})
process.send({ ready: await start[kind]() })

/** The floor: reads a JSON body and answers with JSON, without any protocol. */
async function startEcho() {
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
  return { url: `http://127.0.0.1:${server.address().port}/mcp` }
}

async function startServer(protectedByToken) {
  const pair = await RSAKeyPair.generate()
  const issuer = 'https://bench.example.com'
  const auth = new BearerAuthProvider({ publicKey: pair.publicKey, issuer, audience })
  const server = new MCPServer({ name: 'bench', ...(protectedByToken && { auth }), logger: () => {} })
  for (let n = 0; n < tools; n++) server.tool(`tool_${n}`, { description: `Tool number ${n}` }, () => 'done')
  const { url } = await server.listen({ port: 0 })
  return { url, token: await pair.createToken({ issuer, audience, expiresInSeconds: 36_000 }) }
}
