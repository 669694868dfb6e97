/** `0-9A-Za-z` in this order, as the tokens of GitHub have it. */
export const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

/** Bytes from here on are thrown away: 248 is the last multiple of 62, so each character is as likely as any other. */
const fairBytes = 248

/**
 * Random characters, from the generator of the platform that is made for secrets.
 * @param length how many
 */
export function randomBase62(length: number): string {
  // One in 32 bytes is thrown away; with a quarter more, a second round is rare. Nothing is kept for the next secret.
  const bytes = new Uint8Array(length + (length >> 2) + 4)
  let text = ''
  while (text.length < length) {
    crypto.getRandomValues(bytes)
    for (const byte of bytes) {
      if (byte < fairBytes && text.length < length) text += alphabet[byte % 62]
    }
  }
  return text
}

/**
 * A number from 0 to 2^32 - 1 as six characters: zeros stand in front of a short one.
 */
export function base62OfUint32(value: number): string {
  let text = ''
  for (let rest = value; text.length < 6; rest = Math.floor(rest / 62)) text = alphabet[rest % 62] + text
  return text
}

/** The number each character of the alphabet stands for, by its code. */
const digits = Uint8Array.from({ length: 128 }, (_, code) =>
  Math.max(0, alphabet.indexOf(String.fromCharCode(code))),
)

/**
 * The number that six characters of the alphabet stand for, from a place in a text on. May be more than 2^32 - 1: such
 * characters are no number {@link base62OfUint32} has written.
 */
export function base62Number(text: string, start: number): number {
  let value = 0
  for (let index = start; index < start + 6; index++) value = value * 62 + digits[text.charCodeAt(index)]!
  return value
}

/**
 * Bytes, read as one big-endian number, as characters: the last `length` of them.
 */
export function base62OfBytes(bytes: Uint8Array, length: number): string {
  let rest = bytes.reduce((number, byte) => (number << 8n) | BigInt(byte), 0n)
  let text = ''
  for (; text.length < length; rest /= 62n) text = alphabet[Number(rest % 62n)] + text
  return text
}
