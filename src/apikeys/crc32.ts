/** One row for each value of a byte: the reversed polynomial of IEEE 802.3, eight steps ahead. */
const table = Int32Array.from({ length: 256 }, (_, byte) => {
  let rest = byte
  for (let bit = 0; bit < 8; bit++) rest = rest & 1 ? (rest >>> 1) ^ 0xedb88320 : rest >>> 1
  return rest
})

/**
 * CRC-32 (IEEE 802.3, the one of `zlib`) of the first characters of a text in ASCII.
 * @param end how many
 * @returns 0 to 2^32 - 1
 */
export function crc32(text: string, end = text.length): number {
  let crc = -1
  for (let index = 0; index < end; index++) {
    crc = (crc >>> 8) ^ table[(crc ^ text.charCodeAt(index)) & 0xff]!
  }
  return ~crc >>> 0
}
