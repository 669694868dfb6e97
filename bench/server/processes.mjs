// Servers in processes of their own: started, asked, pinned to a core, ended.
import { execFileSync, fork } from 'node:child_process'
import { cpus } from 'node:os'
import { fileURLToPath } from 'node:url'

const program = fileURLToPath(new URL('./targets/main.mjs', import.meta.url))
const running = new Set()
/** How long a server may take to start, or to answer a question. */
const patienceMs = 30_000

/** The core of servers that are measured, and that of the load. */
export const cores = { server: 0, load: cpus().length - 1 }

/**
 * Starts a server.
 *
 * @param settings what `targets/main.mjs` gets
 * @param execArgv for Node
 * @returns `{ child, url }` as soon as it listens
 * @throws Error when it ends before, with what it wrote to standard error
 */
export async function startServer(settings, execArgv = []) {
  const child = fork(program, [JSON.stringify(settings)], {
    execArgv,
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  })
  running.add(child)
  const complaints = []
  child.stderr.on('data', (chunk) => complaints.push(chunk))
  child.once('exit', () => running.delete(child))
  const { ready } = await nextMessage(child, () => Buffer.concat(complaints).toString().trim().slice(-2000))
  return { child, url: ready }
}

/** User and system time of a server in microseconds, all threads. */
export const cpuMicros = (server) => ask(server, 'cpu')

/** Resident bytes of a server that was started with `--expose-gc`. */
export const settledBytes = (server) => ask(server, 'memory')

async function ask({ child }, question) {
  const message = nextMessage(child)
  child.send(question)
  return (await message).answer
}

function nextMessage(child, why = () => '') {
  return new Promise((resolve, reject) => {
    const onMessage = (message) => done(() => resolve(message))
    const onExit = (code, signal) =>
      done(() => reject(new Error(`the server ended with ${signal ?? code}. ${why()}`)))
    const timer = setTimeout(
      () => done(() => reject(new Error(`the server says nothing. ${why()}`))),
      patienceMs,
    )
    const done = (settle) => {
      clearTimeout(timer)
      child.off('message', onMessage).off('exit', onExit)
      settle()
    }
    child.once('message', onMessage).once('exit', onExit)
  })
}

/** Resolves when it is gone. */
export async function stopServer({ child }) {
  if (!running.has(child)) return
  const gone = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGKILL')
  await gone
}

/** Ends whatever was started here. */
export async function stopAll() {
  await Promise.all([...running].map((child) => stopServer({ child })))
}

/**
 * Pins a process with all its threads to a core, where the system can.
 * @returns whether it could
 */
export function pin(pid, core) {
  if (cpus().length < 2) return false
  try {
    execFileSync('taskset', ['-a', '-p', '-c', String(core), String(pid)], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
