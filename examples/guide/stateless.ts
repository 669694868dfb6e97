// No sessions: every request of 2025-11-25 stands alone, so any process can answer it.
import { MCPServer, staticVerifier } from 'mcp-bearer/server'
import { z } from 'zod'

const auth = staticVerifier({ 'dev-alice': { claims: { sub: 'alice' } } })
const server = new MCPServer({ name: 'my-server', auth }, { sessions: false })

server.tool('whoami', {}, (_args, ctx) => ctx.auth?.subject)

// To ask the client takes a session, or a client of 2026-07-28.
server.tool('confirm', {}, async (_args, ctx) => {
  const { action } = await ctx.elicit({ message: 'Sure?', schema: z.object({ sure: z.boolean() }) })
  return action
})

const { url } = await server.listen({ port: Number(process.env.PORT ?? 8000) })
console.log(`Listening on ${url}`)
