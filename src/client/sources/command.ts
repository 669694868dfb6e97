import type { ChildProcess } from 'node:child_process'
import { AuthError, type Clock, systemClock } from '../../core/index.ts'
import { checkOptions, numberBetween } from '../../core/options.ts'
import { abortable } from '../abortable.ts'
import { readToken } from '../bearer-auth.ts'
import type { TokenSource } from '../token-source.ts'

/** Options of {@link commandToken}. */
export interface CommandTokenOptions {
  /** Milliseconds until the command is stopped, with what it started. Default: 30000. */
  readonly timeout?: number | undefined
  /**
   * Milliseconds a token is kept; a refused one is dropped at once. 0 runs the command for every request, `Infinity`
   * keeps the token until it is refused. Default: 300000, five minutes.
   */
  readonly maxAge?: number | undefined
  /** The whole environment of the command. Default: that of this process. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined
  /** For `maxAge`. Default: the clock of this machine. */
  readonly clock?: Clock | undefined
}

/** Bytes. More is no token. */
const mostBytes = 65_536
/** Milliseconds; more does not fit a timer. */
const longest = 2 ** 31 - 1

/**
 * A token that a command prints: `gcloud auth print-access-token`, `op read op://…`. It is run without a shell and
 * without a terminal, so nothing in an argument is expanded and it cannot ask anybody. The token must be all it writes
 * to standard output; what it writes to standard error is dropped, it may hold secrets. Requests that wait for a token
 * at the same time share one run; one that is aborted leaves it to the others. Not for browsers.
 *
 * @param command the program, found by `PATH`; not a line for a shell
 * @param args its arguments, as they are
 * @returns a {@link TokenSource}; its `token` throws an `AuthError` with code `token_unavailable` that names the
 *   program and how it ended, never its arguments nor its output
 * @throws TypeError when the command, an argument or an option is wrong; never shows them
 *
 * @example
 * ```ts
 * import { Client, commandToken } from 'mcp-bearer/client'
 *
 * const auth = commandToken('gcloud', ['auth', 'print-access-token'])
 * const client = new Client('https://mcp.example.com/mcp', { auth })
 * ```
 */
export function commandToken(
  command: string,
  args: readonly string[] = [],
  options: CommandTokenOptions = {},
): TokenSource {
  const settings = readSettings(command, args, options)
  const { name, maxAge, clock } = settings
  let kept: { readonly token: string; readonly at: number } | undefined
  let running: Promise<string> | undefined

  const acquire = async (): Promise<string> => {
    const at = clock()
    const { output, fault } = await run(settings)
    const read = fault === undefined ? readToken(output) : { fault }
    if (read.fault === undefined) {
      kept = { token: read.token, at }
      return read.token
    }
    const reason = fault ?? `gave something that ${read.fault}`
    const advice = 'Run it by hand to see why.'
    throw new AuthError('token_unavailable', `No token: ${name} ${reason}. ${advice}`)
  }

  return Object.freeze({
    name,
    async token({ signal }) {
      // A clock that is set back makes no token younger.
      const age = kept ? clock() - kept.at : Infinity
      if (kept && age >= 0 && age < maxAge) return kept.token
      running ??= acquire().finally(() => {
        running = undefined
      })
      return abortable(running, signal)
    },
    async refused(token) {
      if (kept?.token === token) kept = undefined
    },
  } satisfies TokenSource)
}

interface Settings {
  readonly name: string
  readonly command: string
  readonly args: readonly string[]
  readonly timeout: number
  readonly maxAge: number
  readonly env: Readonly<Record<string, string>> | undefined
  readonly clock: Clock
}

