// Scopes on components, scopes that contain others, and a scope that is asked for in the middle of a handler.
import { MCPServer, requireScopes, staticVerifier } from 'mcp-bearer/server'
import { z } from 'zod'

const auth = staticVerifier({
  'dev-admin': { claims: { sub: 'alice' }, scopes: ['admin'] },
  'dev-writer': { claims: { sub: 'bob' }, scopes: ['notes:write'] },
  'dev-reader': { claims: { sub: 'carol' }, scopes: ['notes:read'] },
})

const scopeHierarchy = { admin: ['notes:write', 'notes:publish'], 'notes:write': ['notes:read'] }
const server = new MCPServer({ name: 'notes', auth, scopeHierarchy })

const notes = ['Buy milk.']

server.resource('notes://all', { scopes: ['notes:read'] }, () => notes)

server.tool('add', { scopes: ['notes:write'], inputSchema: z.object({ text: z.string() }) }, ({ text }) => {
  return `Note ${notes.push(text)}`
})

// Everybody sees it. Who lacks one of the scopes gets HTTP 403 that names both.
server.tool('publish', { description: 'Publishes the notes' }, () => {
  requireScopes('notes:read', 'notes:publish')
  return `Published ${notes.length}`
})

server.prompt('clean_up', { scopes: ['admin'] }, () => 'Remove notes that are done.')

const { url } = await server.listen({ port: Number(process.env.PORT ?? 8000) })
console.log(`Listening on ${url}`)
