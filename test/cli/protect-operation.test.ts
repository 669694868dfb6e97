import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from 'mcp-bearer/client'
import { apiKeys, openKeyStore } from 'mcp-bearer/keys'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { ping } from '../../src/cli/commands/ping.ts'
import { tools } from '../../src/cli/commands/tools.ts'
import { testDatabase } from '../keys/postgres-database.ts'
import { endAll, fixture, isAlive, protect } from './protect-support.ts'
import { run } from './support.ts'

const postgres = await testDatabase()
const command = ['--', process.execPath, fixture]
const usual = ['--listen', '0', '--log', 'json', '--json']

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mcp-bearer-protect-'))
})
afterAll(async () => {
  await endAll()
  await rm(folder, { recursive: true })
})

it('keys in PostgreSQL are good at every gateway, and who guesses at one of them has guessed at all', async () => {
  const store = await openKeyStore(postgres)
  const made = apiKeys({ store })
  const { key, apiKey } = await made.create({ name: 'ci', owner: 'bob' })
  const words = ['--keys', 'env:DATABASE', ...usual, ...command]
  const [one, other] = [0, 1].map(() => protect(words, { XDG_DATA_HOME: folder, DATABASE: postgres }))
  const [first, second] = await Promise.all([one!.started(), other!.started()])
  for (const { url } of [first, second]) {
    await using client = new Client(url, { auth: key })
    expect((await client.callTool('echo', { text: 'hi' })).content).toEqual([{ type: 'text', text: 'hi' }])
  }
  const status = async (url: string, token: string) => {
    const headers = { Authorization: `Bearer ${token}` }
    return (await fetch(url, { method: 'POST', headers, body: '{}' })).status
  }
  await made.revoke(apiKey.id)
  for (const { url } of [first, second]) {
    await vi.waitFor(async () => expect(await status(url, key)).toBe(401), 10_000)
  }
  // 60 a minute from one address, unless somebody says otherwise.
  for (let count = 0; count < 70; count++) await status(first.url, `${key.slice(0, -1)}!`)
  const blocked = async () => expect(await status(second.url, key)).toBe(429)
  // So seldom that it is not blocked for these.
  await vi.waitFor(blocked, { timeout: 10_000, interval: 500 })
  for (const gateway of [one!, other!]) {
    expect(gateway.out + gateway.err).not.toContain(postgres)
    gateway.child.kill('SIGTERM')
    expect((await gateway.ended).code).toBe(0)
  }
  await store.close()
})

it('a terminal that is gone ends a gateway without a file, and its processes', async () => {
  const gateway = protect([...usual, ...command], { XDG_DATA_HOME: folder })
  const { url, key = '' } = await gateway.started()
  await using client = new Client(url, { auth: key })
  const pid = Number(((await client.callTool('pid')).content[0] as { text: string }).text)
  gateway.child.kill('SIGHUP')
  expect(await gateway.ended).toEqual({ code: 0, signal: null })
  expect(gateway.err).toContain('SIGHUP: what is under way may finish')
  await vi.waitFor(async () => expect(await isAlive(pid)).toBe(false), 10_000)
})

it('of a server that is down the caller and the operator are told in a sentence, and nothing of it', async () => {
  const url = `http://127.0.0.1:${await freePort()}/mcp?tenant=hidden-from-callers`
  const gateway = protect([url, ...usual], { XDG_DATA_HOME: join(folder, 'down') })
  const { url: front, key = '' } = await gateway.started()
  vi.stubEnv('MCP_KEY', key)
  const { exit, err } = await run(tools, [front, '--auth', 'env:MCP_KEY'])
  vi.unstubAllEnvs()
  expect([exit, err]).toEqual([
    1,
    'mcp-bearer: The server answered with HTTP 502: The server behind the gateway cannot be reached.',
  ])
  await gateway.said(/"message":"The server behind the gateway cannot be reached\."/)
  await gateway.said(/"outcome":"unreachable","status":502/)
  expect(gateway.err).toContain('ECONNREFUSED')
  expect(gateway.err).not.toContain('hidden-from-callers')
  gateway.child.kill('SIGTERM')
  await gateway.ended
  // The gateway itself, now.
  const gone = await run(ping, [front, '--json'])
  expect([gone.exit, gone.json()]).toEqual([
    1,
    {
      error: {
        code: 'failed',
        message: expect.stringMatching(/^http:\S+ cannot be reached: .*ECONNREFUSED/),
      },
    },
  ])
})

/** A port that nobody listens on. */
async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}
