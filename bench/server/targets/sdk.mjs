// The official SDK alone, as its documentation says: a server for each request, on @hono/node-server, with its own gate
// and a jose verifier.
import { serve } from '@hono/node-server'
import {
  createMcpHandler,
  McpServer,
  OAuthError,
  OAuthErrorCode,
  requireBearerAuth,
} from '@modelcontextprotocol/server'
import * as jose from 'jose'
import { inputOf, resource, toolsOf } from './catalogue.mjs'
import { joseVerifier } from './jose-verifier.mjs'

export async function start(settings) {
  const inputSchema = await inputOf(settings, () => import('zod'))
  const handler = createMcpHandler(() => makeServer(settings, inputSchema))
  const gate = requireBearerAuth({ verifier: verifierOf(settings) })
  const fetch = async (request) => {
    const authInfo = await gate(request)
    return authInfo instanceof Response ? authInfo : handler.fetch(request, { authInfo })
  }
  const { port } = await new Promise((resolve) => {
    serve({ fetch, port: 0, hostname: '127.0.0.1', overrideGlobalObjects: false }, resolve)
  })
  return `http://127.0.0.1:${port}/mcp`
}

function makeServer(settings, inputSchema) {
  const server = new McpServer({ name: 'bench', version: '1.0.0' })
  const handler = ({ text = 'done' } = {}) => ({ content: [{ type: 'text', text }] })
  for (const { name, description } of toolsOf(settings)) {
    if (inputSchema) server.registerTool(name, { description, inputSchema }, handler)
    else server.registerTool(name, { description }, () => handler())
  }
  const { name, uri, text } = resource
  server.registerResource(name, uri, { mimeType: 'text/plain' }, () => ({ contents: [{ uri, text }] }))
  return server
}

function verifierOf({ key }) {
  const verify = joseVerifier(jose, key)
  return {
    async verifyAccessToken(token) {
      const claims = await verify(token).catch(() => {
        throw new OAuthError(OAuthErrorCode.InvalidToken, 'the token is not good')
      })
      const { client_id: clientId, scope, exp: expiresAt } = claims
      return { token, clientId, scopes: scope.split(' '), expiresAt }
    },
  }
}
