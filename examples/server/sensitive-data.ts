// Read the token inside a tool, and refuse what its scopes do not allow with words the caller can read.
import { BearerAuthProvider, getAccessToken, MCPServer, RSAKeyPair, ToolError } from 'mcp-bearer/server'

const keyPair = await RSAKeyPair.generate()
const auth = new BearerAuthProvider({
  publicKey: keyPair.publicKey,
  issuer: 'https://dev.example.com',
  audience: 'my-dev-server',
})

const server = new MCPServer({ name: 'Sensitive data', auth })

server.tool('get_my_data', { description: 'Private data of the caller' }, () => {
  const accessToken = getAccessToken()
  if (!accessToken?.scopes.includes('data:read_sensitive')) {
    throw new ToolError("Insufficient permissions: 'data:read_sensitive' scope required.")
  }
  return {
    user: accessToken.clientId,
    sensitive_data: `Private data for ${accessToken.clientId}`,
    granted_scopes: accessToken.scopes,
  }
})

const claims = { subject: 'dev-user', issuer: 'https://dev.example.com', audience: 'my-dev-server' }
const { url } = await server.listen({ port: Number(process.env.PORT ?? 8000) })
console.log(`Listening on ${url}`)
console.log(`With the scope: ${await keyPair.createToken({ ...claims, scopes: ['data:read_sensitive'] })}`)
console.log(`Without it: ${await keyPair.createToken({ ...claims, scopes: ['data:read'] })}`)
