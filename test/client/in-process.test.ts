import { Client } from 'mcp-bearer/client'
import { MCPServer } from 'mcp-bearer/server'
import { staticVerifier } from 'mcp-bearer/verify'
import { afterEach, describe, expect, it } from 'vitest'
import { failure } from './servers.ts'

const token = 'sk-in-process-0123456789'
const servers: MCPServer[] = []
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()))
})

function protectedServer(): MCPServer {
  const auth = staticVerifier({ [token]: { claims: { sub: 'alice' } } }, { logger: () => {} })
  const server = new MCPServer({ name: 'in-process', auth })
  servers.push(server)
  server.tool('whoami', {}, (_args, ctx) => `I am ${ctx.auth?.subject}`)
  server.tool('secret', { scopes: ['top'] }, () => 'nothing to see')
  return server
}

describe('FL-97 a server of this process', () => {
  it('knows who calls', async () => {
    await using client = new Client(protectedServer(), { auth: token })
    expect(await client.callTool('whoami')).toMatchObject({ content: [{ text: 'I am alice' }] })
  })

  it('FL-20 refuses no token, a bad one, and one without the scope, as over the network', async () => {
    const server = protectedServer()
    await using anonymous = new Client(server)
    expect(await failure(anonymous.ping())).toMatchObject({ code: 'unauthorized', status: 401 })
    await using stranger = new Client(server, { auth: 'sk-bad-0123456789' })
    expect(await failure(stranger.ping())).toMatchObject({ code: 'invalid_token', status: 401 })
    await using alice = new Client(server, { auth: token })
    const error = await failure(alice.callTool('secret'))
    expect(error).toMatchObject({ code: 'insufficient_scope', status: 403, scopes: ['top'] })
  })
})
