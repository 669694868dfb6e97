// How long sessions of 2025-11-25 last, and how many there may be.
import { MCPServer, staticVerifier } from 'mcp-bearer/server'

const auth = staticVerifier({
  'dev-alice': { claims: { sub: 'alice' } },
  'dev-bob': { claims: { sub: 'bob' } },
})

const server = new MCPServer(
  { name: 'my-server', auth },
  {
    sessions: {
      idleMs: 10 * 60_000, // nothing heard for ten minutes
      lifetimeMs: 8 * 3_600_000, // eight hours, whatever happens
      maxPerPrincipal: 2, // a third one takes the place of the one that has been idle longest
      max: 1000,
    },
  },
)

server.tool('whoami', {}, (_args, ctx) => ctx.auth?.subject)

const { url } = await server.listen({ port: Number(process.env.PORT ?? 8000) })
console.log(`Listening on ${url}`)
