// A shutdown in an order of your own. Without `closeOnSigterm: false` the server closes itself on SIGTERM.
import { setTimeout as sleep } from 'node:timers/promises'
import { MCPServer, staticVerifier } from 'mcp-bearer/server'

const auth = staticVerifier({ 'dev-alice': { claims: { sub: 'alice' } } })
const server = new MCPServer({ name: 'my-server', auth })

server.tool('work', {}, async () => {
  console.log('At work')
  await sleep(300)
  return 'Done'
})

const { url } = await server.listen({ port: Number(process.env.PORT ?? 8000), closeOnSigterm: false })
console.log(`Listening on ${url}`)

process.once('SIGTERM', async () => {
  await server.close() // no new calls; those that run have up to five seconds
  console.log('Closed')
  // Now nobody needs the database any more.
})
