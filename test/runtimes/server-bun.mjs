/** For Bun: the protected server behind `Bun.serve`. */
import { server } from './server-protected.mjs'
import { tell } from './server-tell.mjs'

const { port } = Bun.serve({ fetch: server.fetch, hostname: '127.0.0.1', port: 0 })
tell({ 'Bun.serve': `http://127.0.0.1:${port}/mcp` })
