import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

/** A program of this folder, in a process of its own. It runs the built package. */
export interface Program {
  /** What it has written to its standard output so far, line by line. */
  readonly lines: readonly string[]
  /** Resolves when it has written so many lines, or has ended. */
  said(lines: number): Promise<void>
  tell(line: string): void
  /** Ends its standard input. */
  finish(): void
  /** SIGKILL: it gets no chance to do anything about it. */
  kill(): void
  /** Resolves when it has ended, and all it wrote has been read. */
  readonly ended: Promise<{ readonly code: number | null; readonly stderr: string }>
}

/** Runs a program of this folder. */
export function program(name: string, ...args: readonly string[]): Program {
  const file = fileURLToPath(new URL(`./${name}.mjs`, import.meta.url))
  const child = spawn(process.execPath, [file, ...args], { stdio: ['pipe', 'pipe', 'pipe'] })
  const lines: string[] = []
  const waiting = new Set<{ readonly count: number; readonly done: () => void }>()
  let stderr = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-8192)
  })
  child.stdin.on('error', () => {})
  createInterface({ input: child.stdout }).on('line', (line) => {
    lines.push(line)
    for (const wait of waiting) if (lines.length >= wait.count) wait.done()
  })
  return {
    lines,
    said: (count) =>
      new Promise((resolve) => {
        const wait = { count, done: resolve }
        waiting.add(wait)
        if (lines.length >= count || hasEnded(child)) resolve()
      }),
    tell: (line) => void child.stdin.write(`${line}\n`),
    finish: () => void child.stdin.end(),
    kill: () => void child.kill('SIGKILL'),
    ended: new Promise((resolve, reject) => {
      child.on('error', reject)
      child.on('close', (code) => {
        for (const { done } of waiting) done()
        resolve({ code, stderr })
      })
    }),
  }
}

function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null
}

/** Numbers that look random and are the same each time (mulberry32); 0 to 1, exclusive. */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Lets so many milliseconds pass, more exactly than any timer. */
export function spin(milliseconds: number): void {
  for (const end = performance.now() + milliseconds; performance.now() < end; );
}

/** Shows on a terminal how far something has come; elsewhere nothing. */
export function progress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`)
}

/** Tells a result, in one line. */
export function tell(text: string): void {
  progress('')
  process.stderr.write(`${text}\n`)
}
