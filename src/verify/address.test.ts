import { BlockList, isIP } from 'node:net'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { addressKind } from './address.ts'

describe('B-79 addressKind of IPv4', () => {
  it.each([
    ['public', ['1.1.1.1', '8.8.8.8', '9.255.255.255', '11.0.0.0', '172.15.255.255', '172.32.0.0']],
    ['public', ['100.63.255.255', '100.128.0.0', '192.0.1.0', '192.167.255.255', '198.17.255.255']],
    ['public', ['126.255.255.255', '128.0.0.0', '169.253.255.255', '169.255.0.0', '223.255.255.255']],
    ['loopback', ['127.0.0.0', '127.0.0.1', '127.255.255.255']],
    ['private', ['10.0.0.0', '10.255.255.255', '172.16.0.0', '172.31.255.255']],
    ['private', ['192.168.0.0', '192.168.255.255', '100.64.0.0', '100.127.255.255']],
    ['special', ['0.0.0.0', '0.255.255.255', '169.254.0.0', '169.254.169.254', '169.254.255.255']],
    ['special', ['192.0.0.1', '192.0.0.192', '192.0.2.1', '192.88.99.1', '198.18.0.0', '198.19.255.255']],
    ['special', ['198.51.100.1', '203.0.113.1', '224.0.0.0', '239.255.255.255', '240.0.0.0']],
    ['special', ['255.255.255.255', '100.100.100.200', '168.63.129.16']],
  ])('%s: %j', (kind, addresses) => {
    for (const address of addresses) expect([address, addressKind(address)]).toEqual([address, kind])
  })
})

describe('B-79 addressKind of IPv6', () => {
  it.each([
    ['public', ['2606:4700::1111', '2000::', '3ffe:ffff::1', '2001:200::', '2001:db7::', '2003::']],
    ['public', ['2606:4700::1111%eth0', '2001:4860:4860:0:0:0:0:8888', '2A00::ABCD', '2a00:1:2:3:4:5:6:7']],
    ['loopback', ['::1', '0:0:0:0:0:0:0:1', '0000:0000::0001', '::0.0.0.1']],
    ['private', ['fc00::', 'fd00::1', 'fdff:ffff::', 'fd00:ec2::255', 'fd00:ec3::254']],
    ['special', ['::', '0::0', '::2', '::127.0.0.1', '::8.8.8.8', '1::', '1fff::', '4000::', 'fb00::']],
    ['special', ['fe80::1', 'fe80::1%eth0', 'febf::', 'fec0::', 'ff02::1', 'ff0e::1', '100::1', '5f00::']],
    ['special', ['fd00:ec2::254', 'fd00:ec2:0::0254', 'fd00:ec2::23', 'fd20:ce::254', 'fd00:42::42']],
    ['special', ['2001:db8::1', '3fff::1', '2001::', '2001:0:7f00:1::', '2001:2::', '2001:1ff::', '2002::']],
    ['special', ['2002:7f00:1::', '2002:808:808::', '64:ff9b:1::1', '64:ff9b:1::808:808', '64:ff9a::']],
    ['special', ['::ffff:0:8.8.8.8', '64:ff9b::1:808:808']],
  ])('%s: %j', (kind, addresses) => {
    for (const address of addresses) expect([address, addressKind(address)]).toEqual([address, kind])
  })

  it.each([
    ['::ffff:8.8.8.8', 'public'],
    ['::ffff:10.0.0.1', 'private'],
    ['::ffff:127.0.0.1', 'special'],
    ['::ffff:169.254.169.254', 'special'],
    ['64:ff9b::808:808', 'public'],
    ['64:ff9b::10.0.0.1', 'special'],
    ['64:ff9b::7f00:1', 'special'],
  ])('%s, which embeds IPv4, is %s', (address, kind) => {
    expect(addressKind(address)).toBe(kind)
  })
})

