import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { inspect } from 'node:util'
import { BearerAuth, MCPClient, type MCPClientConfig } from 'mcp-bearer/client'
import { afterEach, describe, expect, it, vi } from 'vitest'
import type { LogEntry } from '../../src/core/index.ts'
import { answer, closeServers, failure, listen } from './servers.ts'

const url = 'https://mcp.example.com/mcp'
let folder: string | undefined

afterEach(async () => {
  vi.unstubAllEnvs()
  await closeServers()
  if (folder !== undefined) await rm(folder, { recursive: true })
  folder = undefined
})

/** A new file, removed after the test. */
async function fileOf(text: string, name = '.env'): Promise<string> {
  folder ??= await mkdtemp(join(tmpdir(), 'mcp-bearer-config-'))
  const path = join(folder, name)
  await writeFile(path, text)
  return path
}

/** What is told when a client is made of the configuration. */
function told(config: unknown): LogEntry[] {
  const entries: LogEntry[] = []
  new MCPClient(config as MCPClientConfig, { logger: (entry) => void entries.push(entry) })
  return entries
}

const messages = (config: unknown): string[] => told(config).map(({ message }) => message)

describe('members of other programs', () => {
  it('warn, with their place, and are no error', () => {
    const entry = { url, timeout: 60, autoApprove: ['search'] }
    expect(told({ inputs: [], mcpServers: { api: entry } })).toEqual([
      {
        level: 'warn',
        event: 'config_member_unknown',
        message: 'inputs is not known here and has no effect',
        details: { member: 'inputs' },
      },
      expect.objectContaining({ message: 'mcpServers.api.timeout is not known here and has no effect' }),
      expect.objectContaining({ message: 'mcpServers.api.autoApprove is not known here and has no effect' }),
    ])
  })

  it.each([
    ['Auth', 'auth'],
    ['token', 'auth'],
    ['bearer', 'auth'],
    ['apiKey', 'auth'],
    ['api_key', 'auth'],
    ['access-token', 'auth'],
    ['bearer_token_env_var', 'auth'],
    ['header', 'headers'],
    ['Headers', 'headers'],
    ['http_headers', 'headers'],
    ['allow_insecure', 'allowInsecure'],
    ['enabled', 'disabled'],
  ])('a misspelt %s is told apart: did you mean %s?', (wrong, right) => {
    expect(messages({ servers: { api: { url, [wrong]: 'sk-secret-0123456789' } } })).toEqual([
      `servers.api.${wrong} is not known here and has no effect; did you mean ${right}?`,
    ])
  })

  it('what a command has no use for is told without a suggestion of what it cannot have', () => {
    expect(messages({ mcpServers: { api: { command: 'x', token: 'sk-secret-0123456789' } } })).toEqual(
      expect.arrayContaining(['mcpServers.api.token is not known here and has no effect']),
    )
  })

  it('what is known, and what is for editors only, is not told', () => {
    expect(
      messages({
        $schema: 'https://example.com/schema.json',
        servers: {
          api: { type: 'streamableHttp', url, auth: 'x', headers: {}, allowInsecure: false, disabled: false },
          child: { type: 'stdio', command: 'x', args: [], env: {}, cwd: '.' },
        },
      }),
    ).toEqual([])
  })

  it('a logger that throws does no harm, and one that is none is an error', () => {
    const config = { inputs: [], servers: { api: { url } } } as MCPClientConfig
    const throwing = () => {
      throw new Error('no')
    }
    expect(new MCPClient(config, { logger: throwing }).servers).toEqual(['api'])
    expect(() => new MCPClient(config, { logger: 'stderr' as never })).toThrow('logger must be a function')
  })

  it('options of our own stay strict', () => {
    const make = (options: object) => () => new MCPClient({ servers: {} }, options)
    expect(make({ dotEnv: true })).toThrow('MCPClient: unknown option "dotEnv"')
    expect(make({ separator: '' })).toThrow('MCPClient: separator must be one of')
    expect(make({ separator: 'x' })).toThrow(TypeError)
    expect(make({ dotenv: '' })).toThrow('MCPClient: dotenv must be true, a path')
    expect(make({ dotenv: false })).toThrow(TypeError)
  })
})

