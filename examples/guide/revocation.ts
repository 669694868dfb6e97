// A token that is over, or was revoked, ends the streams that were opened with it.
import { MCPServer, staticVerifier } from 'mcp-bearer/server'
import { memoryRevocations, revocable } from 'mcp-bearer/verify'

const revocations = memoryRevocations()
const tokens = staticVerifier({ 'dev-alice': { claims: { sub: 'alice' } } })
const server = new MCPServer({ name: 'notes', auth: revocable(tokens, revocations) })

server.resource('notes://today', {}, () => 'Buy milk.')

server.tool('sign_out', { description: 'Gives the token back' }, (_args, ctx) => {
  if (ctx.auth) revocations.revoke({ token: ctx.auth.token })
  return 'Signed out'
})

const { url } = await server.listen({ port: Number(process.env.PORT ?? 8000) })
console.log(`Listening on ${url}`)
