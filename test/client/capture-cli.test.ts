import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it, vi } from 'vitest'
import { call } from '../../src/cli/commands/call.ts'
import { ping } from '../../src/cli/commands/ping.ts'
import { prompt } from '../../src/cli/commands/prompt.ts'
import { read } from '../../src/cli/commands/read.ts'
import { tools } from '../../src/cli/commands/tools.ts'
import { run } from '../cli/support.ts'
import { expectNoLeak, fixture, partedFixture, plainFixture } from './capture.ts'
import { echo, places, someWritings } from './capture-echo.ts'
import { closeServers, listen, modernFetch, serve } from './servers.ts'

const secrets = { token: fixture('token'), jwt: partedFixture('jwt'), key: plainFixture('key') }
const { token, jwt, key } = secrets
const header = ['--header', `X-API-Key: ${key}`, '--timeout', '5']

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mcp-bearer-capture-'))
  vi.stubEnv('CAPTURE_TOKEN', token)
})
afterEach(async () => {
  vi.unstubAllEnvs()
  await rm(folder, { recursive: true })
  await closeServers()
})

/** What a command prints on either stream, in words and as JSON. */
async function printed(command: typeof ping, argv: readonly string[], input = ''): Promise<unknown> {
  const runs = [argv, [...argv, '--json']].map((words) => run(command, words, { input }))
  return (await Promise.all(runs)).map(({ out, err, progress }) => [out, err, progress])
}

describe.each(places)(
  'E-61 the commands, refused by a server that repeats the request in %s',
  (_place, place) => {
    it.each(someWritings)('%s', async (_writing, writing) => {
      const { url } = await listen(echo(writing, place))
      await expectNoLeak(secrets, () => printed(ping, [url, '--auth', 'env:CAPTURE_TOKEN', ...header]))
      await expectNoLeak(secrets, () => printed(tools, [url, '--auth', '-', ...header], jwt))
      await expectNoLeak(secrets, () =>
        printed(call, [url, 'echo', `text=${key}`, '--auth', token, ...header]),
      )
    })
  },
)

describe('E-61 the commands do not show', () => {
  it('a token in the URL, when all is well', async () => {
    const good = await serve(modernFetch(() => true))
    await expectNoLeak(secrets, async () => [
      await printed(ping, [`${good.url}?key=${key}`, '--auth', token]),
      await printed(tools, [`${good.url}?key=${key}`, '--auth', '-'], `Bearer ${jwt}\n`),
    ])
  })

  it.each<[string, string[], string?]>([
    ['a token that cannot be one', ['http://localhost:1/mcp', '--auth', `${token} ${key}`]],
    ['one on standard input', ['http://localhost:1/mcp', '--auth', '-'], `${token}\n${key}`],
    ['one that is given as the name of a variable', ['http://localhost:1/mcp', '--auth', `env:${token}`]],
    ['another one that is', ['http://localhost:1/mcp', '--auth', `env:${jwt}`]],
    [
      'the arguments of a program',
      ['http://localhost:1/mcp', '--auth', `command:no-such-program ${token} "${key}`],
    ],
    ['a header without a colon', ['http://localhost:1/mcp', '--header', `X-API-Key ${key}`]],
    ['a header with a line break', ['http://localhost:1/mcp', '--header', `X-API-Key: ${key}\n${token}`]],
    [
      'a header and a token',
      ['http://localhost:1/mcp', '--auth', token, '--header', `authorization: ${jwt}`],
    ],
    ['an option that is not known', ['http://localhost:1/mcp', `--token=${token}`]],
    ['a value of an option that takes none', ['http://localhost:1/mcp', `--json=${token}`]],
    ['a time that is none', ['http://localhost:1/mcp', '--timeout', token]],
    ['a URL with a user', [`https://user:${key}@mcp.example.com/mcp`, '--auth', token]],
    ['a URL over plain http', [`http://mcp.example.com/mcp?key=${key}`, '--auth', token]],
    ['a URL with a fragment', [`https://mcp.example.com/mcp#${key}`, '--auth', token]],
  ])('%s', async (_what, argv, input) => {
    await expectNoLeak(secrets, async () => [
      await printed(ping, argv, input),
      await printed(tools, argv, input),
      await printed(read, argv, input),
      await printed(prompt, argv, input),
    ])
  })

  it('an argument of a tool that cannot be read', async () => {
    const url = 'http://localhost:1/mcp'
    await expectNoLeak(secrets, async () => [
      await printed(call, [url, 'echo', `text:=${token}`]),
      await printed(call, [url, 'echo', `{"text":"${token}"`]),
      await printed(call, [url, 'echo', '-'], `["${token}"]`),
      await printed(call, [url, 'echo', '-'], `{"a":"${token}`),
      await printed(call, [url, 'echo', '-', '--auth', '-'], token),
      await printed(prompt, [url, 'greet', `who:="${token}"`]),
    ])
  })

  it('what is in a configuration', async () => {
    const path = join(folder, 'mcp.json')
    const entries: unknown[] = [
      `{"mcpServers":{"a":{"url":"http://localhost:1/mcp","auth":"${token}"`,
      { mcpServers: { b: { auth: token } } },
      { mcpServers: { a: { url: 'http://localhost:1/mcp', auth: `${token} ${key}` } } },
      { mcpServers: { a: { url: `http://x.example/?key=${key}`, auth: token } } },
      { mcpServers: { a: { url: 'http://localhost:1/mcp', auth: token, headers: { 'X-Key': `${key}\n` } } } },
      { mcpServers: { a: { url: 'http://localhost:1/mcp', auth: { env: token } } } },
      { mcpServers: { a: { url: 'http://localhost:1/mcp', token, headers: { 'X-Key': key } } } },
      { mcpServers: { a: { command: 'no-such-program', args: [token], env: { KEY: key } } } },
      { mcpServers: { a: { command: process.execPath, args: [`${token}\0`] } } },
      { mcpServers: { a: { url: 'http://localhost:1/mcp', headers: key } }, auth: token },
    ]
    for (const entry of entries) {
      await writeFile(path, typeof entry === 'string' ? entry : JSON.stringify(entry))
      await expectNoLeak(secrets, () => printed(ping, ['a', '--config', path]))
    }
  })
})
