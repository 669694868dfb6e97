import { BlockList, isIP, isIPv4 } from 'node:net'
import { describe, expect, test } from 'vitest'
import { addressAllowed, checkAddresses } from './addresses.ts'

describe('a list of networks', () => {
  test.each([
    ['192.0.2.0/24', '192.0.2.0/24'],
    ['192.0.2.7', '192.0.2.7'],
    ['192.0.2.7/32', '192.0.2.7'],
    ['0.0.0.0/0', '0.0.0.0/0'],
    ['128.0.0.0/1', '128.0.0.0/1'],
    ['2001:DB8::/32', '2001:db8::/32'],
    ['2001:0db8:0000:0000:0000:0000:0000:0001', '2001:db8::1'],
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['::1/128', '::1'],
    ['::', '::'],
    ['::/0', '::/0'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['::ffff:c000:207', '192.0.2.7'],
    ['::ffff:192.0.2.0/120', '192.0.2.0/24'],
    ['::ffff:0:0/96', '0.0.0.0/0'],
    ['64:ff9b::192.0.2.1', '64:ff9b::c000:201'],
  ])('takes %s as %s', (given, canonical) => {
    expect(checkAddresses('keys', [given])).toEqual([canonical])
    expect(checkAddresses('keys', [canonical])).toEqual([canonical])
  })

  test.each([
    '',
    ' ',
    '*',
    'localhost',
    'example.com',
    '192.0.2',
    '192.0.2.1.1',
    '192.0.2.256',
    '192.0.2.-1',
    '0x7f.0.0.1',
    '010.0.0.1',
    '192.0.02.1',
    '192.0.2.1 ',
    ' 192.0.2.1',
    '192.0.2.0/33',
    '192.0.2.0/',
    '192.0.2.0/024',
    '192.0.2.0/+8',
    '192.0.2.0/-1',
    '192.0.2.0/8.0',
    '192.0.2.0/255.255.255.0',
    '192.0.2.0/24/24',
    '/24',
    '3232235521',
    'fe80::1%eth0',
    'fe80::1%1',
    'fe80::%eth0/64',
    '2001:db8::/129',
    '2001:db8',
    ':::',
    '1::2::3',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4:5:6:7:8::',
    '12345::',
    'g::',
    '[::1]',
    '::ffff:010.0.0.1',
    '::ffff:256.0.0.1',
    '::ffff:0:0/95',
    '1.2.3.4::',
    '192.0.2.1\0',
    '\u0661.2.3.4',
    `${'0'.repeat(50)}::1`,
  ])('refuses %j', (item) => {
    expect(() => checkAddresses('keys', ['192.0.2.1', item])).toThrow(/^keys: addresses must be networks/)
    expect(addressAllowed(['0.0.0.0/0', '::/0'], item)).toBe(false)
    expect(addressAllowed([item], '192.0.2.1')).toBe(false)
  })

  test('refuses one with bits of an address, and says what may be meant', () => {
    expect(() => checkAddresses('keys', ['10.0.0.5/8'])).toThrow(
      'keys: addresses: write 10.0.0.0/8 for the network, or 10.0.0.5 alone',
    )
    expect(() => checkAddresses('keys', ['2001:db8::5/32'])).toThrow('2001:db8::/32 for the network')
  })

  test.each<[what: string, list: unknown]>([
    ['nothing', []],
    ['no list', undefined],
    ['a text', '192.0.2.1'],
    ['a list with a hole', [undefined]],
    ['a list of numbers', [1]],
    ['a list of lists', [['192.0.2.1']]],
    ['a list that is too long', Array(1001).fill('::1')],
  ])('is not %s', (_what, list) => {
    expect(() => checkAddresses('keys', list as string[])).toThrow(TypeError)
  })

  test('has each network once, and nobody changes it', () => {
    const list = checkAddresses('keys', ['::1', '0:0::1', '10.0.0.0/8', '::ffff:10.0.0.0/104'])
    expect(list).toEqual(['::1', '10.0.0.0/8'])
    expect(Object.isFrozen(list)).toBe(true)
  })
})

describe('an address', () => {
  const list = checkAddresses('keys', ['192.0.2.0/25', '2001:db8:0:8000::/49', '203.0.113.9'])

  test('is allowed in a network, up to its last address', () => {
    for (const inside of [
      '192.0.2.0',
      '192.0.2.127',
      '203.0.113.9',
      '2001:db8:0:8000::',
      '2001:db8:0:ffff:ffff::1',
    ]) {
      expect([inside, addressAllowed(list, inside)]).toEqual([inside, true])
    }
    for (const outside of [
      '192.0.2.128',
      '192.0.1.255',
      '203.0.113.8',
      '2001:db8:0:7fff::',
      '2001:db8:1::',
    ]) {
      expect([outside, addressAllowed(list, outside)]).toEqual([outside, false])
    }
  })

  test('of IPv4 is the same in the clothes of IPv6', () => {
    for (const inside of ['::ffff:192.0.2.1', '::FFFF:c000:201', '0:0:0:0:0:ffff:192.0.2.1']) {
      expect(addressAllowed(list, inside)).toBe(true)
    }
    expect(addressAllowed(list, '::192.0.2.1')).toBe(false)
    expect(addressAllowed(['::/0'], '::ffff:192.0.2.1')).toBe(false)
    expect(addressAllowed(['0.0.0.0/0'], '2001:db8::1')).toBe(false)
  })

  test('that is unknown is allowed nowhere', () => {
    for (const address of [undefined, null, '', 'unknown', 0]) {
      expect(addressAllowed(['0.0.0.0/0', '::/0'], address as undefined)).toBe(false)
    }
    expect(addressAllowed([], '192.0.2.1')).toBe(false)
  })

  test('is judged as node:net judges it', () => {
    let state = 7
    const any = (below: number) => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
      return (state >>> 8) % below
    }
    const address4 = () => Array.from({ length: 4 }, () => [0, 1, 127, 128, 255, any(256)][any(6)]).join('.')
    const address6 = () => {
      // Not mapped: what node:net makes of those is tested apart.
      const groups = Array.from({ length: 8 }, () => [0, 0, 0, 1, 0x8000, 0xffff, any(65_536)][any(7)]!)
      groups[0] = 0x2000 + any(2)
      const text = groups.map((group) => group.toString(16)).join(':')
      return any(2) === 0 ? text : text.replace(/(?:^|:)0(?::0)+(?::|$)/, '::')
    }
    let agreed = 0
    for (let round = 0; round < 20_000; round++) {
      const make = any(2) === 0 ? address4 : address6
      const [net, asked] = [make(), any(4) === 0 ? address4() : make()]
      const bits = any(isIPv4(net) ? 33 : 129)
      const list = new BlockList()
      list.addSubnet(net, bits, isIPv4(net) ? 'ipv4' : 'ipv6')
      // A network of IPv6 holds no IPv4 here, ::/0 included.
      const expected = isIP(net) === isIP(asked) && list.check(asked, isIPv4(asked) ? 'ipv4' : 'ipv6')
      expect([net, bits, asked, addressAllowed([`${net}/${bits}`], asked)]).toEqual([
        net,
        bits,
        asked,
        expected,
      ])
      if (expected) agreed += 1
    }
    // Of both answers there were many.
    expect(agreed).toBeGreaterThan(1000)
    expect(agreed).toBeLessThan(19_000)
  })

  test('is one exactly when node:net says so', () => {
    let state = 11
    const any = (below: number) => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
      return (state >>> 8) % below
    }
    const pieces = [
      '0',
      '1',
      'ff',
      'FFFF',
      '12345',
      ':',
      ':',
      ':',
      '::',
      '.',
      '.',
      '255',
      '256',
      '01',
      '1.2.3.4',
      'g',
    ]
    let addresses = 0
    for (let round = 0; round < 200_000; round++) {
      const text = Array.from({ length: 1 + any(15) }, () => pieces[any(pieces.length)]).join('')
      const isOne = isIP(text) !== 0
      const list = ['0.0.0.0/0', '::/0']
      if (addressAllowed(list, text) !== isOne) expect([text, !isOne]).toEqual([text, isOne])
      if (isOne) addresses += 1
    }
    expect(addresses).toBeGreaterThan(500)
  })
})
