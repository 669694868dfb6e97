import type { Readable } from 'node:stream'
import { stopwatch } from '../../core/clock.ts'
import { logText } from './child-text.ts'
import { lineReader } from './line-reader.ts'

/** Options of {@link fewLines}. */
export interface FewLinesOptions {
  readonly onLine: (line: string) => void
  /** What must not be seen, besides what looks like a credential. */
  readonly secrets: readonly string[]
  /** How many may come at once, and how many a second after that. */
  readonly burst: number
  readonly perSecond: number
}

/** Lines for a log, of which there can be any number. */
export interface FewLines {
  /** Whether there is room for some more. */
  readonly hasRoom: boolean
  /** Takes a line, as far as there is room. */
  take(line: string): boolean
  /** Counts what was not even looked at. */
  leaveOut(bytes: number): void
  /** Tells how much was left out, if that was not told yet. */
  end(): void
}

/** Milliseconds until it is told that there was more, if no line says so before. */
const tellMs = 1000

/** Passes on as many lines as a person can read, and says how much it left out. */
export function fewLines({ onLine, secrets, burst, perSecond }: FewLinesOptions): FewLines {
  const textOf = logText(secrets)
  let room = burst
  let at = stopwatch()
  let leftOut = 0
  let timer: NodeJS.Timeout | undefined

  function refill(): void {
    const now = stopwatch()
    room = Math.min(burst, room + ((now - at) / 1000) * perSecond)
    at = now
  }

  function leaveOut(bytes: number): void {
    leftOut += bytes
    timer ??= setTimeout(tellLeftOut, tellMs).unref()
  }

  function tellLeftOut(): void {
    clearTimeout(timer)
    timer = undefined
    if (leftOut > 0) onLine(`… about ${leftOut} bytes left out`)
    leftOut = 0
  }

  return {
    get hasRoom() {
      refill()
      // Not for each single one: a flood would be looked at again and again.
      return room >= Math.min(burst, perSecond)
    },
    take(line) {
      refill()
      if (room < 1) {
        leaveOut(Buffer.byteLength(line) + 1)
        return false
      }
      const text = textOf(line)
      if (text === undefined) return true
      room -= 1
      tellLeftOut()
      onLine(text)
      return true
    },
    leaveOut,
    end: tellLeftOut,
  }
}

/** Bytes of a line that are looked at. */
const longestLine = 16_384
/** Bytes that are read at once, and milliseconds until the next ones: at most 50 MiB a second. */
const slice = 1_048_576
const pauseMs = 20

/**
 * Reads standard error for as long as there is any: a process whose standard error is not read stands still. A flood is
 * read without being looked at, and no faster than costs next to nothing.
 */
export function readStderr(stream: Readable, lines: FewLines): void {
  let reader = stderrLines(lines)
  let isSkipping = false
  let left = slice

  function look(chunk: Buffer): void {
    let from = 0
    if (isSkipping) {
      // From the next whole line on: of half a line nobody could tell whether a credential is in it.
      from = lines.hasRoom ? chunk.indexOf('\n') + 1 : 0
      lines.leaveOut(from || chunk.length)
      if (from === 0) return
      reader = stderrLines(lines)
    }
    reader.push(from === 0 ? chunk : chunk.subarray(from))
    isSkipping = reader.isFull
  }

  stream.on('data', (chunk: Buffer) => {
    look(chunk)
    left -= chunk.length
    if (left > 0) return
    stream.pause()
    setTimeout(() => {
      left = slice
      stream.resume()
    }, pauseMs).unref()
  })
  stream.on('error', () => {})
  stream.once('close', () => {
    if (!isSkipping) reader.end()
    lines.end()
  })
}

function stderrLines(lines: FewLines) {
  let isFull = false
  const take = (line: string) => {
    if (!lines.take(line)) isFull = true
  }
  const reader = lineReader({ maxBytes: longestLine, onLine: take, onTooLong: take })
  return {
    push: reader.push,
    end: reader.end,
    get isFull() {
      return isFull
    },
  }
}
