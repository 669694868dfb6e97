/** What browsers show without running anything that is in it; SVG is a program. */
const shown = new Set([
  'image/png',
  'image/jpeg',
  'image/gif',
  'image/webp',
  'audio/wav',
  'audio/x-wav',
  'audio/mpeg',
  'audio/ogg',
  'audio/mp4',
  'audio/aac',
  'audio/flac',
  'audio/webm',
])

/** Without groups that repeat: of a long text they take more memory than there is. */
const base64 = /^[A-Za-z0-9+/]*={0,2}$/

/** An address under which a picture or sound can be shown; `undefined` when it is none that may be. */
export function mediaAddress(type: string, data: string): string | undefined {
  const plain = type.toLowerCase().trim()
  return shown.has(plain) && data !== '' && isBase64(data)
    ? `data:${plain};base64,${withoutBreaks(data)}`
    : undefined
}

/** `undefined` when the text is no Base64. */
export function bytesOf(data: string): Uint8Array<ArrayBuffer> | undefined {
  if (!isBase64(data)) return undefined
  return Uint8Array.from(atob(withoutBreaks(data)), (char) => char.charCodeAt(0))
}

function isBase64(data: string): boolean {
  const text = withoutBreaks(data)
  const length = text.replace(/=+$/, '').length
  const isPadded = length === text.length || text.length % 4 === 0
  return base64.test(text) && length % 4 !== 1 && isPadded
}

function withoutBreaks(data: string): string {
  return data.replace(/[\r\n]/g, '')
}
