// requireAuth() is a safeguard: the access token, or an error. Good where a handler may one day run without the gate.
import { AccessToken, BearerAuthProvider, getAccessToken, MCPServer, requireAuth } from 'mcp-bearer/server'

class MyAuthProvider extends BearerAuthProvider {
  override async verifyToken(token: string) {
    if (token !== 'sk-abc123') return null
    return new AccessToken({ token, claims: { email: 'alice@example.com' }, scopes: ['read'] })
  }
}

const server = new MCPServer({ name: 'my-server', auth: new MyAuthProvider() })

server.tool('get_user_data', { description: 'Data of the user' }, () => ({
  email: getAccessToken()?.claims.email,
}))

server.tool('admin_action', { description: 'For admins' }, () => {
  const token = requireAuth()
  return token.scopes.includes('admin') ? 'Done' : 'Admin scope required'
})

const { url } = await server.listen({ port: Number(process.env.PORT ?? 8000) })
console.log(`Listening on ${url}`)
