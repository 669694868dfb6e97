/**
 * What would be obeyed instead of shown, or not be seen at all: control characters, marks that turn the direction of
 * writing, characters without a form, halves of a pair. Joiners stay, scripts and emoji need them.
 */
const hidden = /(?![\n\t\u200C\u200D])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu

/** Text of a server, with everything in it that could deceive a reader written out, as `\x1b`. Lines and tabs stay. */
export function visible(text: string): string {
  return text.replaceAll('\r\n', '\n').replace(hidden, written)
}

/** The same on one line, and not longer than `longest` characters. */
export function visibleLine(text: string, longest = 1000): string {
  const characters = Array.from(visible(text).replaceAll('\n', '\\n').replaceAll('\t', ' '))
  return characters.length > longest ? `${characters.slice(0, longest - 1).join('')}…` : characters.join('')
}

function written(character: string): string {
  const code = character.codePointAt(0)!
  const hex = code.toString(16)
  return code < 0x100 ? `\\x${hex.padStart(2, '0')}` : `\\u{${hex}}`
}
