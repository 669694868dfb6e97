/** For Node: the protected server listens by itself. */
import { server } from './server-protected.mjs'
import { tell } from './server-tell.mjs'

const { url } = await server.listen({ port: 0 })
tell({ 'listen()': url })
