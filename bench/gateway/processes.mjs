// The programs that are measured, each in a process of its own: started as users start them, asked for their CPU time,
// ended.
import { fork } from 'node:child_process'
import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { cores, pin } from '../server/processes.mjs'

const hook = new URL('./targets/measured.mjs', import.meta.url).href
const running = new Set()
/** How long a program may take to start, or to answer a question. */
const patienceMs = 30_000

export const targetFile = (name) => fileURLToPath(new URL(`./targets/${name}.mjs`, import.meta.url))

/**
 * Starts a Node program.
 *
 * @param title what it is called when something is wrong
 * @param words the file and its arguments
 * @param options `{ folder, env, stdin }`: its standard error goes to a file in the folder, as under a supervisor; with
 *   `stdin` it can be written to
 * @returns `{ title, child, complaints }`
 */
export function startProgram(title, [file, ...args], { folder, env = {}, stdin = false }) {
  const log = join(folder, `${title.replaceAll(/[^a-z0-9]+/gi, '-')}-${running.size}.log`)
  const stderr = openSync(log, 'a')
  const child = fork(file, args, {
    execArgv: ['--import', hook],
    env: { ...process.env, ...env },
    stdio: [stdin ? 'pipe' : 'ignore', 'pipe', stderr, 'ipc'],
  })
  closeSync(stderr)
  running.add(child)
  child.once('exit', () => running.delete(child))
  child.on('error', () => {})
  return { title, child, complaints: () => readFileSync(log, 'utf8').slice(0, 2000) }
}

/** Waits for one of ours to say where it listens. */
export async function readyUrl(program) {
  return (await nextMessage(program)).ready
}

/** Waits for the document that `mcp-bearer protect --json` prints when it listens. */
export function printedUrl(program) {
  const { child } = program
  return until(program, (resolve) => {
    let text = ''
    const read = (chunk) => {
      text += chunk
      try {
        const { url } = JSON.parse(text)
        child.stdout.off('data', read).resume()
        resolve(url)
      } catch {
        // It is not complete yet.
      }
    }
    child.stdout.setEncoding('utf8').on('data', read)
  })
}

/** Waits until somebody listens on a port; whatever the program prints is thrown away. */
export async function listeningUrl(program, port) {
  program.child.stdout.resume()
  const end = performance.now() + patienceMs
  while (performance.now() < end && running.has(program.child)) {
    if (await isTaken(port)) return `http://127.0.0.1:${port}/mcp`
    await sleep(50)
  }
  throw new Error(`${program.title} does not listen. ${program.complaints()}`)
}

function isTaken(port) {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => resolve(true))
    socket.once('connect', () => socket.destroy()).once('error', () => resolve(false))
  })
}

/** For programs that have to be told one. */
export function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address()
      server.close(() => resolve(port))
    })
  })
}

/** User and system time of a program in microseconds, all its threads, none of its children. */
export async function cpuMicros(program) {
  const message = nextMessage(program)
  program.child.send('cpu')
  return (await message).answer
}

function nextMessage(program) {
  const { child } = program
  return until(program, (resolve) => child.once('message', resolve))
}

function until(program, wait) {
  const { child, title } = program
  return new Promise((resolve, reject) => {
    const fail = (what) => reject(new Error(`${title} ${what}. ${program.complaints()}`))
    const onExit = (code, signal) => done(() => fail(`ended with ${signal ?? code}`))
    const timer = setTimeout(() => done(() => fail('says nothing')), patienceMs)
    const done = (settle) => {
      clearTimeout(timer)
      child.off('exit', onExit)
      settle()
    }
    child.once('exit', onExit)
    wait((value) => done(() => resolve(value)))
  })
}

/** Those in the middle on the first core; the load, and the servers behind with it, on the last. @returns whether it could */
export function pinAll(measured, others) {
  const behind = measured.flatMap(({ child }) => descendants(child.pid))
  const pinned = [
    ...measured.map(({ child }) => pin(child.pid, cores.server)),
    ...[process.pid, ...others.map(({ child }) => child.pid), ...behind].map((pid) => pin(pid, cores.load)),
  ]
  return pinned.every(Boolean)
}

/** Every process of a measurement, for those who ask what the others do. */
export const pidsOf = (programs) =>
  programs.flatMap(({ child }) => [child.pid, ...descendants(child.pid)]).concat(process.pid)

function descendants(pid) {
  try {
    return readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
      readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8')
        .split(' ')
        .filter(Boolean)
        .map(Number)
        .flatMap((child) => [child, ...descendants(child)]),
    )
  } catch {
    // There is no /proc, or it ended while we looked.
    return []
  }
}

/** Asks a program to end, so that it ends its own; resolves when it is gone. */
async function stopProgram(child) {
  if (!running.has(child)) return
  const gone = new Promise((resolve) => child.once('exit', resolve))
  const timer = setTimeout(() => child.kill('SIGKILL'), 2000)
  child.stdin?.end()
  child.kill('SIGTERM')
  await gone
  clearTimeout(timer)
}

/** Ends whatever was started here. */
export async function stopPrograms() {
  await Promise.all([...running].map(stopProgram))
}
