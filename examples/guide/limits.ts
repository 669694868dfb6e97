// What a server does not do more of, longer or bigger.
import { MCPServer, staticVerifier } from 'mcp-bearer/server'
import { z } from 'zod'

const auth = staticVerifier({
  'dev-alice': { claims: { sub: 'alice' } },
  'dev-bob': { claims: { sub: 'bob' } },
})

const limits = {
  toolTimeoutMs: 30_000,
  maxBodyBytes: 64 * 1024,
  pageSize: 2, // lines of a list that are sent at once
  listTtlMs: 60_000, // for which clients may keep a list
  requestsPerMinute: 600, // of one principal
  failuresPerMinute: 5, // bad credentials from one address
}
const server = new MCPServer({ name: 'mail', auth, limits })

server.tool('send', { rateLimit: 3, inputSchema: z.object({ text: z.string() }) }, () => 'Sent')
server.tool('count', {}, () => 0)
server.tool('search', {}, () => 'Nothing found')

const { url } = await server.listen({ port: Number(process.env.PORT ?? 8000) })
console.log(`Listening on ${url}`)
