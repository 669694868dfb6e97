import { mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { Client } from 'mcp-bearer/client'
import { apiKeys, openKeyStore } from 'mcp-bearer/keys'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { protect as command } from '../../src/cli/commands/protect.ts'
import { terminal } from '../../src/cli/terminal.ts'
import { endAll, fixture, protect } from './protect-support.ts'
import { run } from './support.ts'

/** What `style` of a terminal writes. */
const styled = new RegExp(`${String.fromCharCode(27)}\\[\\d+m`, 'g')

let folder: string
let db: string
let key: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mcp-bearer-protect-'))
  db = join(folder, 'keys.db')
  const store = await openKeyStore(db)
  key = (await apiKeys({ store }).create({ name: 'ci', owner: 'bob', scopes: ['read'] })).key
  await store.close()
})
afterAll(async () => {
  await endAll()
  await rm(folder, { recursive: true })
})

/** Writes a file as editors do: beside it, and then in its place. */
async function write(name: string, content: object): Promise<string> {
  const path = join(folder, name)
  await writeFile(`${path}.new`, JSON.stringify(content))
  await rename(`${path}.new`, path)
  return path
}

describe('--check', () => {
  beforeEach(() => {
    vi.stubEnv('XDG_DATA_HOME', join(folder, 'nothing-yet'))
    vi.stubEnv('MCP_BEARER_DB', undefined)
  })
  afterEach(() => vi.unstubAllEnvs())

  it('says what would be served, and makes nothing', async () => {
    vi.stubEnv('UPSTREAM', 'sk-upstream-0123456789abcdef')
    const file = await write('good.json', {
      url: 'https://mcp.example.com/mcp?key=${UPSTREAM}',
      listen: ':9000',
      auth: {
        keys: db,
        jwks: 'https://id.example.com/jwks',
        issuer: 'https://id.example.com',
        audience: 'me',
      },
      upstream: { auth: 'env:UPSTREAM' },
      identity: { mode: 'jwt', keyFile: join(folder, 'not-yet.pem') },
      policy: { rules: [{ tools: ['read_*'] }], readOnly: true },
    })
    const { exit, out, err } = await run(command, ['--config', file, '--check'])
    expect([exit, err]).toEqual([0, ''])
    expect(out).toBe(
      [
        'Good. This would be served',
        '  at        http://127.0.0.1:9000/mcp',
        '  server    https://mcp.example.com/mcp',
        `  callers   API keys in ${db}; JWTs of https://id.example.com, keys from https://id.example.com/jwks`,
        '  policy    one rule, what no rule names is denied, read-only',
        '  identity  a signed header, mcp-identity; its key is at /.well-known/jwks.json',
      ].join('\n'),
    )
    expect((await run(command, ['--config', file, '--check', '--json'])).json()).toMatchObject({
      ok: true,
      url: 'http://127.0.0.1:9000/mcp',
      server: { kind: 'url', name: 'https://mcp.example.com/mcp' },
    })
    const { exit: plain, out: text } = await run(command, ['--check', '--', process.execPath, fixture])
    expect([plain, text]).toEqual([0, expect.stringContaining(join(folder, 'nothing-yet'))])
    expect((await readdir(folder)).sort()).toEqual(expect.not.arrayContaining(['not-yet.pem', 'nothing-yet']))
  })

  it('the command line wins over the file', async () => {
    const file = await write('base.json', { listen: ':9000', command: ['no-such-program'], log: 'json' })
    const words = ['--config', file, '--listen', '[::1]:9001', '--check', '--json', '--keys', db]
    expect((await run(command, [...words, '--', process.execPath])).json()).toMatchObject({
      url: 'http://[::1]:9001/mcp',
      server: { kind: 'command', name: process.execPath },
    })
  })

  it('finds everything that is wrong at once, and exits with 2', async () => {
    const words = [
      '--keys',
      join(folder, 'missing.db'),
      '--upstream-auth',
      'env:NOT_SET',
      '--listen',
      'nowhere',
    ]
    const { exit, err } = await run(command, ['http://127.0.0.1:1/mcp', ...words, '--check'])
    expect(exit).toBe(2)
    expect(err).toContain('3 things are wrong')
    expect(err).toContain('--listen must be HOST:PORT')
    expect(err).toContain('the environment variable NOT_SET is not set')
    expect(err).toContain(`there is no key database ${join(folder, 'missing.db')}`)
  })

  it('on a screen with colours, too, and what a file calls something is nothing a terminal obeys', async () => {
    const file = await write('hostile.json', {
      command: [process.execPath, fixture],
      auth: { jwks: 'https://id.example.com/jwks', issuer: 'https://id.example.com/\u001b]0;owned\u0007' },
    })
    const screen = new PassThrough().setEncoding('utf8')
    const coloured = terminal(Object.assign(screen, { isTTY: true }), new PassThrough())
    vi.stubEnv('NO_COLOR', undefined)
    expect(await command.run(['--config', file, '--check'], coloured)).toBe(0)
    const shown = String(screen.read())
    expect(shown).not.toContain('\\x1b[2m')
    expect(shown.replace(styled, '')).toMatch(/^ {2}server {3,}\S/m)
    expect(shown.replace(styled, '')).not.toMatch(/(?!\n)\p{Cc}/u)
  })

  it('refuses a path that could not be served', async () => {
    const file = await write('path.json', { url: 'http://127.0.0.1:1/mcp', path: '/a b' })
    const { exit, err } = await run(command, ['--config', file, '--check'])
    expect([exit, err]).toEqual([2, expect.stringContaining('path must begin with "/"')])
  })

  it('tells where a file is wrong, as JSON when asked', async () => {
    const path = join(folder, 'bad.yaml')
    await writeFile(path, 'listen: ":9000"\npolcy: {}\n')
    const { exit, json } = await run(command, ['--config', path, '--check', '--json'])
    expect(exit).toBe(2)
    expect(json()).toMatchObject({ error: { code: 'usage', message: expect.stringMatching(/2:1.*polcy/s) } })
  })

  it.each<[string, string[], RegExp]>([
    ['nothing to protect', [], /which server\?/],
    ['a command without dashes', ['npx', '-y', 'server'], /a command stands after --/],
    ['a password in the URL', ['http://me:hunter2@localhost/mcp'], /no user name or password/],
    ['a key in the URL', ['https://a.example/mcp?api_key=hunter2'], /the URL holds a credential, api_key/],
    ['two servers', ['http://localhost/mcp', '--', 'node'], /and not both/],
    ['no program of that name', ['--', 'no-such-program-here'], /is not in any folder of PATH/],
    [
      'a token where its place belongs',
      ['http://localhost/mcp', '--upstream-auth', 'hunter2'],
      /env:NAME, file:PATH/,
    ],
    [
      'an issuer without its keys',
      ['http://localhost/mcp', '--issuer', 'https://a.example'],
      /add --jwks discover/,
    ],
    ['introspection by nobody', ['http://localhost/mcp', '--introspect', 'https://a.example/i'], /who asks/],
    ['an identity that cannot arrive', ['--identity', 'jwt', '--', 'node'], /told with --identity env/],
    ['a variable that is not set', ['--env', 'NOT_SET_AT_ALL', '--', 'node'], /NOT_SET_AT_ALL/],
    ['an option of the other kind', ['http://localhost/mcp', '--cwd', '/'], /is for a command/],
    ['an unknown option', ['http://localhost/mcp', '--tokn', 'x'], /--tokn/],
    ['a port out of range', ['http://localhost/mcp', '--listen', ':70000'], /--listen must be/],
    ['an address that is none', ['http://localhost/mcp', '--resource', 'me'], /--resource must be the URL/],
    ['keys that are nowhere', ['http://localhost/mcp', '--jwks', 'me'], /: --jwks must be an absolute URL$/],
    ['no name of a variable', ['--env', '=hunter2', '--', process.execPath], /: --env must be a name/],
    ['no scope', ['http://localhost/mcp', '--required-scope', 'a b'], /: --required-scope must hold scopes/],
  ])('refuses %s, and repeats no secret', async (_what, words, message) => {
    const [first = '--', ...others] = words
    const { exit, err } = await run(
      command,
      first.startsWith('-') ? ['--check', ...words] : [first, '--check', ...others],
    )
    expect([exit, err]).toEqual([2, expect.stringMatching(message)])
    expect(err).not.toContain('hunter2')
  })

  it('warns of what is seen on the command line, and of a door that is open to others', async () => {
    const words = [
      '--listen',
      '0.0.0.0:8000',
      '--metrics',
      '0.0.0.0:9464',
      '--env',
      'API_TOKEN=hunter2-of-the-server',
    ]
    const header = await run(command, [
      'http://127.0.0.1:1/mcp',
      '--check',
      '--upstream-header',
      'X-Api-Key: hunter2-in-a-header',
    ])
    const { exit, err } = await run(command, [...words, '--check', '--', process.execPath])
    expect([exit, header.exit]).toEqual([0, 0])
    expect(header.err).toContain('the header X-Api-Key on the command line can be seen')
    expect(err).toContain('the variable API_TOKEN on the command line can be seen')
    expect(err).toContain('tokens cross the network in the clear: put a proxy with TLS in front')
    expect(err).toContain('whoever reaches 0.0.0.0:9464 can read the metrics')
    expect(err + header.err).not.toContain('hunter2')
    const behindProxy = [...words.slice(0, 2), '--resource', 'https://mcp.example.com/mcp']
    expect((await run(command, [...behindProxy, '--check', '--', process.execPath])).err).toBe('')
  })
})

