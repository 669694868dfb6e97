import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { connect } from '../../src/cli/commands/connect.ts'
import { exitCode } from '../../src/cli/exit-codes.ts'
import { closeServers, methodsOf, only, serve, sessionFetch, type TestServer } from '../client/servers.ts'
import { type CommandProgram, connectProgram } from '../gateway/bridge-cli.ts'
import { run } from './support.ts'

const token = 'sk-0123456789abcdefABCDEF'
let program: CommandProgram
let folder: string
const children = new Set<ChildProcessByStdio<Writable, Readable, Readable>>()

beforeAll(async () => {
  program = await connectProgram()
  folder = mkdtempSync(join(tmpdir(), 'mcp-bearer-connect-cli-'))
})
afterAll(() => {
  program.remove()
  rmSync(folder, { recursive: true, force: true })
})
afterEach(async () => {
  for (const child of children) child.kill('SIGKILL')
  children.clear()
  await closeServers()
})

const guarded = () => serve(sessionFetch(only(token)).fetch)

function start(env: Record<string, string>, ...argv: string[]) {
  const child = spawn(process.execPath, [program.file, ...argv], {
    cwd: folder,
    env: { PATH: process.env.PATH ?? '', ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  children.add(child)
  const heard = { out: '', err: '' }
  child.stdout.on('data', (chunk: Buffer) => {
    heard.out += chunk
  })
  child.stderr.on('data', (chunk: Buffer) => {
    heard.err += chunk
  })
  const answers = () =>
    heard.out
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line))
  return { child, heard, answers, ended: once(child, 'close').then(([code]) => code as number | null) }
}

const clientInfo = { name: 'host', version: '1' }
const initialize = {
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo },
}
const script = `${JSON.stringify(initialize)}\n{"jsonrpc":"2.0","method":"notifications/initialized"}\n{"jsonrpc":"2.0","id":2,"method":"tools/list"}\n`

/** Everything a script of a shell gets. */
async function piped(env: Record<string, string>, ...argv: string[]) {
  const { child, heard, answers, ended } = start(env, ...argv)
  child.stdin.end(script)
  return { exit: await ended, answers: answers(), err: heard.err }
}

describe('where the token comes from', () => {
  it('a variable, a file, a command, a header: each reaches the server, and nothing is told of it', async () => {
    const server = await guarded()
    const file = join(folder, 'token')
    writeFileSync(file, `${token}\n`, { mode: 0o600 })
    const ways: [Record<string, string>, ...string[]][] = [
      [{ T: token }, '--auth', 'env:T'],
      [{}, '--auth', `file:${file}`],
      [{}, '--auth', `command:cat ${file}`],
      [{ T: token }, '--header', 'Authorization:Bearer ${T}'],
    ]
    for (const [env, ...argv] of ways) {
      const { exit, answers, err } = await piped(env, server.url, ...argv)
      expect([exit, err]).toEqual([0, ''])
      expect(answers.map(({ id }) => id)).toEqual([1, 2])
      expect(answers[1].result.tools).toHaveLength(3)
    }
    expect(new Set(server.authorizations)).toEqual(new Set([`Bearer ${token}`]))
  })

  it('a configuration of a host', async () => {
    const server = await guarded()
    const config = join(folder, 'mcp.json')
    const entry = { type: 'http', url: server.url, headers: { Authorization: 'Bearer ${T}' } }
    writeFileSync(config, JSON.stringify({ mcpServers: { reports: entry, other: { url: '${UNSET}' } } }))
    const found = await piped({ T: token }, 'reports')
    expect(found.answers[1].result.tools).toHaveLength(3)
    const named = await piped({ T: token }, 'reports', '--config', config)
    expect([named.exit, named.err]).toEqual([0, ''])
  })

  it('a token on the command line works, with a warning on standard error', async () => {
    const server = await guarded()
    const { answers, err } = await piped({}, server.url, '--auth', token)
    expect(answers).toHaveLength(2)
    expect(err).toMatch(/^mcp-bearer: warning: a token on the command line can be seen/)
    expect(err).not.toContain(token)
  })

  it('a file that is written anew is read with the next request', async () => {
    let good = 'sk-first-0123456789'
    const server = await serve(sessionFetch((authorization) => authorization === `Bearer ${good}`).fetch)
    const file = join(folder, 'rotated')
    writeFileSync(file, good, { mode: 0o600 })
    const { child, answers, ended } = start({}, server.url, '--auth', `file:${file}`)
    child.stdin.write(script)
    await vi.waitFor(() => expect(answers()).toHaveLength(2), { timeout: 20_000 })
    good = 'sk-second-0123456789'
    writeFileSync(file, good, { mode: 0o600 })
    child.stdin.end('{"jsonrpc":"2.0","id":3,"method":"tools/list"}\n')
    expect(await ended).toBe(0)
    expect(answers()[2].result.tools).toHaveLength(3)
  })
})

