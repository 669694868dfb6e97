// In Hono, or anything else that speaks `fetch`: Bun, Deno, workerd. Pages of one origin may call it.
import { serve } from '@hono/node-server'
import { Hono } from 'hono'
import { MCPServer, staticVerifier } from 'mcp-bearer/server'

const auth = staticVerifier({ 'dev-alice': { claims: { sub: 'alice' } } })
const server = new MCPServer({ name: 'my-server', auth }, { allowedOrigins: ['https://app.example.com'] })
server.tool('whoami', {}, (_args, ctx) => ctx.auth?.subject)

const app = new Hono()
app.all('/team-a/mcp', (context) => server.fetch(context.req.raw))

const port = Number(process.env.PORT ?? 8000)
serve({ fetch: app.fetch, port, hostname: '127.0.0.1' }, (address) => {
  console.log(`Listening on http://127.0.0.1:${address.port}/team-a/mcp`)
})
