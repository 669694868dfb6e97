import type { Project } from './project.ts'

/** `src/server.ts`: the tools, the same for every kind of credential. */
export function server({ name }: Project): string {
  return `// What the server can do, and which scopes that takes. How callers prove who they are is said in main.ts.
import { MCPServer, type TokenVerifier } from 'mcp-bearer/server'
import { z } from 'zod'

export function createServer(auth: TokenVerifier): MCPServer {
  const server = new MCPServer({ name: '${name}', version: '0.1.0', auth })

  // For everybody with a good token.
  server.tool('whoami', { description: 'Who is calling, and what they may do' }, (_args, ctx) => ({
    subject: ctx.auth?.subject,
    scopes: ctx.auth?.scopes,
  }))

  // Only for tokens with this scope. Others do not see it in the list, and calling it is a 403.
  server.tool(
    'add',
    {
      description: 'Adds two numbers',
      inputSchema: z.object({ a: z.number(), b: z.number() }),
      scopes: ['math:use'],
    },
    ({ a, b }) => ({ sum: a + b }),
  )

  return server
}
`
}
