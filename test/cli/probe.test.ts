import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { probe } from '../../src/cli/commands/probe.ts'
import { authExitCodes, exitCode, interruptedExit, probeExitCodes } from '../../src/cli/exit-codes.ts'
import { secretsOf } from '../../src/core/index.ts'
import { findingTexts } from '../../src/inspector/probe/finding-texts.ts'
import type { ProbeReport } from '../../src/inspector/probe/probe-report.ts'
import { probeChecks } from '../../src/inspector/probe.ts'
import { answer, closeServers, listen } from '../client/servers.ts'
import { type Parts, refusal, type WeakServer, weakServer } from '../inspector/weak/weak-server.ts'
import { type Person, type Ran, run } from './support.ts'

let folder: string
const open: WeakServer[] = []

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'probe-'))
})

afterEach(async () => {
  vi.unstubAllEnvs()
  vi.restoreAllMocks()
  for (const server of open.splice(0)) await server.close()
  await closeServers()
  await rm(folder, { recursive: true, force: true })
})

/** A server, whose token is in MCP_TOKEN. */
async function weak(broken: Partial<Parts> = {}): Promise<WeakServer> {
  const server = await weakServer(broken)
  open.push(server)
  vi.stubEnv('MCP_TOKEN', server.token)
  return server
}
const auth = ['--auth', 'env:MCP_TOKEN']

/** Broken so that the worst finding is of each severity. */
const minor: Partial<Parts> = {
  refuse: (why, asked) => refusal(why === 'none' ? 'bad' : why, asked),
}
const serious: Partial<Parts> = { refuse: () => ({ status: 403 }) }
const critical: Partial<Parts> = { isGuarded: () => false }

/** The token, and its parts, in nothing that was shown. */
function expectNoToken({ out, err, progress }: Ran, token: string, ...more: string[]): void {
  for (const secret of secretsOf(token)) {
    for (const text of [out, err, ...progress, ...more]) expect(text).not.toContain(secret)
  }
}

describe('mcp-bearer probe', () => {
  it('says that nothing was found', async () => {
    const { url, token } = await weak()
    const ran = await run(probe, [url, ...auth])
    expect([ran.exit, ran.err]).toEqual([exitCode.ok, ''])
    expect(ran.out).toMatch(/^weak 1\.0\.0 at http:/)
    expect(ran.out).toContain('Nothing found.')
    expectNoToken(ran, token)
  })

  it('shows how far it is', async () => {
    const { url } = await weak()
    const { progress } = await run(probe, [url, ...auth])
    expect(progress).toEqual(
      probeChecks.map(({ title }, at) => `check ${at + 1} of ${probeChecks.length}: ${title}`.slice(0, 78)),
    )
  })

  it('shows a finding, what was seen and what to do', async () => {
    const { url, token } = await weak(critical)
    const ran = await run(probe, [url, ...auth])
    expect(ran.exit).toBe(probeExitCodes.critical)
    const { title, demand, fix, citation } = findingTexts['no-authentication']
    for (const text of ['CRITICAL  no-authentication', title, demand, fix, citation.url])
      expect(ran.out).toContain(text)
    expect(ran.out).toMatch(/^ {4}> POST \/mcp$/m)
    expect(ran.out).toMatch(/^ {4}< HTTP 200$/m)
    expect(ran.out).not.toContain('All checks')
    expectNoToken(ran, token)
    const verbose = await run(probe, [url, ...auth, '--verbose'])
    expect(verbose.out).toContain('All checks')
    expect(verbose.out).toMatch(/^ {4}< content-type: application\/json$/m)
    expectNoToken(verbose, token)
  })

  it.each([
    ['minor', minor, [], 30],
    ['minor', minor, ['--fail-on', 'note'], 30],
    ['minor', minor, ['--fail-on', 'serious'], 0],
    ['serious', serious, [], 31],
    ['serious', serious, ['--fail-on', 'serious'], 31],
    ['serious', serious, ['--fail-on', 'critical'], 0],
    ['critical', critical, [], 32],
    ['critical', critical, ['--fail-on', 'critical'], 32],
  ] as const)('the exit code of a %s finding, %#', async (severity, broken, words, exit) => {
    const { url } = await weak(broken)
    const ran = await run(probe, [url, ...auth, '--json', ...words])
    expect(ran.exit).toBe(exit)
    expect((ran.json() as ProbeReport).worst).toBe(severity)
  })

  it('prints the report as JSON, and nothing beside it', async () => {
    const { url, token } = await weak(critical)
    const ran = await run(probe, [url, ...auth, '--json'])
    expect(ran.err).toBe('')
    const report = ran.json() as ProbeReport
    expect(report).toMatchObject({ url, withToken: true, worst: 'critical' })
    expect(report.findings.map(({ code }) => code)).toContain('no-authentication')
    expect(report.checks.map(({ id }) => id)).toEqual(probeChecks.map(({ id }) => id))
    expectNoToken(ran, token)
  })

  it('writes the report as HTML as well, over one of before, and says where', async () => {
    const { url, token } = await weak(critical)
    const file = join(folder, 'report.html')
    await writeFile(file, 'of before')
    const ran = await run(probe, [url, ...auth, '--html', file])
    expect(ran.exit).toBe(probeExitCodes.critical)
    expect(ran.err).toBe(`mcp-bearer: the report is in ${file}`)
    expect(ran.out).toContain('CRITICAL')
    const html = await readFile(file, 'utf8')
    expect(html).toMatch(/^<!doctype html>/)
    expect(html).toContain(findingTexts['no-authentication'].fix.split('`')[0])
    expectNoToken(ran, token, html)
  })

  it('asks before it probes whether the report can be written', async () => {
    const { url } = await listen(answer(500))
    for (const file of [folder, join(folder, 'no', 'report.html'), '']) {
      const ran = await run(probe, [url, '--html', file])
      expect(ran.exit).toBe(exitCode.usage)
      expect(ran.err).toContain('--html')
    }
  })

  it('makes only the checks it is told', async () => {
    const { url } = await weak(critical)
    const [first] = probeChecks
    const ran = await run(probe, [url, '--only', first!.id, '--json'])
    expect((ran.json() as ProbeReport).checks.map(({ id }) => id)).toEqual([first!.id])
    const unknown = await run(probe, [url, '--only', 'no-such-check'])
    expect(unknown.exit).toBe(exitCode.usage)
    expect(unknown.err).toContain('no-such-check')
  })

  it('without a token leaves out what needs one, and says so', async () => {
    const { url } = await weak()
    const { exit, out } = await run(probe, [url])
    expect(exit).toBe(exitCode.ok)
    expect(out).toMatch(/^Not looked at: .*token/m)
  })
})

