// A tool that asks the model behind the client, and which folders the client works in. Both questions go out at once.
import { MCPServer, staticVerifier, ToolError } from 'mcp-bearer/server'
import { z } from 'zod'

const auth = staticVerifier({ 'dev-alice': { claims: { sub: 'alice' } } })
const server = new MCPServer({ name: 'writer', auth })

server.tool(
  'headline',
  { description: 'Finds a headline', inputSchema: z.object({ text: z.string() }) },
  async ({ text }, ctx) => {
    if (!('sampling' in ctx.clientCapabilities)) throw new ToolError('This needs a client with a model.')
    const [answer, roots] = await Promise.all([
      ctx.sample({
        systemPrompt: 'Answer with a headline.',
        messages: [{ role: 'user', content: { type: 'text', text } }],
        maxTokens: 100,
      }),
      ctx.roots(),
    ])
    return { headline: answer.content, by: answer.model, folders: roots.map((root) => root.uri) }
  },
)

const { url } = await server.listen({ port: Number(process.env.PORT ?? 8000) })
console.log(`Listening on ${url}`)
