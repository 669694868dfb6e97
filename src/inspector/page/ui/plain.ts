/**
 * What is not seen, and changes how the text beside it reads: control characters, and those that turn the direction of
 * writing (Unicode Technical Report 36, section 2.4). Marks that languages need stay.
 */
const unseen = /(?![\t\n\r])[\p{Cc}\u202A-\u202E\u2066-\u2069]/gu

/** A text of somebody else in which nothing is hidden. */
export function plain(text: string): string {
  return text.replace(
    unseen,
    (char) => `[U+${char.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}]`,
  )
}

/** The same for a name or a sentence, of which the beginning will do. */
export function short(text: string, longest = 200): string {
  return plain(text.length > longest ? `${text.slice(0, longest - 1)}…` : text)
}
