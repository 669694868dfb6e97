import type { RequestHead } from './head.ts'

/** Tells from where a request came; `undefined` when nobody can tell. Never throws. */
export type AddressReader = (head: RequestHead) => string | undefined

/**
 * Makes an {@link AddressReader} for counting: it gives an IPv4 address, or the first 64 bits of an IPv6 address, because
 * one subscriber owns a whole /64 (RFC 4291 section 2.5.4, RFC 6177). Anybody can write `X-Forwarded-For`, so it counts
 * only as far as proxies of one's own wrote it: each adds, at the right, the address that it saw. What stands further left
 * decides nothing.
 *
 * @param trustProxy how many proxies stand in front of this server, up to 10; whoever reaches the server past them can
 *   name any address. The address is then the one at this place from the right, all lines of `X-Forwarded-For` counted.
 *   When they are fewer, or one of these places holds no IP address, it is that of the socket. Default: 0, and the
 *   header is ignored
 * @throws TypeError when `trustProxy` is anything else
 */
export function addressReader(trustProxy: number | undefined): AddressReader {
  const proxies = checkedProxies(trustProxy)
  if (proxies === 0) return (head) => keyOf(head.remote)
  return (head) => forwarded(head, proxies, keyOf) ?? keyOf(head.remote)
}

/**
 * Makes an {@link AddressReader} for deciding: it gives the whole address, in the spelling of RFC 5952 section 4; IPv4
 * written as IPv6 is IPv4. What decides about somebody must not be guessed: where proxies are trusted, and do not say whom
 * they saw, it is unknown, as the socket would name the proxy, and let everybody in whom that one may be.
 *
 * @param trustProxy as for {@link addressReader}
 * @throws TypeError when `trustProxy` is no number of proxies
 */
export function clientAddress(trustProxy: number | undefined): AddressReader {
  const proxies = checkedProxies(trustProxy)
  if (proxies === 0) return (head) => wholeOf(head.remote)
  return (head) => forwarded(head, proxies, wholeOf)
}

function checkedProxies(trustProxy = 0): number {
  if (Number.isInteger(trustProxy) && trustProxy >= 0 && trustProxy <= 10) return trustProxy
  throw new TypeError('trustProxy must be the number of proxies in front, a whole number up to 10')
}

/** Read from the right, so that what a caller wrote at the left costs nothing and changes nothing. */
function forwarded(
  head: RequestHead,
  place: number,
  read: (written: string) => string | undefined,
): string | undefined {
  const list = head.header('x-forwarded-for').join(',')
  let end = list.length
  let address: string | undefined
  for (let left = place; left > 0; left--) {
    if (end < 0) return undefined
    const comma = list.lastIndexOf(',', end - 1)
    address = read(trimmed(list, comma + 1, end))
    if (address === undefined) return undefined
    end = comma
  }
  return address
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
  return addressOf(written, keyOfGroups)
}

/** All of an address as a socket or a proxy writes it. */
function wholeOf(written: string | undefined): string | undefined {
  return addressOf(written, textOfGroups)
}

function addressOf(
  written: string | undefined,
  ofGroups: (groups: readonly number[]) => string,
): string | undefined {
  if (written === undefined || written.length > longest) return undefined
  if (isIPv4(written)) return written
  const [, inner = written, port = '0'] = bracketed.exec(written) ?? withPort.exec(written) ?? []
  if (Number(port) > 65_535) return undefined
  if (!inner.includes(':')) return !written.startsWith('[') && isIPv4(inner) ? inner : undefined
  const groups = groupsOf(inner.replace(zone, ''))
  return groups && ofGroups(groups)
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

function keyOfGroups(groups: readonly number[]): string {
  if (startsWith(groups, mapped) || startsWith(groups, translated)) return lastAsIPv4(groups)
  const prefix = groups.slice(0, 4).map((group) => group.toString(16))
  return `${prefix.join(':')}::/64`
}

/** RFC 5952 section 4.2: the first of the longest runs of zeros is left out, if it is more than one. */
function textOfGroups(groups: readonly number[]): string {
  if (startsWith(groups, mapped)) return lastAsIPv4(groups)
  const text = groups.map((group) => group.toString(16)).join(':')
  const [run] = [...text.matchAll(/\b0(?::0)+\b/g)].sort((a, b) => b[0].length - a[0].length)
  if (run === undefined) return text
  const left = text.slice(0, run.index).replace(/:$/, '')
  const right = text.slice(run.index + run[0].length).replace(/^:/, '')
  return `${left}::${right}`
}

function lastAsIPv4(groups: readonly number[]): string {
  const [high = 0, low = 0] = groups.slice(6)
  return [high >> 8, high & 255, low >> 8, low & 255].join('.')
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
