import { createServer } from 'node:http'
import { RSAKeyPair } from '../../dist/issuer/index.js'
import { MCPServer } from '../../dist/server/index.js'

/**
 * A server as it is written in a hurry: it reads the token and believes what it says, without a look at the signature, and
 * its refusals tell nobody where to get a token.
 *
 * @returns {Promise<{ url: string, token: string, close(): Promise<void> }>} where it is, and a token it takes
 */
export async function weakServer() {
  const mcp = new MCPServer({ name: 'weather', version: '0.3.0', logger() {} })
  mcp.tool('forecast', { description: 'The weather of tomorrow' }, () => 'Rain, and then more of it.')
  const server = createServer((request, response) => {
    const problem = problemOf(request.headers.authorization)
    if (problem === undefined) return mcp.nodeListener(request, response)
    const headers = { 'content-type': 'application/json', 'access-control-allow-origin': '*' }
    response.writeHead(401, headers).end(JSON.stringify({ error: problem }))
  })
  await new Promise((resolve) => server.listen(8010, '127.0.0.1', resolve))
  const pair = await RSAKeyPair.generate()
  return {
    url: `http://127.0.0.1:${server.address().port}/mcp`,
    token: await pair.createToken({
      subject: 'alice',
      issuer: 'https://id.example',
      expiresInSeconds: 90 * 86_400,
    }),
    async close() {
      await mcp.close()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** @param {string | undefined} authorization */
function problemOf(authorization) {
  const token = authorization?.split(' ')[1]
  if (token === undefined) return 'no token'
  try {
    const { exp } = JSON.parse(Buffer.from(token.split('.')[1], 'base64url').toString())
    return exp * 1000 > Date.now() ? undefined : `jwt expired at ${new Date(exp * 1000).toISOString()}`
  } catch (error) {
    return error.stack
  }
}
