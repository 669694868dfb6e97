import type { Command } from '../../src/cli/command.ts'
import type { Terminal } from '../../src/cli/terminal.ts'

/** What came of a command. */
export interface Ran {
  readonly exit: number
  readonly out: string
  readonly err: string
  /** Every progress line that was shown. */
  readonly progress: readonly string[]
  /** Standard output as JSON. */
  json(): unknown
}

/** What a command is run with. */
export interface Person {
  /** What comes in on standard input. */
  readonly input?: string
  /** Presses Ctrl-C when it is aborted. */
  readonly ctrlC?: AbortSignal
  /** Told of each progress line. */
  readonly onProgress?: (text: string) => void
  /** What is answered to a question; without it nobody is there. Ctrl-C may be pressed instead. */
  readonly onAsk?: (question: string) => string | Promise<string>
  /** Told of each line of the result. */
  readonly onLine?: (text: string) => void
  /** Told of each note. */
  readonly onNote?: (text: string) => void
  /** Columns of the screen. */
  readonly width?: number
}

/** Runs a command on a terminal that writes everything down. */
export async function run(command: Command, argv: readonly string[], person: Person = {}): Promise<Ran> {
  const [out, err, progress]: string[][] = [[], [], []]
  const terminal: Terminal = {
    line: (text = '') => {
      out?.push(text)
      person.onLine?.(text)
    },
    note: (text) => {
      err?.push(text)
      person.onNote?.(text)
    },
    progress: (text) => {
      if (text !== '') progress?.push(text)
      person.onProgress?.(text)
    },
    style: (_format, text) => text,
    async input(limit) {
      if ((person.input ?? '').length > limit) throw new RangeError('standard input holds too much')
      return person.input ?? ''
    },
    async ask(question, signal) {
      const answer = await person.onAsk?.(question)
      signal.throwIfAborted()
      return answer
    },
    width: person.width,
    interruption: () => ({
      signal: person.ctrlC ?? new AbortController().signal,
      [Symbol.dispose]: () => {},
    }),
  }
  const exit = await command.run(argv, terminal)
  const text = (out ?? []).join('\n')
  return {
    exit,
    out: text,
    err: (err ?? []).join('\n'),
    progress: progress ?? [],
    json: () => JSON.parse(text),
  }
}
