// Validate JWTs of an identity provider. Keys come from its JWKS endpoint, so they can rotate without a restart.
import { BearerAuthProvider, MCPServer } from 'mcp-bearer/server'

const auth = new BearerAuthProvider({
  jwksUri: process.env.JWKS_URI ?? 'https://my-identity-provider.com/.well-known/jwks.json',
  issuer: process.env.ISSUER ?? 'https://my-identity-provider.com/',
  algorithm: 'RS512',
  audience: 'my-mcp-server',
})

const server = new MCPServer({ name: 'My MCP Server', auth })

server.tool('ping_me', { description: 'Answers, if the token is good' }, () => 'pong')

const { url } = await server.listen({ port: Number(process.env.PORT ?? 8000) })
console.log(`Listening on ${url}`)
