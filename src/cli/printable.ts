/**
 * What a terminal would obey instead of showing: escape sequences and other control characters, line separators, marks
 * that turn the direction of writing, characters that cannot be seen. Joiners stay, scripts and emoji need them.
 */
const commands = /(?![\n\t\u200C\u200D])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu

/** The text of somebody else, safe to print: what a terminal would obey is written out, as `\x1b`. */
export function printable(text: string): string {
  return text.replaceAll('\r\n', '\n').replace(commands, written)
}

/** The same on one line, and not longer than `longest` characters. */
export function printableLine(text: string, longest: number): string {
  const line = printable(text.trim().replaceAll(/\s+/g, ' '))
  const characters = Array.from(line)
  return characters.length > longest ? `${characters.slice(0, longest - 1).join('')}…` : line
}

/** Characters of a word of a list. */
const longestWord = 4096

/** One entry of a list, which cannot look like two. */
export function entryLine(...words: readonly string[]): string {
  return words
    .map((word) => printableLine(word, longestWord))
    .join('  ')
    .trimEnd()
}

/**
 * JSON for a program, that does nothing to a terminal either.
 * @param indent blanks; 0 for one line
 */
export function printableJson(value: unknown, indent = 2): string {
  return JSON.stringify(value, undefined, indent).replace(commands, (character) =>
    Array.from(
      { length: character.length },
      (_unit, at) => `\\u${hex(character.charCodeAt(at)).padStart(4, '0')}`,
    ).join(''),
  )
}

function written(character: string): string {
  const code = character.codePointAt(0)!
  return code < 0x100 ? `\\x${hex(code).padStart(2, '0')}` : `\\u{${hex(code)}}`
}

function hex(code: number): string {
  return code.toString(16)
}
