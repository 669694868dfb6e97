import { addressBits } from '../core/address-bits.ts'

/** As many networks as a key may have. */
const mostNetworks = 1000

/**
 * Reads a list of networks (RFC 4632 section 3.1, RFC 4291 section 2.3) and single addresses.
 *
 * @param owner of the list, for the message
 * @returns them in one way of writing (RFC 5952), each once, frozen. IPv4 written as IPv6 (`::ffff:192.0.2.1`) is IPv4
 * @throws TypeError when the list is empty or too long, or something in it is no network: one with a zone, with leading
 *   zeros in IPv4, or with bits set that are not part of the network
 */
export function checkAddresses(owner: string, list: readonly string[]): readonly string[] {
  if (!Array.isArray(list) || list.length === 0 || list.length > mostNetworks) {
    throw new TypeError(`${owner}: addresses must be a list of 1 to ${mostNetworks} networks`)
  }
  return Object.freeze([...new Set(list.map((item: unknown) => canonical(owner, item)))])
}

/** What lists mean. They belong to keys that are asked for again and again. */
const known = new WeakMap<readonly string[], readonly string[]>()

/**
 * Whether an address is in one of the networks. One that is unknown, or has a zone, or is none, is in no network. IPv4
 * written as IPv6, as sockets that listen for both give it, is IPv4; so no network of IPv6 holds it, `::/0` included.
 *
 * @param list as {@link checkAddresses} gives it; not to be changed afterwards. What is no network in it holds nothing
 */
export function addressAllowed(list: readonly string[], address: string | undefined): boolean {
  const bits = typeof address === 'string' ? bitsOf(address) : undefined
  if (bits === undefined) return false
  let networks = known.get(list)
  if (networks === undefined) {
    networks = list.map((item) => networkOf(item)?.network).filter((network) => network !== undefined)
    known.set(list, networks)
  }
  return networks.some((network) => bits.startsWith(network))
}

function canonical(owner: string, item: unknown): string {
  const found = typeof item === 'string' ? networkOf(item) : undefined
  if (found === undefined) {
    throw new TypeError(
      `${owner}: addresses must be networks such as 192.0.2.0/24 or 2001:db8::/32, or single addresses`,
    )
  }
  const { network, address } = found
  const text = networkText(network)
  // Meant was one of two things, and only one of them is wide open.
  if (/1/.test(address.slice(network.length))) {
    throw new TypeError(
      `${owner}: addresses: write ${text} for the network, or ${networkText(address)} alone`,
    )
  }
  return text
}

interface Network {
  /** The bits all its addresses begin with. */
  readonly network: string
  /** All bits, as they were written. */
  readonly address: string
}

function networkOf(text: string): Network | undefined {
  const slash = text.indexOf('/')
  const ip = slash === -1 ? text : text.slice(0, slash)
  const address = bitsOf(ip)
  if (address === undefined) return undefined
  if (slash === -1) return { network: address, address }
  const digits = text.slice(slash + 1)
  if (!/^(?:0|[1-9]\d{0,2})$/.test(digits)) return undefined
  // Of IPv4 written as IPv6, 96 bits say no more than that it is.
  const length = Number(digits) - (address.startsWith('4') && ip.includes(':') ? 96 : 0)
  if (length < 0 || length > address.length - 2) return undefined
  return { network: address.slice(0, 2 + length), address }
}

function networkText(network: string): string {
  const width = network.startsWith('4') ? 32 : 128
  const bits = network.slice(2).padEnd(width, '0')
  const address = width === 32 ? parts(bits, 8).join('.') : ipv6Text(bits)
  return network.length - 2 === width ? address : `${address}/${network.length - 2}`
}

/** URLs write IPv6 as RFC 5952 wants it. */
function ipv6Text(bits: string): string {
  const groups = parts(bits, 16).map((group) => group.toString(16))
  return new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1)
}

function parts(bits: string, width: number): readonly number[] {
  return Array.from({ length: bits.length / width }, (_, index) =>
    Number.parseInt(bits.slice(index * width, (index + 1) * width), 2),
  )
}

/** RFC 4291 section 2.5.5.2: IPv4 in the clothes of IPv6. */
const mapped = `6:${'0'.repeat(80)}${'1'.repeat(16)}`

/** {@link addressBits}; what is IPv4 in truth is IPv4. */
function bitsOf(ip: string): string | undefined {
  const bits = addressBits(ip)
  return bits?.startsWith(mapped) ? `4:${bits.slice(mapped.length)}` : bits
}
