import { readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it, vi } from 'vitest'
import { hostConfig } from '../../src/cli/commands/host-config.ts'
import { exitCode } from '../../src/cli/exit-codes.ts'
import { hosts } from '../../src/cli/hosts/hosts.ts'
import { MCPClient } from '../../src/client/index.ts'
import { run } from './support.ts'

const url = 'https://mcp.example.com/mcp'
const secret = 'sk-0123456789abcdefABCDEF'

const config = async (host: string, ...more: string[]) =>
  run(hostConfig, [url, '--for', host, '--name', 'reports', ...more])

const example = (file: string) =>
  readFile(fileURLToPath(new URL(`../../examples/hosts/${file}`, import.meta.url)), 'utf8')

describe('what a host is told', () => {
  it.each(['claude-code', 'cursor', 'vscode'])('%s: is the example of the documents', async (host) => {
    const { exit, out } = await config(host, '--json')
    expect(exit).toBe(exitCode.ok)
    expect(`${out}\n`).toBe(await example(`${host}.mcp.json`))
    expect((await config(host)).out).toBe(out)
  })

  it('Claude Desktop: mcp-bearer connect with a file, no argument has a space', async () => {
    const { out } = await config('claude-desktop', '--auth', 'file:/Users/you/.reports-token')
    const args = ['-y', 'mcp-bearer', 'connect', url, '--auth', 'file:/Users/you/.reports-token']
    expect(JSON.parse(out)).toEqual({ mcpServers: { reports: { command: 'npx', args } } })
    expect(args.join('')).not.toMatch(/\s/)
  })

  it('Claude Desktop: the file is in the folder of the person unless another is named', async () => {
    const { out, err } = await config('claude-desktop')
    const file = join(homedir(), '.reports-token')
    expect(JSON.parse(out).mcpServers.reports.args.at(-1)).toBe(`file:${file}`)
    expect(err).toContain(`(umask 077 && cat > ${file})`)
  })

  it('Claude Code: the command of the documents does the same', async () => {
    const page = await readFile(
      fileURLToPath(new URL('../../docs/where-does-my-token-go.md', import.meta.url)),
      'utf8',
    )
    const line = /^claude mcp add .*$/m.exec(page)?.[0] ?? 'the page has no such line'
    expect((await config('claude-code')).err).toContain(line)
  })

  it('Codex: the name of the variable', async () => {
    const { out } = await config('codex', '--header', 'X-Team: red', '--header', 'X-API-Key: ${TEAM_KEY}')
    expect(out).toBe(
      [
        '[mcp_servers.reports]',
        `url = "${url}"`,
        'env_http_headers = { "X-API-Key" = "TEAM_KEY" }',
        'http_headers = { "X-Team" = "red" }',
      ].join('\n'),
    )
    expect((await config('codex')).out).toContain('bearer_token_env_var = "REPORTS_TOKEN"')
  })

  it('Windsurf, Gemini CLI: the member and the variable as each writes it', async () => {
    const entry = async (host: string) => JSON.parse((await config(host)).out).mcpServers.reports
    expect(await entry('windsurf')).toEqual({
      serverUrl: url,
      headers: { Authorization: 'Bearer ${env:REPORTS_TOKEN}' },
    })
    expect(await entry('gemini-cli')).toEqual({
      httpUrl: url,
      headers: { Authorization: 'Bearer ${REPORTS_TOKEN}' },
    })
  })

  it.each(['zed', 'cline'])('%s has no variables and gets a command', async (host) => {
    const { out } = await config(host, '--auth', 'file:/home/me/.token')
    const document = JSON.parse(out)
    const entry = (document.mcpServers ?? document.context_servers).reports
    expect(entry).toMatchObject({
      command: 'npx',
      args: ['-y', 'mcp-bearer', 'connect', url, '--auth', 'file:/home/me/.token'],
    })
  })

  it.each([...hosts.keys()])('%s: a file makes it a command, for no host reads one', async (host) => {
    const { out } = await config(host, '--auth', 'file:/home/me/.token')
    expect(out).toContain('"connect"')
    expect(out).toContain('file:/home/me/.token')
  })

  it('the entries for Claude Code and Cursor are ones this client reads', async () => {
    vi.stubEnv('REPORTS_TOKEN', secret)
    for (const host of ['claude-code', 'cursor', 'claude-desktop']) {
      const document = JSON.parse((await config(host)).out)
      expect(new MCPClient(document).servers).toEqual(['reports'])
    }
    vi.unstubAllEnvs()
  })

  it('a header with a variable is written as the host writes it, and is the credential without --auth', async () => {
    const { out } = await config('cursor', '--header', 'X-API-Key: ${TEAM_KEY}')
    expect(JSON.parse(out).mcpServers.reports.headers).toEqual({ 'X-API-Key': '${env:TEAM_KEY}' })
    const both = await config('vscode', '--auth', 'env:T', '--header', 'X-API-Key: ${TEAM_KEY}')
    expect(JSON.parse(both.out).inputs.map(({ id }: { id: string }) => id)).toEqual(['t', 'team-key'])
  })

  it('a name is made of the host name, a variable of the name', async () => {
    const { out } = await run(hostConfig, ['https://mcp.my-reports.example.com/mcp', '--for', 'claude-code'])
    expect(JSON.parse(out).mcpServers['my-reports'].headers.Authorization).toBe('Bearer ${MY_REPORTS_TOKEN}')
    const local = await run(hostConfig, ['http://127.0.0.1:8000/mcp', '--for', 'claude-code'])
    expect(Object.keys(JSON.parse(local.out).mcpServers)).toEqual(['local'])
  })
})

