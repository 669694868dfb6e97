/**
 * The bits of an IP address: `4:` and 32 binary digits, or `6:` and 128. Networks are then beginnings, and those of one
 * family hold none of the other.
 * @returns `undefined` for what is no address, one with a zone (RFC 4007 section 11) included
 */
export function addressBits(ip: string): string | undefined {
  // The longest there is: six groups of four digits, and an IPv4 address.
  if (ip.length > 45) return undefined
  return ip.includes(':') ? prefixed('6:', bitsOf6(ip)) : prefixed('4:', bitsOf4(ip))
}

function prefixed(family: string, bits: string | undefined): string | undefined {
  return bits === undefined ? undefined : family + bits
}

/** Leading zeros are refused: some read them as octal. */
function bitsOf4(ip: string): string | undefined {
  const numbers = ip.split('.')
  const isAddress =
    numbers.length === 4 &&
    numbers.every((number) => /^(?:0|[1-9]\d{0,2})$/.test(number) && Number(number) <= 255)
  return isAddress ? numbers.map((number) => binary(Number(number), 8)).join('') : undefined
}

/** RFC 4291 section 2.2: eight groups, one run of zeros left out, the last two perhaps written as IPv4. */
function bitsOf6(ip: string): string | undefined {
  const [head = '', tail, ...more] = withoutDots(ip).split('::')
  if (more.length > 0) return undefined
  const left = groupsOf(head)
  const right = groupsOf(tail ?? '')
  const missing = 8 - left.length - right.length
  if (tail === undefined ? missing !== 0 : missing < 1) return undefined
  if (![...left, ...right].every((group) => /^[\da-f]{1,4}$/i.test(group))) return undefined
  const written = (groups: readonly string[]) =>
    groups.map((group) => binary(Number.parseInt(group, 16), 16)).join('')
  return written(left) + '0'.repeat(16 * missing) + written(right)
}

function groupsOf(part: string): readonly string[] {
  return part === '' ? [] : part.split(':')
}

function withoutDots(ip: string): string {
  const start = ip.lastIndexOf(':') + 1
  const bits = bitsOf4(ip.slice(start))
  if (bits === undefined) return ip
  const group = (from: number) => Number.parseInt(bits.slice(from, from + 16), 2).toString(16)
  return `${ip.slice(0, start)}${group(0)}:${group(16)}`
}

function binary(value: number, width: number): string {
  return value.toString(2).padStart(width, '0')
}
