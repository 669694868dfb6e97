/** For Node: the protected server in a Hono application. */
import { serve } from '@hono/node-server'
import { Hono } from 'hono'
import { server } from './server-protected.mjs'
import { tell } from './server-tell.mjs'

const app = new Hono()
app.all('/mcp', (c) => server.fetch(c.req.raw))
app.mount('/under/a/prefix', server.fetch)

serve({ fetch: app.fetch, hostname: '127.0.0.1', port: 0 }, ({ port }) => {
  const origin = `http://127.0.0.1:${port}`
  tell({ Hono: `${origin}/mcp`, 'Hono under a prefix': `${origin}/under/a/prefix` })
})
