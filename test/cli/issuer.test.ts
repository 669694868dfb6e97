import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { issuer } from '../../src/cli/commands/issuer.ts'
import { type Ran, run } from './support.ts'
import { cli } from './token-support.ts'

const posix = process.platform !== 'win32'
let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mcp-bearer-issuer-'))
})
afterEach(async () => {
  vi.unstubAllEnvs()
  vi.useRealTimers()
  await rm(folder, { recursive: true })
})
const file = () => join(folder, 'issuer.pem')

interface Facts {
  readonly issuer: string
  readonly jwksUri: string
  readonly key: string
  readonly isNew: boolean
  readonly kid: string
  readonly algorithm: string
}

interface Running {
  readonly facts: Facts
  /** Ctrl-C, and what came of it all. */
  stop(): Promise<Ran>
  kids(): Promise<string[]>
  /** Asks for a new key, and waits until it is published. */
  rotate(): Promise<string>
}

/** The issuer, running in this process. */
async function start(...argv: string[]): Promise<Running> {
  const ctrlC = new AbortController()
  let ran: Promise<Ran> | undefined
  const first = await new Promise<string>((resolve, reject) => {
    ran = run(issuer, ['--port', '0', '--key', file(), '--json', ...argv], {
      ctrlC: ctrlC.signal,
      onLine: resolve,
    })
    ran.then(({ err, out }) => reject(new Error(`it ended: ${err}${out}`)), reject)
  })
  onTestFinished(() => ctrlC.abort())
  const facts = JSON.parse(first) as Facts
  const kids = async () => {
    const { keys } = (await (await fetch(facts.jwksUri)).json()) as { keys: { kid: string }[] }
    return keys.map(({ kid }) => kid)
  }
  return {
    facts,
    kids,
    stop: () => {
      ctrlC.abort()
      return ran!
    },
    async rotate() {
      const [before] = await kids()
      process.emit('SIGUSR2')
      await vi.waitUntil(async () => (await kids())[0] !== before, { timeout: 10_000 })
      return (await kids())[0]!
    },
  }
}

async function token(local: Running): Promise<string> {
  const ran = await cli(['mint', '--key', file(), '--issuer', local.facts.issuer, '--audience', 'me'])
  expect(ran.exit, ran.err).toBe(0)
  return ran.out
}

const verdict = async (text: string, local: Running) =>
  (await cli(['verify', '-', '--issuer', local.facts.issuer, '--audience', 'me'], { input: text })).exit

