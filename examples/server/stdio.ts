// The same server over standard input and output, for a host that starts it as a child process. No bearer token
// travels there: components with scopes stay closed.
import { MCPServer } from 'mcp-bearer/server'

const server = new MCPServer({ name: 'Local server' })

server.tool(
  'hello',
  { description: 'Says hello' },
  (_args, ctx) => `Hello ${ctx.auth?.subject ?? 'stranger'}`,
)
server.tool('purge', { description: 'For admins', scopes: ['admin'] }, () => 'Purged')

await server.stdio()
