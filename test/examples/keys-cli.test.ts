import { spawn } from 'node:child_process'
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { main } from './demo.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mcp-bearer-keys-cli-'))
})
afterEach(async () => {
  await rm(folder, { recursive: true })
})

interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs `mcp-bearer keys` with nothing in its environment but a database and what is given. */
function keys(argv: readonly string[], input = '', env: Record<string, string> = {}): Promise<Ended> {
  const child = spawn(process.execPath, [main, 'keys', ...argv], {
    cwd: folder,
    env: { PATH: process.env.PATH ?? '', MCP_BEARER_DB: 'keys.db', ...env },
  })
  const output = { stdout: '', stderr: '' }
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream].setEncoding('utf8').on('data', (text: string) => {
      output[stream] += text
    })
  }
  child.stdin.on('error', () => {})
  child.stdin.end(input)
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, ...output })))
}

const words = (text: string) => text.split(' ')

describe('the built mcp-bearer keys', () => {
  it('creates, pipes, lists, rotates and revokes in a file that only its owner can read', async () => {
    const made = await keys(
      words('create --name ci --owner service:build --scope reports:read --expires 90d --quiet'),
    )
    const key = made.stdout.trimEnd()
    const id = key.split('_')[2] ?? ''
    expect(made).toEqual({
      code: 0,
      stdout: expect.stringMatching(/^mcpk_live_[0-9A-Za-z]{12}_[0-9A-Za-z]{38}\n$/),
      stderr: `Key ${id} (ci); it is not shown again.\n`,
    })
    expect((await stat(join(folder, 'keys.db'))).mode & 0o777).toBe(
      process.platform === 'win32' ? 0o666 : 0o600,
    )

    const piped = await keys(['check', '-'], made.stdout)
    expect(piped).toMatchObject({ code: 0, stderr: '', stdout: expect.stringContaining(id) })

    const rotated = await keys(['rotate', id, '--grace', '12h', '--json'])
    const next = JSON.parse(rotated.stdout) as { key: string; apiKey: { id: string } }
    expect([rotated.code, rotated.stderr]).toEqual([0, ''])

    const leaked = await keys(['revoke', '--leaked', '-'], next.key)
    expect(leaked).toMatchObject({ code: 0, stderr: '' })
    const listed = await keys(['list'])
    expect(listed.stdout).toMatch(
      new RegExp(`^${id} +ci +service:build +grace +reports:read +in 12 h +never$`, 'm'),
    )
    expect(listed.stdout).toMatch(new RegExp(`^${next.apiKey.id} .* revoked `, 'm'))

    const audit = await keys(['audit', '--jsonl'])
    const events = audit.stdout.trimEnd().split('\n')
    expect(events.map((line) => (JSON.parse(line) as { event: string }).event)).toEqual([
      'key.create',
      'key.rotate',
      'key.create',
      'key.leak_reported',
    ])
    expect(await keys(['audit', '--verify'])).toMatchObject({ code: 0, stderr: '' })
    const everything = JSON.stringify([piped, leaked, listed, audit])
    for (const secret of [key.slice(-38), next.key.slice(-38)]) expect(everything).not.toContain(secret)
  })

  it('asks nobody who is not there, and changes nothing', async () => {
    await keys(words('create --name a --owner x --count 2 --quiet'))
    const refused = await keys(words('revoke --owner x'), 'yes\n')
    expect(refused).toMatchObject({ code: 2, stdout: '' })
    expect(refused.stderr).toContain('add --yes')
    const { stdout } = await keys(words('list --status active --json'))
    expect((JSON.parse(stdout) as { keys: object[] }).keys).toHaveLength(2)
    expect(await keys(words('revoke --owner x --yes'))).toMatchObject({ code: 0, stderr: '' })
  })

  it('two at once on a new database get a key each', async () => {
    const made = await Promise.all(
      Array.from({ length: 4 }, (_none, at) => keys(words(`create --name n${at} --owner x --quiet`))),
    )
    expect(made.map(({ code }) => code)).toEqual([0, 0, 0, 0])
    const { stdout } = await keys(words('list --json'))
    expect((JSON.parse(stdout) as { keys: object[] }).keys).toHaveLength(4)
  })

  it('ends with the exit code that says what is wrong', async () => {
    expect(await keys(['list'], '', { MCP_BEARER_DB: '' })).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringContaining('MCP_BEARER_DB'),
    })
    await keys(['migrate'])
    expect((await keys(['show', '000000000000'])).code).toBe(1)
    expect((await keys(['nothing'])).code).toBe(2)
    const down = await keys(['list', '--json'], '', { MCP_BEARER_DB: 'postgres://127.0.0.1:1/keys' })
    expect([down.code, down.stderr, JSON.parse(down.stdout)]).toMatchObject([
      21,
      '',
      { error: { code: 'verifier_unavailable' } },
    ])
  })

  it('explains itself, and each of its parts', async () => {
    const { code, stdout } = await keys(['--help'])
    expect([code, stdout]).toEqual([0, expect.stringContaining('Usage: mcp-bearer keys <subcommand>')])
    expect((await keys(['rotate', '--help'])).stdout).toContain('Usage: mcp-bearer keys rotate ID')
  })
})
