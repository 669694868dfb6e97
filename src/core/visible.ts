/**
 * What would be obeyed instead of shown, or not be seen at all: escape sequences and other control characters, line
 * separators, marks that turn the direction of writing, characters without a form, halves of a pair. Joiners stay, scripts
 * and emoji need them.
 */
export const unseen: RegExp = /(?![\n\t\u200C\u200D])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu

/** The text of somebody else, with everything in it that could deceive a reader written out, as `\x1b`. Lines and tabs stay. */
export function visible(text: string): string {
  return text.replaceAll('\r\n', '\n').replace(unseen, written)
}

function written(character: string): string {
  const code = character.codePointAt(0)!
  const hex = code.toString(16)
  return code < 0x100 ? `\\x${hex.padStart(2, '0')}` : `\\u{${hex}}`
}
