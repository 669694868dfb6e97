import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

export const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))
export const run = promisify(execFile)

/** The demo, running until it is stopped. */
export interface RunningDemo {
  readonly child: ChildProcess
  readonly printed: string
  /** The line to paste. */
  readonly curl: string
  readonly closed: Promise<number | null>
}

/** Starts `mcp-bearer demo` and resolves when it has printed everything. */
export async function startDemo(): Promise<RunningDemo> {
  const child = spawn(process.execPath, [main, 'demo', '--port', '0', '--db', 'memory:'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const closed = new Promise<number | null>((resolve) => child.once('close', resolve))
  let printed = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    printed += text
  })
  await new Promise<void>((resolve, reject) => {
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      if (text.includes('Press Ctrl+C')) resolve()
    })
    child.once('close', (code) => reject(new Error(`the demo ended with ${code}`)))
  })
  return { child, printed, curl: printed.split('\n').find((line) => line.startsWith('curl ')) ?? '', closed }
}
