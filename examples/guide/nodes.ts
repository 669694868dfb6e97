// One of several processes behind a load balancer. Each can answer every request, also the second half of a question.
import { MCPServer, staticVerifier } from 'mcp-bearer/server'
import { z } from 'zod'

const auth = staticVerifier({ 'dev-alice': { claims: { sub: 'alice' } } })

const server = new MCPServer(
  { name: 'my-server', auth },
  {
    sessions: false,
    stateKey: process.env.STATE_KEY!, // 32 characters or more, the same everywhere; throws when it is not set
  },
)

server.tool('delete', { inputSchema: z.object({ file: z.string() }) }, async ({ file }, ctx) => {
  const schema = z.object({ sure: z.boolean() })
  const answer = await ctx.elicit<z.infer<typeof schema>>({ message: `Delete ${file}?`, schema, key: 'sure' })
  return answer.action === 'accept' && answer.content.sure ? `${file} deleted` : `${file} kept`
})

const { url } = await server.listen({ port: Number(process.env.PORT ?? 8000) })
console.log(`Listening on ${url}`)