it('--schema prints a JSON Schema', async () => {
  const { exit, json } = await run(command, ['--schema'])
  expect([exit, json()]).toEqual([0, expect.objectContaining({ type: 'object' })])
})

it('a policy is reloaded when its file changes, a bad one is not, and streams stay open', async () => {
  const base = { listen: ':0', log: 'json', auth: { keys: db }, command: [process.execPath, fixture] }
  const echoOnly = { rules: [{ who: { scopes: ['read'] }, tools: ['echo'] }] }
  const both = { rules: [{ tools: ['echo', 'wait'] }] }
  const file = await write('gateway.json', { ...base, policy: both })
  const gateway = protect(['--config', file, '--json'], {})
  const { url } = await gateway.started()
  const names = async () => {
    await using client = new Client(url, { auth: key })
    return (await client.listTools()).map(({ name }) => name).sort()
  }
  expect(await names()).toEqual(['echo', 'wait'])

  const waited = join(folder, 'waited')
  await using holder = new Client(url, { auth: key })
  let open: ReturnType<Client['callTool']> | undefined
  await new Promise<void>((began) => {
    open = holder.callTool('wait', { file: waited }, { onProgress: () => began() })
  })
  await write('gateway.json', { ...base, policy: { rules: [{ tools: ['echo', 'pid'] }] } })
  await gateway.said(/"event":"policy_reloaded"/)
  expect(await names()).toEqual(['echo', 'pid'])

  await writeFile(file, '{ "policy": { "rules": [ { "tools": "*" ] }')
  await gateway.said(/"event":"reload_failed","message":"the policy stays as it was: [^"]+/)
  expect(await names()).toEqual(['echo', 'pid'])

  // Half a file: without a policy everybody may do everything.
  await write('gateway.json', base)
  await gateway.said(
    /"event":"reload_failed","message":"the policy stays as it was: the file has none any more/,
  )
  expect(await names()).toEqual(['echo', 'pid'])

  await write('gateway.json', { ...base, log: 'text', policy: echoOnly })
  await gateway.said(/log changed in \S+: takes effect after a restart/)
  expect(await names()).toEqual(['echo'])
  gateway.child.kill('SIGHUP')
  expect(await names()).toEqual(['echo'])
  // What was allowed when it began is still under way.
  await writeFile(waited, '')
  expect((await open)?.content).toEqual([{ type: 'text', text: 'seen' }])
  expect(gateway.err).not.toContain(key.slice(-20))
  gateway.child.kill('SIGTERM')
  expect((await gateway.ended).code).toBe(0)
})
