// Over standard input and output, for one client that is known: by the token its host puts into the environment.
import { MCPServer, staticVerifier } from 'mcp-bearer/server'

const auth = staticVerifier({ 'dev-alice': { claims: { sub: 'alice' }, scopes: ['notes:read'] } })
const server = new MCPServer({ name: 'notes', auth })

server.tool('whoami', {}, (_args, ctx) => ctx.auth?.subject ?? 'nobody')
server.tool('notes', { scopes: ['notes:read'] }, () => 'Buy milk.')
server.tool('purge', { scopes: ['admin'] }, () => 'Purged')

const identity = await auth.verifyToken(process.env.MCP_TOKEN ?? '')
if (!identity) throw new Error('MCP_TOKEN holds no good token')

await server.stdio(identity)
