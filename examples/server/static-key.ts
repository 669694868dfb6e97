// Validate JWTs with one public key. No secret lives on the server: the key can only check signatures.
import { readFileSync } from 'node:fs'
import { BearerAuthProvider, MCPServer } from 'mcp-bearer/server'

const auth = new BearerAuthProvider({
  publicKey: readFileSync(process.env.PUBLIC_KEY_FILE ?? 'public-key.pem', 'utf8'),
  issuer: 'https://dev.example.com',
  audience: 'my-mcp-server',
})

const server = new MCPServer({ name: 'My MCP Server', auth })

server.tool('ping_me', { description: 'Answers, if the token is good' }, () => 'pong')

const { url } = await server.listen({ port: Number(process.env.PORT ?? 8000) })
console.log(`Listening on ${url}`)
