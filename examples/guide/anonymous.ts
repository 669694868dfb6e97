// Without a token clients may look at what there is, and use none of it.
import { MCPServer, staticVerifier } from 'mcp-bearer/server'

const auth = staticVerifier({ 'dev-alice': { claims: { sub: 'alice' } } })
const server = new MCPServer({ name: 'catalogue', auth, anonymous: ['server/discover', 'tools/list'] })

server.tool('order', { description: 'Orders a book' }, (_args, ctx) => `Ordered for ${ctx.auth?.subject}`)

// Not even listed without a token that has the scope.
server.tool('refund', { description: 'Gives money back', scopes: ['staff'] }, () => 'Refunded')

const { url } = await server.listen({ port: Number(process.env.PORT ?? 8000) })
console.log(`Listening on ${url}`)
