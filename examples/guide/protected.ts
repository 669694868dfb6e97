// A protected server: every tool, resource and prompt needs a token of the identity provider, on every request.
import { BearerAuthProvider, MCPServer } from 'mcp-bearer/server'
import { z } from 'zod'

const auth = new BearerAuthProvider({
  jwksUri: process.env.JWKS_URI ?? 'https://id.example.com/.well-known/jwks.json',
  issuer: process.env.ISSUER ?? 'https://id.example.com/',
  audience: 'my-mcp-server',
})

const server = new MCPServer({ name: 'my-server', version: '1.0.0', auth })

server.tool(
  'add',
  { description: 'Adds two numbers', inputSchema: z.object({ a: z.number(), b: z.number() }) },
  ({ a, b }) => ({ sum: a + b }),
)

const { url } = await server.listen({ port: Number(process.env.PORT ?? 8000) })
console.log(`Listening on ${url}`)
