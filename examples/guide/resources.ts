// Resources: one URI, or a template of URIs whose variables clients can complete.
import { MCPServer, staticVerifier } from 'mcp-bearer/server'

const auth = staticVerifier({ 'dev-alice': { claims: { sub: 'alice' } } })
const server = new MCPServer({ name: 'notes', auth })

const notes = new Map([
  ['monday', 'Buy milk.'],
  ['tuesday', 'Water the plants.'],
  ['thursday', 'Call home.'],
])

server.resource(
  'notes://index',
  {
    name: 'index',
    title: 'All notes',
    description: 'The days that have a note',
    ttlMs: 60_000,
    listed: { size: 31, annotations: { audience: ['assistant'], priority: 0.8 } },
  },
  () => [...notes.keys()],
)

server.resource(
  'notes://days/{day}',
  {
    name: 'note',
    mimeType: 'text/markdown',
    complete: { day: (value) => [...notes.keys()].filter((day) => day.startsWith(value)) },
  },
  ({ day }) => notes.get(day!) ?? 'Nothing.',
)

// `{+path}` takes the rest, slashes included and still encoded. Bytes travel as a blob.
server.resource('files://{owner}/{+path}', { name: 'file' }, ({ owner, path }, ctx) => {
  return new TextEncoder().encode(`${path} of ${owner}, for ${ctx.auth?.subject}`)
})

const { url } = await server.listen({ port: Number(process.env.PORT ?? 8000) })
console.log(`Listening on ${url}`)
