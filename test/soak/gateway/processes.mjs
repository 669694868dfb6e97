// Processes of the built package, and what they hold.
import { spawn } from 'node:child_process'
import { on, once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const cli = fileURLToPath(new URL('../../../dist/cli/main.js', import.meta.url))
const probe = new URL('probe.mjs', import.meta.url).href

const running = new Set()
process.on('exit', () => {
  for (const each of running) each.kill('SIGKILL')
})

/** Starts a command of the package; its standard error is kept for whoever has to find out what went wrong. */
export function start(name, args, env = {}) {
  const process_ = spawn(process.execPath, ['--expose-gc', '--import', probe, cli, ...args], {
    env: { PATH: process.env.PATH, HOME: process.env.HOME, ...env },
    stdio: ['pipe', 'pipe', 'pipe', 'ipc'],
  })
  running.add(process_)
  const errors = []
  createInterface({ input: process_.stderr }).on('line', (line) => {
    errors.push(line)
    if (errors.length > 200) errors.shift()
  })
  const ended = once(process_, 'exit')
  void ended.then(() => running.delete(process_))
  async function told(question, isAnswer) {
    process_.send(question)
    for await (const [message] of on(process_, 'message')) if (isAnswer(message)) return message
  }
  return {
    name,
    pid: process_.pid,
    input: process_.stdin,
    lines: createInterface({ input: process_.stdout }),
    errors,
    /** Resolves to its exit code, or the name of the signal. */
    ended: ended.then(([code, signal]) => code ?? signal),
    isRunning: () => process_.exitCode === null && process_.signalCode === null,
    memory: () => told('memory', (message) => message !== 'pong'),
    /** Resolves when it has come to look at what has happened. */
    ping: () => told('ping', (message) => message === 'pong'),
    stop: (signal = 'SIGTERM') => void process_.kill(signal),
  }
}

/** Starts a gateway. @returns the process, and its port */
export async function startGateway(name, args) {
  const own = ['--listen', '127.0.0.1:0', '--log', 'json', '--json', '--allowed-host', 'crowd.example']
  const dashes = args.includes('--') ? args.indexOf('--') : args.length
  const all = ['protect', ...args.slice(0, dashes), ...own, ...args.slice(dashes)]
  const gateway = start(name, all)
  const { port } = JSON.parse(await documentOf(gateway))
  return { ...gateway, port }
}

/** The JSON a gateway prints when it has started. */
function documentOf({ name, lines, ended, errors }) {
  return new Promise((resolve, reject) => {
    let text = ''
    lines.on('line', (line) => {
      text += line
      if (line === '}') resolve(text)
    })
    void ended.then((how) => reject(new Error(`${name} ended with ${how}: ${errors.join('\n')}`)))
  })
}

/** How many descriptors a process has open. */
export function descriptors(pid) {
  return readdirSync(`/proc/${pid}/fd`).length
}

/** The processes whose parent it is. */
export function childrenOf(pid) {
  return processes().filter((each) => statusOf(each)?.parent === pid)
}

/** The processes that have this word on their command line, this one aside. */
export function processesWith(word) {
  return processes().filter((pid) => pid !== process.pid && read(`/proc/${pid}/cmdline`).includes(word))
}

function processes() {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
}

function statusOf(pid) {
  const [, parent] = /^PPid:\s*(\d+)$/m.exec(read(`/proc/${pid}/status`)) ?? []
  return parent === undefined ? undefined : { parent: Number(parent) }
}

function read(path) {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    // It has ended.
    return ''
  }
}