describe('where the token of a probe comes from', () => {
  it.each([
    ['a variable', () => 'env:MCP_TOKEN', {}],
    ['a file', (token: string) => fileOf(token), {}],
    ['standard input', () => '-', { input: true }],
  ] as const)('FL-106 from %s it is on no command line, and nothing warns', async (_from, where, how) => {
    const { url, token } = await weak()
    const person: Person = 'input' in how ? { input: `${token}\n` } : {}
    const argv = [url, '--auth', await where(token), '--json']
    expect(argv.join(' ')).not.toContain(token)
    const ran = await run(probe, argv, person)
    expect([ran.exit, ran.err]).toEqual([exitCode.ok, ''])
    expect((ran.json() as ProbeReport).withToken).toBe(true)
  })

  it('FL-106 on the command line it is warned of', async () => {
    const { url, token } = await weak()
    const ran = await run(probe, [url, '--auth', token])
    expect(ran.exit).toBe(exitCode.ok)
    expect(ran.err).toContain('warning: a token on the command line can be seen')
    expectNoToken(ran, token)
  })

  it('from the configuration that names the server', async () => {
    const { url } = await weak()
    const file = join(folder, 'mcp.json')
    const servers = {
      a: { url, auth: { env: 'MCP_TOKEN' } },
      b: { url: `\${MCP_URL}`, headers: { authorization: 'Bearer $' + '{MCP_TOKEN}' } },
      c: { url },
      d: { command: 'node' },
    }
    vi.stubEnv('MCP_URL', url)
    await writeFile(file, JSON.stringify({ mcpServers: servers }))
    for (const [name, withToken] of [
      ['a', true],
      ['b', true],
      ['c', false],
    ] as const) {
      const ran = await run(probe, [name, '--config', file, '--json'])
      expect(ran.exit, ran.out).toBe(exitCode.ok)
      expect(ran.json()).toMatchObject({ url, withToken })
    }
    for (const name of ['d', 'e']) {
      const ran = await run(probe, [name, '--config', file])
      expect(ran.exit).toBe(exitCode.usage)
      expect(ran.err).toContain(name)
    }
  })

  it('where there is none says so, and sends nothing', async () => {
    const { url, requests } = await listen(answer(500))
    const ran = await run(probe, [url, '--auth', 'env:MCP_NO_SUCH'])
    expect(ran.exit).toBe(exitCode.usage)
    expect(ran.err).toContain('MCP_NO_SUCH')
    const silent = await run(probe, [url, '--auth', 'command:node --eval 0'])
    expect(silent.exit).toBe(authExitCodes.token_unavailable)
    expect(requests).toEqual([])
  })

  async function fileOf(token: string): Promise<string> {
    const file = join(folder, 'token')
    await writeFile(file, `${token}\n`, { mode: 0o600 })
    return `file:${file}`
  }
})

