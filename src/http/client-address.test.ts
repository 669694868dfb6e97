import { isIP, isIPv4, isIPv6 } from 'node:net'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { addressReader, clientAddress } from './client-address.ts'
import { type RequestHead, requestHead } from './head.ts'

const forwardedFor = (...lines: string[]): RequestHead => ({
  method: 'POST',
  url: '/mcp',
  header: (name) => (name === 'x-forwarded-for' ? lines : []),
})
/** What a reader says of a request that came over a socket with this other end. */
const over =
  (read: (head: RequestHead) => string | undefined) => (remote: string | undefined, head: RequestHead) =>
    read({ method: head.method, url: head.url, header: (name) => head.header(name), remote })
const behind = (proxies: number) => over(addressReader(proxies))
const own = over(addressReader(undefined))
const whole = (remote: string) => over(clientAddress(undefined))(remote, forwardedFor())
const key = (remote: string | undefined) => own(remote, forwardedFor())

describe('addressReader of a server that nobody stands in front of', () => {
  it('D-07 X-Forwarded-For is ignored, whatever it says', () => {
    for (const line of ['198.51.100.7', '127.0.0.1', '', ',', 'x', '203.0.113.9, 198.51.100.7']) {
      expect(own('192.0.2.1', forwardedFor(line))).toBe('192.0.2.1')
      expect(own(undefined, forwardedFor(line))).toBeUndefined()
    }
  })

  it.each([
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['::FFFF:c000:201', '192.0.2.1'],
    ['0:0:0:0:0:ffff:192.0.2.1', '192.0.2.1'],
    ['64:ff9b::192.0.2.1', '192.0.2.1'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:DB8:1:2::', '2001:db8:1:2::/64'],
    ['2001:0db8:0001:0002:ffff:ffff:ffff:ffff', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['::192.0.2.1', '0:0:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['fe80::1%25', 'fe80:0:0:0::/64'],
  ])('one subscriber has one key, however the address is written: %s', (remote, expected) => {
    expect(key(remote)).toBe(expected)
  })

  it.each([
    '',
    ' ',
    'localhost',
    'unknown',
    '_hidden',
    '192.0.2',
    '192.0.2.1.1',
    '192.0.2.256',
    '192.0.2.01',
    '0300.0.2.1',
    '3221225985',
    '0xc0000201',
    '192.0.2.1/24',
    '192.0.2.1%eth0',
    '[192.0.2.1]',
    '192.0.2.1:',
    '192.0.2.1:65536',
    '192.0.2.1\n',
    '１９２.0.2.1',
    ':',
    '::1::',
    ':::',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4:5:6:7::8',
    '12345::',
    'g::',
    '::ffff:192.0.2.256',
    '192.0.2.1::',
    '2001:db8::1%',
    '[2001:db8::1',
    '2001:db8::1]',
    '[[2001:db8::1]]',
    '[2001:db8::1]:x',
    '[2001:db8::1]:99999',
    '[]',
    '"[2001:db8::1]"',
    `fe80::1%${'e'.repeat(200)}`,
    '0'.repeat(100_000),
  ])('what is no address has no key: %j', (remote) => {
    expect(key(remote)).toBeUndefined()
  })
})

describe('addressReader behind proxies', () => {
  it('D-07 takes the entry that the outermost of its own proxies wrote, and nothing further left', () => {
    const head = forwardedFor('6.6.6.6, 203.0.113.3 ,203.0.113.2,\t203.0.113.1')
    const of = (proxies: number) => behind(proxies)('192.0.2.1', head)
    expect([1, 2, 3, 4, 5].map(of)).toEqual([
      '203.0.113.1',
      '203.0.113.2',
      '203.0.113.3',
      '6.6.6.6',
      '192.0.2.1',
    ])
  })

  it('falls back to the socket when there are fewer entries than proxies', () => {
    for (const line of ['203.0.113.12', ',203.0.113.12', ', 203.0.113.12', '']) {
      expect(behind(2)('192.0.2.1', forwardedFor(line))).toBe('192.0.2.1')
    }
    expect(behind(2)('192.0.2.1', forwardedFor())).toBe('192.0.2.1')
  })

  it('D-07 counts the entries of all lines, as proxies add lines too', () => {
    const head = forwardedFor('6.6.6.6', '203.0.113.2, 203.0.113.1')
    expect(behind(2)('192.0.2.1', head)).toBe('203.0.113.2')
    expect(behind(3)('192.0.2.1', head)).toBe('6.6.6.6')
  })

  it('D-07 counts the same in a Request, which joins the lines', () => {
    const headers = new Headers([
      ['X-Forwarded-For', '6.6.6.6'],
      ['X-Forwarded-For', '203.0.113.1'],
    ])
    const head = requestHead(new Request('http://localhost/mcp', { headers }))
    expect(behind(1)(undefined, head)).toBe('203.0.113.1')
  })

  it('knows a caller also where the socket says nothing, as that of a file does', () => {
    expect(behind(1)(undefined, forwardedFor('203.0.113.1'))).toBe('203.0.113.1')
    expect(behind(1)(undefined, forwardedFor())).toBeUndefined()
  })

  it.each([
    ['203.0.113.1:51234', '203.0.113.1'],
    ['[2001:db8:1:2::3]:443', '2001:db8:1:2::/64'],
    ['[2001:db8:1:2::3]', '2001:db8:1:2::/64'],
    ['[fe80::1%eth0]:1', 'fe80:0:0:0::/64'],
    ['[::ffff:203.0.113.1]:443', '203.0.113.1'],
  ])('reads what proxies write beside the address: %s', (entry, expected) => {
    expect(behind(1)('192.0.2.1', forwardedFor(entry))).toBe(expected)
  })

  it.each([
    '',
    ' ',
    ',',
    '203.0.113.1,',
    '203.0.113.1, unknown',
    '203.0.113.1 203.0.113.2',
    'for=203.0.113.1',
    ' '.repeat(100_000),
  ])('falls back to the socket when its place holds no address: %j', (line) => {
    expect(behind(1)('::ffff:192.0.2.1', forwardedFor(line))).toBe('192.0.2.1')
  })

  it('falls back to the socket when a place of an inner proxy holds no address', () => {
    expect(behind(2)('192.0.2.1', forwardedFor('203.0.113.1, unknown'))).toBe('192.0.2.1')
  })

  it('D-07 nothing a caller sends can change what the proxies added', () => {
    const entry = fc.oneof(fc.ipV4(), fc.ipV6(), fc.string(), fc.constantFrom('', ',', ' ', '[', '%', '::'))
    fc.assert(
      fc.property(fc.array(entry), fc.ipV4(), fc.ipV4(), (sent, seen, inner) => {
        const head = forwardedFor(...sent, `${seen}, ${inner}`)
        expect(behind(1)('192.0.2.1', head)).toBe(inner)
        expect(behind(2)('192.0.2.1', head)).toBe(seen)
        const oneLine = forwardedFor([...sent, seen, inner].join(', '))
        expect(behind(2)('192.0.2.1', oneLine)).toBe(seen)
      }),
    )
  })
})

describe('clientAddress', () => {
  it.each([
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['::FFFF:c000:201', '192.0.2.1'],
    ['64:ff9b::192.0.2.1', '64:ff9b::c000:201'],
    ['2001:DB8:1:2:3:4:5:6', '2001:db8:1:2:3:4:5:6'],
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['10:0:0:0:0:0:0:10', '10::10'],
    ['::', '::'],
    ['::1', '::1'],
    ['1::', '1::'],
    ['fe80::1%eth0', 'fe80::1'],
    ['[2001:db8::1]:443', '2001:db8::1'],
    ['', undefined],
    ['unknown', undefined],
    ['192.0.2.1/24', undefined],
    ['192.0.2.1\n', undefined],
  ])('B-103 is all of the address, in one spelling: %j', (written, expected) => {
    expect(whole(written)).toBe(expected)
    expect(over(clientAddress(1))('198.51.100.9', forwardedFor(written))).toBe(expected)
  })

  it('D-07 ignores X-Forwarded-For unless proxies are trusted, and then reads it from the right', () => {
    const head = forwardedFor('6.6.6.6', '203.0.113.2, 203.0.113.1')
    expect(over(clientAddress(0))('192.0.2.1', head)).toBe('192.0.2.1')
    expect([1, 2, 3].map((proxies) => over(clientAddress(proxies))('192.0.2.1', head))).toEqual([
      '203.0.113.1',
      '203.0.113.2',
      '6.6.6.6',
    ])
  })

  it('D-07 is unknown where trusted proxies do not say it: the socket would name the proxy', () => {
    for (const lines of [[], [''], ['203.0.113.1'], ['203.0.113.1, unknown'], ['unknown, 203.0.113.1']])
      expect(over(clientAddress(2))('10.0.0.5', forwardedFor(...lines))).toBeUndefined()
    expect(over(clientAddress(0))(undefined, forwardedFor('10.0.0.5'))).toBeUndefined()
  })
})

describe('addressReader and hostile text', () => {
  it('agrees with Node on what is an address, and IPv4 keeps its spelling', () => {
    const near = fc.stringMatching(/^[0-9a-f:.%]{0,24}$/)
    fc.assert(
      fc.property(fc.oneof(near, near, fc.ipV4(), fc.ipV6(), fc.string()), (text) => {
        // A port is the one thing beyond an address that is read.
        const alone = /^([\d.]+):\d+$/.test(text) || text.startsWith('[') ? '' : text
        const found = key(alone)
        expect(found !== undefined).toBe(isIP(alone) !== 0)
        if (isIPv4(alone)) expect(found).toBe(alone)
      }),
      { numRuns: 2000 },
    )
  })

  it('B-103 the whole address is that which URL writes, however it was written', () => {
    const group = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 0xffff }))
    const eight = fc.array(group, { minLength: 8, maxLength: 8 })
    const padded = (groups: readonly number[]) =>
      groups.map((part) => part.toString(16).padStart(4, '0').toUpperCase()).join(':')
    fc.assert(
      fc.property(eight, (groups) => {
        // IPv4 that is written as IPv6 is another matter.
        fc.pre(!(groups.slice(0, 5).every((part) => part === 0) && groups[5] === 0xffff))
        const { hostname } = new URL(`http://[${padded(groups)}]`)
        expect(`[${whole(padded(groups))}]`).toBe(hostname)
        expect(`[${whole(hostname)}]`).toBe(hostname)
      }),
    )
  })

  it('all addresses of a /64 have one key, and those of another /64 another one', () => {
    const group = fc.integer({ min: 0, max: 0xffff })
    const four = fc.tuple(group, group, group, group)
    const text = (groups: readonly number[]) => groups.map((part) => part.toString(16)).join(':')
    // Beginnings under which IPv4 hides are another matter.
    const prefix = four.filter(([first]) => first !== 0 && first !== 0x64)
    fc.assert(
      fc.property(prefix, prefix, four, four, (one, other, left, right) => {
        expect(key(text([...one, ...left]))).toBe(key(text([...one, ...right])))
        // As URL writes it: zeros left out.
        const short = new URL(`http://[${text([...one, ...left])}]`).hostname
        expect(key(short)).toBe(`${text(one)}::/64`)
        expect(key(text([...one, ...left])) === key(text([...other, ...left]))).toBe(
          text(one) === text(other),
        )
      }),
    )
  })

  it('a key is IPv4 or a prefix, and nothing a caller wrote gets into it', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.string(), fc.ipV6())), fc.integer({ min: 1, max: 10 }), (lines, n) => {
        const found = behind(n)(undefined, forwardedFor(...lines))
        const prefix = found?.replace(/\/64$/, '')
        expect(found === undefined || isIPv4(found) || isIPv6(prefix ?? '')).toBe(true)
      }),
    )
  })
})

describe('trustProxy', () => {
  it.each([-1, 11, 1.5, Number.NaN, '1', true, null, {}])('%j is no number of proxies', (value) => {
    expect(() => addressReader(value as number)).toThrow(TypeError)
    expect(() => addressReader(value as number)).toThrow('trustProxy')
    expect(() => clientAddress(value as number)).toThrow('trustProxy')
  })
})
