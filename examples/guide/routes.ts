// HTTP routes of your own beside the MCP endpoint. They need a token, unless they say otherwise.
import { getAccessToken, MCPServer, staticVerifier } from 'mcp-bearer/server'

const auth = staticVerifier({ 'dev-alice': { claims: { sub: 'alice' } } })
const server = new MCPServer({ name: 'reports', auth })

server.route('/report.csv', (_request, { auth }) => new Response(`owner\n${auth?.subject}\n`))

server.route('/version', () => Response.json({ version: 1 }), { auth: false })

server.route(
  '/upload',
  async (request) => {
    const text = await request.text() // within maxBodyBytes and bodyTimeoutMs
    return Response.json({ owner: getAccessToken()?.subject, length: text.length }, { status: 201 })
  },
  { methods: ['POST', 'PUT'] },
)

const { url } = await server.listen({ port: Number(process.env.PORT ?? 8000) })
console.log(`Listening on ${url}`)
