import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type CommandTokenOptions, commandToken } from './command.ts'

const request = { url: 'https://mcp.example.com/mcp' }
const node = process.execPath
const secret = 'password-0123456789'
let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mcp-bearer-'))
})
afterEach(() => {
  vi.restoreAllMocks()
  rmSync(folder, { recursive: true, force: true })
})

/** A source whose command is a program in JavaScript. */
function running(program: string, options: CommandTokenOptions = {}, ...args: string[]) {
  return commandToken(node, ['-e', program, ...args], options)
}

/** A program that writes down its runs, and gives a token with their number. */
function counting() {
  const log = join(folder, 'log')
  const program = `
    const { appendFileSync, readFileSync } = require('node:fs')
    appendFileSync(process.argv[1], '.')
    console.log('sk-run-' + readFileSync(process.argv[1], 'utf8').length)
  `
  return {
    source: (options?: CommandTokenOptions) => running(program, options, log),
    runs: () => (existsSync(log) ? readFileSync(log, 'utf8').length : 0),
  }
}

const failureOf = async (work: Promise<string>): Promise<Error> =>
  work.then(
    () => expect.unreachable('did not fail'),
    (error) => error,
  )

describe('what it gives', () => {
  it('is what the command prints, cleaned', async () => {
    expect(await running(`console.log(' "Bearer sk-abc123" ')`).token(request)).toBe('sk-abc123')
  })

  it('is not expanded by a shell, and the command sees its arguments as they are', async () => {
    const args = ['$HOME', '`id`', '*', 'a b', '"', '; exit 9']
    const program = `console.log(Buffer.from(JSON.stringify(process.argv.slice(1))).toString('base64url'))`
    const token = await running(program, {}, ...args).token(request)
    expect(JSON.parse(Buffer.from(token, 'base64url').toString())).toEqual(args)
  })

  it('comes from the environment that is given, and no other', async () => {
    vi.stubEnv('OTHER', 'x')
    const program = `console.log(process.env.TOKEN + (process.env.OTHER ?? ''))`
    const source = running(program, { env: { TOKEN: 'sk-abc123', UNSET: undefined } })
    expect(await source.token(request)).toBe('sk-abc123')
    vi.unstubAllEnvs()
  })

  it('is kept for five minutes, or as long as one likes', async () => {
    let now = 0
    const { source, runs } = counting()
    const kept = source({ clock: () => now })
    expect(await kept.token(request)).toBe('sk-run-1')
    now = 299_999
    expect(await kept.token(request)).toBe('sk-run-1')
    now = 300_000
    expect(await kept.token(request)).toBe('sk-run-2')
    const always = source({ clock: () => now, maxAge: Infinity })
    await always.token(request)
    now = Number.MAX_SAFE_INTEGER
    expect(await always.token(request)).toBe('sk-run-3')
    expect(runs()).toBe(3)
  })

  it('is asked for again when the clock is set back', async () => {
    let now = 1_000_000
    const { source } = counting()
    const kept = source({ clock: () => now })
    await kept.token(request)
    now = 0
    expect(await kept.token(request)).toBe('sk-run-2')
  })

  it('is new for each request when nothing is kept', async () => {
    const source = counting().source({ maxAge: 0 })
    expect(await source.token(request)).toBe('sk-run-1')
    expect(await source.token(request)).toBe('sk-run-2')
  })

  it('E-21 is new after a refusal of what it gave last, and of nothing else', async () => {
    const source = counting().source()
    const first = await source.token(request)
    await source.refused?.('sk-other', { scopes: [] })
    expect(await source.token(request)).toBe(first)
    await source.refused?.(first, { scopes: [] })
    expect(await source.token(request)).toBe('sk-run-2')
    await source.refused?.(first, { scopes: [] })
    expect(await source.token(request)).toBe('sk-run-2')
  })

  it('E-55 is one run for all who wait, whoever gives up', async () => {
    const { source, runs } = counting()
    const shared = source()
    const gone = new AbortController()
    const mine = shared.token({ ...request, signal: gone.signal })
    const others = Array.from({ length: 20 }, () => shared.token(request))
    gone.abort(new Error('enough'))
    await expect(mine).rejects.toThrow('enough')
    expect(new Set(await Promise.all(others))).toEqual(new Set(['sk-run-1']))
    expect(runs()).toBe(1)
  })
})

