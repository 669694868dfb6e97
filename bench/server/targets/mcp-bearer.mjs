// This package, as its documentation says.
import { AccessToken, jwtVerifier, MCPServer } from 'mcp-bearer/server'
import { inputOf, resource, toolsOf } from './catalogue.mjs'

export async function start(settings) {
  const options = { name: 'bench', logger: () => {}, ...authOf(settings) }
  const server = makeServer(options, settings.sessions)
  const inputSchema = await inputOf(settings, () => import('zod'))
  for (const { name, description } of toolsOf(settings)) {
    server.tool(name, { description, ...(inputSchema && { inputSchema }) }, ({ text }) => text ?? 'done')
  }
  server.resource(resource.uri, { name: resource.name, mimeType: 'text/plain' }, () => resource.text)
  const { url } = await server.listen({ port: 0 })
  return url
}

/** A version that knows no sessions is stateless, and does not know how to be told. */
function makeServer(options, sessions) {
  if (sessions) return new MCPServer(options)
  try {
    return new MCPServer(options, { sessions: false })
  } catch (error) {
    if (/unknown option "sessions"/.test(error.message)) return new MCPServer(options)
    throw error
  }
}

function authOf({ verifier, key, token }) {
  if (verifier === 'none') return {}
  if (verifier === 'trivial') {
    const accepted = new AccessToken({ token, clientId: 'bench' })
    return { auth: { verifyToken: async (given) => (given === token ? accepted : null) } }
  }
  return {
    auth: jwtVerifier({
      publicKey: key.publicPem,
      algorithm: 'RS256',
      issuer: key.issuer,
      audience: key.audience,
    }),
  }
}
