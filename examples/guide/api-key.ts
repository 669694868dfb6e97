// A header of your own as the credential, beside `Authorization`.
import { MCPServer, staticVerifier } from 'mcp-bearer/server'

const auth = staticVerifier({ 'dev-alice': { claims: { sub: 'alice' } } })
const server = new MCPServer({ name: 'my-server', auth }, { apiKeyHeader: 'X-API-Key' })

server.tool('whoami', {}, (_args, ctx) => ctx.auth?.subject)

const { url } = await server.listen({ port: Number(process.env.PORT ?? 8000) })
console.log(`Listening on ${url}`)
