import { visible } from '../../core/visible.ts'

/** HTML that was written here: the only text that is not escaped. */
export class Markup {
  readonly html: string

  /** @param html well formed, with everything foreign in it escaped */
  constructor(html: string) {
    this.html = html
  }
}

/** What may stand between pieces of HTML. Text is escaped, whoever wrote it; of `undefined` nothing is seen. */
export type Piece = string | number | Markup | undefined | readonly Piece[]

/** HTML from a template: the template is HTML, and what is put into it is text, in elements and in quoted attributes. */
export function markup(template: TemplateStringsArray, ...pieces: readonly Piece[]): Markup {
  return new Markup(template.reduce((html, part, at) => `${html}${written(pieces[at - 1])}${part}`))
}

/** Text as HTML writes it, in an element and in an attribute in quotes. */
export function escaped(text: string): string {
  return visible(text).replace(/[&<>"'`]/g, (character) => `&#${character.charCodeAt(0)};`)
}

function written(piece: Piece): string {
  if (piece === undefined) return ''
  if (piece instanceof Markup) return piece.html
  return typeof piece === 'object' ? piece.map(written).join('') : escaped(String(piece))
}
