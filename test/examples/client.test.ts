import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Listening, MCPServer } from 'mcp-bearer/server'
import { staticVerifier } from 'mcp-bearer/verify'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runExample } from './harness.ts'

const token = 'sk-client-example-1'
const servers: MCPServer[] = []
let one: Listening
let other: Listening

async function serve(name: string, key: string): Promise<Listening> {
  const auth = staticVerifier({ [key]: { claims: { sub: name } } }, { logger: () => {} })
  const server = new MCPServer({ name, auth }, { apiKeyHeader: 'X-API-Key' })
  server.tool('whoami', {}, (_args, ctx) => `${name}: ${ctx.auth?.subject}`)
  servers.push(server)
  return server.listen({ port: 0 })
}

beforeAll(async () => {
  one = await serve('one', token)
  other = await serve('other', 'sk-client-example-2')
})
afterAll(async () => {
  await Promise.all(servers.map((server) => server.close()))
})

async function outcome(name: string, env: Record<string, string>) {
  const { code, stdout, stderr } = await runExample(`client/${name}`, env).ended
  expect(stdout + stderr).not.toContain(env.MCP_TOKEN ?? env.MCP_API_KEY ?? token)
  return { code, stdout: stdout.trim(), stderr }
}

describe('the client examples', () => {
  it.each(['token', 'transport', 'bearer-auth', 'custom-header'])(
    '%s: a good token gets an answer',
    async (name) => {
      const env = { MCP_SERVER_URL: one.url, MCP_TOKEN: token }
      expect(await outcome(name, env)).toMatchObject({ code: 0, stdout: 'The server answers.' })
    },
  )

  it.each(['token', 'transport', 'bearer-auth', 'custom-header'])(
    '%s: a bad token is refused, in words',
    async (name) => {
      const { code, stderr } = await outcome(name, { MCP_SERVER_URL: one.url, MCP_TOKEN: 'sk-wrong-token-9' })
      expect(code).not.toBe(0)
      expect(stderr).toContain('AuthError')
    },
  )

  it.each(['token', 'transport', 'bearer-auth'])(
    '%s: the placeholder of the documents is not sent',
    async (name) => {
      const { code, stderr } = await outcome(name, { MCP_SERVER_URL: one.url, MCP_TOKEN: '<your-token>' })
      expect(code).not.toBe(0)
      expect(stderr).toContain('TypeError')
    },
  )

  it.each(['config', 'environment'])('%s: the configured server lists its tools', async (name) => {
    const env = { MCP_SERVER_URL: one.url, MCP_API_KEY: token }
    expect(await outcome(name, env)).toMatchObject({ code: 0, stdout: 'api offers whoami' })
  })

  it('E-64 environment: a variable that is not set is named, before any request', async () => {
    const { code, stderr } = await outcome('environment', { MCP_SERVER_URL: one.url })
    expect(code).not.toBe(0)
    expect(stderr).toContain('MCP_API_KEY')
  })

  it('dotenv: the file fills the configuration', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'mcp-bearer-'))
    try {
      const file = join(folder, '.env')
      await writeFile(file, `MCP_SERVER_URL=${one.url}\nMCP_API_KEY=${token}\n`)
      expect(await outcome('dotenv', { ENV_FILE: file })).toMatchObject({
        code: 0,
        stdout: 'api offers whoami',
      })
    } finally {
      await rm(folder, { recursive: true })
    }
  })

  it('multi-server: each server gets its own token', async () => {
    const env = {
      SERVICE_A_URL: one.url,
      SERVICE_A_TOKEN: token,
      SERVICE_B_URL: other.url,
      SERVICE_B_TOKEN: 'sk-client-example-2',
    }
    const { code, stdout } = await outcome('multi-server', env)
    expect(code).toBe(0)
    expect(stdout).toContain('one: one')
    expect(stdout).toContain('other: other')
  })

  it('config-file: the file a host reads works here too', async () => {
    const config = fileURLToPath(new URL('../../examples/client/mcp.json', import.meta.url))
    const env = { MCP_CONFIG: config, MCP_SERVER_URL: one.url, MCP_API_KEY: token }
    expect(await outcome('config-file', env)).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('one: one'),
    })
  })
})
