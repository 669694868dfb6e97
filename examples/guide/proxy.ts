// Behind a reverse proxy that terminates TLS.
import { MCPServer, staticVerifier } from 'mcp-bearer/server'

const auth = staticVerifier({ 'dev-alice': { claims: { sub: 'alice' } } })

const server = new MCPServer(
  { name: 'my-server', auth, limits: { failuresPerMinute: 5 } },
  {
    allowedHosts: ['mcp.example.com'], // the `Host` the proxy passes on
    allowedOrigins: ['https://app.example.com'], // web pages that may call
    trustProxy: 1, // one proxy: the last address in X-Forwarded-For is the caller's
  },
)

server.tool('whoami', {}, (_args, ctx) => ctx.auth?.subject)

const { url } = await server.listen({ port: Number(process.env.PORT ?? 8000) })
console.log(`Listening on ${url}`)
