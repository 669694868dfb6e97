/** Options of {@link lineReader}. */
export interface LineReaderOptions {
  /** The most bytes a line may have, `\n` not counted. */
  readonly maxBytes: number
  /** Gets every line, without its end. Bytes that are no UTF-8 have become U+FFFD. */
  readonly onLine: (line: string) => void
  /** Gets the beginning of a line that is longer; the rest of it is skipped. */
  readonly onTooLong: (beginning: string) => void
}

/** Makes lines of chunks. */
export interface LineReader {
  push(chunk: Buffer): void
  /** Nothing more comes: what there is of a last line is a line. */
  end(): void
}

/** What is kept for the next line that comes in parts. More would be held by each process for ever. */
const keptBytes = 65_536
const newline = 0x0a
const carriageReturn = 0x0d

/**
 * Makes lines of bytes, wherever these are cut (MCP "Transports", stdio: messages are delimited by newlines). A line
 * ends with `\n` or `\r\n`. Bytes are cut before they are decoded: in UTF-8 no part of a character looks like `\n`
 * (RFC 3629 section 3), so no character is ever torn. Holds the line that has begun, and that in one block: many
 * little chunks would take many times their length.
 */
export function lineReader({ maxBytes, onLine, onTooLong }: LineReaderOptions): LineReader {
  let block = Buffer.alloc(0)
  let held = 0
  let isSkipping = false

  function hold(chunk: Buffer, from: number, to: number): void {
    const length = held + to - from
    if (length > block.length) {
      const larger = Buffer.allocUnsafeSlow(Math.min(Math.max(length, 2 * block.length, 1024), maxBytes))
      block.copy(larger, 0, 0, held)
      block = larger
    }
    chunk.copy(block, held, from, to)
    held = length
  }

  function release(): void {
    held = 0
    if (block.length > keptBytes) block = Buffer.alloc(0)
  }

  /** Takes what belongs to one line: up to its end, or up to the end of the chunk. */
  function part(chunk: Buffer, from: number, to: number): void {
    if (isSkipping) return
    const room = maxBytes - held
    hold(chunk, from, Math.min(to, from + room))
    if (to - from <= room) return
    isSkipping = true
    const beginning = block.toString('utf8', 0, held)
    release()
    onTooLong(beginning)
  }

  function finish(): void {
    if (isSkipping) {
      isSkipping = false
      return
    }
    const line = decoded(block, 0, held)
    release()
    onLine(line)
  }

  return {
    push(chunk) {
      let from = 0
      for (let to = chunk.indexOf(newline); to !== -1; to = chunk.indexOf(newline, from)) {
        // Nearly always a line comes in one piece.
        if (held === 0 && !isSkipping && to - from <= maxBytes) onLine(decoded(chunk, from, to))
        else {
          part(chunk, from, to)
          finish()
        }
        from = to + 1
      }
      if (from < chunk.length) part(chunk, from, chunk.length)
    },
    end() {
      if (held > 0) finish()
    },
  }
}

function decoded(bytes: Buffer, from: number, to: number): string {
  return bytes.toString('utf8', from, to > from && bytes[to - 1] === carriageReturn ? to - 1 : to)
}
