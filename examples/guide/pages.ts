// `/docs` and `/openmcp.json` name everything the server has, to anybody. Shown while developing, not in production.
import { MCPServer, staticVerifier } from 'mcp-bearer/server'

const auth = staticVerifier({ 'dev-alice': { claims: { sub: 'alice' } } })
const server = new MCPServer(
  { name: 'my-server', auth },
  { publicPages: process.env.NODE_ENV !== 'production' },
)

server.tool('hello', { description: 'Says hello', scopes: ['greet'] }, () => 'Hello')

const { url } = await server.listen({ port: Number(process.env.PORT ?? 8000) })
console.log(`Listening on ${url}`)
