import { visible } from '../../core/visible.ts'

/** Text of a server on one line, with what could deceive a reader written out, and not longer than `longest` characters. */
export function visibleLine(text: string, longest = 1000): string {
  const characters = Array.from(visible(text).replaceAll('\n', '\\n').replaceAll('\t', ' '))
  return characters.length > longest ? `${characters.slice(0, longest - 1).join('')}…` : characters.join('')
}