describe('what cannot be probed', () => {
  it('a server that is not there', async () => {
    const ran = await run(probe, ['http://127.0.0.1:9/mcp', '--html', join(folder, 'r.html'), '--json'])
    expect(ran.exit).toBe(exitCode.failed)
    expect(ran.json()).toMatchObject({
      error: { code: 'failed', message: expect.stringContaining('127.0.0.1:9') },
    })
    expect(existsSync(join(folder, 'r.html'))).toBe(false)
  })

  it('a server that does not answer', async () => {
    const { url } = await listen(() => {})
    const ran = await run(probe, [url, '--timeout', '0.2'])
    expect(ran.exit).toBe(exitCode.failed)
    expect(ran.err).toMatch(/^mcp-bearer: .*0\.2 second/)
  })

  it('something that is no MCP server is said to be none', async () => {
    const { url } = await listen(answer(404, { 'content-type': 'text/html' }, '<h1>Not found</h1>'))
    const ran = await run(probe, [url])
    expect(ran.out + ran.err).toMatch(/MCP/)
    expect(ran.exit).not.toBe(exitCode.ok)
  })

  it('E-06 a token does not go over plain http to another machine', async () => {
    vi.stubEnv('MCP_TOKEN', 'token-0123456789')
    const ran = await run(probe, ['http://mcp.example.com/mcp', ...auth])
    expect(ran.exit).toBe(exitCode.usage)
    expect(ran.err).toContain('https')
  })

  it.each([
    [[], /which server/],
    [['http://127.0.0.1:9/mcp', 'more'], /too many words/],
    [
      ['http://127.0.0.1:9/mcp', '--fail-on', 'bad'],
      /--fail-on must be one of critical, serious, minor, note/,
    ],
    [['http://127.0.0.1:9/mcp', '--timeout', 'x'], /--timeout/],
    [['http://127.0.0.1:9/mcp', '--timeout', '0.01'], /--timeout must be from 0.1 to 120 seconds/],
    [['http://127.0.0.1:9/mcp', '--timeout', '121'], /--timeout must be from 0.1 to 120 seconds/],
    [['http://127.0.0.1:9/mcp', '--config', 'mcp.json'], /--config/],
    [['http://127.0.0.1:9/mcp', '--colour'], /colour/],
    [['http://'], /URL/],
  ])('words that make no sense: %j', async (argv, message) => {
    const ran = await run(probe, argv)
    expect([ran.exit, ran.out]).toEqual([exitCode.usage, ''])
    expect(ran.err).toMatch(message)
  })

  it('Ctrl-C ends it, and no report is written', async () => {
    const { url } = await weak()
    const person = new AbortController()
    const file = join(folder, 'r.html')
    const ran = await run(probe, [url, ...auth, '--html', file], {
      ctrlC: person.signal,
      onProgress: (text) => {
        if (text.startsWith('check 3 ')) person.abort(new Error('Interrupted'))
      },
    })
    expect([ran.exit, ran.out, ran.err]).toEqual([interruptedExit, '', 'mcp-bearer: Interrupted'])
    // At once, and not after the last check.
    expect(ran.progress.length).toBeLessThan(10)
    expect(existsSync(file)).toBe(false)
  })
})

describe('a person', () => {
  it.each([
    'localhost:3000/mcp',
    '127.0.0.1:3000',
    'mcp.example.com/mcp',
    'ftp://mcp.example.com/mcp',
    '[::1]:3000',
  ])('who leaves the scheme out is told: %s', async (target) => {
    const ran = await run(probe, [target])
    expect(ran.exit).toBe(exitCode.usage)
    expect(ran.err).toContain('begins with http:// or https://')
  })

  it('is not told that all is well where nothing could be looked at', async () => {
    const { url } = await weak({ early: () => ({ status: 429, headers: { 'retry-after': '600' } }) })
    const ran = await run(probe, [url, ...auth])
    expect([ran.exit, ran.err]).toEqual([exitCode.failed, ''])
    expect(ran.out).toContain('Nothing was looked at.')
  })
})

describe('mcp-bearer probe --list', () => {
  it('names every check and every finding with its severity', async () => {
    const { exit, out } = await run(probe, ['--list'])
    expect(exit).toBe(exitCode.ok)
    for (const { id, title } of probeChecks)
      expect(out).toMatch(new RegExp(`^${id} +${escaped(title)}$`, 'm'))
    for (const [code, { severity, title }] of Object.entries(findingTexts)) {
      expect(out).toMatch(new RegExp(`^${severity} +${code} +${escaped(title)}$`, 'm'))
    }
    const { json } = await run(probe, ['--list', '--json'])
    expect(json()).toMatchObject({
      checks: probeChecks.map(({ id, title }) => ({ id, title })),
      findings: expect.arrayContaining([
        expect.objectContaining({ code: 'no-authentication', severity: 'critical' }),
      ]),
    })
  })
})

it('the help says what every exit code means', () => {
  for (const [severity, code] of Object.entries(probeExitCodes))
    expect(probe.help).toContain(`${code} ${severity}`)
})

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
}
