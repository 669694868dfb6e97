// API keys in ten lines: hashed, scoped, expiring, rotating, revocable, in a SQLite file.
import { sqliteKeyStore } from 'mcp-bearer/keys'
import { ApiKeyAuthProvider, MCPServer } from 'mcp-bearer/server'

const store = await sqliteKeyStore('keys.db')
const server = new MCPServer({ name: 'my-server', auth: new ApiKeyAuthProvider({ store }) })

server.tool('whoami', {}, (_args, ctx) => `Hello ${ctx.auth?.subject}`)
server.tool('restart', { scopes: ['admin'] }, () => 'Restarted')

const { url } = await server.listen({ port: Number(process.env.PORT ?? 8000) })
console.log(`Listening on ${url}`)