function readSettings(command: unknown, args: unknown, options: CommandTokenOptions): Settings {
  const owner = 'commandToken'
  if (!isWord(command) || command.trim() === '') {
    throw new TypeError(`${owner}: command must be the name or path of a program`)
  }
  if (/^[^\\/\s]+\s/.test(command.trim())) {
    throw new TypeError(`${owner}: command must be a program only; its arguments are a list of their own`)
  }
  if (!Array.isArray(args) || !Array.from(args).every(isWord)) {
    throw new TypeError(`${owner}: args must be a list of strings`)
  }
  checkOptions(owner, options, ['timeout', 'maxAge', 'env', 'clock'])
  const { timeout = 30_000, maxAge = 300_000, env, clock = systemClock } = options
  return {
    name: `the command ${programOf(command)}`,
    command,
    args: [...args],
    timeout: numberBetween(`${owner}: timeout`, timeout, 1, longest),
    maxAge: numberBetween(`${owner}: maxAge`, maxAge, 0, Infinity),
    env: env && variables(`${owner}: env`, env),
    clock,
  }
}

function isWord(value: unknown): value is string {
  return typeof value === 'string' && !value.includes('\0')
}

/** The program without its folder. Nothing after white space: who takes this for a shell may have put a secret there. */
function programOf(command: string): string {
  return (
    command
      .trim()
      .split(/\s/, 1)[0]!
      .split(/[\\/]/)
      .findLast((part) => part !== '') ?? command
  )
}

function variables(option: string, env: unknown): Readonly<Record<string, string>> {
  if (typeof env !== 'object' || env === null || Array.isArray(env)) {
    throw new TypeError(`${option} must be an object of names and values`)
  }
  const given = Object.entries(env).filter(([, value]) => value !== undefined)
  for (const [name, value] of given) {
    if (!isWord(value)) throw new TypeError(`${option}: ${name} must be a string`)
  }
  return Object.fromEntries(given) as Record<string, string>
}

type Outcome =
  | { readonly output: string; readonly fault?: undefined }
  | { readonly fault: string; readonly output?: undefined }

/** Runs the command once. Never throws: errors of `spawn` hold the arguments. */
async function run({ command, args, env, timeout }: Settings): Promise<Outcome> {
  const { spawn } = await import('node:child_process')
  return new Promise((resolve) => {
    let fault: string | undefined
    const chunks: Buffer[] = []
    let length = 0
    // A group of its own, so that it can be stopped with all it started.
    const options = {
      detached: !isWindows(),
      stdio: ['ignore', 'pipe', 'ignore'] as ['ignore', 'pipe', 'ignore'],
    }
    const child = start(() => spawn(command, args, { ...options, windowsHide: true, ...(env && { env }) }))
    if (child === undefined) return resolve({ fault: 'could not be started' })
    const stop = (reason: string) => {
      fault ??= reason
      stopGroup(child)
      // Somebody who left the group may hold the other end; nobody shall wait for that.
      child.stdout.destroy()
    }
    const timer = setTimeout(() => stop(`did not end within ${timeout} milliseconds`), timeout)
    remember(child)
    child.stdout.on('data', (chunk: Buffer) => {
      length += chunk.length
      if (length > mostBytes) stop(`wrote more than ${mostBytes} bytes`)
      else chunks.push(chunk)
    })
    child.once('error', (error: NodeJS.ErrnoException) => {
      fault ??= error.code === 'ENOENT' ? 'was not found' : `could not be started (${error.code})`
    })
    child.once('close', (code, signal) => {
      clearTimeout(timer)
      forget(child)
      if (code !== 0) fault ??= signal ? `was ended by ${signal}` : `ended with exit code ${code}`
      resolve(fault === undefined ? { output: Buffer.concat(chunks).toString('utf8') } : { fault })
    })
  })
}

function start<T>(spawn: () => T): T | undefined {
  try {
    return spawn()
  } catch {
    return undefined
  }
}

function stopGroup(child: ChildProcess): void {
  if (child.pid === undefined) return
  try {
    if (isWindows()) child.kill()
    else process.kill(-child.pid, 'SIGKILL')
  } catch {
    // It has ended already.
  }
}

/** What runs at the moment. It is in groups of its own, so nobody else ends it when this process exits. */
const children = new Set<ChildProcess>()

function remember(child: ChildProcess): void {
  if (children.size === 0) process.on('exit', stopAll)
  children.add(child)
}

function forget(child: ChildProcess): void {
  children.delete(child)
  if (children.size === 0) process.off('exit', stopAll)
}

function stopAll(): void {
  for (const child of children) stopGroup(child)
}

function isWindows(): boolean {
  return process.platform === 'win32'
}
