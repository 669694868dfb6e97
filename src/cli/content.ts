/** One piece of what a server sent: of a tool result, a prompt message, a resource. */
interface Piece {
  readonly type?: string
  readonly text?: string
  readonly data?: string
  readonly blob?: string
  readonly mimeType?: string | undefined
  readonly uri?: string
  readonly name?: string
  readonly resource?: Piece
}

/** Content in words. What is no text is named with its type and size; `--json` has all of it. */
export function contentLines(content: readonly object[]): string[] {
  return content.map(contentText)
}

function contentText(content: object): string {
  const piece = content as Piece
  if (piece.text !== undefined) return piece.text
  if (piece.resource !== undefined) return contentText(piece.resource)
  const data = piece.data ?? piece.blob
  if (data !== undefined) {
    const name = [piece.type, piece.mimeType, piece.uri].filter(Boolean).join(' ')
    return `[${name}, ${Math.floor((data.replace(/={1,2}$/, '').length * 3) / 4)} bytes; --json shows them in base64]`
  }
  if (piece.uri !== undefined) return piece.name === undefined ? piece.uri : `${piece.name}: ${piece.uri}`
  return JSON.stringify(content)
}
