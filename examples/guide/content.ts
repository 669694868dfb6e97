// What a handler returns becomes the result: a text, data, or any kind of content.
import { MCPServer, staticVerifier } from 'mcp-bearer/server'

const auth = staticVerifier({ 'dev-alice': { claims: { sub: 'alice' } } })
const server = new MCPServer({ name: 'content', auth })

const pixel = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII='
const silence = 'UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAIA+AAACABAAZGF0YQAAAAA='

server.tool('text', {}, () => 'Just text.')
server.tool('data', {}, () => ({ open: 3, closed: 4 }))
server.tool('image', {}, () => ({ type: 'image', data: pixel, mimeType: 'image/png' }))
server.tool('audio', {}, () => ({ type: 'audio', data: silence, mimeType: 'audio/wav' }))

// A list of blocks: a link the client may follow, and a resource that is sent along.
server.tool('files', {}, () => [
  { type: 'text', text: 'Two files:' },
  { type: 'resource_link', uri: 'notes://today', name: 'today', mimeType: 'text/plain' },
  { type: 'resource', resource: { uri: 'notes://old', mimeType: 'text/plain', text: 'Buy milk.' } },
])

// A result in full, for what has no shorter form.
server.tool('full', {}, () => ({
  content: [{ type: 'text', text: 'Three are open.' }],
  structuredContent: { open: 3 },
  _meta: { 'example.com/took': 12 },
}))

const { url } = await server.listen({ port: Number(process.env.PORT ?? 8000) })
console.log(`Listening on ${url}`)
