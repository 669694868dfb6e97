import { redact, redacted } from '../../core/index.ts'

/** Errors around errors; more of them say nothing new. */
const deepest = 4
const longest = 500

/** What a token can be made of (RFC 6750 section 2.1), without a pause. */
const runs = /[\w+/=.~-]{12,}/g

/** Letters and digits: a token more often than not, unless it falls apart into short words, as a path or a host does. */
function isOpaque(run: string): boolean {
  if (!/\d/.test(run) || !/[A-Za-z]/.test(run)) return false
  return !run.split(/[/._-]/).every((word) => /^[a-z0-9]{0,11}$/.test(word))
}

/**
 * What may be seen of an error that somebody else's code threw, a token source above all: its name, its code, where it
 * comes from, and its words without what could be a token. The error itself may hold a request, or repeat the text that
 * could not be read; it goes nowhere.
 */
export function foreignError(error: unknown, depth = 0): Error {
  if (!(error instanceof Error)) return new Error(`what was thrown is no error (${typeof error})`)
  const { name, cause, code } = error as NodeJS.ErrnoException
  const hasCause = cause !== undefined && depth < deepest
  const copy = new Error(foreignWords(error), hasCause ? { cause: foreignError(cause, depth + 1) } : {})
  const plain = isPlainWord(name) ? name : 'Error'
  const own = { name: plain, stack: `${plain}: ${copy.message}${framesOf(error)}` }
  for (const [member, value] of Object.entries(own)) {
    Object.defineProperty(copy, member, { value, writable: true, configurable: true })
  }
  return isPlainWord(code) ? Object.assign(copy, { code }) : copy
}

/** `TypeError`, `ECONNREFUSED`: no token, they have digits. */
function isPlainWord(word: unknown): word is string {
  return typeof word === 'string' && /^[A-Za-z_]\w{0,63}$/.test(word) && !isOpaque(word)
}

/** The words of such an error, for a message. */
export function foreignWords(error: unknown): string {
  if (!(error instanceof Error)) return 'no reason given'
  // Parsers quote what they could not read.
  if (error instanceof SyntaxError) return 'a text cannot be read'
  const words = redact(error.message.slice(0, 65_536)).replace(runs, (run) =>
    isOpaque(run) ? redacted : run,
  )
  return words.slice(0, longest).trim() || 'no reason given'
}

/** Functions, files and lines: what an error says stands before them. */
function framesOf({ message, stack = '' }: Error): string {
  const begins = stack.indexOf(message)
  const frames = (begins === -1 ? '' : stack.slice(begins + message.length))
    .split('\n')
    .filter((line) => /^ {4}at \S/.test(line))
  return frames.map((frame) => `\n${redact(frame)}`).join('')
}
