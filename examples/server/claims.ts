// What a verifier knows of the user travels as claims, and tools read them.
import { AccessToken, BearerAuthProvider, getAccessToken, MCPServer } from 'mcp-bearer/server'

class MyAuthProvider extends BearerAuthProvider {
  override async verifyToken(token: string) {
    if (token !== 'sk-abc123') return null
    return new AccessToken({
      token,
      claims: { sub: 'user-123', email: 'alice@example.com', name: 'Alice', plan: 'pro' },
    })
  }
}

const server = new MCPServer({ name: 'my-server', auth: new MyAuthProvider() })

server.tool('get_user_plan', { description: 'Which plan the user is on' }, () => {
  const token = getAccessToken()
  if (!token) return 'Not authenticated'
  const { email = 'unknown', plan = 'free' } = token.claims
  return `${email} is on the ${plan} plan`
})

const { url } = await server.listen({ port: Number(process.env.PORT ?? 8000) })
console.log(`Listening on ${url}`)
