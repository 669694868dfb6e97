import { createInterface } from 'node:readline/promises'
import { addAbortSignal, type Readable, type Writable } from 'node:stream'
import { styleText } from 'node:util'

/** What a command has of the person: where it prints, what it reads, and Ctrl-C. Colour only where a person reads. */
export interface Terminal {
  /** One line of the result, to standard output. */
  line(text?: string): void
  /** One line for the person beside the result, to standard error. */
  note(text: string): void
  /** Replaces the progress line; nothing when nobody watches. Empty text removes it. */
  progress(text: string): void
  style(format: 'bold' | 'dim' | 'green' | 'red', text: string): string
  /**
   * Everything on standard input.
   * @throws RangeError when it is more than `limit` bytes; an error when `signal` is aborted
   */
  input(limit: number, signal: AbortSignal): Promise<string>
  /**
   * Asks the person, on standard error, and reads one line.
   * @returns the line, empty at the end of the input; `undefined` when nobody is there to answer
   * @throws an error when `signal` is aborted
   */
  ask(question: string, signal: AbortSignal): Promise<string | undefined>
  /** Columns of the screen; `undefined` when the result goes to a file or a program. */
  readonly width: number | undefined
  /** Listens for Ctrl-C until it is disposed of. A second Ctrl-C ends the process at once. */
  interruption(): Interruption
}

/** A Ctrl-C that may come. */
export interface Interruption extends Disposable {
  readonly signal: AbortSignal
}

/** A {@link Terminal} over the streams of the process. */
export function terminal(
  out: Writable & { isTTY?: boolean; columns?: number } = process.stdout,
  err: Writable & { isTTY?: boolean } = process.stderr,
  stdin: Readable & { isTTY?: boolean } = process.stdin,
): Terminal {
  const colour = out.isTTY === true && process.env.NO_COLOR === undefined
  return {
    line: (text = '') => void out.write(`${text}\n`),
    note: (text) => void err.write(`${text}\n`),
    progress: (text) => {
      if (err.isTTY) err.write(`\r\u001b[2K${text}`)
    },
    style: (format, text) => (colour ? styleText(format, text) : text),
    input: (limit, signal) => readAll(addAbortSignal(signal, stdin), limit),
    ask: async (question, signal) =>
      stdin.isTTY && err.isTTY ? readAnswer(stdin, err, question, signal) : undefined,
    width: out.isTTY ? (out.columns ?? 80) : undefined,
    interruption,
  }
}

async function readAll(stdin: Readable, limit: number): Promise<string> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of stdin) {
    const bytes = Buffer.from(chunk as Buffer | string)
    length += bytes.length
    if (length > limit) throw new RangeError(`standard input holds more than ${limit} bytes`)
    chunks.push(bytes)
  }
  return Buffer.concat(chunks).toString('utf8')
}

/** Not as a terminal of its own: Ctrl-C stays a signal of the process, and a second one ends it at once. */
async function readAnswer(
  stdin: Readable,
  err: Writable,
  question: string,
  signal: AbortSignal,
): Promise<string> {
  const lines = createInterface({ input: stdin, output: err, terminal: false })
  try {
    const isOver = new Promise<string>((resolve) => lines.once('close', () => resolve('')))
    return await Promise.race([lines.question(question, { signal }), isOver])
  } finally {
    lines.close()
  }
}

function interruption(): Interruption {
  const controller = new AbortController()
  const stop = () => controller.abort(new Error('Interrupted'))
  process.once('SIGINT', stop)
  return {
    signal: controller.signal,
    [Symbol.dispose]() {
      process.off('SIGINT', stop)
    },
  }
}

/** Lines of a table whose columns are as wide as their widest cell. The last column is not padded. */
export function table(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_cell, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  )
  return rows.map((row) =>
    row
      .map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd(widths[column] ?? 0)))
      .join('  '),
  )
}
