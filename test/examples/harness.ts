import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const built = fileURLToPath(new URL('../../build/examples/', import.meta.url))

/** A program of `examples/`, built and running in a process of its own. */
export interface Running {
  /** Resolves with the first line of standard output that matches, as the match. */
  line(pattern: RegExp): Promise<RegExpMatchArray>
  /** Resolves when the program has ended. */
  readonly ended: Promise<{ code: number | null; stdout: string; stderr: string }>
  stop(): Promise<void>
  /** Ends it at once, without giving it a chance to clean up. */
  kill(): Promise<void>
}

/** Starts `examples/<name>.ts` with nothing in its environment but what is given. */
export function runExample(name: string, env: Record<string, string> = {}): Running {
  const child = spawn(process.execPath, [`${built}${name}.js`], {
    env: { PATH: process.env.PATH ?? '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const output = { stdout: '', stderr: '' }
  const watchers = new Set<() => void>()
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream].setEncoding('utf8').on('data', (text: string) => {
      output[stream] += text
      for (const watch of watchers) watch()
    })
  }
  const ended = new Promise<{ code: number | null; stdout: string; stderr: string }>((resolve) => {
    child.once('close', (code) => {
      resolve({ code, ...output })
      for (const watch of watchers) watch()
    })
  })
  return {
    ended,
    line: (pattern) => lineOf(child, output, watchers, pattern),
    stop: () => stop(child, ended, 'SIGTERM'),
    kill: () => stop(child, ended, 'SIGKILL'),
  }
}

function lineOf(
  child: ChildProcess,
  output: { stdout: string; stderr: string },
  watchers: Set<() => void>,
  pattern: RegExp,
): Promise<RegExpMatchArray> {
  return new Promise((resolve, reject) => {
    const watch = () => {
      const found = output.stdout
        .split('\n')
        .slice(0, -1)
        .map((line) => line.match(pattern))
        .find(Boolean)
      if (!found && child.exitCode === null) return
      watchers.delete(watch)
      if (found) resolve(found)
      else reject(new Error(`the example ended without printing ${pattern}: ${output.stderr}`))
    }
    watchers.add(watch)
    watch()
  })
}

async function stop(child: ChildProcess, ended: Promise<unknown>, how: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  child.kill(how)
  await ended
}
