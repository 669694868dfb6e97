import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  BearerAuth,
  Client,
  envToken,
  MCPClient,
  type MCPClientConfig,
  type ServerConfig,
} from 'mcp-bearer/client'
import { afterEach, describe, expect, it, vi } from 'vitest'
import {
  answer,
  closeServers,
  failure,
  listen,
  modernFetch,
  only,
  serve,
  type TestServer,
} from './servers.ts'

afterEach(async () => {
  vi.unstubAllEnvs()
  await closeServers()
})

const child = fileURLToPath(new URL('./fixtures/stdio-server.mjs', import.meta.url))

describe('several servers', () => {
  it('each gets its own token, from each kind of source, and a frozen configuration works', async () => {
    vi.stubEnv('TOKEN_A', 'token-for-a')
    vi.stubEnv('TOKEN_B', 'token-for-b')
    const names = ['a', 'b', 'c', 'd', 'e'] as const
    const servers = Object.fromEntries(
      await Promise.all(
        names.map(async (name) => [name, await serve(modernFetch(only(`token-for-${name}`)))]),
      ),
    ) as Record<(typeof names)[number], TestServer>
    const config = deepFreeze({
      mcpServers: {
        a: { url: servers.a.url, auth: '${TOKEN_A}' },
        b: { url: servers.b.url, auth: { env: 'TOKEN_B' }, type: 'http' as const },
        c: { url: servers.c.url, auth: new BearerAuth('token-for-c') },
        d: { url: servers.d.url, headers: { Authorization: 'Bearer ${TOKEN_D:-token-for-d}' } },
        e: { url: servers.e.url, auth: 'Bearer token-for-e' },
      },
    })
    const before = JSON.stringify(config)
    await using client = new MCPClient(config)
    for (const name of names) {
      const tools = await client.session(name).listTools()
      expect(tools).toHaveLength(3)
      expect(new Set(servers[name].authorizations)).toEqual(new Set([`Bearer token-for-${name}`]))
    }
    expect(JSON.stringify(config)).toBe(before)
    expect(client.servers).toEqual([...names])
    expect(client.session('a')).toBe(client.session('a'))
    expect(client.session('a')).toBeInstanceOf(Client)
  })

  it('FL-92 one dead server of many does not sink the rest', async () => {
    const good = await serve(modernFetch(() => true))
    const refusing = await listen(answer(401))
    await using client = new MCPClient({
      mcpServers: {
        good: { url: good.url },
        refusing: { url: refusing.url, auth: 'sk-bad-0123456789' },
        dead: { url: 'http://127.0.0.1:9/mcp' },
        missing: { command: 'no-such-command-here', args: ['--key', 'key-0123456789'] },
        off: { url: 'http://127.0.0.1:9/mcp', auth: '${NOT_SET_AT_ALL}', disabled: true },
      },
    })
    const report = await client.connectAll()
    expect(report).toMatchObject([
      { server: 'good', connected: true },
      { server: 'refusing', connected: false, error: { code: 'invalid_token', server: 'refusing' } },
      { server: 'dead', connected: false },
      { server: 'missing', connected: false, error: { message: expect.stringContaining('ENOENT') } },
    ])
    expect(refusing.requests).toHaveLength(1)
    await client.session('good').ping()
  })

  it('says which servers there are', () => {
    const client = new MCPClient({
      mcpServers: { one: { url: 'http://localhost:1' }, two: { url: 'http://localhost:1', disabled: true } },
    })
    expect(() => client.session('three')).toThrow('no server "three"; there are one')
    expect(() => client.session('two')).toThrow('disabled')
    expect(() => client.session('constructor')).toThrow('no server')
  })

  it('a path that ends in /sse, or the type sse, is the older transport', async () => {
    const server = await listen(answer(401))
    await using client = new MCPClient({
      mcpServers: {
        byPath: { url: `${server.origin}/mcp/sse`, auth: 'sk-bad-0123456789' },
        byType: { url: server.url, type: 'sse', auth: 'sk-bad-0123456789' },
        byTransport: { url: server.url, transport: 'sse', auth: 'sk-bad-0123456789' },
        newer: { url: `${server.origin}/sse`, type: 'streamable-http', auth: 'sk-bad-0123456789' },
      },
    })
    for (const name of client.servers) {
      await failure(client.session(name).ping())
    }
    expect(server.requests.map(({ method }) => method)).toEqual(['GET', 'GET', 'GET', 'POST'])
  })
})

