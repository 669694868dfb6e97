// Prompts: templates for messages, whose arguments clients can complete.
import { MCPServer, staticVerifier } from 'mcp-bearer/server'
import { z } from 'zod'

const auth = staticVerifier({ 'dev-alice': { claims: { sub: 'alice' } } })
const server = new MCPServer({ name: 'reviews', auth })

const frameworks: Record<string, string[]> = {
  python: ['django', 'fastapi', 'flask'],
  typescript: ['express', 'hono'],
}

server.prompt(
  'review',
  {
    title: 'Review',
    description: 'Asks for a review',
    argsSchema: z.object({
      language: z.string().describe('Of the code'),
      framework: z.string().optional(),
    }),
    complete: {
      language: (value) => Object.keys(frameworks).filter((name) => name.startsWith(value)),
      // What was filled in before is known.
      framework: (value, { arguments: known }) =>
        (frameworks[known.language ?? ''] ?? []).filter((name) => name.startsWith(value)),
    },
  },
  ({ language, framework }) => `Review this ${language} code${framework ? ` for ${framework}` : ''}.`,
)

server.prompt('greet', { description: 'A conversation that has begun' }, (_args, ctx) => [
  { role: 'user', content: { type: 'text', text: `I am ${ctx.auth?.subject}.` } },
  { role: 'assistant', content: { type: 'text', text: 'How can I help?' } },
])

const { url } = await server.listen({ port: Number(process.env.PORT ?? 8000) })
console.log(`Listening on ${url}`)
