import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { type ProgramRuntime, startProgram } from './programs.ts'
import { newFolder } from './temporary-folder.ts'
import { startWorker } from './workers.ts'

/** The protected server, served by a runtime in a process of its own. */
export interface Host {
  /** The URL of its endpoint, by the name of the place where it is mounted. */
  readonly sites: Readonly<Record<string, string>>
  /** Ends the process, if it runs. @returns what it complained of, which should be nothing */
  close(): Promise<string>
}

/** Starts one of the `server-….mjs` beside this file. */
export async function startHost(runtime: ProgramRuntime, file: string): Promise<Host> {
  const folder = await newFolder()
  const child = await startProgram(runtime, fileURLToPath(new URL(file, import.meta.url)), folder.path)
  const complaint = text(child.stderr)
  const closed = once(child, 'close')
  const close = async () => {
    child.kill('SIGKILL')
    await closed
    await folder.remove()
    return complaint
  }
  for await (const line of createInterface({ input: child.stdout })) {
    return { sites: JSON.parse(line) as Host['sites'], close }
  }
  throw new Error(`${runtime} did not serve ${file}: ${await close()}`)
}

/** Starts the worker on workerd, with no compatibility flag. */
export async function startWorkerHost(): Promise<Host> {
  const { url, close } = await startWorker('server-worker.mjs', [])
  return { sites: { 'a worker': new URL('mcp', url).href }, close }
}
