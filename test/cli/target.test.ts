import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { ping } from '../../src/cli/commands/ping.ts'
import { tools } from '../../src/cli/commands/tools.ts'
import { exitCode } from '../../src/cli/exit-codes.ts'
import { closeServers, modernFetch, only, serve } from '../client/servers.ts'
import { run } from './support.ts'

const token = 'token-0123456789'
let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mcp-bearer-cli-'))
  vi.stubEnv('MCP_TOKEN', token)
})
afterEach(async () => {
  vi.unstubAllEnvs()
  await closeServers()
  await rm(folder, { recursive: true })
})

async function file(name: string, content: unknown): Promise<string> {
  const path = join(folder, name)
  await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content), { mode: 0o600 })
  return path
}

const guarded = () => serve(modernFetch(only(token)))

describe('where the token comes from', () => {
  it('FL-106 a variable, a file, a command, standard input: without a warning', async () => {
    const server = await guarded()
    const path = await file('token', `${token}\n`)
    const program = await file('my program.mjs', `console.log(process.argv[2].slice(2))`)
    const ways: [string, string?][] = [
      ['env:MCP_TOKEN'],
      [`file:${path}`],
      [`command:"${process.execPath}" '${program}' "a "${token}`],
      ['-', `Bearer ${token}\n`],
    ]
    for (const [auth, input = ''] of ways) {
      const ran = await run(ping, [server.url, '--auth', auth], { input })
      expect(ran).toMatchObject({ exit: 0, err: '' })
    }
    expect(new Set(server.authorizations)).toEqual(new Set([`Bearer ${token}`]))
  })

  it('E-10 a file that others can read is told', async () => {
    const { url } = await guarded()
    const path = await file('token\u001b', token)
    await chmod(path, 0o644)
    const { exit, err } = await run(ping, [url, '--auth', `file:${path}`])
    expect(exit).toBe(0)
    expect(err).toMatch(/^mcp-bearer: warning: .*token\\x1b/)
  })

  it('FL-106 a token on the command line works, with a warning and what to do instead', async () => {
    const { url } = await guarded()
    const { exit, out, err } = await run(ping, [url, '--auth', token])
    expect(exit).toBe(0)
    expect(err).toMatch(/warning: a token on the command line can be seen by other users.*--auth env:NAME/)
    expect(out + err).not.toContain(token)
  })

  it('FL-106 a header with a secret warns, one with a variable does not', async () => {
    const { url, requests } = await guarded()
    const literal = await run(ping, [url, '--header', `Authorization: Bearer ${token}`])
    expect(literal.exit).toBe(0)
    expect(literal.err).toContain('warning: the header Authorization on the command line')
    expect(literal.err).not.toContain(token)
    const variable = await run(ping, [
      url,
      '--header',
      'Authorization: Bearer ${MCP_TOKEN}',
      '--header',
      'X-Team:blue',
    ])
    expect(variable).toMatchObject({ exit: 0, err: '' })
    expect(requests.at(-1)?.headers).toMatchObject({ authorization: `Bearer ${token}`, 'x-team': 'blue' })
  })

  it('FL-80 a token and an Authorization header are a conflict', async () => {
    const { url, requests } = await guarded()
    const { exit, err } = await run(ping, [url, '--auth', 'env:MCP_TOKEN', '--header', 'authorization: x'])
    expect(exit).toBe(exitCode.usage)
    expect(err).toContain('give either auth or the header')
    expect(requests).toHaveLength(0)
  })

  it('what is no token is not shown', async () => {
    const { exit, err } = await run(ping, ['http://127.0.0.1:9/mcp', '--auth', 'sk-secret 0123456789'])
    expect(exit).toBe(exitCode.usage)
    expect(err).toContain('--auth: the token holds white space')
    expect(err).not.toContain('sk-secret')
  })
})

