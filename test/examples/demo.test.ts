import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { main, run, startDemo } from './demo.ts'

interface Report {
  url: string
  inspector: string
  token: string
  adminToken: string
  key?: string
  keys: string
  calls: { title: string; status: number; client: string; sdk: string; ok: boolean }[]
}

/** The tests leave the data folder of whoever runs them alone. */
const inMemory = ['--db', 'memory:']

describe('mcp-bearer demo', () => {
  it('--once shows every outcome with its HTTP status and exits 0', async () => {
    const { stdout, stderr } = await run(process.execPath, [
      main,
      'demo',
      '--once',
      '--port',
      '0',
      ...inMemory,
    ])
    // Above the table stand a token and a curl line; neither belongs in the report of a failed test.
    const outcomes = stdout.slice(stdout.indexOf('Calls just made over HTTP'))
    for (const [title, status] of [
      ['no token', '401'],
      ['wrong scheme', '401'],
      ['expired token', '401'],
      ['wrong audience', '401'],
      ['tampered token', '401'],
      ['missing scope', '403'],
      ['valid token', '200'],
      ['API key', '200'],
      ['API key, mistyped', '401'],
      ['API key, replaced, in grace', '200'],
      ['API key, revoked', '401'],
    ]) {
      expect(outcomes).toMatch(new RegExp(`^ *${title} +\\w+ +${status} +.* yes$`, 'm'))
    }
    expect(outcomes).not.toMatch(/ NO$/m)
    // A page that is gone before anybody can open it.
    expect(stdout.includes('/inspector')).toBe(false)
    // Why, for the operator: with both values where two were compared, and nothing beside it on standard error.
    expect(outcomes).toMatch(/^ *wrong_audience +.* expected mcp-bearer-demo, found another-server$/m)
    for (const reason of ['expired', 'bad_signature', 'bad_checksum', 'revoked'])
      expect(outcomes).toMatch(new RegExp(`^ *${reason} `, 'm'))
    expect(stderr).toBe('')
  })

  it('--json says the same to a program', async () => {
    const { stdout } = await run(process.execPath, [
      main,
      'demo',
      '--once',
      '--port',
      '0',
      '--json',
      ...inMemory,
    ])
    const { calls, url, inspector, adminToken } = JSON.parse(stdout) as Report
    expect(inspector).toBe(new URL('/inspector', url).href)
    const claims = Buffer.from(adminToken.split('.')[1]!, 'base64url').toString()
    expect(JSON.parse(claims)).toMatchObject({ scope: 'reports:read reports:write keys:admin' })
    expect(calls).toHaveLength(13)
    expect(calls.every((call) => call.ok)).toBe(true)
    expect(calls.filter((call) => call.status === 200).map((call) => [call.client, call.sdk])).toEqual([
      ['ok', 'ok'],
      ['ok', 'ok'],
      ['ok', 'ok'],
      ['ok', 'ok'],
      ['ok', 'ok'],
    ])
  })

  it('prints a curl line that works as it stands, and keeps running until it is stopped', async () => {
    const demo = await startDemo()
    try {
      const { url, headers, body } = parseCurl(demo.curl)
      const response = await fetch(url, { method: 'POST', headers, body })
      expect(await response.json()).toMatchObject({ result: { structuredContent: { subject: 'alice' } } })
      expect(demo.printed.includes('"mcpServers"')).toBe(true)
      const page = /See it in a browser\n +(http:\S+)/.exec(demo.printed)?.[1] ?? 'nowhere'
      expect(page).toBe(new URL('/inspector', url).href)
      expect((await fetch(page)).status).toBe(200)
    } finally {
      demo.child.kill('SIGINT')
    }
    expect(await demo.closed).toBe(0)
  })

  it('falls back to a free port when the asked one is taken, and says so', async () => {
    const blocker = createServer()
    const port = await new Promise<number>((resolve) => {
      blocker.listen(0, '127.0.0.1', () => resolve((blocker.address() as { port: number }).port))
    })
    try {
      const { stdout } = await run(process.execPath, [
        main,
        'demo',
        '--once',
        '--port',
        String(port),
        ...inMemory,
      ])
      expect(stdout.split('\n')[0]).toContain(`Port ${port} is taken, so this is on port `)
    } finally {
      blocker.close()
    }
  })

  describe('its API keys', () => {
    const data = mkdtempSync(join(tmpdir(), 'mcp-bearer-data-'))
    afterAll(() => rmSync(data, { recursive: true }))
    const demo = async (...words: string[]) => {
      const env = { PATH: process.env.PATH, XDG_DATA_HOME: data, HOME: data, LOCALAPPDATA: data }
      return (await run(process.execPath, [main, 'demo', '--once', '--port', '0', ...words], { env })).stdout
    }

    it('stay in the data folder of the user, where nobody else reads them, and are shown once', async () => {
      const first = JSON.parse(await demo('--json')) as Report
      expect(first.key).toMatch(/^mcpk_live_/)
      expect(first.keys.startsWith(data)).toBe(true)
      expect(statSync(first.keys).mode & 0o077).toBe(0)
      const second = await demo()
      expect(second).toContain('API keys: there are some already')
      expect(second).toContain(`mcp-bearer keys list --db '${first.keys}'`)
      expect(second.includes(first.key!.slice(-38))).toBe(false)
      const listed = await run(process.execPath, [
        main,
        'keys',
        'list',
        '--db',
        first.keys,
        '--status',
        'active',
      ])
      expect(listed.stdout).toContain(first.key!.split('_')[2])
    })

    it('stay where they are told to', async () => {
      const db = join(data, 'elsewhere.db')
      expect((JSON.parse(await demo('--json', '--db', db)) as Report).keys).toBe(db)
      expect(statSync(db).isFile()).toBe(true)
    })
  })

  it('the command knows its version', async () => {
    const { stdout } = await run(process.execPath, [main, '--version'])
    expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/)
  })

  it.each([[['--port', 'x']], [['--nonsense']]])('explains words it does not know: %j', async (words) => {
    const failed = await run(process.execPath, [main, 'demo', ...words]).catch((error: unknown) => error)
    expect(failed).toMatchObject({ code: 2, stderr: expect.stringContaining('Usage: mcp-bearer demo') })
  })
})

/** What a POSIX shell and curl make of the line: words in single quotes, `-H` headers, `-d` body. */
function parseCurl(line: string): { url: string; headers: Record<string, string>; body: string } {
  const words = [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain!)
  const after = (flag: string) => words.flatMap((word, at) => (words[at - 1] === flag ? [word] : []))
  const headers = after('-H').map((header) => header.split(/: (.*)/s, 2) as [string, string])
  return {
    url: words.find((word) => word.startsWith('http'))!,
    headers: Object.fromEntries(headers),
    body: after('-d')[0]!,
  }
}
