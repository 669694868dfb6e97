import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'

/** A shell of its own, in a folder of its own. */
export interface Shell extends AsyncDisposable {
  readonly folder: string
  /** Runs a command to its end. @returns what it printed, to both outputs */
  run(command: string, timeoutMs?: number): Promise<string>
  /** Starts one that goes on until the shell ends, and waits until what it has printed is enough. */
  start(command: string, isEnough: (printed: string) => boolean, timeoutMs?: number): Promise<string>
}

/** Milliseconds between two looks at what a program has printed. */
const lookEvery = 50

/**
 * Opens a shell as a person has one: its home is an empty folder, and what is installed there comes first.
 *
 * @param programs folders with programs, before those of the system
 * @param environment more variables
 */
export async function openShell(
  programs: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<Shell> {
  const folder = await mkdtemp(join(tmpdir(), 'mcp-bearer-shell-'))
  const path = [...programs, process.env.PATH ?? ''].join(delimiter)
  const env = { HOME: folder, PATH: path, LANG: 'C.UTF-8', NO_COLOR: '1', ...environment }
  const bash = spawn('bash', ['--noprofile', '--norc'], { cwd: folder, env, stdio: 'pipe' })
  const output = collected(bash)
  const standing: ChildProcess[] = []

  async function run(command: string, timeoutMs = 60_000): Promise<string> {
    const mark = `end-${randomUUID()}`
    output.clear()
    bash.stdin.write(`{ ${command}\n} 2>&1 </dev/null; echo; echo ${mark}\n`)
    await until(
      () => output.text().includes(mark),
      timeoutMs,
      () => `${command}\n${output.text()}`,
    )
    const [printed = ''] = output.text().split(`\n${mark}`)
    return printed
  }

  return {
    folder,
    run,
    async start(command, isEnough, timeoutMs = 60_000) {
      // A group of its own, which can be ended as a whole.
      const program = spawn('bash', ['-c', command], { cwd: folder, env, stdio: 'pipe', detached: true })
      program.stdin.end()
      standing.push(program)
      const { text } = collected(program)
      await until(
        () => isEnough(text()),
        timeoutMs,
        () => `${command}\n${text()}`,
      )
      return text()
    },
    async [Symbol.asyncDispose]() {
      for (const { pid } of standing) signalGroup(pid, 'SIGTERM')
      const isOver = () => standing.every(({ pid }) => !signalGroup(pid, 0))
      await until(isOver, 15_000, () => 'a program does not end')
      bash.kill('SIGKILL')
      await rm(folder, { recursive: true, force: true })
    },
  }
}

function collected({ stdout, stderr }: ChildProcess) {
  const kept: string[] = []
  for (const stream of [stdout, stderr]) {
    stream?.setEncoding('utf8')
    stream?.on('data', (text: string) => kept.push(text))
  }
  return { text: () => kept.join(''), clear: () => void kept.splice(0) }
}

async function until(
  condition: () => boolean | Promise<boolean>,
  timeoutMs: number,
  what: () => string,
): Promise<void> {
  const deadline = performance.now() + timeoutMs
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`this takes too long: ${what()}`)
    await pause(lookEvery)
  }
}

/** @returns whether there is such a group */
function signalGroup(leader: number | undefined, signal: NodeJS.Signals | 0): boolean {
  try {
    return leader !== undefined && process.kill(-leader, signal)
  } catch {
    return false
  }
}
