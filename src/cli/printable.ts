import { unseen, visible } from '../core/visible.ts'

/** The text of somebody else, safe to print: what a terminal would obey is written out, as `\x1b`. */
export const printable = visible

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
  return JSON.stringify(value, undefined, indent).replace(unseen, (character) =>
    Array.from(
      { length: character.length },
      (_unit, at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`,
    ).join(''),
  )
}
