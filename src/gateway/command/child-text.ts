import { redact } from '../../core/index.ts'

/** Characters of a line that are looked at, and that are shown. What is longer is no line for a person. */
const longestRead = 8192
const longestShown = 2000

/** What colours a terminal. */
const colours = /\p{Cc}\[[\d;:?]*[A-Za-z]/gu
/** What would forge a line of a log, or repaint the screen of its reader. Joiners stay: scripts and emoji need them. */
const commands = /(?:(?![\u200C\u200D])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}])+/gu

const keyBegins = /-----BEGIN [A-Z ]*PRIVATE KEY-----/
const keyEnds = /-----END [A-Z ]*PRIVATE KEY-----/
/** Lines of a private key; one that does not end must not silence the rest. */
const longestKey = 200

/**
 * Makes a function that makes lines of somebody else's program fit for a log: no credential, no control character, not
 * too long. It remembers whether it is in the middle of a private key, which goes over many lines.
 *
 * @param secrets what must not be seen, besides what looks like a credential
 * @returns `undefined` for a line with nothing to show
 */
export function logText(secrets: readonly string[]): (line: string) => string | undefined {
  let keyLines = 0
  return (line) => {
    const text = line.slice(0, longestRead).replace(colours, '').replace(commands, ' ')
    if (keyLines > 0) {
      keyLines = keyEnds.test(text) ? 0 : keyLines - 1
      return undefined
    }
    if (keyBegins.test(text) && !keyEnds.test(text)) keyLines = longestKey
    const clean = redact(text, secrets).trim()
    if (clean === '') return undefined
    return clean.length > longestShown ? `${clean.slice(0, longestShown - 1)}…` : clean
  }
}