describe('a configuration', () => {
  it('FL-83 is copied: what is changed later has no effect, and frozen input works', async () => {
    const server = await listen(answer(401))
    const entry = { url: server.url, auth: 'token-first', headers: { 'X-Team': 'blue' } }
    const client = new MCPClient(
      Object.freeze({ mcpServers: Object.freeze({ api: entry, other: { ...entry } }) }),
    )
    entry.auth = 'token-second'
    entry.headers['X-Team'] = 'red'
    await failure(client.session('api').ping())
    expect(server.requests[0]?.headers).toMatchObject({
      authorization: 'Bearer token-first',
      'x-team': 'blue',
    })
    await client.closeAll()
  })

  it('FL-83 two servers sharing one headers object get what is theirs and no more', async () => {
    const [one, other] = [await listen(answer(401)), await listen(answer(401))]
    const headers = Object.freeze({ 'X-Team': 'blue' })
    const client = new MCPClient({
      mcpServers: {
        one: { url: one.url, headers, auth: 'token-of-one' },
        other: { url: other.url, headers },
      },
    })
    await client.connectAll()
    expect(one.requests[0]?.headers.authorization).toBe('Bearer token-of-one')
    expect(other.requests[0]?.headers).not.toHaveProperty('authorization')
    expect(headers).toEqual({ 'X-Team': 'blue' })
    await client.closeAll()
  })

  it('how far requests go on is the same for all servers', async () => {
    const server = await listen(answer(429, { 'retry-after': '1' }))
    await using client = new MCPClient({ servers: { a: { url: server.url } } }, { retry: { maxWait: 0 } })
    expect(await failure(client.session('a').ping())).toMatchObject({ code: 'rate_limited', server: 'a' })
    expect(server.requests).toHaveLength(1)
    const wrong = { retry: { maxWait: -1 } }
    expect(() => new MCPClient({ servers: { a: { url } } }, wrong)).toThrow('maxWait')
  })

  it.each([
    ['a circle', circle()],
    ['too deep', { servers: { api: { url, extra: nested(40) } } }],
  ])('%s is an error', (_case, config) => {
    expect(() => new MCPClient(config as MCPClientConfig)).toThrow('nested deeper than 32')
  })

  it('a member called __proto__ changes nothing', () => {
    const config = JSON.parse('{"mcpServers":{"__proto__":{"url":"https://mcp.example.com/mcp"}}}')
    expect(new MCPClient(config as MCPClientConfig).servers).toEqual(['__proto__'])
    expect(({} as { url?: string }).url).toBeUndefined()
  })

  it('FL-71 shows no secret when the client is printed', () => {
    vi.stubEnv('PRINTED_TOKEN', 'token-of-variable')
    const client = new MCPClient({
      mcpServers: {
        a: { url, auth: 'token-of-text', headers: { 'X-API-Key': 'key-of-header' } },
        b: { url, auth: '${PRINTED_TOKEN}' },
        c: { url, auth: new BearerAuth('token-of-object') },
        d: { command: 'x', env: { KEY: 'key-of-child' }, args: ['key-of-argument'] },
      },
    })
    const printed = inspect(client, { depth: Infinity, showHidden: true }) + JSON.stringify(client)
    expect(printed).not.toMatch(/(?:token|key)-of-/)
  })

  it('a server whose token is one variable is told by its name', async () => {
    vi.stubEnv('KEY_OF_REPORTS', 'sk-wrong-0123456789')
    const server = await listen(answer(401))
    await using client = new MCPClient({
      mcpServers: { reports: { url: server.url, auth: 'Bearer ${KEY_OF_REPORTS}' } },
    })
    const error = (await failure(client.session('reports').ping())) as Error
    expect(error).toMatchObject({ code: 'invalid_token', server: 'reports' })
    expect(error.message).toContain('KEY_OF_REPORTS')
    expect(error.message).not.toContain('sk-wrong')
    expect(server.requests[0]?.headers.authorization).toBe('Bearer sk-wrong-0123456789')
  })

  it('a token can come from a file and from a command', async () => {
    const server = await listen(answer(401))
    const path = await fileOf('token-of-file\n', 'token')
    await using client = new MCPClient(
      {
        servers: {
          file: { url: server.url, auth: { file: path } },
          command: {
            url: server.url,
            auth: { command: process.execPath, args: ['-p', '"token-of-${TOKEN_WORD:-command}"'] },
          },
        },
      },
      { logger: () => {} },
    )
    for (const name of client.servers) await failure(client.session(name).ping())
    expect(new Set(server.authorizations)).toEqual(
      new Set(['Bearer token-of-file', 'Bearer token-of-command']),
    )
  })
})

