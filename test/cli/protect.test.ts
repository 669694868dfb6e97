import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client as SdkClient, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { Client } from 'mcp-bearer/client'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { endAll, fixture, isAlive, type Protecting, protect, wordsOf } from './protect-support.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mcp-bearer-protect-'))
})
afterAll(async () => {
  await endAll()
  await rm(folder, { recursive: true })
})

/** What a tool said. */
async function call(url: string, auth: string, tool: string, args: object = {}): Promise<string> {
  await using client = new Client(url, { auth })
  const { content } = await client.callTool(tool, { ...args })
  return (content[0] as { text: string }).text
}

async function sdkTools(url: string, key: string): Promise<string[]> {
  const client = new SdkClient({ name: 'sdk', version: '1' })
  const headers = { Authorization: `Bearer ${key}` }
  await client.connect(new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers } }))
  const { tools } = await client.listTools()
  await client.close()
  return tools.map(({ name }) => name)
}

describe('the first start in front of a command', () => {
  const secret = 'hunter2-for-the-server'
  let gateway: Protecting
  let url: string
  let key: string

  beforeAll(async () => {
    const env = { XDG_DATA_HOME: folder, SERVER_SECRET: secret, GATEWAY_SECRET: 'only-for-the-gateway' }
    const words = [process.execPath, fixture, '--password=behind-the-dashes', '--help']
    gateway = protect(['--listen', '0', '--env', 'SERVER_SECRET', '--log', 'text', '--', ...words], env)
    await gateway.said(/Ctrl\+C/)
    url = /^ {2}(http:\S+\/mcp)$/m.exec(gateway.out)![1]!
    key = /^ {2}(mcpk_live_\w+)$/m.exec(gateway.out)![1]!
  })

  it('shows a key, once, and what to do with it, in one screen', async () => {
    const { out } = gateway
    expect(out.split('\n').length).toBeLessThan(24)
    expect(out).toContain(`mcp-bearer tools ${url} --auth env:MCP_KEY`)
    // One name for the variable, on every line.
    expect(out).toContain(`mcp-bearer host-config ${url} --for claude-code --auth env:MCP_KEY`)
    expect(out).toContain(`server     ${process.execPath} ${fixture} …`)
    expect(out).toContain(join(folder, 'mcp-bearer', 'keys.db'))
    expect((await stat(join(folder, 'mcp-bearer', 'keys.db'))).mode & 0o077).toBe(0)
  })

  it('the key works with our client and with the official one', async () => {
    expect(await call(url, key, 'echo', { text: 'hello' })).toBe('hello')
    expect(await sdkTools(url, key)).toContain('echo')
  })

  it('without a token the answer is 401 with a challenge, and nothing is started', async () => {
    const answer = await fetch(url, { method: 'POST', body: '{}' })
    expect(answer.status).toBe(401)
    expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer /)
  })

  it('the command gets its own words and the variables it was given, and no others', async () => {
    expect(JSON.parse(await call(url, key, 'words'))).toEqual(['--password=behind-the-dashes', '--help'])
    const variables = JSON.parse(await call(url, key, 'variables')) as Record<string, string>
    expect(variables.SERVER_SECRET).toBe(secret)
    expect(variables).not.toHaveProperty('GATEWAY_SECRET')
    expect(JSON.stringify(variables)).not.toContain(key)
  })

  it('a list of processes shows no key and no variable', async () => {
    const pid = Number(await call(url, key, 'pid'))
    for (const words of [await wordsOf(gateway.child.pid!), await wordsOf(pid)]) {
      expect(words).toContain('protected-server.mjs')
      expect(words).not.toContain(secret)
      expect(words).not.toContain(key)
    }
  })

  it('the log has one line a request, and neither a key nor the words behind the dashes', async () => {
    await gateway.said(/^\d\d:\d\d:\d\d {2}200 +\d+ ms {2}tools\/call echo {2,}\S+$/m)
    await gateway.said(/ {2}401 +\d+ ms {2}POST {2,}unauthorized$/m)
    await gateway.said(/^ {2}\| a server that was protected by somebody$/m)
    expect(gateway.err).toContain('what looks like a secret on the command line')
    for (const hidden of [key, key.slice(-20), secret, 'behind-the-dashes']) {
      expect(gateway.err).not.toContain(hidden)
    }
    expect(gateway.out).not.toContain('behind-the-dashes')
  })

  it('SIGTERM lets what is under way finish, ends the processes, and is no failure', async () => {
    await using client = new Client(url, { auth: key })
    const pid = Number(((await client.callTool('pid')).content[0] as { text: string }).text)
    const file = join(folder, 'stopping')
    const waiting = client.callTool('wait', { file }, { onProgress: () => gateway.child.kill('SIGTERM') })
    await gateway.said(/SIGTERM: what is under way may finish/)
    await writeFile(file, '')
    expect((await waiting).content).toEqual([{ type: 'text', text: 'seen' }])
    expect(await gateway.ended).toEqual({ code: 0, signal: null })
    await vi.waitFor(async () => expect(await isAlive(pid)).toBe(false), 10_000)
  })

  it('the second start shows no key, and the first goes on working; a second signal does not wait', async () => {
    const again = protect(['--listen', '0', '--log', 'json', '--json', '--', process.execPath, fixture], {
      XDG_DATA_HOME: folder,
    })
    const { url: next, key: none, pid } = await again.started()
    expect([none, pid]).toEqual([undefined, again.child.pid])
    await using client = new Client(next, { auth: key })
    const child = Number(((await client.callTool('pid')).content[0] as { text: string }).text)
    const file = join(folder, 'never')
    const waiting = client.callTool('wait', { file }, { onProgress: () => again.child.kill('SIGTERM') })
    const failed = waiting.catch((error: unknown) => error)
    await again.said(/"event":"stopping"/)
    again.child.kill('SIGTERM')
    expect((await again.ended).code).toBe(143)
    expect(await failed).toBeInstanceOf(Error)
    await vi.waitFor(async () => expect(await isAlive(child)).toBe(false), 10_000)
    for (const line of again.log()) expect(line.time).toMatch(/^\d{4}-\d\d-\d\dT/)
    expect(again.err).not.toContain(key.slice(-20))
  })
})

describe('a port', () => {
  it('that is taken is replaced when nobody asked for it, and refused with advice when somebody did', async () => {
    // Somebody else may have it at the moment.
    const taken = await vi.waitFor(() => hold(8000), { timeout: 20_000 })
    try {
      const command = ['--json', '--', process.execPath, fixture]
      const env = { XDG_DATA_HOME: join(folder, 'ports') }
      const asked = protect(['--listen', '127.0.0.1:8000', ...command], env)
      expect((await asked.ended).code).toBe(2)
      expect(asked.out).toContain('127.0.0.1:8000 is taken by another program; give another port')
      // A key that nobody saw would be none.
      const other = protect(['--log', 'json', ...command], env)
      const { port, key } = await other.started()
      expect(port).not.toBe(8000)
      expect(key).toMatch(/^mcpk_live_/)
      other.child.kill('SIGINT')
      expect((await other.ended).code).toBe(0)
    } finally {
      await new Promise((resolve) => taken.close(resolve))
    }
  })
})

function hold(port: number) {
  return new Promise<ReturnType<typeof createServer>>((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(port, '127.0.0.1', () => resolve(server))
  })
}
