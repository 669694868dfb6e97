import type { Writable } from 'node:stream'
import { styleText } from 'node:util'

/** Where a command prints. Colour and progress only where a person reads. */
export interface Terminal {
  /** One line of the result, to standard output. */
  line(text?: string): void
  /** One line for the person beside the result, to standard error. */
  note(text: string): void
  /** Replaces the progress line; nothing when nobody watches. Empty text removes it. */
  progress(text: string): void
  style(format: 'bold' | 'dim' | 'green' | 'red', text: string): string
}

/** A {@link Terminal} over the streams of the process. */
export function terminal(
  out: Writable & { isTTY?: boolean } = process.stdout,
  err: Writable & { isTTY?: boolean } = process.stderr,
): Terminal {
  const colour = out.isTTY === true && process.env.NO_COLOR === undefined
  return {
    line: (text = '') => void out.write(`${text}\n`),
    note: (text) => void err.write(`${text}\n`),
    progress: (text) => {
      if (err.isTTY) err.write(`\r\u001b[2K${text}`)
    },
    style: (format, text) => (colour ? styleText(format, text) : text),
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