describe('a server that is older than Streamable HTTP', () => {
  it('is spoken to as it likes when the configuration leaves that open', async () => {
    const server = await listen(answer(404))
    await using client = new MCPClient({
      mcpServers: {
        open: { url: server.url, auth: 'token-of-open' },
        fixed: { url: server.url, type: 'http', auth: 'token-of-fixed' },
      },
    })
    await client.connectAll()
    const methods = (token: string) =>
      server.requests
        .filter(({ headers }) => headers.authorization === `Bearer ${token}`)
        .map(({ method }) => method)
    expect(methods('token-of-open')).toContain('GET')
    expect(new Set(methods('token-of-fixed'))).toEqual(new Set(['POST']))
  })
})

describe('a server that runs as a child process', () => {
  it('E-11 gets its own variables, and none of ours but a few it cannot do without', async () => {
    vi.stubEnv('SECRET_OF_THE_PARENT', 'parent-secret')
    vi.stubEnv('CHILD_KEY', 'child-secret')
    await using client = new MCPClient({
      mcpServers: {
        child: {
          command: process.execPath,
          args: [child, '--mode', '${SPEED_OF_CHILD:-fast}'],
          env: { KEY: '${CHILD_KEY}' },
        },
      },
    })
    const { content } = await client.session('child').callTool('env')
    const [block] = content
    const seen = JSON.parse(block?.type === 'text' ? block.text : '')
    expect(seen.argv).toEqual(['--mode', 'fast'])
    expect(seen.env).toMatchObject({ KEY: 'child-secret', PATH: process.env.PATH })
    expect(JSON.stringify(seen)).not.toContain('parent-secret')
    expect(seen.env).not.toHaveProperty('CHILD_KEY')
  })

  it.each([['a token'], [undefined]])('E-11, FL-90 takes no auth (%s)', (auth) => {
    const entry = { command: 'server', auth } as ServerConfig
    expect(() => new MCPClient({ mcpServers: { child: entry } })).toThrow(
      'mcpServers.child: a command takes no auth',
    )
  })
})

