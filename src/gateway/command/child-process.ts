import { type ChildProcess, spawn } from 'node:child_process'
import type { Readable, Writable } from 'node:stream'
import { setTimeout as wait } from 'node:timers/promises'
import { spawnProblem } from './child-problem.ts'
import { isWindows, killTree, withoutBatchFile } from './child-windows.ts'

/** What is run. */
export interface Program {
  readonly command: string
  readonly args: readonly string[]
  /** All of its environment. */
  readonly env: Readonly<Record<string, string>>
  readonly cwd: string | undefined
}

/** How the operating system says it ended; `fault` when it never ran. */
export interface ProcessEnd {
  readonly code: number | null
  readonly signal: string | null
  readonly fault?: string
}

/** A process, and all it started. */
export interface Process {
  readonly pid: number | undefined
  /** Absent when there are no files left for them. */
  readonly input: Writable | undefined
  readonly output: Readable | undefined
  readonly errors: Readable | undefined
  /** Sends a signal to it and all it started. */
  signal(name: 'SIGTERM' | 'SIGKILL'): void
  /** Takes it for gone, though nobody saw it go: a process that waits for a broken disk cannot be ended. */
  abandon(): void
}

/** Milliseconds that what it started gets to end after it, and to be gone when killed; and to read what is left. */
const orphanMs = 1000
const killedMs = 500
const unreadMs = 1000

/**
 * Starts a process: without a shell, so nothing in an argument is expanded; in a session of its own, so that it ends
 * with all it started, and can ask nobody on the terminal of the gateway; with three descriptors and no more.
 *
 * @param onEnd called once, when it and what it started is gone and its streams are read to their end
 */
export function startProcess(program: Program, onEnd: (end: ProcessEnd) => void): Process {
  let isOver = false
  const over = (end: ProcessEnd) => {
    if (isOver) return
    isOver = true
    if (child !== undefined) forget(child)
    for (const stream of [child?.stdin, child?.stdout, child?.stderr]) stream?.destroy()
    onEnd(end)
  }
  const failed = (error: unknown) =>
    over({ code: null, signal: null, fault: spawnProblem(error, program.command, program.cwd) })

  const child = spawned(program, (error) => process.nextTick(failed, error))
  if (child !== undefined) {
    let isClosed = false
    child.once('close', () => {
      isClosed = true
    })
    if (child.pid !== undefined) remember(child)
    child.once('error', (error) => {
      if (child.pid === undefined) failed(error)
    })
    child.once('exit', async (code, signal) => {
      await endOrphans(child)
      // Who left the group may hold the other end; nobody shall wait for that.
      await within(unreadMs, () => isClosed)
      over({ code, signal })
    })
  }

  return {
    pid: child?.pid,
    input: child?.stdin ?? undefined,
    output: child?.stdout ?? undefined,
    errors: child?.stderr ?? undefined,
    signal(name) {
      if (!isOver && child !== undefined) signalGroup(child, name)
    },
    abandon() {
      child?.unref()
      over({ code: null, signal: 'SIGKILL' })
    },
  }
}

function spawned({ command, args, env, cwd }: Program, failed: (error: unknown) => void) {
  const [file, list] = withoutBatchFile(command, args)
  // Node reads inherited members as well, and adds this one of its own accord.
  const variables = Object.assign(Object.create(null), { NODE_V8_COVERAGE: undefined }, env)
  try {
    return spawn(file, list, {
      env: variables,
      cwd,
      shell: false,
      detached: !isWindows(),
      windowsHide: true,
      stdio: ['pipe', 'pipe', 'pipe'],
    }) as ChildProcess
  } catch (error) {
    failed(error)
    return undefined
  }
}

/** Ends what a process that has ended has left behind. */
async function endOrphans(child: ChildProcess): Promise<void> {
  if (isWindows() || !signalGroup(child, 'SIGTERM')) return
  const isGone = () => !signalGroup(child, 0)
  if (await within(orphanMs, isGone)) return
  signalGroup(child, 'SIGKILL')
  await within(killedMs, isGone)
}

/** In many steps: however busy this process is, there is a turn of its event loop, which reads, between two of them. */
async function within(ms: number, isDone: () => boolean): Promise<boolean> {
  for (let waited = 0, step = 1; waited < ms && !isDone(); waited += step, step = Math.min(50, step * 2)) {
    await wait(step)
  }
  return isDone()
}

/** @returns whether there was anybody to hear it */
function signalGroup(child: ChildProcess, name: 'SIGTERM' | 'SIGKILL' | 0): boolean {
  if (child.pid === undefined) return false
  if (isWindows()) {
    killTree(child)
    return true
  }
  try {
    return process.kill(-child.pid, name)
  } catch {
    return false
  }
}

/** What runs at the moment. It is in groups of its own, so nobody else ends it when this process exits. */
const running = new Set<ChildProcess>()

function remember(child: ChildProcess): void {
  if (running.size === 0) process.on('exit', killAll)
  running.add(child)
}

function forget(child: ChildProcess): void {
  running.delete(child)
  if (running.size === 0) process.off('exit', killAll)
}

function killAll(): void {
  for (const child of running) signalGroup(child, 'SIGKILL')
}