describe('what a person is told', () => {
  it.each([...hosts])('%s: the file, and how to try it', async (host, { title, file, restart }) => {
    const { exit, err } = await config(host)
    expect(exit).toBe(exitCode.ok)
    expect(err).toContain(`${title}: this goes into ${file}.`)
    expect(err).toMatch(
      /Try it: (npx )?mcp-bearer ping https:\/\/mcp\.example\.com\/mcp --auth (env:|file:|-)/,
    )
    expect(err).toContain(restart)
  })

  it('how to set the variable, not through the history of the shell', async () => {
    const { err } = await config('cursor')
    expect(err).toContain('(umask 077 && cat > ~/.reports-token)')
    expect(err).toContain('export REPORTS_TOKEN="$(cat ~/.reports-token)"')
  })

  it('that Claude Desktop may not have a variable', async () => {
    const { out, err } = await config('claude-desktop', '--auth', 'env:REPORTS_TOKEN')
    expect(JSON.parse(out).mcpServers.reports.args).toContain('env:REPORTS_TOKEN')
    expect(err).toContain('may not have REPORTS_TOKEN')
  })

  it('nothing with --json, which is the configuration alone', async () => {
    expect((await config('cursor', '--json')).err).toBe('')
  })
})

describe('what is refused', () => {
  const refused: [string, readonly string[], RegExp][] = [
    ['a token', [url, '--for', 'cursor', '--auth', secret], /--auth must be env:NAME or file:PATH/],
    ['a token as a name', [url, '--for', 'cursor', '--auth', `env:${secret}`], /--auth must be/],
    [
      'a token in a header',
      [url, '--for', 'cursor', '--header', `X-API-Key: ${secret}`],
      /holds a credential/,
    ],
    [
      'Authorization',
      [url, '--for', 'cursor', '--header', `Authorization: Bearer ${secret}`],
      /is written by/,
    ],
    ['a token in the URL', [`${url}?token=${secret}`, '--for', 'cursor'], /URL holds a credential/],
    ['a user in the URL', ['https://me:pw@mcp.example.com/mcp', '--for', 'cursor'], /URL holds a credential/],
    ['plain http', ['http://mcp.example.com/mcp', '--for', 'cursor'], /must be https/],
    ['a relative file', [url, '--for', 'zed', '--auth', 'file:token'], /in full/],
    ['a file with a space', [url, '--for', 'zed', '--auth', 'file:/my token'], /has a space/],
    ['no host', [url], /which host\? --for one of claude-code, claude-desktop, cursor, vscode/],
    ['an unknown host', [url, '--for', '__proto__'], /there is no host "__proto__"/],
    ['no URL', ['reports', '--for', 'cursor'], /URL of the MCP endpoint/],
    ['a strange name', [url, '--for', 'codex', '--name', 'a]\nb = 1'], /--name must be/],
    ['a header twice', [url, '--for', 'cursor', '--header', 'A: 1', '--header', 'a: 2'], /twice/],
    [
      'a variable in an argument that all can see',
      [url, '--for', 'cursor', '--auth', 'file:/t', '--header', 'X-API-Key: ${K}'],
      /other users of the machine can see/,
    ],
    [
      'a piece of a variable for Codex',
      [url, '--for', 'codex', '--header', 'X-Team: a-${K}'],
      /all of its value/,
    ],
  ]
  it.each(refused)('%s, without repeating it', async (_case, argv, words) => {
    const { exit, out, err } = await run(hostConfig, argv)
    expect([exit, out]).toEqual([exitCode.usage, ''])
    expect(err).toMatch(words)
    expect(err).not.toContain(secret)
  })
})