describe('a .env file', () => {
  const config: MCPClientConfig = {
    servers: { api: { url: 'http://127.0.0.1:9/mcp', auth: '${DOTENV_TOKEN}' } },
  }

  it('fills in what the environment does not have, and leaves the environment alone', async () => {
    const server = await listen(answer(401))
    vi.stubEnv('DOTENV_BOTH', 'from-environment')
    const path = await fileOf('# tokens\nexport DOTENV_TOKEN="token of file"\nDOTENV_BOTH=from-file\n')
    const entry = {
      url: server.url,
      headers: {
        'X-File': '${DOTENV_TOKEN}',
        'X-Both': '${DOTENV_BOTH}',
        'X-Default': '${DOTENV_NONE:-none}',
      },
    }
    for (const dotenv of [path, pathToFileURL(path)]) {
      await using client = new MCPClient({ servers: { api: entry } }, { dotenv })
      await failure(client.session('api').ping())
    }
    expect(server.requests).toHaveLength(2)
    for (const { headers } of server.requests) {
      expect(headers).toMatchObject({
        'x-file': 'token of file',
        'x-both': 'from-environment',
        'x-default': 'none',
      })
    }
    expect(process.env.DOTENV_TOKEN).toBeUndefined()
  })

  it('does not stand in for a variable that is set and empty', async () => {
    vi.stubEnv('DOTENV_TOKEN', '')
    const dotenv = await fileOf('DOTENV_TOKEN=from-file')
    expect(() => new MCPClient(config, { dotenv })).toThrow('DOTENV_TOKEN, which is not set or empty')
  })

  it('that was named must be there; the usual one need not', async () => {
    const missing = `${await fileOf('')}-missing`
    expect(() => new MCPClient(config, { dotenv: missing })).toThrow(
      `the dotenv file ${missing} cannot be read`,
    )
    expect(() => new MCPClient(config, { dotenv: true })).toThrow('DOTENV_TOKEN, which is not set or empty')
  })

  it('FL-71 that is too large is refused, and nothing of it is shown', async () => {
    const dotenv = await fileOf(`DOTENV_TOKEN=sk-secret-0123456789\n#${'x'.repeat(1_048_576)}`)
    const error = await failure((async () => new MCPClient(config, { dotenv }))())
    expect(error).toBeInstanceOf(TypeError)
    expect(inspect(error)).toContain('larger than 1 MiB')
    expect(inspect(error)).not.toContain('sk-secret')
  })

  it('goes with a configuration file', async () => {
    const dotenv = await fileOf('DOTENV_TOKEN=from-file')
    const path = await fileOf(`\uFEFF${JSON.stringify(config)}`, 'mcp.json')
    await using client = await MCPClient.fromFile(path, { dotenv })
    expect(client.servers).toEqual(['api'])
  })

  it('needs a runtime with files', () => {
    const builtin = vi.spyOn(process, 'getBuiltinModule').mockReturnValue(undefined)
    try {
      expect(() => new MCPClient(config, { dotenv: true })).toThrow('dotenv needs a runtime with files')
    } finally {
      builtin.mockRestore()
    }
  })
})

function circle(): object {
  const config: Record<string, unknown> = { servers: {} }
  config.self = config
  return config
}

function nested(depth: number): object {
  return depth === 0 ? {} : { inner: nested(depth - 1) }
}
