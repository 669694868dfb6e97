import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { BearerAuth, MCPClient, type MCPClientConfig } from 'mcp-bearer/client'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { failure } from './servers.ts'

const url = 'https://mcp.example.com/mcp'
let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mcp-bearer-save-'))
})
afterEach(async () => {
  vi.unstubAllEnvs()
  await rm(folder, { recursive: true })
})

/** What is in the file after saving, and what was reported. */
async function saved(config: unknown) {
  const client = new MCPClient(config as MCPClientConfig, { logger: () => {} })
  const path = join(folder, 'saved.json')
  const report = await client.save(path)
  const text = await readFile(path, 'utf8')
  return { text, config: JSON.parse(text), report, path }
}

describe('saving a configuration', () => {
  it('FL-91 what holds no secret is written as it was given', async () => {
    for (const name of ['A', 'B', 'C', 'D', 'E']) vi.stubEnv(name, 'value-of-variable')
    const config = {
      inputs: [{ id: 'x', type: 'promptString' }],
      servers: {
        a: {
          type: 'http',
          url,
          auth: '${A}',
          headers: { 'X-API-Key': { env: 'B' }, Authorisation: 'Basic ${C}' },
        },
        b: {
          url: `${url}?team=\${D}`,
          auth: 'Bearer ${env:A}',
          timeout: 30,
          autoApprove: ['search', 'read'],
        },
        c: { url, auth: { file: '/run/secrets/token' } },
        d: { url, auth: { command: 'vault', args: ['read', '-field=value', 'kv/mcp'] }, disabled: true },
        e: {
          command: 'npx',
          args: ['-y', '@modelcontextprotocol/server-filesystem', '--root', '/data/files', '--level=debug'],
          env: { KEY: '${E}', NODE_ENV: 'production', LOG_LEVEL: 'debug', ROOT: '/data', PORT: '8080' },
          cwd: '/srv',
        },
      },
    }
    const result = await saved(config)
    expect(result.config).toEqual(config)
    expect(result.report).toEqual({ variables: [], omitted: [] })
    expect(result.text).not.toContain('value-of-variable')
  })

  it.each<[string, object, object, { name: string; place: string }]>([
    ['auth', { url, auth: 'sk-abc' }, { auth: '${MY_API_TOKEN}' }, { name: 'MY_API_TOKEN', place: 'auth' }],
    [
      'auth in part',
      { url, auth: 'Bearer a${A}' },
      { auth: '${MY_API_TOKEN}' },
      { name: 'MY_API_TOKEN', place: 'auth' },
    ],
    ['a default of auth', { url, auth: '${A:-hunter2}' }, { auth: '${A}' }, { name: 'A', place: 'auth' }],
    [
      'a header',
      { url, headers: { 'X-Team': 'blue-team' } },
      { headers: { 'X-Team': '${MY_API_X_TEAM}' } },
      { name: 'MY_API_X_TEAM', place: 'headers.X-Team' },
    ],
    [
      'a bearer header',
      { url, headers: { authorization: 'Bearer abc' } },
      { headers: { authorization: 'Bearer ${MY_API_AUTHORIZATION}' } },
      { name: 'MY_API_AUTHORIZATION', place: 'headers.authorization' },
    ],
    [
      'a secret query',
      { url: `${url}?api_key=hunter2` },
      { url: '${MY_API_URL}' },
      { name: 'MY_API_URL', place: 'url' },
    ],
    [
      'a secret path',
      { url: 'https://mcp.example.com/s/4f9a8b7c6d5e4f3a/mcp' },
      { url: '${MY_API_URL}' },
      { name: 'MY_API_URL', place: 'url' },
    ],
    [
      'a variable named so',
      { command: 'x', env: { API_KEY: 'hunter2' } },
      { env: { API_KEY: '${MY_API_API_KEY}' } },
      { name: 'MY_API_API_KEY', place: 'env.API_KEY' },
    ],
    [
      'a variable not known to be harmless',
      { command: 'x', env: { WORD: 'correcthorse' } },
      { env: { WORD: '${MY_API_WORD}' } },
      { name: 'MY_API_WORD', place: 'env.WORD' },
    ],
    [
      'a password in the URL of a variable',
      { command: 'x', env: { DATABASE: 'https://me:hunter2@db.example.com' } },
      { env: { DATABASE: '${MY_API_DATABASE}' } },
      { name: 'MY_API_DATABASE', place: 'env.DATABASE' },
    ],
    [
      'an argument after its name',
      { command: 'x', args: ['--api-key', 'hunter2'] },
      { args: ['--api-key', '${MY_API_API_KEY}'] },
      { name: 'MY_API_API_KEY', place: 'args[1]' },
    ],
    [
      'an argument with its name',
      { command: 'x', args: ['--token=hunter2'] },
      { args: ['--token=${MY_API_TOKEN}'] },
      { name: 'MY_API_TOKEN', place: 'args[0]' },
    ],
    [
      'a variable among arguments',
      { command: 'docker', args: ['run', '-e', 'API_KEY=hunter2', 'image'] },
      { args: ['run', '-e', 'API_KEY=${MY_API_API_KEY}', 'image'] },
      { name: 'MY_API_API_KEY', place: 'args[2]' },
    ],
    [
      'a header among arguments',
      { command: 'npx', args: ['mcp-remote', url, '--header', 'X-Team: blue'] },
      { args: ['mcp-remote', url, '--header', '${MY_API_HEADER}'] },
      { name: 'MY_API_HEADER', place: 'args[3]' },
    ],
    [
      'an argument that looks like one',
      { command: 'x', args: ['sk-abcdefghijklmnop'] },
      { args: ['${MY_API_ARG_1}'] },
      { name: 'MY_API_ARG_1', place: 'args[0]' },
    ],
    [
      'an argument of the command for the token',
      { url, auth: { command: 'x', args: ['--password', 'hunter2'] } },
      { auth: { command: 'x', args: ['--password', '${MY_API_PASSWORD}'] } },
      { name: 'MY_API_PASSWORD', place: 'auth.args[1]' },
    ],
    [
      'a member of another program',
      { url, oauth: { clientSecret: 'hunter2' } },
      { oauth: { clientSecret: '${MY_API_CLIENTSECRET}' } },
      { name: 'MY_API_CLIENTSECRET', place: 'oauth.clientSecret' },
    ],
    [
      'a header of a flag',
      { command: 'npx', args: ['--header=X-Team: blue'] },
      { args: ['--header=${MY_API_HEADER}'] },
      { name: 'MY_API_HEADER', place: 'args[0]' },
    ],
    [
      'a word of a shell',
      { command: 'sh', args: ['-c', 'export PIN=hunter2; x'] },
      { args: ['-c', '${MY_API_ARG_2}'] },
      { name: 'MY_API_ARG_2', place: 'args[1]' },
    ],
    [
      'a signed URL',
      { url: `${url}?sig=hunter2` },
      { url: '${MY_API_URL}' },
      { name: 'MY_API_URL', place: 'url' },
    ],
    [
      'a URL with a query in a variable',
      { command: 'x', env: { HOOK: 'https://example.com/?id=hunter2' } },
      { env: { HOOK: '${MY_API_HOOK}' } },
      { name: 'MY_API_HOOK', place: 'env.HOOK' },
    ],
    [
      'a token of a server that is disabled, where its name belongs',
      { url, auth: { env: 'hunter2-x' }, disabled: true },
      { auth: { env: '${MY_API_ENV}' } },
      { name: 'MY_API_ENV', place: 'auth.env' },
    ],
    [
      'a token of a server that is disabled, in a form that is none',
      { url, auth: { value: 'hunter2' }, disabled: true },
      { auth: { value: '${MY_API_VALUE}' } },
      { name: 'MY_API_VALUE', place: 'auth.value' },
    ],
    [
      'headers in a list',
      { url, headers: ['X-Team: hunter2'], disabled: true },
      { headers: ['${MY_API_HEADERS}'] },
      { name: 'MY_API_HEADERS', place: 'headers[0]' },
    ],
    [
      'headers of another program',
      { url, http_headers: { 'X-Team': 'hunter2' } },
      { http_headers: { 'X-Team': '${MY_API_X_TEAM}' } },
      { name: 'MY_API_X_TEAM', place: 'http_headers.X-Team' },
    ],
    ['a number named so', { url, pin: 1234 }, { pin: '${MY_API_PIN}' }, { name: 'MY_API_PIN', place: 'pin' }],
  ])('FL-91 %s becomes a variable that is reported', async (_case, entry, expected, { name, place }) => {
    vi.stubEnv('A', 'value-of-variable')
    const { config, text, report } = await saved({ mcpServers: { 'my-api': entry } })
    expect(config.mcpServers['my-api']).toEqual({ ...entry, ...expected })
    expect(report).toEqual({ variables: [{ name, place: `mcpServers.my-api.${place}` }], omitted: [] })
    expect(text).not.toMatch(/hunter2|value-of/)
  })

  it('a secret that is known from one place is not written in another', async () => {
    const { text } = await saved({
      mcpServers: {
        a: { url, auth: 'correct-horse', description: 'the token is correct-horse' },
        b: { command: 'x', args: ['correct-horse'], env: { ROOT: '/correct-horse' } },
      },
      note: ['correct-horse'],
      env: { WORD: 'hunter2' },
    })
    expect(text).not.toMatch(/correct-horse|hunter2/)
  })

  it('FL-83 it is the configuration the client was made with, whatever became of it', async () => {
    const entry = { command: 'x', args: ['--root', '/data'], env: { PORT: '8080' } }
    const client = new MCPClient({ servers: { a: entry } })
    const before = structuredClone(entry)
    entry.args[1] = '/other'
    entry.env.PORT = '9090'
    await client.save(join(folder, 'saved.json'))
    expect(JSON.parse(await readFile(join(folder, 'saved.json'), 'utf8'))).toEqual({ servers: { a: before } })
  })

  it('names are new ones, and each secret has its own', async () => {
    vi.stubEnv('A_B_TOKEN', 'value-of-variable')
    const { config, report } = await saved({
      servers: {
        'a-b': { url, auth: 'first-secret', headers: { 'X-Other': '${A_B_TOKEN}' } },
        a_b: { url, auth: 'second-secret' },
        '9': { url, auth: 'third-secret' },
        日本: { url, auth: 'fifth-secret' },
      },
    })
    const names = report.variables.map(({ name }) => name)
    expect(names).toHaveLength(4)
    expect(new Set([...names, 'A_B_TOKEN']).size).toBe(5)
    for (const name of names) {
      expect(name).toMatch(/^[A-Z]\w*$/)
      vi.stubEnv(name, 'value-again')
    }
    expect(new MCPClient(config).servers).toHaveLength(4)
  })

  it('what no file can hold is left out and reported', async () => {
    const { config, report } = await saved({
      mcpServers: {
        a: { url, auth: new BearerAuth('token-of-object') },
        b: { url, auth: { token: async () => 'token-of-function' }, onError: () => {} },
      },
    })
    expect(config).toEqual({ mcpServers: { a: { url }, b: { url } } })
    expect(report).toEqual({
      variables: [],
      omitted: ['mcpServers.a.auth', 'mcpServers.b.auth', 'mcpServers.b.onError'],
    })
  })

  it('FL-91 the file is replaced at once, only its owner can read it, and nothing else is left', async () => {
    const path = join(folder, 'mcp.json')
    await writeFile(path, 'old', { mode: 0o644 })
    const client = new MCPClient({ servers: { a: { url } } })
    await Promise.all(Array.from({ length: 10 }, () => client.save(pathToFileURL(path))))
    expect(await readdir(folder)).toEqual(['mcp.json'])
    expect(JSON.parse(await readFile(path, 'utf8'))).toEqual({ servers: { a: { url } } })
    if (process.platform !== 'win32') expect((await stat(path)).mode & 0o777).toBe(0o600)
    expect((await MCPClient.fromFile(path)).servers).toEqual(['a'])
  })

  it('a folder that is not there is an error, and a path that is a folder leaves nothing behind', async () => {
    const client = new MCPClient({ servers: { a: { url } } })
    expect(await failure(client.save(join(folder, 'none', 'mcp.json')))).toMatchObject({ code: 'ENOENT' })
    expect(await failure(client.save(folder))).toBeInstanceOf(Error)
    expect(await readdir(folder)).toEqual([])
    expect((await readdir(tmpdir())).filter((name) => name.includes(`${folder.split('/').at(-1)}.`))).toEqual(
      [],
    )
  })
})
