// fastmcp, as its documentation says: `authenticate` with a jose verifier, sessions or none.
import { createServer } from 'node:net'
import { load } from '../../../.bench/load.mjs'
import { inputOf, resource, toolsOf } from './catalogue.mjs'
import { bearerOf, joseVerifier } from './jose-verifier.mjs'

const { FastMCP } = await load('fastmcp')

export async function start(settings) {
  const server = await makeServer(settings)
  // It does not tell which port the system gave it.
  const port = await freePort()
  const httpStream = { port, host: '127.0.0.1', stateless: !settings.sessions }
  await server.start({ transportType: 'httpStream', httpStream })
  return `http://127.0.0.1:${port}/mcp`
}

async function makeServer(settings) {
  const verify = joseVerifier(await load('jose'), settings.key)
  const authenticate = async (request) => {
    const token = bearerOf(request.headers.authorization)
    const claims = token && (await verify(token).catch(() => undefined))
    if (!claims) throw new Response(null, { status: 401, statusText: 'Unauthorized' })
    return claims
  }
  const server = new FastMCP({ name: 'bench', version: '1.0.0', authenticate, logger: quiet })
  const parameters = await inputOf(settings, () => load('zod'))
  for (const { name, description } of toolsOf(settings)) {
    const execute = async ({ text = 'done' } = {}) => text
    server.addTool({ name, description, ...(parameters && { parameters }), execute })
  }
  const { name, uri, text } = resource
  server.addResource({ name, uri, mimeType: 'text/plain', load: async () => ({ text }) })
  return server
}

const nothing = () => {}
const quiet = { debug: nothing, error: nothing, info: nothing, log: nothing, warn: nothing }

async function freePort() {
  const probe = createServer()
  await new Promise((resolve) => probe.listen(0, '127.0.0.1', resolve))
  const { port } = probe.address()
  await new Promise((resolve) => probe.close(resolve))
  return port
}
