import { type ChildProcessWithoutNullStreams, type SpawnOptions, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'
import { temporaryFolder } from './temporary-folder.ts'
import type { Question } from './vectors.ts'

/** A runtime that runs a program. What it is called in `tools/install-runtimes.mjs`. */
export type ProgramRuntime = 'node-20' | 'node-22' | 'node-24' | 'node-26' | 'bun' | 'deno'

/** What a runtime answered: see `judge.mjs`. */
export interface Answer {
  /** Its own name for itself, with its version. */
  readonly runtime: string
  /** Whether it has `node:crypto` when asked for it, and when importing it. */
  readonly nodeCrypto: readonly boolean[]
  readonly outcomes: Readonly<Record<string, string>>
  /** What accepted tokens say. */
  readonly tokens: Readonly<Record<string, { readonly claims: unknown }>>
}

/** Longer than any of them needs on a busy machine. */
export const patience = 60_000

const program = fileURLToPath(new URL('program.mjs', import.meta.url))

/**
 * Deno and Bun are told to leave alone what is around: no settings, no cache, nothing fetched. Deno lets a program do
 * what it is allowed, and this one is allowed to talk to this machine: no file, no environment, no other host.
 */
const words: Readonly<Record<ProgramRuntime, readonly string[]>> = {
  'node-20': [],
  'node-22': [],
  'node-24': [],
  'node-26': [],
  bun: ['--no-install', '--no-env-file'],
  deno: [
    'run',
    '--quiet',
    '--no-prompt',
    '--no-config',
    '--no-lock',
    '--no-remote',
    // Packages are those that are there; reading them as modules needs no permission.
    '--node-modules-dir=manual',
    '--allow-net=127.0.0.1',
  ],
}

/** Lets a runtime judge tokens, in a process of its own that has nothing in its environment. */
export async function askProgram(name: ProgramRuntime, questions: readonly Question[]): Promise<Answer> {
  const child = await startProgram(name, program, await temporaryFolder(), {
    timeout: patience,
    killSignal: 'SIGKILL',
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  child.stdin.end(JSON.stringify(questions))
  const [answer, complaint, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ])
  // A warning counts: who uses the package would see it too.
  if (code !== 0 || complaint !== '') throw new Error(`${name} ended with ${code}: ${complaint}`)
  return JSON.parse(answer) as Answer
}

/** How long a program may run, and the words after its name. */
export type Running = Pick<SpawnOptions, 'timeout' | 'killSignal'> & { readonly words?: readonly string[] }

/**
 * Starts a program on a runtime, in this folder and with nothing in its environment. One that is given words may use the
 * files of the folder.
 */
export async function startProgram(
  name: ProgramRuntime,
  file: string,
  folder: string,
  { words: own = [], ...limits }: Running = {},
): Promise<ChildProcessWithoutNullStreams> {
  const { path } = await installed(name)
  const files = name === 'deno' && own.length > 0 ? [`--allow-read=${folder}`, `--allow-write=${folder}`] : []
  const env = { DENO_DIR: folder, DENO_NO_UPDATE_CHECK: '1', BUN_RUNTIME_TRANSPILER_CACHE_PATH: '0' }
  return spawn(path, [...words[name], ...files, file, ...own], { ...limits, cwd: folder, env, stdio: 'pipe' })
}

/** One line of the list that `tools/install-runtimes.mjs` writes. */
export interface Installed {
  readonly name: string
  readonly version: string
  readonly path: string
}

/** @throws Error when it is not there: a runtime that was not asked has proved nothing */
export async function installed(name: ProgramRuntime | 'workerd'): Promise<Installed> {
  const list = await readFile(new URL('../../.runtimes/runtimes.json', import.meta.url), 'utf8').catch(
    () => '[]',
  )
  const found = (JSON.parse(list) as readonly Installed[]).find((runtime) => runtime.name === name)
  if (found === undefined) throw new Error(`${name} is not installed: run node tools/install-runtimes.mjs`)
  return found
}