describe('a configuration that is wrong', () => {
  const url = 'https://mcp.example.com/mcp'
  it.each([
    [
      'unset variable',
      { url, auth: '${UNSET_VAR}' },
      'mcpServers.api.auth needs the environment variable UNSET_VAR',
    ],
    [
      'unset reference',
      { url, auth: { env: 'UNSET_VAR' } },
      'mcpServers.api.auth needs the environment variable UNSET_VAR',
    ],
    ['empty variable', { url, auth: '${EMPTY_VAR}' }, 'EMPTY_VAR, which is not set or empty'],
    ['blank variable', { url, auth: 'Bearer ${BLANK_VAR}' }, 'BLANK_VAR, which is not set or empty'],
    [
      'unset in a header',
      { url, headers: { 'X-Key': 'a${UNSET_VAR}' } },
      'mcpServers.api.headers.X-Key needs the environment variable UNSET_VAR',
    ],
    [
      'unset in the URL',
      { url: '${UNSET_VAR}/mcp' },
      'mcpServers.api.url needs the environment variable UNSET_VAR',
    ],
    [
      'unset in arguments',
      { command: 'x', args: ['a', '${UNSET_VAR}'] },
      'mcpServers.api.args[1] needs the environment variable UNSET_VAR',
    ],
    [
      'unset in env',
      { command: 'x', env: { K: { env: 'UNSET_VAR' } } },
      'mcpServers.api.env.K needs the environment variable UNSET_VAR',
    ],
    ['inherited name', { url, auth: '${constructor}' }, 'environment variable constructor'],
    ['auth undefined', { url, auth: undefined }, 'mcpServers.api.auth must be a string'],
    ['auth empty', { url, auth: '' }, 'mcpServers.api: auth is empty'],
    ['auth a number', { url, auth: 5 }, 'mcpServers.api.auth must be a string, { env'],
    ['auth of no known form', { url, auth: { vault: 'x' } }, 'mcpServers.api.auth must be a string, { env'],
    [
      'auth of two forms',
      { url, auth: { file: 'x', command: 'y' } },
      'mcpServers.api.auth must be a string, { env',
    ],
    [
      'auth with a default',
      { url, auth: { env: 'A', default: 'x' } },
      'mcpServers.api.auth must be a string, { env',
    ],
    ['auth null', { url, auth: null }, 'mcpServers.api.auth must be a string or { env'],
    ['auth oauth', { url, auth: 'oauth' }, 'auth is the word "oauth", which is not a token'],
    [
      'auth from a file that is not named',
      { url, auth: { file: 5 } },
      'mcpServers.api.auth.file must be a string',
    ],
    [
      'auth from a file, unset',
      { url, auth: { file: '${UNSET_VAR}/token' } },
      'mcpServers.api.auth.file needs the environment variable UNSET_VAR',
    ],
    [
      'auth from a command, unset',
      { url, auth: { command: 'x', args: ['${UNSET_VAR}'] } },
      'mcpServers.api.auth.args[0] needs the environment variable UNSET_VAR',
    ],
    [
      'auth from a command line',
      { url, auth: { command: 'x', args: 'a b' } },
      'mcpServers.api.auth.args must be a list',
    ],
    [
      'a header from a file',
      { url, headers: { 'X-Key': { file: 'x' } } },
      'mcpServers.api.headers.X-Key must be a string; only auth can come from a file',
    ],
    [
      'an input of VS Code',
      { url, headers: { Authorization: 'Bearer ${input:api-key}' } },
      'mcpServers.api.headers.Authorization asks for the input api-key',
    ],
    [
      'a variable that holds no token',
      { url, auth: '${SPACED_VAR}' },
      'mcpServers.api.auth: the value of SPACED_VAR holds white space',
    ],
    ['url undefined', { url: undefined }, 'mcpServers.api.url must be a string'],
    [
      'placeholder cut off',
      { url, auth: '${UNSET_VAR' },
      'mcpServers.api.auth holds a placeholder that cannot be read',
    ],
    ['unknown type', { url, type: 'websocket' }, 'mcpServers.api: type must be one of'],
    ['type against url', { url, type: 'stdio' }, 'mcpServers.api: type does not go with url'],
    ['type against command', { command: 'x', type: 'http' }, 'mcpServers.api: type does not go with command'],
    ['types that differ', { url, type: 'sse', transport: 'http' }, 'mcpServers.api: type must be one of'],
    ['both', { url, command: 'x' }, 'mcpServers.api needs either url or command'],
    ['neither', { auth: 'x' }, 'mcpServers.api needs either url or command'],
    ['headers of a command', { command: 'x', headers: {} }, 'mcpServers.api: a command takes no headers'],
    ['a list', [], 'mcpServers.api must be an object'],
    [
      'a folder that is unset',
      { command: 'x', cwd: '${UNSET_VAR}' },
      'mcpServers.api.cwd needs the environment',
    ],
    [
      'auth and a header',
      { url, auth: 'x', headers: { authorization: 'y' } },
      'mcpServers.api: give either auth or',
    ],
    ['plain http', { url: 'http://mcp.example.com/mcp', auth: 'x' }, 'mcpServers.api: url must use https'],
    ['arguments that are no list', { command: 'x', args: 'a b' }, 'mcpServers.api.args must be a list'],
    ['disabled by a text', { url, disabled: 'false' }, 'mcpServers.api: disabled must be true or false'],
  ])('FL-77, E-64 %s: a TypeError that names the place, before any request', (_case, entry, message) => {
    vi.stubEnv('EMPTY_VAR', '')
    vi.stubEnv('BLANK_VAR', ' ')
    vi.stubEnv('SPACED_VAR', 'one two')
    const config = { mcpServers: { api: entry } } as unknown as MCPClientConfig
    expect(() => new MCPClient(config)).toThrow(TypeError)
    expect(() => new MCPClient(config)).toThrow(message)
  })

  it.each([
    [
      { auth: 'x', mcpServers: {} },
      'auth at the top of the configuration belongs to no server; write mcpServers.<name>.auth',
    ],
    [
      { Token: 'x', servers: {} },
      'Token at the top of the configuration belongs to no server; write servers.<name>.auth',
    ],
    [{ headers: {}, mcpServers: {} }, 'write mcpServers.<name>.headers'],
    [{ servers: {}, mcpServers: {} }, 'must have either mcpServers or servers'],
    [{}, 'must have either mcpServers or servers'],
    [{ mcpServers: [] }, 'mcpServers must be an object of servers by name'],
    [{ servers: 5 }, 'servers must be an object of servers by name'],
    [null, 'must be an object'],
    [[], 'must be an object'],
  ])('FL-90 %j at the top', (config, message) => {
    expect(() => new MCPClient(config as unknown as MCPClientConfig)).toThrow(TypeError)
    expect(() => new MCPClient(config as unknown as MCPClientConfig)).toThrow(message)
  })

  it('what a variable holds is not searched for placeholders', async () => {
    vi.stubEnv('OUTER', '${INNER}')
    vi.stubEnv('INNER', 'inner-secret')
    expect(() => new MCPClient({ mcpServers: { api: { url, auth: '${OUTER}' } } })).toThrow('placeholder')
  })
})

