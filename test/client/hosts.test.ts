import { execFile } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { AuthError, MCPClient } from 'mcp-bearer/client'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { closeServers, failure, modernFetch, only, serve, sessionFetch, type TestServer } from './servers.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const examples = join(root, 'examples', 'hosts')
const token = 'sk-hosts-page-1'
const documented = 'https://mcp.example.com/mcp'

/** A block of the page, with the file that the line above links to. */
interface Block {
  readonly language: string
  readonly file: string | undefined
  readonly text: string
}

/** An entry of a host's file, as far as this page uses it. */
interface Entry {
  readonly type?: string
  readonly url?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly command?: string
  readonly args?: readonly string[]
}

let blocks: readonly Block[]
let home: string

beforeAll(async () => {
  blocks = blocksOf(await readFile(join(root, 'docs', 'where-does-my-token-go.md'), 'utf8'))
  home = await mkdtemp(join(tmpdir(), 'mcp-bearer-hosts-'))
})
afterAll(() => rm(home, { recursive: true }))
afterEach(async () => {
  vi.unstubAllEnvs()
  vi.restoreAllMocks()
  await closeServers()
})

describe('docs/where-does-my-token-go.md', () => {
  it('shows every file of examples/hosts as it is, under a link to it, and nothing else but shell lines', async () => {
    const shown = blocks.filter(({ language }) => language !== 'sh')
    expect(shown.map(({ file }) => file).sort()).toEqual((await readdir(examples)).sort())
    for (const { file, text } of shown)
      expect(text, file).toBe(await readFile(join(examples, file ?? ''), 'utf8'))
    expect(blocks.filter(({ language }) => language === 'sh')).toHaveLength(2)
  })

  it('FL-94 every file is plain JSON in the shape of its host', () => {
    expect(json('claude-code.mcp.json')).toEqual({
      mcpServers: {
        reports: {
          type: 'http',
          url: documented,
          headers: { Authorization: 'Bearer ${REPORTS_TOKEN}' },
        },
      },
    })
    expect(json('cursor.mcp.json')).toEqual({
      mcpServers: { reports: { url: documented, headers: { Authorization: 'Bearer ${env:REPORTS_TOKEN}' } } },
    })
    expect(json('vscode.mcp.json')).toEqual({
      inputs: [
        { type: 'promptString', id: 'reports-token', description: expect.any(String), password: true },
      ],
      servers: {
        reports: {
          type: 'http',
          url: documented,
          headers: { Authorization: 'Bearer ${input:reports-token}' },
        },
      },
    })
    expect(Object.keys(json('claude-desktop.json').mcpServers?.reports ?? {})).toEqual(['command', 'args'])
  })

  it('has a variable wherever a token would stand', () => {
    const page = blocks.map(({ text }) => text).join('\n')
    const credentials = Array.from(page.matchAll(/Bearer (\S+?)["'\\]/g), ([, credential]) => credential)
    expect(credentials).toHaveLength(4)
    for (const credential of credentials) expect(credential).toMatch(/^\$\{(env:|input:)?[\w-]+\}$/)
  })
})

describe('the shell lines', () => {
  it('keep a pasted token in a file of its owner, and put it into the variable', async () => {
    const line = `${shell(0)}printf '%s' "$REPORTS_TOKEN"`
    expect(await sh(line, {}, `${token}\n`)).toBe(token)
    expect((await stat(join(home, '.reports-token'))).mode & 0o777).toBe(0o600)
  })

  it('FL-94 the header for Claude Code arrives as one argument, with its space, and with the variable', async () => {
    const args = await sh(`claude() { printf '%s\\n' "$@"; }\n${shell(1)}`, { REPORTS_TOKEN: token })
    expect(args.trimEnd().split('\n')).toEqual([
      ...['mcp', 'add', '--transport', 'http', '--scope', 'project', 'reports', documented],
      ...['--header', `Authorization: ${entry('claude-code.mcp.json').headers?.Authorization}`],
    ])
  })

  it('FL-94 the arguments for Claude Desktop stay the same when a host does not quote them', async () => {
    const { args = [] } = entry('claude-desktop.json')
    const split = await sh(`printf '%s\\n' ${args.join(' ')}`)
    expect(split.trimEnd().split('\n')).toEqual(args)
  })
})

describe.each(['claude-code.mcp.json', 'cursor.mcp.json'])('%s', (file) => {
  it.each(['a stateless server', 'a server with sessions'])('sends one header to %s', async (kind) => {
    vi.stubEnv('REPORTS_TOKEN', token)
    const gate = only(token)
    const server = await serve(kind === 'a stateless server' ? modernFetch(gate) : sessionFetch(gate).fetch)
    await using client = await MCPClient.fromFile(await copyFor(server, file))
    expect(await client.session('reports').listTools()).toHaveLength(3)
    expect(new Set(server.authorizations)).toEqual(new Set([`Bearer ${token}`]))
  })

  it('E-64 FL-77 without the variable nothing is sent, and the variable is named', async () => {
    vi.stubEnv('REPORTS_TOKEN', undefined)
    const server = await serve(modernFetch(only(token)))
    const error = await failure(copyFor(server, file).then((path) => MCPClient.fromFile(path)))
    expect(String(error)).toMatch(/TypeError.*REPORTS_TOKEN/)
    expect(server.requests).toEqual([])
  })

  it('FL-81 a refused token is one request, and no discovery', async () => {
    vi.stubEnv('REPORTS_TOKEN', 'sk-refused')
    const server = await serve(modernFetch(only(token)))
    await using client = await MCPClient.fromFile(await copyFor(server, file))
    expect(await failure(client.session('reports').listTools())).toBeInstanceOf(AuthError)
    expect(server.requests.map(({ url }) => url)).toEqual(['/mcp'])
  })
})

describe('the other files', () => {
  it('claude-desktop.json is an entry with a command here too', () => {
    const config = json('claude-desktop.json') as ConstructorParameters<typeof MCPClient>[0]
    expect(new MCPClient(config).servers).toEqual(['reports'])
  })

  it('vscode.mcp.json is refused, with the input that nobody would be asked for', async () => {
    const error = await failure(MCPClient.fromFile(join(examples, 'vscode.mcp.json'), { logger: () => {} }))
    expect(String(error)).toMatch(/TypeError.*reports.*reports-token/)
  })

  it('"auth": { "file" } sends what the file holds now', async () => {
    const file = join(home, 'rotated')
    const current = { token: 'sk-first' }
    const server = await serve(modernFetch((authorization) => authorization === `Bearer ${current.token}`))
    await using client = new MCPClient({ mcpServers: { reports: { url: server.url, auth: { file } } } })
    for (const next of ['sk-first', 'sk-second']) {
      current.token = next
      await writeFile(file, `${next}\n`, { mode: 0o600 })
      await client.session('reports').callTool('echo', { text: next })
    }
    expect(new Set(server.authorizations)).toEqual(new Set(['Bearer sk-first', 'Bearer sk-second']))
  })
})

describe('the programs', () => {
  const names = ['sdk', 'mcp-bearer']
  let runs = 0

  it.each(names)('%s prints the tools, and sends one header with every request', async (name) => {
    const server = await serve(modernFetch(only(token)))
    expect(await run(name, server, token)).toEqual(['echo, count, fail'])
    expect(new Set(server.authorizations)).toEqual(new Set([`Bearer ${token}`]))
  })

  it.each(names)('FL-81 %s: a refused token is one request, and no discovery', async (name) => {
    const server = await serve(modernFetch(only(token)))
    const error = await failure(run(name, server, 'sk-refused'))
    expect((error as Error).name).toBe(name === 'sdk' ? 'UnauthorizedError' : 'AuthError')
    expect(server.requests.map(({ url }) => url)).toEqual(['/mcp'])
  })

  it.each(names)('FL-77 %s: without the variable nothing is sent', async (name) => {
    const server = await serve(modernFetch(only(token)))
    expect(String(await failure(run(name, server, undefined)))).toContain('REPORTS_TOKEN')
    expect(server.requests).toEqual([])
  })

  /** What a program writes. Its module is loaded anew for every run, and what it imports is not. */
  async function run(name: string, server: TestServer, value: string | undefined) {
    vi.stubEnv('REPORTS_TOKEN', value)
    vi.stubEnv('REPORTS_URL', server.url)
    vi.stubEnv('MCP_CONFIG', await copyFor(server, 'claude-code.mcp.json'))
    const printed = vi.spyOn(console, 'log').mockImplementation(() => {})
    runs += 1
    const program = join(root, `examples/hosts/${name}.ts`)
    await import(/* @vite-ignore */ `${program}?run=${runs}`)
    return printed.mock.calls.flat()
  }
})

function blocksOf(page: string): Block[] {
  const fenced = page.matchAll(/(?<before>[^\n]*)\n+```(?<language>\w+)\n(?<text>.*?)^```$/gms)
  return Array.from(fenced, ({ groups }) => ({
    language: groups!.language!,
    file: /^\[.*\]\(\.\.\/examples\/hosts\/([\w.-]+)\)$/.exec(groups!.before!)?.[1],
    text: groups!.text!,
  }))
}

/** The shell lines, in the order of the page. */
function shell(index: number): string {
  return blocks.filter(({ language }) => language === 'sh')[index]?.text ?? ''
}

function json(file: string): Partial<Record<'mcpServers' | 'servers', Record<string, Entry>>> {
  return JSON.parse(blocks.find((block) => block.file === file)?.text ?? '')
}

function entry(file: string): Entry {
  return json(file).mcpServers?.reports ?? {}
}

/** The file as it is on the page, with a server of this test in it. */
async function copyFor(server: TestServer, file: string): Promise<string> {
  const path = join(home, `${new URL(server.url).port}.${file}`)
  const text = blocks.find((block) => block.file === file)?.text ?? ''
  await writeFile(path, text.replace(documented, server.url))
  return path
}

/** Runs a script as a person would, in a home folder of this test; resolves with what it prints. */
function sh(script: string, env: Record<string, string> = {}, input?: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { env: { PATH: process.env.PATH ?? '', HOME: home, ...env } }
    const child = execFile('sh', ['-euc', script], options, (error, stdout) => {
      if (error) reject(error)
      else resolve(stdout)
    })
    // Nothing is written to a script that reads nothing: it may have ended.
    if (input === undefined) child.stdin?.destroy()
    else child.stdin?.end(input)
  })
}
