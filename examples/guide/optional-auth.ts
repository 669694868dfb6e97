// Open to everybody, and more for those who are known. A token that is not good is refused all the same.
import { MCPServer, staticVerifier } from 'mcp-bearer/server'

const auth = staticVerifier({ 'dev-alice': { claims: { sub: 'alice' }, scopes: ['books:order'] } })
const server = new MCPServer({ name: 'books', auth, optionalAuth: true })

server.tool('hello', {}, (_args, ctx) => `Hello ${ctx.auth?.subject ?? 'stranger'}`)

// What needs scopes stays closed to strangers: not listed, and HTTP 401 on calling it.
server.tool('order', { scopes: ['books:order'] }, () => 'Ordered')

const { url } = await server.listen({ port: Number(process.env.PORT ?? 8000) })
console.log(`Listening on ${url}`)
