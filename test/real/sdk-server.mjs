// A server on the official SDK, as its documentation has it: both eras at one URL. PORT says where.
import { createServer } from 'node:http'
import { Readable } from 'node:stream'
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server'
import { z } from 'zod'

const text = (value) => ({ content: [{ type: 'text', text: String(value) }] })

const handler = createMcpHandler(() => {
  const server = new McpServer({ name: 'sdk-example', version: '1.0.0' }, { capabilities: { logging: {} } })
  server.registerTool(
    'add',
    { description: 'Adds', inputSchema: z.object({ a: z.number(), b: z.number() }) },
    ({ a, b }) => text(a + b),
  )
  server.registerTool('count', { description: 'Counts to three' }, async ({ mcpReq }) => {
    const { progressToken } = mcpReq._meta ?? {}
    for (let progress = 1; progress <= 3 && progressToken !== undefined; progress++) {
      await mcpReq.notify({ method: 'notifications/progress', params: { progressToken, progress, total: 3 } })
    }
    return text('three')
  })
  server.registerTool('headers', { description: 'What came' }, ({ http }) =>
    text([...http.req.headers.keys()].sort().join(' ')),
  )
  server.registerTool('fails', { description: 'Fails' }, () => ({ ...text('no'), isError: true }))
  server.registerResource('note', 'note://one', { mimeType: 'text/plain' }, (uri) => ({
    contents: [{ uri: uri.href, text: 'one' }],
  }))
  server.registerPrompt('greet', { argsSchema: z.object({ name: z.string() }) }, ({ name }) => ({
    messages: [{ role: 'user', content: { type: 'text', text: `Greet ${name}.` } }],
  }))
  return server
})

createServer(async (req, res) => {
  const hasBody = req.method === 'POST'
  const request = new Request(`http://${req.headers.host}${req.url}`, {
    method: req.method,
    headers: Object.entries(req.headers).map(([name, value]) => [name, String(value)]),
    ...(hasBody && { body: Readable.toWeb(req), duplex: 'half' }),
  })
  const response = await handler.fetch(request)
  res.writeHead(response.status, Object.fromEntries(response.headers))
  if (response.body) Readable.fromWeb(response.body).pipe(res)
  else res.end()
}).listen(Number(process.env.PORT), '127.0.0.1')