describe('a server of a configuration', () => {
  it('is found by its name, and the variables of the others need not be set', async () => {
    const { url } = await guarded()
    const config = await file('servers.json', {
      servers: {
        reports: { type: 'http', url, auth: '${MCP_TOKEN}' },
        other: { url, auth: '${NOT_SET_AT_ALL}' },
      },
    })
    expect(await run(ping, ['reports', '--config', config])).toMatchObject({
      exit: 0,
      out: expect.stringMatching(/^reports answers in /),
      err: '',
    })
    expect((await run(tools, ['reports', '--config', config, '--json'])).json()).toMatchObject({
      server: 'reports',
    })
    const { exit, err } = await run(ping, ['other', '--config', config])
    expect(exit).toBe(exitCode.usage)
    expect(err).toContain('servers.other.auth needs the environment variable NOT_SET_AT_ALL')
  })

  it('is the one of the command line where that says more', async () => {
    const { url, requests } = await guarded()
    const config = await file('servers.json', {
      mcpServers: {
        reports: { url, auth: 'wrong-0123456789', headers: { 'X-Team': 'red', 'X-More': 'more' } },
      },
    })
    const argv = ['reports', '--config', config, '--auth', 'env:MCP_TOKEN', '--header', 'X-Team: blue']
    expect(await run(ping, argv)).toMatchObject({ exit: 0, err: '' })
    expect(requests[0]?.headers).toMatchObject({ 'x-team': 'blue', 'x-more': 'more' })
    vi.stubEnv('MCP_TOKEN', 'wrong-0123456789')
    expect((await run(ping, [...argv, '--json'])).json()).toMatchObject({ error: { server: 'reports' } })
  })

  it('FL-90 that is a command takes no token', async () => {
    const config = await file('servers.json', { mcpServers: { child: { command: 'server' } } })
    const { exit, err } = await run(ping, ['child', '--config', config, '--auth', 'env:MCP_TOKEN'])
    expect(exit).toBe(exitCode.usage)
    expect(err).toContain('mcpServers.child: a command takes no auth')
  })

  it('members that have no effect are told, safely for the terminal', async () => {
    const { url } = await guarded()
    const config = await file('servers.json', {
      mcpServers: { reports: { url, auth: '${MCP_TOKEN}', 'token\u001b[2K': 'x' } },
    })
    const { exit, err } = await run(ping, ['reports', '--config', config])
    expect(exit).toBe(0)
    expect(err).toBe(
      'mcp-bearer: warning: mcpServers.reports.token\\x1b[2K is not known here and has no effect',
    )
  })

  it.each<[string, unknown, string]>([
    ['that is not there', { mcpServers: { a: {}, b: {} } }, 'there is no such server: '],
    ['that is not there', { mcpServers: { a: {}, b: {} } }, 'has a, b'],
    ['of an empty file', {}, 'has no servers'],
    ['of no object', [], 'there is no'],
    ['of broken JSON', '{ "auth": "sk-secret-0123456789" x', 'is not valid JSON'],
  ])('%s: exit code 2', async (_case, content, message) => {
    const { exit, err } = await run(ping, ['reports', '--config', await file('servers.json', content)])
    expect(exit).toBe(exitCode.usage)
    expect(err).toContain(message)
    expect(err).not.toContain('sk-secret')
  })

  it('of a file that is not there: exit code 2', async () => {
    const { exit, err } = await run(ping, ['reports', '--config', join(folder, 'none.json')])
    expect(exit).toBe(exitCode.usage)
    expect(err).toContain('none.json cannot be read (ENOENT)')
  })

  it('is looked for where hosts keep it', async () => {
    const { url } = await guarded()
    vi.spyOn(process, 'cwd').mockReturnValue(folder)
    expect((await run(ping, ['reports'])).err).toContain(
      'there is no mcp.json, .mcp.json, .vscode/mcp.json here',
    )
    await mkdir(join(folder, '.vscode'))
    await file('.vscode/mcp.json', { servers: { reports: { url, auth: '${MCP_TOKEN}' } } })
    await file('mcp.json', { mcpServers: { other: { url } } })
    expect(await run(ping, ['reports'])).toMatchObject({ exit: 0 })
    expect((await run(ping, ['third'])).err).toMatch(
      /no such server: .*mcp\.json has other; .*\.vscode\/mcp\.json has reports/,
    )
    vi.restoreAllMocks()
  })
})
