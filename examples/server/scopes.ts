// Three ways to ask for a scope: declared on the tool, demanded in the handler, or looked at.
import { AccessToken, BearerAuthProvider, getAccessToken, MCPServer, requireScopes } from 'mcp-bearer/server'

const keys = new Map([
  ['sk-admin', { email: 'alice@example.com', scopes: ['read', 'write', 'admin'] }],
  ['sk-reader', { email: 'bob@example.com', scopes: ['read'] }],
])

class MyAuthProvider extends BearerAuthProvider {
  override async verifyToken(token: string) {
    const key = keys.get(token)
    return key ? new AccessToken({ token, claims: { email: key.email }, scopes: key.scopes }) : null
  }
}

const server = new MCPServer({ name: 'my-server', auth: new MyAuthProvider() })

// Declared: who lacks the scope does not see the tool, and gets HTTP 403 on calling it.
server.tool('delete_all', { description: 'Deletes everything', scopes: ['admin'] }, () => 'Deleted')

// Demanded: HTTP 403 names the scope, so that a client can ask for it.
server.tool('rename', { description: 'Renames something' }, () => {
  requireScopes('write')
  return 'Renamed'
})

// Looked at: the tool decides.
server.tool('is_admin', { description: 'Whether the caller is an admin' }, () =>
  getAccessToken()?.scopes.includes('admin') ? 'yes' : 'no',
)

const { url } = await server.listen({ port: Number(process.env.PORT ?? 8000) })
console.log(`Listening on ${url}`)
