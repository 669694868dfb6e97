// Serves clients that know nothing newer than HTTP+SSE (2024-11-05), at /sse and on the path of the endpoint.
import { MCPServer, staticVerifier } from 'mcp-bearer/server'

const auth = staticVerifier({ 'dev-alice': { claims: { sub: 'alice' } } })
const server = new MCPServer({ name: 'my-server', auth }, { legacySse: true })

server.tool('whoami', {}, (_args, ctx) => ctx.auth?.subject)

const { url } = await server.listen({ port: Number(process.env.PORT ?? 8000) })
console.log(`Listening on ${url}`)
