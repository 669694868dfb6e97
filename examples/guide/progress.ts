// A long call tells how far it is, writes to the log of the client, and stops when nobody waits any more.
import { setTimeout as sleep } from 'node:timers/promises'
import { MCPServer, staticVerifier } from 'mcp-bearer/server'
import { z } from 'zod'

const auth = staticVerifier({ 'dev-alice': { claims: { sub: 'alice' } } })
const server = new MCPServer({ name: 'exports', auth })

server.tool(
  'export',
  { description: 'Exports pages', inputSchema: z.object({ pages: z.int().min(1) }) },
  async ({ pages }, ctx) => {
    ctx.signal.addEventListener('abort', () => console.log('The export was given up'))
    await ctx.log('info', { message: 'The export begins', pages })
    for (let page = 1; page <= pages; page++) {
      await sleep(5, undefined, { signal: ctx.signal })
      await ctx.progress(page, pages, `page ${page} of ${pages}`)
    }
    return 'Exported'
  },
)

const { url } = await server.listen({ port: Number(process.env.PORT ?? 8000) })
console.log(`Listening on ${url}`)
