// A tool that sends the person to a page, for what must not pass through the client, such as a password.
import { MCPServer, staticVerifier } from 'mcp-bearer/server'

const auth = staticVerifier({ 'dev-alice': { claims: { sub: 'alice' } } })
const server = new MCPServer({ name: 'calendar', auth })

server.tool('connect', { description: 'Connects a calendar' }, async (_args, ctx) => {
  const { action } = await ctx.elicit({
    message: 'Sign in to your calendar.',
    url: 'https://calendar.example.com/connect',
  })
  // They agreed to go there. Whether they have signed in is for the page to tell this server.
  return action === 'accept' ? 'Waiting for the sign-in.' : 'Not connected.'
})

const { url } = await server.listen({ port: Number(process.env.PORT ?? 8000) })
console.log(`Listening on ${url}`)
