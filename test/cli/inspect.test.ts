import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { inspect } from '../../src/cli/commands/inspect.ts'
import { exitCode } from '../../src/cli/exit-codes.ts'
import { opener } from '../../src/cli/inspect/browser.ts'
import { answer, closeServers, listen } from '../client/servers.ts'
import { ask, deferred, keyOf, open, tryKey } from '../inspector/bridge-support.ts'
import { type Person, type Ran, run } from './support.ts'

const token = 'token-0123456789abcdef'
let folder = ''

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mcp-bearer-inspect-'))
  vi.spyOn(process, 'cwd').mockReturnValue(folder)
})
afterEach(async () => {
  vi.restoreAllMocks()
  vi.unstubAllEnvs()
  await closeServers()
  await rm(folder, { recursive: true })
})

/** An address as it is printed. */
const address = /^ *(?:"url": ")?(http:\/\/127\.0\.0\.1:\d+\/inspector#key=[\w-]+)/m

/** Runs the command, does something with the page it shows, and presses Ctrl-C. */
async function shown(
  argv: readonly string[],
  use: (site: { url: string; origin: string }) => Promise<void>,
  person: Person = {},
): Promise<Ran> {
  const ctrlC = new AbortController()
  const printed = deferred<string>()
  const ended = run(inspect, argv, {
    ...person,
    ctrlC: ctrlC.signal,
    onLine: (line) => {
      const [, url] = address.exec(line) ?? []
      if (url !== undefined) printed.resolve(url)
      person.onLine?.(line)
    },
  })
  try {
    const url = await Promise.race([printed.promise, ended.then((ran) => Promise.reject(new Error(ran.err)))])
    await use({ url, origin: new URL(url).origin })
  } finally {
    ctrlC.abort()
  }
  return ended
}

describe('mcp-bearer inspect', () => {
  it('prints an address, and passes on what its page asks until Ctrl-C', async () => {
    const server = await listen(
      answer(401, { 'www-authenticate': 'Bearer realm="x"' }, { error: 'unauthorized' }),
    )
    let origin = ''
    const { exit, out, err } = await shown([server.url], async (site) => {
      origin = site.origin
      const session = await open(site)
      const headers = { ...session, authorization: `Bearer ${token}` }
      const got = await ask(site, '/target/mcp', { headers })
      expect([got.status, got.headers['www-authenticate']]).toEqual([401, 'Bearer realm="x"'])
    })
    expect(exit).toBe(exitCode.ok)
    expect(server.authorizations).toEqual([`Bearer ${token}`])
    expect(out).toContain(`The inspector of ${server.url}`)
    expect(out).toMatch(address)
    expect(err).toContain('Ctrl+C')
    expect(out + err).not.toContain(token)
    await expect(ask({ origin, url: '' }, '/inspector')).rejects.toThrow('ECONNREFUSED')
  })

  it('prints one JSON document for programs', async () => {
    const server = await listen(answer(200))
    const ran = await shown(
      [`${server.url}?secret=${token}`, '--json'],
      async ({ url, origin }) => {
        expect((await tryKey({ url, origin }, keyOf(url))).status).toBe(200)
      },
      { onAsk: () => Promise.reject(new Error('nobody is asked')) },
    )
    expect(ran.json()).toEqual({
      url: expect.stringMatching(address),
      origin: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
      target: server.url,
      pid: process.pid,
    })
    expect(ran.err).toBe('')
  })

  it('prints another address when Enter is pressed, and the one before is good for nothing', async () => {
    const server = await listen(answer(200))
    const enter = deferred<string>()
    const second = deferred<string>()
    let asked = 0
    await shown(
      [server.url],
      async (first) => {
        enter.resolve('')
        const other = { url: await second.promise, origin: first.origin }
        expect(keyOf(other.url)).not.toBe(keyOf(first.url))
        expect((await tryKey(first, keyOf(first.url))).status).toBe(403)
        expect((await tryKey(other, keyOf(other.url))).status).toBe(200)
      },
      {
        onAsk: () => (asked++ === 0 ? enter.promise : new Promise<string>(() => {})),
        onLine: (line) => {
          const [, url] = address.exec(line) ?? []
          if (url !== undefined && asked > 0) second.resolve(url)
        },
      },
    )
  })

  it('listens on the port it is told', async () => {
    const server = await listen(answer(200))
    let port = ''
    await shown([server.url], async ({ origin }) => {
      port = new URL(origin).port
      const taken = await run(inspect, [server.url, '--port', port])
      expect([taken.exit, taken.err]).toEqual([exitCode.failed, expect.stringContaining('in use')])
    })
    await shown([server.url, '--port', port], async ({ origin }) => {
      expect(new URL(origin).port).toBe(port)
    })
  })

  it('sends the headers it is told, variables filled in', async () => {
    vi.stubEnv('TENANT', 'blue')
    const server = await listen(answer(200))
    await shown([server.url, '--header', 'X-Tenant: ${TENANT}'], async (site) => {
      await ask(site, '/target/mcp', { headers: await open(site) })
    })
    expect(server.requests.map(({ headers }) => headers['x-tenant'])).toEqual(['blue'])
  })

  it.each([
    [[], 'which server? Give a URL'],
    [['a', 'b'], 'too many words'],
    [['https://mcp.example.com/mcp', '--auth', `Bearer ${token}`], 'type or paste the token into the page'],
    [
      ['https://mcp.example.com/mcp', '--header', `Authorization: Bearer ${token}`],
      'paste the token into the page',
    ],
    [['https://mcp.example.com/mcp', '--header', 'x'], '--header must be written'],
    [['https://mcp.example.com/mcp', '--port', 'x'], '--port must be'],
    [['https://mcp.example.com/mcp', '--port', '99999'], '--port must be'],
    [['https://mcp.example.com/mcp', '--config', 'mcp.json'], '--config goes with'],
    [['http://mcp.example.com/mcp', '--header', 'X-Tenant: blue'], 'must use https'],
    [[`https://me:${token}@mcp.example.com/mcp`], 'user name or password'],
    [['reports'], 'there is no mcp.json'],
    [['https://mcp.example.com/mcp', '--host', '0.0.0.0'], "Unknown option '--host'"],
  ])('FL-106 %j makes no sense: 2, and no token is repeated', async (argv, message) => {
    const { exit, out, err } = await run(inspect, argv)
    expect([exit, out]).toEqual([exitCode.usage, ''])
    expect(err).toContain(message)
    expect(err.replace(/warning:.*\n?/g, '')).not.toContain(token)
  })
})

describe('mcp-bearer inspect, of a configuration', () => {
  async function config(document: object, name = 'mcp.json'): Promise<void> {
    await mkdir(join(folder, '.vscode'), { recursive: true })
    await writeFile(join(folder, name), JSON.stringify(document))
  }

  it('takes the only server with a URL there is, and leaves its token alone', async () => {
    const server = await listen(answer(200))
    const headers = { Authorization: 'Bearer ${NOT_SET}', 'X-Tenant': 'blue' }
    const disabled = { url: 'https://mcp.example.com/mcp', disabled: true }
    await config({ mcpServers: { local: { command: 'x' }, reports: { url: server.url, headers }, disabled } })
    const { err } = await shown([], async (site) => {
      await ask(site, '/target/mcp', { headers: await open(site) })
    })
    expect(err).toContain('the token of mcpServers.reports is not used here')
    const [{ headers: arrived } = { headers: undefined }] = server.requests
    expect([arrived?.authorization, arrived?.['x-tenant']]).toEqual([undefined, 'blue'])
  })

  it('takes the one that is named, from the file that is named', async () => {
    const server = await listen(answer(200))
    await config({ servers: { a: { url: 'https://a.example' }, b: { url: server.url } } }, '.vscode/mcp.json')
    await config({ mcpServers: { c: { url: 'https://c.example' } } }, 'other.json')
    const { out } = await shown(['b'], async () => {})
    expect(out).toContain(server.url)
    expect((await shown(['c', '--config', 'other.json'], async () => {})).out).toContain('https://c.example/')
    expect((await shown(['--config', 'other.json'], async () => {})).out).toContain('https://c.example/')
  })

  it.each([
    { url: 'SERVER?x=${SECRET_OF_MINE}' },
    { url: 'SERVER', headers: { 'X-A': '${SECRET_OF_MINE}' } },
    { url: 'SERVER', headers: { 'X-A': { env: 'SECRET_OF_MINE' } } },
  ])('sends no variable to a server that nobody has named: %j', async (entry) => {
    vi.stubEnv('SECRET_OF_MINE', 'hunter2')
    const server = await listen(answer(200))
    await config({ mcpServers: { a: { ...entry, url: entry.url.replace('SERVER', server.url) } } })
    const { exit, err } = await run(inspect, [])
    expect([exit, err]).toEqual([exitCode.usage, expect.stringContaining('give its name')])
    expect(err).not.toContain('hunter2')
    await shown(['a'], async (site) => {
      const headers = await open(site)
      const { endpoint } = (await ask(site, '/inspector/config.json', { headers })).json() as {
        endpoint: string
      }
      await ask(site, endpoint, { headers })
    })
    const [arrived] = server.requests
    expect(`${arrived?.url} ${JSON.stringify(arrived?.headers)}`).toContain('hunter2')
  })

  it.each([
    [
      [],
      { a: { url: 'https://a.example' }, b: { url: 'https://b.example' } },
      'which server? mcp.json has a, b',
    ],
    [[], { a: { command: 'x' } }, 'there is no server with a URL'],
    [['a'], { a: { command: 'x' } }, 'mcpServers.a has no url'],
    [['a'], { a: { url: 'https://a.example/sse', type: 'sse' } }, 'speaks HTTP with SSE'],
    [['a'], { a: { url: '${NOT_SET}' } }, 'NOT_SET'],
    [['b'], { a: { url: 'https://a.example' } }, 'there is no such server: mcp.json has a'],
    [['constructor'], { a: { url: 'https://a.example' } }, 'there is no such server'],
  ])('%j of %j: 2', async (argv, mcpServers, message) => {
    await config({ mcpServers })
    const { exit, err } = await run(inspect, argv)
    expect([exit, err]).toEqual([exitCode.usage, expect.stringContaining(message)])
  })
})

describe('mcp-bearer inspect --open', () => {
  /** A system on which a program starts browsers: it writes down what it is given. */
  async function systemWith(script: string): Promise<void> {
    for (const name of ['xdg-open', 'open', 'rundll32']) {
      await writeFile(join(folder, name), `#!/bin/sh\n${script}\n`)
      await chmod(join(folder, name), 0o755)
    }
    vi.stubEnv('PATH', `${folder}:${process.env.PATH}`)
    vi.stubEnv('SEEN', join(folder, 'seen'))
  }

  it('starts the browser, and FL-106 ps shows no key', async () => {
    await systemWith(
      'for file; do :; done; cp "$file" "$SEEN.html"; echo "$@" > "$SEEN.new"; mv "$SEEN.new" "$SEEN"',
    )
    const server = await listen(answer(200))
    let file = ''
    await shown([server.url, '--open'], async ({ url }) => {
      const words = await vi.waitFor(() => readFile(join(folder, 'seen'), 'utf8'), { timeout: 30_000 })
      expect(words).not.toContain(keyOf(url))
      file = words.trim().split(' ').at(-1) ?? ''
      expect((await stat(file)).mode & 0o777).toBe(0o600)
      expect((await stat(join(file, '..'))).mode & 0o777).toBe(0o700)
      expect(await readFile(join(folder, 'seen.html'), 'utf8')).toContain(`content="0;url=${url}"`)
    })
    await expect(readdir(join(file, '..'))).rejects.toThrow('ENOENT')
  })

  it('FL-106 on Windows is the program of the system, whatever lies in the folder', () => {
    vi.stubEnv('SystemRoot', 'D:\\Win')
    expect(opener('win32')[0]).toBe('D:\\Win\\System32\\rundll32.exe')
    vi.stubEnv('SystemRoot', undefined)
    expect(opener('win32')[0]).toBe('C:\\Windows\\System32\\rundll32.exe')
  })

  it('is not done unasked', async () => {
    await systemWith('echo > "$SEEN"')
    const server = await listen(answer(200))
    await shown([server.url], async (site) => {
      await ask(site, '/inspector')
    })
    await expect(stat(join(folder, 'seen'))).rejects.toThrow('ENOENT')
  })

  it.each([
    ['there is no such program', undefined],
    ['it fails', 'exit 3'],
  ])('when %s the person is told, and the page is served', async (_what, script) => {
    if (script === undefined) vi.stubEnv('PATH', folder)
    else await systemWith(script)
    const server = await listen(answer(200))
    const noted = deferred()
    const onNote = (text: string) => {
      if (text.includes('open the address yourself')) noted.resolve()
    }
    await shown(
      [server.url, '--open'],
      async (site) => {
        await noted.promise
        expect((await ask(site, '/inspector')).status).toBe(200)
      },
      { onNote },
    )
  })
})
