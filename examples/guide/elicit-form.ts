// A tool that asks the person behind the client, with a form.
import { MCPServer, staticVerifier } from 'mcp-bearer/server'
import { z } from 'zod'

const auth = staticVerifier({ 'dev-alice': { claims: { sub: 'alice' } } })
const server = new MCPServer({ name: 'tables', auth })

const booking = z.object({ guests: z.int().min(1).max(12), outside: z.boolean() })

server.tool(
  'book',
  { description: 'Books a table', inputSchema: z.object({ restaurant: z.string() }) },
  async ({ restaurant }, ctx) => {
    const answer = await ctx.elicit<z.infer<typeof booking>>({
      message: `A table at ${restaurant}: for how many, and where?`,
      schema: booking,
    })
    if (answer.action !== 'accept') return 'Nothing was booked.'
    const { guests, outside } = answer.content
    return `Booked for ${guests}, ${outside ? 'outside' : 'inside'}.`
  },
)

const { url } = await server.listen({ port: Number(process.env.PORT ?? 8000) })
console.log(`Listening on ${url}`)
