import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { checkOptions, isLoopbackHost, numberBetween, oneOrMany, secureUrl } from './options.ts'

describe('checkOptions', () => {
  it('takes known options, and none at all', () => {
    expect(checkOptions('jwtVerifier', { issuer: 1 }, ['issuer', 'audience'])).toBeUndefined()
    expect(checkOptions('jwtVerifier', {}, ['issuer'])).toBeUndefined()
  })

  it('refuses a misspelt option, naming it and the known ones', () => {
    const attempt = () => checkOptions('jwtVerifier', { isuer: 'x' }, ['issuer', 'audience'])
    expect(attempt).toThrow(TypeError)
    expect(attempt).toThrow(/jwtVerifier.*"isuer".*issuer, audience/)
  })

  it.each(['toString', '__proto__', 'constructor'])('refuses an option called %s', (name) => {
    const options = Object.defineProperty({}, name, { value: 1, enumerable: true })
    expect(() => checkOptions('x', options, ['issuer'])).toThrow(TypeError)
  })

  it('refuses an option that is inherited: merged JSON may have made it the prototype', () => {
    const merged = Object.assign({}, JSON.parse('{ "__proto__": { "allowInsecure": true } }'))
    expect(() => checkOptions('x', merged, ['allowInsecure'])).toThrow(/"allowInsecure" is inherited/)
    class Bag {
      get issuer() {
        return 'a getter of a class is the class itself'
      }
    }
    expect(checkOptions('x', new Bag(), ['issuer'])).toBeUndefined()
    expect(checkOptions('x', Object.create({ other: 1 }), ['issuer'])).toBeUndefined()
  })

  it('does not show the value of a misspelt option', () => {
    expect(() => checkOptions('x', { tokn: 'S3CRET' }, ['token'])).toThrow(
      expect.not.objectContaining({ message: expect.stringContaining('S3CRET') }),
    )
  })

  it.each([[undefined], [null], ['text'], [5], [[]], [() => ({})]])(
    'refuses %j for an option bag',
    (options) => {
      expect(() => checkOptions('x', options, [])).toThrow(TypeError)
    },
  )
})

describe('oneOrMany', () => {
  it.each<[unknown, readonly string[] | undefined]>([
    [undefined, undefined],
    ['a', ['a']],
    [
      ['a', 'b'],
      ['a', 'b'],
    ],
    [['a', 'a'], ['a']],
  ])('reads %j', (value, result) => {
    expect(oneOrMany('issuer', value)).toEqual(result)
  })

  it('copies the list', () => {
    const given = ['a']
    const list = oneOrMany('issuer', given)
    given.push('b')
    expect(list).toEqual(['a'])
    expect(Object.isFrozen(list)).toBe(true)
  })

  const noTexts: readonly unknown[] = [
    '',
    [],
    [''],
    ['a', ''],
    [undefined],
    new Array(2),
    Object.assign(new Array(2), ['a']),
    null,
    5,
    {},
    [['a']],
  ]
  it.each(noTexts.map((value) => [value]))('refuses %j with the name of the option', (value) => {
    const attempt = () => oneOrMany('issuer', value)
    expect(attempt).toThrow(TypeError)
    expect(attempt).toThrow(/^issuer /)
  })
})

describe('numberBetween', () => {
  it.each([0, 300, 12.5])('takes %d', (value) => {
    expect(numberBetween('clockSkew', value, 0, 300)).toBe(value)
  })

  it.each([-1, 301, Number.NaN, Number.POSITIVE_INFINITY, '60', null, undefined, 60n])(
    'refuses %s',
    (value) => {
      expect(() => numberBetween('clockSkew', value, 0, 300)).toThrow(
        /^clockSkew must be a number from 0 to 300/,
      )
    },
  )
})

describe('isLoopbackHost', () => {
  it.each([
    ['localhost', true],
    ['localhost.', true],
    ['app.localhost', true],
    ['127.0.0.1', true],
    ['127.255.0.3', true],
    ['[::1]', true],
    ['::1', true],
    ['', false],
    ['0.0.0.0', false],
    ['[::]', false],
    ['128.0.0.1', false],
    ['localhost.example.com', false],
    ['notlocalhost', false],
    ['127.0.0.1.example.com', false],
    ['127.example.com', false],
    ['127.0.0.1\n', false],
    ['x127.0.0.1', false],
    ['[::1].example.com', false],
    ['[::ffff:7f00:1]', false],
    ['169.254.169.254', false],
  ])('says whether %j is this machine: %s', (host, loopback) => {
    expect(isLoopbackHost(host)).toBe(loopback)
  })

  it('agrees with the ways a URL writes 127.0.0.1', () => {
    for (const host of [
      '127.0.0.1',
      '127.1',
      '0x7f.1',
      '2130706433',
      '0177.0.0.1',
      '127.0.0.1.',
      'LOCALHOST',
      '[0:0::1]',
    ]) {
      expect([host, isLoopbackHost(new URL(`http://${host}/`).hostname)]).toEqual([host, true])
    }
  })
})

describe('secureUrl', () => {
  it.each([
    'https://mcp.example.com/mcp?x=1',
    'http://localhost:3000/mcp',
    'http://127.0.0.1/',
    'http://[::1]:1/',
  ])('takes %s, as text and as URL', (text) => {
    expect(secureUrl('url', text).href).toBe(text)
    expect(secureUrl('url', new URL(text)).href).toBe(text)
  })

  it('gives a URL of its own', () => {
    const given = new URL('https://mcp.example.com/')
    const url = secureUrl('url', given)
    given.protocol = 'http:'
    expect(url.href).toBe('https://mcp.example.com/')
  })

  it.each([
    'http://mcp.example.com/',
    'http://localhost.example.com/',
    'http://127.0.0.1.example.com/',
    'ws://localhost/',
    'file:///etc/passwd',
    'javascript:alert(1)',
    'data:text/plain,x',
    'https://user@mcp.example.com/',
    'https://:S3CRET@mcp.example.com/',
    'http://user:S3CRET@localhost/',
    'mcp.example.com',
    '/mcp?token=S3CRET',
    '',
    undefined,
    null,
    5,
    {},
  ])('refuses %s with the name of the option and without repeating it', (value) => {
    const attempt = () => secureUrl('jwksUri', value)
    expect(attempt).toThrow(TypeError)
    expect(attempt).toThrow(/^jwksUri must /)
    expect(attempt).toThrow(expect.not.objectContaining({ message: expect.stringContaining('S3CRET') }))
  })

  it('never takes plain http to another machine', () => {
    fc.assert(
      fc.property(fc.webUrl({ validSchemes: ['http'], withQueryParameters: true }), (text) => {
        expect(() => secureUrl('url', text)).toThrow(TypeError)
      }),
    )
  })
})