describe('B-79 addressKind of what is no address', () => {
  it.each([
    '',
    ' ',
    'localhost',
    'as.example.com',
    '8.8.8',
    '8.8.8.8.8',
    '8.8.8.8.',
    '.8.8.8.8',
    '08.8.8.8',
    '0177.0.0.1',
    '0x8.8.8.8',
    '8.8.8.256',
    '8.8.8.-8',
    ' 8.8.8.8',
    '8.8.8.8\n',
    '８.8.8.8',
    '8.8.8.8%eth0',
    '134744072',
    '[2606:4700::1]',
    '2606:4700::1%',
    '2606:4700:::1',
    '2606::4700::1',
    ':2606:4700:1:2:3:4:5:6',
    '2606:4700:1:2:3:4:5',
    '2606:4700:1:2:3:4:5:6:7',
    '2606:4700:1:2:3:4:5:6::',
    '2606:4700:1:2:3::4:5:6:7',
    '2606:4700::00001',
    '2606:4700::g',
    '2606:8.8.8.8::',
    '2606::08.8.8.8',
    '2606:4700:1:2:3:4:5:8.8.8.8',
    ':',
    '%eth0',
  ])('%j is special', (text) => {
    expect(isIP(text)).toBe(0)
    expect(addressKind(text)).toBe('special')
  })

  it('agrees with the runtime about what is an address', () => {
    const text = fc.oneof(
      fc.string({ unit: fc.constantFrom(...'0123456789abcdefF:.%x'), maxLength: 24 }),
      fc
        .array(fc.constantFrom('0', '1', 'ff', '2606', ':', '::', '.', '8', '255', '256', '00001'), {
          maxLength: 16,
        })
        .map((parts) => parts.join('')),
    )
    fc.assert(
      fc.property(text, (any) => {
        if (isIP(any) === 0) expect(addressKind(any)).toBe('special')
      }),
      { numRuns: 2000 },
    )
  })
})

/** What is not public of IPv4, matched by the runtime instead of by us. */
const notPublic = new BlockList()
for (const [net, prefix] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['168.63.129.16', 32],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
] as const) {
  notPublic.addSubnet(net, prefix, 'ipv4')
}

const byte = fc.integer({ min: 0, max: 255 })
/** Any IPv4, and more often those at which a filter would err. */
const v4 = fc
  .tuple(
    fc.oneof(byte, fc.constantFrom(0, 10, 100, 127, 168, 169, 172, 192, 198, 203, 224, 255)),
    fc.oneof(byte, fc.constantFrom(0, 16, 18, 31, 51, 63, 64, 88, 127, 168, 254)),
    fc.oneof(byte, fc.constantFrom(0, 2, 99, 100, 113, 129, 169)),
    byte,
  )
  .map((bytes) => bytes.join('.'))
const hex = (ip: string) => {
  const [a = 0, b = 0, c = 0, d = 0] = ip.split('.').map(Number)
  return `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`
}

describe('B-79 IPv4 in any clothes', () => {
  it('is public only where it is public', () => {
    fc.assert(
      fc.property(v4, (ip) => {
        const expected = !notPublic.check(ip)
        expect([ip, addressKind(ip) === 'public']).toEqual([ip, expected])
        for (const prefix of ['::ffff:', '0:0:0:0:0:FFFF:', '64:ff9b::', '0064:ff9b:0:0:0:0:']) {
          for (const spelled of [`${prefix}${ip}`, `${prefix}${hex(ip)}`, `${prefix}${hex(ip)}%1`]) {
            expect([spelled, addressKind(spelled) === 'public']).toEqual([spelled, expected])
          }
        }
      }),
      { numRuns: 1000 },
    )
  })

  it('is special through every tunnel, public or not', () => {
    fc.assert(
      fc.property(v4, fc.integer({ min: 2, max: 0xfffe }), (ip, group) => {
        const more = group.toString(16)
        for (const spelled of [
          `2002:${hex(ip)}::${more}`,
          `2001:0:${hex(ip)}:${more}::`,
          `2001::${more}:${hex(ip)}`,
          `64:ff9b:1::${hex(ip)}`,
          `::ffff:0:${ip}`,
          `::${more}:${ip}`,
        ]) {
          expect([spelled, addressKind(spelled)]).toEqual([spelled, 'special'])
        }
      }),
    )
  })

  it('is the same in every spelling of one address', () => {
    const groups = fc.array(fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 0xffff })), {
      minLength: 7,
      maxLength: 7,
    })
    const first = fc.constantFrom(0, 0x64, 0x2001, 0x2002, 0x2606, 0xfc00, 0xfe80, 0xff02)
    fc.assert(
      fc.property(first, groups, (head, tail) => {
        const long = [head, ...tail].map((group) => group.toString(16).padStart(4, '0')).join(':')
        const short = new URL(`http://[${long}]/`).hostname.slice(1, -1)
        expect(addressKind(short)).toBe(addressKind(long))
        expect(addressKind(long.toUpperCase())).toBe(addressKind(long))
      }),
      { numRuns: 1000 },
    )
  })
})
