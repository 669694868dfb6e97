import { crc32, deflateSync } from 'node:zlib'

/** Red, green and blue, each from 0 to 255. */
type Colour = readonly [red: number, green: number, blue: number]

/**
 * A square picture whose colour goes from one corner to the other, as PNG in base64: something to look at that needs no
 * file (PNG, third edition).
 *
 * @param hue of the first corner, 0 to 360
 * @param size of a side, in pixels
 */
export function gradient(hue: number, size: number): string {
  const rows = Array.from({ length: size }, (_row, y) => [
    // Each row begins with how it is filtered: not at all.
    0,
    ...Array.from({ length: size }, (_cell, x) => colourOf(hue + ((x + y) / (2 * size)) * 120)).flat(),
  ])
  const header = Buffer.alloc(13)
  header.writeUInt32BE(size, 0)
  header.writeUInt32BE(size, 4)
  // Eight bits for each of three colours.
  header.set([8, 2], 8)
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
  const chunks = [
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(Buffer.from(rows.flat()))),
    chunk('IEND', Buffer.alloc(0)),
  ]
  return Buffer.concat([signature, ...chunks]).toString('base64')
}

function chunk(type: string, data: Buffer): Buffer {
  const named = Buffer.concat([Buffer.from(type, 'latin1'), data])
  const framed = Buffer.alloc(named.length + 8)
  framed.writeUInt32BE(data.length, 0)
  named.copy(framed, 4)
  framed.writeUInt32BE(crc32(named), named.length + 4)
  return framed
}

/** A full, light colour (CSS Color 4, `hsl()`). */
function colourOf(hue: number): Colour {
  const channel = (shift: number) => {
    const at = (shift + hue / 30) % 12
    return Math.round(255 * (0.55 - 0.35 * Math.max(-1, Math.min(at - 3, 9 - at, 1))))
  }
  return [channel(0), channel(8), channel(4)]
}
