// Your own idea of a token: extend BearerAuthProvider, look the token up, return who it belongs to, or null.
import { BearerAuthProvider, getAccessToken, MCPServer } from 'mcp-bearer/server'

const apiKeys = new Map([
  ['sk-abc123', { email: 'alice@example.com' }],
  ['sk-def456', { email: 'bob@example.com' }],
])

class MyAuthProvider extends BearerAuthProvider {
  override async verifyToken(token: string) {
    const claims = apiKeys.get(token)
    return claims ? { token, claims } : null
  }
}

const server = new MCPServer({ name: 'my-server', auth: new MyAuthProvider() })

server.tool('whoami', { description: 'Get current user info.' }, () => {
  const token = getAccessToken()
  return token ? `Hello ${token.claims.email}` : 'Not authenticated'
})

const { url } = await server.listen({ port: Number(process.env.PORT ?? 8000) })
console.log(`Listening on ${url}`)