describe('a configuration file', () => {
  it('is read, and its variables are filled in', async () => {
    const server = await serve(modernFetch(only('token-of-file')))
    vi.stubEnv('FILE_TOKEN', 'token-of-file')
    const text = JSON.stringify({
      mcpServers: { api: { type: 'http', url: server.url, auth: '${FILE_TOKEN}' } },
    })
    await inFile(text, async (path) => {
      await using client = await MCPClient.fromFile(path)
      await client.session('api').ping()
    })
  })

  it('FL-71 that is broken is named, and its text is not shown', async () => {
    await inFile('{ "auth": "sk-secret-0123456789" x', async (path) => {
      const error = await failure(MCPClient.fromFile(path))
      expect(error).toBeInstanceOf(TypeError)
      expect(String((error as Error).stack)).toContain('mcp.json is not valid JSON')
      expect(String((error as Error).stack)).not.toContain('sk-secret')
      expect((error as Error).cause).toBeUndefined()
    })
  })
})

describe('envToken', () => {
  it('E-10 reads the variable for each request and takes off white space', async () => {
    const server = await serve(modernFetch(() => true))
    vi.stubEnv('ROTATING', 'token-1\n')
    await using client = new Client(server.url, { auth: envToken('ROTATING') })
    await client.ping()
    vi.stubEnv('ROTATING', 'Bearer token-2')
    await client.ping()
    expect(new Set(server.authorizations)).toEqual(new Set(['Bearer token-1', 'Bearer token-2']))
    vi.stubEnv('ROTATING', '')
    expect(await failure(client.ping())).toMatchObject({
      code: 'token_unavailable',
      message: expect.stringContaining('ROTATING'),
    })
  })

  it('FL-77 names the variable that is not set when it is made', () => {
    expect(() => envToken('UNSET_VAR')).toThrow('the environment variable UNSET_VAR is not set')
    vi.stubEnv('EMPTY_VAR', ' ')
    expect(() => envToken('EMPTY_VAR')).toThrow('EMPTY_VAR is empty')
    vi.stubEnv('TEMPLATE_VAR', '${OTHER}')
    expect(() => envToken('TEMPLATE_VAR')).toThrow('placeholder')
  })
})

async function inFile(text: string, work: (path: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'mcp-bearer-'))
  try {
    const path = join(folder, 'mcp.json')
    await writeFile(path, text)
    await work(path)
  } finally {
    await rm(folder, { recursive: true })
  }
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.values(value).forEach(deepFreeze)
    Object.freeze(value)
  }
  return value
}
