/** Bytes of base64url that was found canonical before; what is none decodes to anything. */
export const decodeBase64url: (text: string) => Uint8Array = globalThis.Buffer
  ? (text) => globalThis.Buffer.from(text, 'base64url')
  : (text) => bytesOf(atob(text.replaceAll('-', '+').replaceAll('_', '/')))

/** The bytes of a text that holds nothing above U+00FF. */
export const bytesOf: (text: string) => Uint8Array = globalThis.Buffer
  ? (text) => globalThis.Buffer.from(text, 'latin1')
  : (text) => Uint8Array.from(text, (character) => character.charCodeAt(0))
