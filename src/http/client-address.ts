import type { RequestHead } from './head.ts'

/**
 * Tells from where a request came, as a key to count by: an IPv4 address, or the first 64 bits of an IPv6 address,
 * because one subscriber owns a whole /64 (RFC 4291 section 2.5.4, RFC 6177). `undefined` when nobody can tell.
 * Never throws.
 *
 * @param remote the address of the other end of the connection, as the socket gives it
 */
export type AddressReader = (remote: string | undefined, head: RequestHead) => string | undefined

/**
 * Makes an {@link AddressReader}. Anybody can write `X-Forwarded-For`, so it counts only as far as proxies of one's own
 * wrote it: each adds, at the right, the address that it saw. What stands further left decides nothing.
 *
 * @param trustProxy how many proxies stand in front of this server, 1 to 10; whoever reaches the server past them can
 *   name any address. The address is then the one at this place from the right, all lines of `X-Forwarded-For` counted.
 *   When they are fewer, or one of these places holds no IP address, it is that of the socket. Default: none, and the
 *   header is ignored
 * @throws TypeError when `trustProxy` is anything else
 */
export function addressReader(trustProxy: number | undefined): AddressReader {
  if (trustProxy === undefined) return keyOf
  if (!(Number.isInteger(trustProxy) && trustProxy >= 1 && trustProxy <= 10)) {
    throw new TypeError('trustProxy must be the number of proxies in front, a whole number from 1 to 10')
  }
  return (remote, head) => forwardedKey(head.header('x-forwarded-for').join(','), trustProxy) ?? keyOf(remote)
}

/** Read from the right, so that what a caller wrote at the left costs nothing and changes nothing. */
function forwardedKey(list: string, place: number): string | undefined {
  let end = list.length
  let key: string | undefined
  for (let left = place; left > 0; left--) {
    if (end < 0) return undefined
    const comma = list.lastIndexOf(',', end - 1)
    key = keyOf(trimmed(list, comma + 1, end))
    if (key === undefined) return undefined
    end = comma
  }
  return key
}

/** RFC 9110 section 5.6.3: spaces and tabs, nothing else. A caller may have sent kilobytes of them. */
function trimmed(list: string, start: number, end: number): string {
  while (start < end && isBlank(list, start)) start++
  while (end > start && isBlank(list, end - 1)) end--
  return list.slice(start, end)
}

function isBlank(text: string, at: number): boolean {
  const code = text.charCodeAt(at)
  return code === 0x20 || code === 0x09
}

/** `[2001:db8::1]:443`; the port, and before it the brackets, may be missing. */
const bracketed = /^\[([^[\]]+)\](?::(\d{1,5}))?$/
const withPort = /^([\d.]+):(\d{1,5})$/
/** RFC 4007 section 11: which link an address belongs to; it says nothing beyond this machine. */
const zone = /%[\w.:-]+$/

/** More than any address with its zone and port. */
const longest = 128

/** The key of an address as a socket or a proxy writes it. */
function keyOf(written: string | undefined): string | undefined {
  if (written === undefined || written.length > longest) return undefined
  if (isIPv4(written)) return written
  const [, inner = written, port = '0'] = bracketed.exec(written) ?? withPort.exec(written) ?? []
  if (Number(port) > 65_535) return undefined
  if (inner.includes(':')) return keyOfGroups(groupsOf(inner.replace(zone, '')))
  return !written.startsWith('[') && isIPv4(inner) ? inner : undefined
}

/** Leading zeros are refused: one reader takes them for octal, another does not. */
const octet = '(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)'
const ipv4 = new RegExp(`^${octet}(?:\\.${octet}){3}$`)

function isIPv4(text: string): boolean {
  return ipv4.test(text)
}

/** IPv4 in the clothes of IPv6 is IPv4: a caller must not have one count for each. */
const mapped = [0, 0, 0, 0, 0, 0xffff]
/** RFC 6052 section 2.1. All of IPv4 lies within one /64 there, and callers have nothing in common. */
const translated = [0x64, 0xff9b, 0, 0, 0, 0]

function keyOfGroups(groups: readonly number[] | undefined): string | undefined {
  if (groups === undefined) return undefined
  if (startsWith(groups, mapped) || startsWith(groups, translated)) {
    const [high = 0, low = 0] = groups.slice(6)
    return [high >> 8, high & 255, low >> 8, low & 255].join('.')
  }
  const prefix = groups.slice(0, 4).map((group) => group.toString(16))
  return `${prefix.join(':')}::/64`
}

function startsWith(groups: readonly number[], prefix: readonly number[]): boolean {
  return prefix.every((group, index) => groups[index] === group)
}

/** RFC 4291 section 2.2: eight groups, one run of zeros left out, the last two perhaps written as IPv4. */
function groupsOf(ip: string): readonly number[] | undefined {
  const [head = '', tail, ...more] = withoutDots(ip).split('::')
  if (more.length > 0) return undefined
  const left = partsOf(head)
  const right = partsOf(tail ?? '')
  const missing = 8 - left.length - right.length
  if (tail === undefined ? missing !== 0 : missing < 1) return undefined
  if (![...left, ...right].every((part) => /^[\da-f]{1,4}$/i.test(part))) return undefined
  const zeros = Array.from({ length: missing }, () => '0')
  return [...left, ...zeros, ...right].map((part) => Number.parseInt(part, 16))
}

function partsOf(text: string): readonly string[] {
  return text === '' ? [] : text.split(':')
}

function withoutDots(ip: string): string {
  const start = ip.lastIndexOf(':') + 1
  const last = ip.slice(start)
  if (!isIPv4(last)) return ip
  const [a = 0, b = 0, c = 0, d = 0] = last.split('.').map(Number)
  return `${ip.slice(0, start)}${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`
}
