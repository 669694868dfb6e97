import { addressBits } from '../core/address-bits.ts'

/**
 * Where an address leads, for one who must decide whether to connect to it. `special` is everything that no server of
 * ours is reached by: link-local, metadata of a cloud, multicast, documentation, tunnels, and what is no address.
 */
export type AddressKind = 'public' | 'loopback' | 'private' | 'special'

/**
 * The first range that holds an address decides, and what no range holds is `special`. The registries are RFC 6890 and
 * its IANA tables; of IPv6 only 2000::/3 is given out as global unicast (RFC 4291 section 2.4).
 */
const ranges: readonly (readonly [kind: AddressKind, ranges: readonly string[]])[] = [
  // Metadata of clouds that does not hide in link-local space: Alibaba, Azure, AWS and its EKS, Google, Scaleway.
  ['special', ['100.100.100.200/32', '168.63.129.16/32']],
  ['special', ['fd00:ec2::254/128', 'fd00:ec2::23/128', 'fd20:ce::254/128', 'fd00:42::42/128']],
  ['loopback', ['127.0.0.0/8', '::1/128']],
  ['private', ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10', 'fc00::/7']],
  ['special', ['0.0.0.0/8', '169.254.0.0/16', '224.0.0.0/4', '240.0.0.0/4']],
  ['special', ['192.0.0.0/24', '192.0.2.0/24', '192.88.99.0/24', '198.18.0.0/15']],
  ['special', ['198.51.100.0/24', '203.0.113.0/24']],
  // 2001::/23 begins with Teredo; 2002::/16 is 6to4; the others are for documentation.
  ['special', ['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20']],
  ['public', ['0.0.0.0/0', '2000::/3']],
]
/** IPv4 in the clothes of IPv6: RFC 4291 section 2.5.5.2, and NAT64 of RFC 6052 section 2.1. */
const mappedRange = '::ffff:0:0/96'
const nat64Range = '64:ff9b::/96'

const prefixes = ranges.flatMap(([kind, list]) => list.map((range) => ({ kind, prefix: prefixOf(range) })))
const mapped = prefixOf(mappedRange)
const nat64 = prefixOf(nat64Range)

/**
 * Judges a textual IP address, as `URL.hostname` gives it (without the brackets) or a resolver does (with a zone or
 * without).
 *
 * @returns `special` also for anything that is not an address, leading zeros in IPv4 included: two readers could take
 *   them for two addresses
 */
export function addressKind(ip: string): AddressKind {
  const bits = bitsOf(ip)
  if (bits === undefined) return 'special'
  if (bits.startsWith(mapped)) {
    const kind = kindOf(embedded(bits))
    // Nobody writes this machine so, except to get past a filter.
    return kind === 'loopback' ? 'special' : kind
  }
  // A translator leads into the network of its own, so it is taken for the public internet only.
  if (bits.startsWith(nat64)) return kindOf(embedded(bits)) === 'public' ? 'public' : 'special'
  return kindOf(bits)
}

function kindOf(bits: string): AddressKind {
  return prefixes.find(({ prefix }) => bits.startsWith(prefix))?.kind ?? 'special'
}

function embedded(bits: string): string {
  return `4:${bits.slice(-32)}`
}

function prefixOf(range: string): string {
  const [ip = '', length] = range.split('/')
  return (bitsOf(ip) ?? '').slice(0, 2 + Number(length))
}

/** Without the zone, which says nothing beyond this machine. */
function bitsOf(ip: string): string | undefined {
  return addressBits(ip.includes(':') ? ip.replace(/%.+$/s, '') : ip)
}
