import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { rolldown } from 'rolldown'
import { onTestFinished } from 'vitest'
import { type Answer, installed } from './programs.ts'
import { newFolder } from './temporary-folder.ts'
import type { Question } from './vectors.ts'

/** workerd as it is since 2026-08-04, with the modules of Node; and without them, as in a browser. */
export type WorkerRuntime = 'workerd' | 'workerd-without-node'

const flags: Readonly<Record<WorkerRuntime, readonly string[]>> = {
  workerd: [],
  // Both: with only the first of them `node:crypto` is still there.
  'workerd-without-node': ['no_nodejs_compat', 'no_nodejs_compat_v2'],
}

/** Lets workerd judge tokens: the built package and the worker as one module, behind a socket on this machine. */
export async function askWorker(name: WorkerRuntime, questions: readonly Question[]): Promise<Answer> {
  const worker = await startWorker('worker.mjs', flags[name])
  onTestFinished(async () => void (await worker.close()))
  const response = await fetch(worker.url, { method: 'POST', body: JSON.stringify(questions) })
  if (!response.ok) throw new Error(`${name} answered ${response.status}: ${await response.text()}`)
  return (await response.json()) as Answer
}

/** A worker that waits for requests. */
export interface RunningWorker {
  readonly url: string
  /** Ends it. @returns what workerd complained of */
  close(): Promise<string>
}

/**
 * Serves a worker with workerd.
 *
 * @param entry a file beside this one; it and what it imports become one module
 */
export async function startWorker(
  entry: string,
  compatibilityFlags: readonly string[],
): Promise<RunningWorker> {
  const { path } = await installed('workerd')
  const folder = await newFolder()
  await writeFile(join(folder.path, 'worker.mjs'), await bundle(entry))
  await writeFile(join(folder.path, 'config.capnp'), configuration(compatibilityFlags))
  const child = spawn(path, ['serve', '--control-fd=3', 'config.capnp'], {
    cwd: folder.path,
    env: {},
    stdio: ['ignore', 'inherit', 'pipe', 'pipe'],
  })
  const complaint = text(child.stderr as Readable)
  const closed = once(child, 'close')
  const close = async () => {
    child.kill('SIGKILL')
    await closed
    await folder.remove()
    return complaint
  }
  try {
    return { url: `http://127.0.0.1:${await portOf(child, closed)}/`, close }
  } catch (cause) {
    throw new Error(`workerd did not serve ${entry}: ${await close()}`, { cause })
  }
}

async function bundle(entry: string): Promise<string> {
  const input = fileURLToPath(new URL(entry, import.meta.url))
  const bundler = await rolldown({
    input,
    platform: 'neutral',
    external: /^node:/,
    resolve: { conditionNames: ['workerd', 'import', 'default'] },
  })
  try {
    const { output } = await bundler.generate({ format: 'esm', codeSplitting: false })
    const [{ code }, ...others] = output
    if (others.length > 0) throw new Error(`the worker became ${output.length} modules`)
    return code
  } finally {
    await bundler.close()
  }
}

/** Of the network it may reach this machine and nothing else. Without a list of its own it could not reach even that. */
function configuration(compatibilityFlags: readonly string[]): string {
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = .main), (name = "this-machine", network = (allow = ["local"]))],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")]);
const main :Workerd.Worker = (
  modules = [(name = "worker", esModule = embed "worker.mjs")],
  compatibilityDate = "2026-11-01",
  compatibilityFlags = ${JSON.stringify(compatibilityFlags)},
  globalOutbound = "this-machine");
`
}

/** It tells its port on descriptor 3. A worker that does not load ends before. */
async function portOf(child: ChildProcess, closed: Promise<unknown[]>): Promise<number> {
  const events = createInterface({ input: child.stdio[3] as Readable })
  const port = (async () => {
    for await (const line of events) {
      const { event, port } = JSON.parse(line) as { event: string; port: number }
      if (event === 'listen') return port
    }
    throw new Error('workerd closed its control channel')
  })()
  const ended = closed.then(([code]) => {
    throw new Error(`workerd ended with ${code}`)
  })
  return Promise.race([port, ended])
}
