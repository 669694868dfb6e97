// Clients that listen are told when a resource changes, and when tools, resources or prompts come and go.
import { MCPServer, staticVerifier } from 'mcp-bearer/server'
import { z } from 'zod'

const auth = staticVerifier({ 'dev-alice': { claims: { sub: 'alice' } } })
const server = new MCPServer({ name: 'notes', auth })

let today = 'Buy milk.'
server.resource('notes://today', { name: 'today' }, () => today)

server.tool('write', { inputSchema: z.object({ text: z.string() }) }, ({ text }) => {
  today = text
  server.resourceUpdated('notes://today')
  return 'Written'
})

server.tool('archive', {}, () => {
  if (!server.remove('resource', 'notes://today')) return 'There is nothing to archive'
  server.tool('restore', {}, () => 'Not today')
  return 'Archived'
})

const { url } = await server.listen({ port: Number(process.env.PORT ?? 8000) })
console.log(`Listening on ${url}`)
