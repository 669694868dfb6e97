import { type ChildProcess, spawn } from 'node:child_process'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'

/** The built package. */
const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))

/** A server on stdio that knows nothing of tokens. */
export const fixture = fileURLToPath(new URL('./fixtures/protected-server.mjs', import.meta.url))

/** `mcp-bearer protect …`, in a process of its own. */
export interface Protecting {
  readonly child: ChildProcess
  /** What it has printed so far. */
  readonly out: string
  readonly err: string
  /** Resolves when what was printed to standard output fits. */
  printed(pattern: RegExp): Promise<RegExpMatchArray>
  /** Resolves when what was printed to standard error fits. */
  said(pattern: RegExp): Promise<RegExpMatchArray>
  /** What `--json` prints of the start. */
  started(): Promise<StartedJson>
  /** The lines of a log in JSON. */
  log(): Record<string, unknown>[]
  readonly ended: Promise<{ readonly code: number | null; readonly signal: string | null }>
}

/** What is told of a start. */
export interface StartedJson {
  readonly url: string
  readonly port: number
  readonly pid: number
  readonly key?: string
  readonly keyId?: string
  readonly metrics?: string
  readonly keys?: string
}

const running = new Set<ChildProcess>()

/** Starts it with nothing in its environment but what is given. */
export function protect(argv: readonly string[], env: Record<string, string>): Protecting {
  const child = spawn(process.execPath, [main, 'protect', ...argv], {
    env: { PATH: process.env.PATH ?? '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  running.add(child)
  const printed = { out: '', err: '' }
  const watchers = new Set<() => void>()
  const tell = () => {
    for (const watch of watchers) watch()
  }
  for (const [name, stream] of [['out', child.stdout] as const, ['err', child.stderr] as const]) {
    stream.setEncoding('utf8').on('data', (piece: string) => {
      printed[name] += piece
      tell()
    })
  }
  const ended = new Promise<{ code: number | null; signal: string | null }>((resolve) => {
    child.once('close', (code, signal) => {
      running.delete(child)
      resolve({ code, signal })
      tell()
    })
  })
  const until = (name: 'out' | 'err', pattern: RegExp) =>
    new Promise<RegExpMatchArray>((resolve, reject) => {
      const watch = () => {
        const found = printed[name].match(pattern)
        if (!found && running.has(child)) return
        watchers.delete(watch)
        if (found) resolve(found)
        else reject(new Error(`it ended without ${pattern}: ${printed.out}${printed.err}`))
      }
      watchers.add(watch)
      watch()
    })
  return {
    child,
    get out() {
      return printed.out
    },
    get err() {
      return printed.err
    },
    printed: (pattern) => until('out', pattern),
    said: (pattern) => until('err', pattern),
    async started() {
      await until('out', /^\}$/m)
      return JSON.parse(printed.out) as StartedJson
    },
    log: () =>
      printed.err
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as Record<string, unknown>),
    ended,
  }
}

/** Ends what a test has left. */
export async function endAll(): Promise<void> {
  const all = [...running].map((child) => new Promise((resolve) => child.once('close', resolve)))
  for (const child of running) child.kill('SIGKILL')
  await Promise.all(all)
}

/** Whether a process runs; one that has ended and that nobody has asked after does not. */
export async function isAlive(pid: number): Promise<boolean> {
  return /^[^Z]/.test(await shown(pid, 'stat='))
}

/** What everybody on this machine sees of a process: its words. */
export function wordsOf(pid: number): Promise<string> {
  return shown(pid, 'args=')
}

async function shown(pid: number, what: string): Promise<string> {
  const ps = spawn('ps', ['-o', what, '-p', String(pid)], { stdio: ['ignore', 'pipe', 'inherit'] })
  return (await text(ps.stdout)).trim()
}
