/** One Edwards curve of RFC 8032: its prime, the length of an encoded point, and the y of its points of small order. */
interface Curve {
  readonly prime: bigint
  readonly bytes: number
  readonly ys: ReadonlySet<bigint>
}

const prime25519 = 2n ** 255n - 19n
/** The y of a point of order 8; that of the other ones is its negative. */
const order8 = 0x05fc536d880238b13933c6d305acdfd5f098eff289f4c345b027b2c28f95e826n
const prime448 = 2n ** 448n - 2n ** 224n - 1n

const curves: Readonly<Record<'Ed25519' | 'Ed448', Curve>> = {
  Ed25519: {
    prime: prime25519,
    bytes: 32,
    ys: new Set([0n, 1n, prime25519 - 1n, order8, prime25519 - order8]),
  },
  Ed448: { prime: prime448, bytes: 57, ys: new Set([0n, 1n, prime448 - 1n]) },
}

/**
 * Whether a public key is a point of small order (RFC 8032 section 5.1.7): under such a key one signature is good for
 * every message, or for many. Some cryptographic libraries take it. In any spelling, canonical or not.
 */
export function isSmallOrder(curve: 'Ed25519' | 'Ed448', point: Uint8Array): boolean {
  const { prime, bytes, ys } = curves[curve]
  const littleEndian = point.slice(0, bytes)
  // The highest bit is the sign of x.
  const last = bytes - 1
  littleEndian[last] = (littleEndian[last] ?? 0) & 0x7f
  const hex = Array.from(littleEndian.reverse(), (byte) => byte.toString(16).padStart(2, '0')).join('')
  return ys.has(BigInt(`0x${hex}`) % prime)
}