describe('mcp-bearer issuer', () => {
  it('makes a key for its owner alone, and publishes it where servers look for it', async () => {
    const local = await start('--algorithm', 'ES256')
    expect(local.facts).toMatchObject({ key: file(), isNew: true, algorithm: 'ES256' })
    expect(local.facts.issuer).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
    if (posix) expect((await stat(file())).mode & 0o777).toBe(0o600)
    expect(await readdir(folder)).toEqual(['issuer.pem'])
    expect(await local.kids()).toEqual([local.facts.kid])
    expect(await verdict(await token(local), local)).toBe(0)
    expect((await fetch(`${local.facts.issuer}/token`, { method: 'POST' })).status).toBe(404)
    const ended = await local.stop()
    expect([ended.exit, ended.err]).toEqual([0, ''])
    await expect(fetch(local.facts.jwksUri)).rejects.toThrow()
  })

  it('has the same key after a restart, so that tokens go on working', async () => {
    const first = await start()
    const port = new URL(first.facts.issuer).port
    const made = await token(first)
    await first.stop()
    const again = await start('--port', port)
    expect(again.facts).toEqual({ ...first.facts, isNew: false })
    expect(await verdict(made, again)).toBe(0)
  })

  it('FL-54 publishes old and new key after a rotation, also after a restart; twice ends the old tokens', async () => {
    const local = await start('--algorithm', 'EdDSA')
    const [first] = await local.kids()
    const old = await token(local)
    const second = await local.rotate()
    expect(await local.kids()).toEqual([second, first])
    const fresh = await token(local)
    expect([await verdict(old, local), await verdict(fresh, local)]).toEqual([0, 0])
    if (posix) expect((await stat(file())).mode & 0o777).toBe(0o600)
    expect((await local.stop()).err).toContain(`New key ${second}; tokens of ${first} stay good`)

    const again = await start('--port', new URL(local.facts.issuer).port)
    expect(await again.kids()).toEqual([second, first])
    expect([await verdict(old, again), await verdict(fresh, again)]).toEqual([0, 0])
    const third = await again.rotate()
    expect(await again.kids()).toEqual([third, second])
    expect([await verdict(old, again), await verdict(fresh, again)]).toEqual([11, 0])
  })

  it('rotates by itself, until it is stopped', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
    const local = await start('--algorithm', 'ES256', '--rotate-every', '1h')
    const [first] = await local.kids()
    vi.advanceTimersByTime(3_599_000)
    expect(await local.kids()).toEqual([first])
    vi.advanceTimersByTime(1000)
    await vi.waitUntil(async () => (await local.kids()).length === 2, { timeout: 10_000 })
    await local.stop()
    expect(vi.getTimerCount()).toBe(0)
    expect(process.listenerCount('SIGUSR2')).toBe(0)
  })

  it('keeps its key when the new one cannot be written, and says so', async () => {
    const local = await start('--algorithm', 'ES256')
    await rm(folder, { recursive: true })
    process.emit('SIGUSR2')
    const { err } = await local.stop()
    expect(err).toContain('cannot be written (ENOENT): the key stays as it is')
    folder = await mkdtemp(join(tmpdir(), 'mcp-bearer-issuer-'))
  })

  it('two that start at once have one key', async () => {
    const both = await Promise.all([start('--algorithm', 'EdDSA'), start('--algorithm', 'EdDSA')])
    expect(both[0].facts.kid).toBe(both[1].facts.kid)
    expect(both.map(({ facts }) => facts.isNew).sort()).toEqual([false, true])
    expect(await readdir(folder)).toEqual(['issuer.pem'])
  })

  it('prints lines to paste, says what it is for, and shows nothing of the key', async () => {
    const ctrlC = new AbortController()
    const ran = await run(
      issuer,
      ['--port', '0', '--key', file(), '--algorithm', 'PS256', '--rotate-every', '10m'],
      {
        ctrlC: ctrlC.signal,
        onLine: (text) => {
          if (text.startsWith('A new key')) ctrlC.abort()
        },
      },
    )
    expect(ran.exit).toBe(0)
    const local = /issuer +(http:\S+)/.exec(ran.out)![1]!
    expect(ran.out).toContain('for development, on this machine only')
    expect(ran.out).toContain(
      `mcp-bearer token mint --key ${file()} --algorithm PS256 --expires-in 600s --issuer ${local} --audience my-server`,
    )
    expect(ran.out).toMatch(
      /mcp-bearer protect --jwks http\S+ --issuer \S+ --audience my-server --algorithm PS256 -- npx/,
    )
    expect(ran.out).toContain(`kill -USR2 ${process.pid}`)
    expect(ran.out + ran.err).not.toContain((await readFile(file(), 'utf8')).split('\n')[1])
    expect(issuer.help).toContain('For development and tests')
    expect(issuer.help).toContain('no token endpoint')
  })

  it('keeps its key in the data folder of the user when no file is named', async () => {
    for (const name of ['XDG_DATA_HOME', 'LOCALAPPDATA', 'HOME']) vi.stubEnv(name, folder)
    const ctrlC = new AbortController()
    const ran = await run(issuer, ['--port', '0', '--algorithm', 'EdDSA', '--json'], {
      ctrlC: ctrlC.signal,
      onLine: () => ctrlC.abort(),
    })
    const { key } = ran.json() as Facts
    expect(key.startsWith(folder)).toBe(true)
    if (!posix) return
    expect((await stat(key)).mode & 0o777).toBe(0o600)
    expect((await stat(dirname(key))).mode & 0o777).toBe(0o700)
  })

  it('does not start with words, a port or a key it cannot use', async () => {
    const local = await start('--algorithm', 'ES256')
    const wrong = async (...argv: string[]) => {
      const ran = await run(issuer, ['--port', '0', '--key', file(), ...argv])
      expect([ran.exit, ran.out]).toEqual([2, ''])
      return ran.err
    }
    const { port } = new URL(local.facts.issuer)
    expect(await wrong('--port', port)).toContain(`port ${port} is taken`)
    expect(await wrong('--port', '70000')).toContain('--port must be')
    expect(await wrong('--port', '1e3')).toContain('--port must be')
    expect(await wrong('--rotate-every', '59s')).toContain('--rotate-every must be')
    expect(await wrong('--rotate-every', '30d')).toContain('--rotate-every must be')
    expect(await wrong('--algorithm', 'RS256')).toContain('this key signs with ES256')
    expect(await wrong('--algorithm', 'none')).toContain('--algorithm must be one of')
    expect(await wrong('--key', folder)).toContain('is not a file')
    await writeFile(join(folder, 'empty.pem'), '')
    expect(await wrong('--key', join(folder, 'empty.pem'))).toContain('not a readable private key')
    if (posix) {
      await chmod(file(), 0o644)
      expect(await wrong('--port', port)).toContain('others on this machine can read the private key')
    }
  })
})