describe('what goes wrong', () => {
  it('E-64 a variable that is not set is an answer the host can show', async () => {
    const server = await guarded()
    const { exit, answers, err } = await piped({}, server.url, '--auth', 'env:NOT_SET')
    expect(exit).toBe(0)
    expect(answers.map(({ error }) => error.message)).toEqual(
      Array(2).fill(expect.stringMatching(/NOT_SET is not set.* Set NOT_SET where the host keeps/)),
    )
    expect(err).toContain('NOT_SET is not set')
    expect(server.requests).toEqual([])
  })

  it('a server that wants a token and gets none is explained', async () => {
    const server = await guarded()
    const { answers } = await piped({}, server.url)
    expect(answers[0].error.message).toMatch(/Give mcp-bearer connect a token: --auth env:NAME/)
  })

  const wrong: [string, readonly string[], RegExp][] = [
    ['no server', [], /which server\?/],
    ['an unknown name', ['nobody', '--config', '/nowhere.json'], /cannot be read/],
    ['plain http to elsewhere', ['http://mcp.example.com/mcp', '--auth', 'env:PATH'], /https|PATH/],
    ['--json', ['https://a.example/mcp', '--json'], /standard output is the protocol's/],
    ['--auth -', ['https://a.example/mcp', '--auth', '-'], /standard input is the host's/],
    ['--auth oauth', ['https://a.example/mcp', '--auth', 'oauth'], /does not log people in/],
    ['no token', ['https://a.example/mcp', '--auth', 'a b'], /white space/],
    ['too many words', ['https://a.example/mcp', 'more'], /too many words/],
  ]
  it.each(wrong)('%s: exit code 2, and nothing on standard output', async (_case, argv, words) => {
    const { exit, out, err } = await run(connect, argv)
    expect([exit, out]).toEqual([exitCode.usage, ''])
    expect(err).toMatch(words)
  })

  it('an entry that is a command, or speaks SSE, or is disabled', async () => {
    const config = join(folder, 'others.json')
    const servers = {
      local: { command: 'cat' },
      old: { type: 'sse', url: 'https://a.example/sse' },
      off: { url: 'https://a.example/mcp', disabled: true },
    }
    writeFileSync(config, JSON.stringify({ mcpServers: servers }))
    const words = { local: /is a command already/, old: /HTTP with SSE/, off: /is disabled/ }
    for (const [name, expected] of Object.entries(words)) {
      const { exit, err } = await run(connect, [name, '--config', config])
      expect(exit).toBe(exitCode.usage)
      expect(err).toMatch(expected)
    }
  })
})

describe('the end', () => {
  const connected = async (server: TestServer) => {
    const running = start({ T: token }, server.url, '--auth', 'env:T')
    running.child.stdin.write(script)
    await vi.waitFor(() => expect(running.answers()).toHaveLength(2), { timeout: 20_000 })
    return running
  }

  it.each(['SIGTERM', 'SIGINT'] as const)('%s ends session and process', async (signal) => {
    const server = await guarded()
    const { child, heard, ended } = await connected(server)
    child.kill(signal)
    expect([await ended, heard.err]).toEqual([0, ''])
    expect(methodsOf(server).at(-1)).toBe('DELETE')
  })

  it('a host that has closed standard output ends it, without a stack', async () => {
    const server = await guarded()
    const { child, heard, ended } = await connected(server)
    child.stdout.destroy()
    child.stdin.write('{"jsonrpc":"2.0","id":3,"method":"tools/list"}\n')
    child.stdin.write('{"jsonrpc":"2.0","id":4,"method":"tools/list"}\n')
    await ended
    expect(heard.err).toBe('')
  })
})
