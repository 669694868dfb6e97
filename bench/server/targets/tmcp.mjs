// tmcp, as its documentation says: one server, the HTTP transport, @remix-run/node-fetch-server; and before it a jose
// verifier, whose claims are the custom context.
import { createServer } from 'node:http'
import { load } from '../../../.bench/load.mjs'
import { inputOf, resource, toolsOf } from './catalogue.mjs'
import { bearerOf, joseVerifier } from './jose-verifier.mjs'

const { McpServer } = await load('tmcp')
const { HttpTransport } = await load('@tmcp/transport-http')
const { createRequestListener } = await load('@remix-run/node-fetch-server')

export async function start(settings) {
  const transport = new HttpTransport(await makeServer(settings), { path: '/mcp' })
  const verify = joseVerifier(await load('jose'), settings.key)
  const listener = createRequestListener(async (request) => {
    const token = bearerOf(request.headers.get('authorization'))
    const claims = token && (await verify(token).catch(() => undefined))
    if (!claims) return new Response(null, { status: 401, headers: { 'www-authenticate': 'Bearer' } })
    return (await transport.respond(request, { claims })) ?? new Response(null, { status: 404 })
  })
  const server = createServer(listener)
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${server.address().port}/mcp`
}

async function makeServer(settings) {
  const schema = await inputOf(settings, () => load('zod'))
  const adapter = schema && new (await load('@tmcp/adapter-zod')).ZodJsonSchemaAdapter()
  const server = new McpServer(
    { name: 'bench', version: '1.0.0', description: 'bench' },
    { adapter, capabilities: { tools: {}, resources: {} } },
  )
  for (const { name, description } of toolsOf(settings)) {
    server.tool({ name, description, ...(schema && { schema }) }, ({ text = 'done' } = {}) => ({
      content: [{ type: 'text', text }],
    }))
  }
  const { name, uri, text } = resource
  server.resource({ name, description: name, uri }, () => ({ contents: [{ uri, text }] }))
  return server
}
