// Development without an identity provider: make a key pair, trust its public half, mint a token with the other.
import { BearerAuthProvider, MCPServer, RSAKeyPair } from 'mcp-bearer/server'

const keyPair = await RSAKeyPair.generate()

const auth = new BearerAuthProvider({
  publicKey: keyPair.publicKey,
  issuer: 'https://dev.example.com',
  audience: 'my-dev-server',
})

const server = new MCPServer({ name: 'Development Server', auth })

server.tool('whoami', { description: 'Who the token speaks for' }, (_args, ctx) => ctx.auth?.subject)

const token = await keyPair.createToken({
  subject: 'dev-user',
  issuer: 'https://dev.example.com',
  audience: 'my-dev-server',
  scopes: ['read', 'write'],
})

const { url } = await server.listen({ port: Number(process.env.PORT ?? 8000) })
console.log(`Listening on ${url}`)
console.log(`Test token: ${token}`)
