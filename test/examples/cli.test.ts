import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { type Listening, MCPServer } from 'mcp-bearer/server'
import { staticVerifier } from 'mcp-bearer/verify'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { main } from './demo.ts'

const token = 'sk-cli-example-0123456789'
let server: MCPServer
let listening: Listening
let folder: string
/** Told when the slow tool begins, and when it is cancelled. */
let began: () => void
let cancelled: () => void
const running = new Set<ChildProcess>()

beforeAll(async () => {
  const auth = staticVerifier({ [token]: { claims: { sub: 'alice' } } }, { logger: () => {} })
  server = new MCPServer({ name: 'cli', auth })
  server.tool('whoami', {}, (_args, ctx) => `${ctx.auth?.subject}`)
  server.tool('wait', {}, async (_args, { signal }) => {
    began()
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
    cancelled()
    return 'late'
  })
  listening = await server.listen({ port: 0 })
})
afterAll(() => server.close())
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mcp-bearer-cli-'))
})
afterEach(async () => {
  for (const child of running) child.kill('SIGKILL')
  await rm(folder, { recursive: true })
})

interface Started {
  readonly child: ChildProcess
  readonly ended: Promise<{ code: number | null; stdout: string; stderr: string }>
}

/** Runs the command with nothing in its environment but what is given. */
function start(argv: readonly string[], env: Record<string, string> = {}, input = ''): Started {
  const child = spawn(process.execPath, [main, ...argv], {
    cwd: folder,
    env: { PATH: process.env.PATH ?? '', ...env },
  })
  running.add(child)
  let [stdout, stderr] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  child.stdin.end(input)
  const ended = new Promise<{ code: number | null; stdout: string; stderr: string }>((resolve) =>
    child.once('close', (code) => {
      running.delete(child)
      resolve({ code, stdout, stderr })
    }),
  )
  return { child, ended }
}

const command = (argv: readonly string[], env?: Record<string, string>, input?: string) =>
  start(argv, env, input).ended

describe('the built command', () => {
  it('calls a tool of a configured server, with a token from the environment', async () => {
    const config = { mcpServers: { reports: { url: listening.url, auth: '${MCP_API_KEY}' } } }
    await writeFile(join(folder, 'mcp.json'), JSON.stringify(config))
    const env = { MCP_API_KEY: token }
    expect(await command(['call', 'reports', 'whoami'], env)).toEqual({
      code: 0,
      stdout: 'alice\n',
      stderr: '',
    })
    const { code, stdout, stderr } = await command(['call', 'reports', 'whoami', '--json'], {
      MCP_API_KEY: 'sk-wrong-0123456789',
    })
    expect([code, stderr]).toEqual([11, ''])
    expect(JSON.parse(stdout)).toMatchObject({
      error: { code: 'invalid_token', status: 401, server: 'reports' },
    })
    expect(stdout).toContain('MCP_API_KEY')
    expect(stdout).not.toContain('sk-wrong')
  })

  it('FL-106 takes the token from standard input', async () => {
    const argv = ['ping', listening.url, '--auth', '-']
    expect(await command(argv, {}, `${token}\n`)).toMatchObject({ code: 0, stderr: '' })
    expect(await command(argv, {}, 'sk-wrong-0123456789\n')).toMatchObject({ code: 11, stdout: '' })
  })

  it('Ctrl-C cancels the call at the server and ends with 130; FL-106 ps shows no token', async () => {
    const isRunning = new Promise<void>((resolve) => {
      began = resolve
    })
    const isCancelled = new Promise<void>((resolve) => {
      cancelled = resolve
    })
    const { child, ended } = start(['call', listening.url, 'wait', '--auth', 'env:MCP_API_KEY'], {
      MCP_API_KEY: token,
    })
    await isRunning
    const { stdout } = await promisify(execFile)('ps', ['-o', 'args=', '-p', String(child.pid)])
    expect(stdout).toContain('env:MCP_API_KEY')
    expect(stdout).not.toContain(token)
    child.kill('SIGINT')
    expect(await ended).toMatchObject({ code: 130, stdout: '', stderr: 'mcp-bearer: Interrupted\n' })
    await isCancelled
  })

  it('lists its commands, and explains words it does not know', async () => {
    const { code, stdout } = await command(['--help'])
    expect(code).toBe(0)
    for (const name of ['demo', 'ping', 'tools', 'call', 'read', 'prompt']) {
      expect(stdout).toMatch(new RegExp(`^ {2}${name} +\\w`, 'm'))
      const help = await command([name, '--help'])
      expect(help).toMatchObject({ code: 0, stderr: '' })
      expect(help.stdout).toContain(`Usage: mcp-bearer ${name}`)
    }
    expect(await command(['ping', listening.url, '--nonsense'])).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringContaining('Usage: mcp-bearer ping'),
    })
  })
})
