// Who calls: in the context of a handler, and anywhere below it.
import { getAccessToken, MCPServer, requireAuth, staticVerifier } from 'mcp-bearer/server'

const auth = staticVerifier({ 'dev-alice': { claims: { sub: 'alice', email: 'alice@example.com' } } })
const server = new MCPServer({ name: 'my-server', auth })

server.tool('whoami', { description: 'Who calls' }, (_args, ctx) => ctx.auth?.subject)

// Code that was not handed the context finds the caller, too. `undefined` outside a request, and after expiry.
function emailOfCaller() {
  return getAccessToken()?.claims.email
}
server.tool('email', { description: 'Where to write to' }, async () => emailOfCaller())

// For code that must not run without a caller: the token, or HTTP 401.
server.tool('owner', { description: 'Whose data this is' }, () => requireAuth().subject)

// What this package has no word for is in the context of the MCP SDK.
server.tool('agent', { description: 'Which program calls' }, (_args, ctx) => {
  return ctx.mcp.http?.req?.headers.get('user-agent')
})

const { url } = await server.listen({ port: Number(process.env.PORT ?? 8000) })
console.log(`Listening on ${url}`)
