/** For Deno: the protected server behind `Deno.serve`. */
import { server } from './server-protected.mjs'
import { tell } from './server-tell.mjs'

const { addr } = Deno.serve({ hostname: '127.0.0.1', port: 0, onListen() {} }, server.fetch)
tell({ 'Deno.serve': `http://127.0.0.1:${addr.port}/mcp` })