describe('E-61 a command that fails is named with what happened, without arguments and output', () => {
  it.each([
    [
      'ended with exit code 3',
      `console.log(process.argv[1]); console.error(process.argv[1]); process.exit(3)`,
    ],
    ['was ended by SIGTERM', `console.log(process.argv[1]); process.kill(process.pid)`],
    ['gave something that is empty', ''],
    ['gave something that holds white space', `console.log('Hello ' + process.argv[1])`],
    ['gave something that holds a line break', `console.log(process.argv[1] + '\\n' + process.argv[1])`],
    ['gave something that is longer than 8192 characters', `console.log('a'.repeat(60000))`],
    [
      'wrote more than 65536 bytes',
      `process.stdout.write(process.argv[1].repeat(1e5)); setInterval(() => {}, 1e3)`,
    ],
  ])('%s', async (fault, program) => {
    const failure = await failureOf(running(program, {}, secret).token(request))
    expect(failure).toMatchObject({ name: 'AuthError', code: 'token_unavailable' })
    expect(failure.message).toContain(`No token: the command node ${fault}`)
    expect(inspect(failure, { showHidden: true, depth: Infinity })).not.toContain(secret)
  })

  it('one that is not there', async () => {
    const failure = await failureOf(commandToken('no-such-command-here', [secret]).token(request))
    expect(failure.message).toContain('the command no-such-command-here was not found')
    expect(inspect(failure, { showHidden: true, depth: Infinity })).not.toContain(secret)
  })

  it('one that is no program', async () => {
    const path = join(folder, 'program')
    writeFileSync(path, secret, { mode: 0o600 })
    const failure = await failureOf(commandToken(path, [secret]).token(request))
    expect(failure.message).toContain('the command program could not be started')
    expect(inspect(failure, { showHidden: true, depth: Infinity })).not.toContain(secret)
  })

  it('one with more arguments than the system takes', async () => {
    const args = Array.from({ length: 50 }, () => secret.repeat(10_000))
    const failure = await failureOf(commandToken(node, args).token(request))
    expect(failure.message).toContain('could not be started')
    expect(failure.message).not.toContain(secret)
  })

  it('and what it writes to standard error goes nowhere', async () => {
    const program = `
      const { fstatSync, statSync } = require('node:fs')
      console.log(fstatSync(2).rdev === statSync('/dev/null').rdev ? 'sk-dropped' : 'sk-shown')
    `
    expect(await running(program).token(request)).toBe('sk-dropped')
  })

  it('and the next request runs it again', async () => {
    const path = join(folder, 'token')
    const source = running(`console.log(require('node:fs').readFileSync(process.argv[1], 'utf8'))`, {}, path)
    await failureOf(source.token(request))
    writeFileSync(path, 'sk-abc123')
    expect(await source.token(request)).toBe('sk-abc123')
  })
})

describe('a command that does not end', () => {
  /** Asks for a token, and lets the time be over as soon as so many numbers of processes are written down. */
  async function outOfTime(program: string, count: number): Promise<readonly number[]> {
    const log = join(folder, 'pids')
    const pids = () =>
      existsSync(log) ? readFileSync(log, 'utf8').split(' ').filter(Boolean).map(Number) : []
    let timeIsOver = () => {}
    const timer = vi.spyOn(globalThis, 'setTimeout').mockImplementationOnce((callback) => {
      timeIsOver = callback
      return undefined as unknown as ReturnType<typeof setTimeout>
    })
    const failing = failureOf(running(program, { timeout: 1234 }, log).token(request))
    await vi.waitFor(() => expect(pids()).toHaveLength(count), 20_000)
    expect(timer).toHaveBeenCalledWith(expect.anything(), 1234)
    timer.mockRestore()
    timeIsOver()
    expect((await failing).message).toContain('did not end within 1234 milliseconds')
    return pids()
  }

  it('is stopped with all it has started', async () => {
    // A child that ignores polite signals and holds the output open, as servers do that a tool leaves behind.
    const pids = await outOfTime(
      `
      const { spawn } = require('node:child_process')
      process.on('SIGTERM', () => {})
      const child = spawn(process.execPath, ['-e', 'process.on("SIGTERM", () => {}); setInterval(() => {}, 1e3)'], { stdio: 'inherit' })
      require('node:fs').writeFileSync(process.argv[1], process.pid + ' ' + child.pid)
      setInterval(() => {}, 1e3)
      `,
      2,
    )
    await vi.waitFor(() => expect(pids.filter(isAlive)).toEqual([]), 20_000)
  })

  it('is stopped when what it leaves behind holds the output open', async () => {
    const pids = await outOfTime(
      `
      const { spawn } = require('node:child_process')
      const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1e3)'], { stdio: 'inherit' })
      console.log('sk-abc123')
      require('node:fs').writeFileSync(process.argv[1], String(child.pid))
      child.unref()
      `,
      1,
    )
    await vi.waitFor(() => expect(pids.filter(isAlive)).toEqual([]), 20_000)
  })
})

/** Whether a process runs. One that has ended and that nobody has asked about does not. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
  } catch {
    return false
  }
  const stat = `/proc/${pid}/stat`
  return !existsSync(stat) || !/\) [ZX] /.test(readFileSync(stat, 'utf8'))
}

it('is called by the name of its program', () => {
  expect(commandToken('/usr/bin/op', ['read', secret]).name).toBe('the command op')
})

describe('misuse is a TypeError that does not show the command', () => {
  it.each([
    ['command must be the name', '', []],
    ['command must be the name', undefined, []],
    ['command must be the name', 'a\0b', []],
    ['command must be a program only', `op read ${secret}`, []],
    ['args must be a list', 'op', secret],
    ['args must be a list', 'op', [secret, 7]],
    ['args must be a list', 'op', [`${secret}\0`]],
    ['unknown option "shell"', 'op', [], { shell: secret }],
    ['timeout must be a number', 'op', [], { timeout: 0 }],
    ['timeout must be a number', 'op', [], { timeout: 2 ** 31 }],
    ['maxAge must be a number', 'op', [], { maxAge: -1 }],
    ['env must be an object', 'op', [], { env: [secret] }],
    ['env: KEY must be a string', 'op', [], { env: { KEY: 7 } }],
  ])('%s', (message, command, args, options: unknown = {}) => {
    const make = () => commandToken(command as string, args as string[], options as CommandTokenOptions)
    expect(make).toThrow(TypeError)
    expect(make).toThrow(`commandToken: ${message}`)
    expect(make).not.toThrow(secret)
  })

  it('what stands behind a program in one text is not its name', () => {
    expect(commandToken(`/usr/bin/op read ${secret}/x`).name).toBe('the command op')
  })
})
