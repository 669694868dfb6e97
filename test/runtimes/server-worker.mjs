/** For workerd: the protected server as a worker. */
import { server } from './server-protected.mjs'

export default { fetch: server.fetch }
