import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isScopeToken, parseScopes, scopeList, scopePolicy } from './scopes.ts'

describe('parseScopes', () => {
  it.each<[string, string[]]>([
    ['a b', ['a', 'b']],
    ['', []],
    ['   ', []],
    [' a   b ', ['a', 'b']],
    ['a b a', ['a', 'b']],
    ['a A', ['a', 'A']],
    ['a\tb', ['a\tb']],
    ['a\nb c', ['a\nb', 'c']],
    ['a,b', ['a,b']],
  ])('B-51 splits %j at spaces only, each scope once', (text, scopes) => {
    expect(parseScopes(text)).toEqual(scopes)
  })

  it('B-51 gives the same scopes again when they are joined and split', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const scopes = parseScopes(text)
        expect(parseScopes(scopes.join(' '))).toEqual(scopes)
      }),
    )
  })
})

describe('isScopeToken', () => {
  it('takes printable ASCII without space, quote and backslash', () => {
    for (let code = 0; code < 0x180; code++) {
      const char = String.fromCharCode(code)
      const good = code > 0x20 && code < 0x7f && char !== '"' && char !== '\\'
      expect([char, isScopeToken(char)]).toEqual([char, good])
    }
    expect(isScopeToken('')).toBe(false)
    expect(isScopeToken('a b')).toBe(false)
    expect(isScopeToken('a\n')).toBe(false)
  })
})

describe('scopeList', () => {
  it('copies the list, each scope once, and leaves the original alone', () => {
    const given = ['a', 'b', 'a']
    const list = scopeList('requiredScopes', given)
    given.push('c')
    expect(list).toEqual(['a', 'b'])
    expect(Object.isFrozen(list)).toBe(true)
    expect(given).toEqual(['a', 'b', 'a', 'c'])
  })

  it.each(['offline_access', 'openid', 'profile', 'email', 'address', 'phone'])(
    'A-65 refuses %s, which no resource may ask for',
    (scope) => {
      expect(() => scopeList('requiredScopes', ['a', scope])).toThrow(new RegExp(`requiredScopes.*${scope}`))
    },
  )

  const noScopes: readonly unknown[] = [
    'a b',
    undefined,
    null,
    {},
    [1],
    [''],
    ['a b'],
    ['a"'],
    ['a\r\nX-Evil: 1'],
    ['é'],
    [undefined],
    new Array(2),
  ]
  it.each(noScopes.map((scopes) => [scopes]))('A-70 refuses %j with the name of the option', (scopes) => {
    const attempt = () => scopeList('requiredScopes', scopes)
    expect(attempt).toThrow(TypeError)
    expect(attempt).toThrow(/requiredScopes/)
  })
})

describe('scopePolicy', () => {
  const policy = scopePolicy({ 'mcp:admin': ['mcp:write'], 'mcp:write': ['mcp:read', 'mcp:list'] })

  it.each<[string[], string[], boolean]>([
    [['mcp:admin'], ['mcp:read'], true],
    [['mcp:admin'], ['mcp:write', 'mcp:list'], true],
    [['mcp:write'], ['mcp:admin'], false],
    [['mcp:read'], ['mcp:write'], false],
    [['mcp:read', 'x'], ['mcp:read', 'x'], true],
    [['mcp:admin'], ['x'], false],
    [[], [], true],
    [[], ['x'], false],
  ])('A-64 says whether %j covers %j: %s', (granted, needed, covered) => {
    expect(policy.covers(granted, needed)).toBe(covered)
  })

  it.each<[string, string]>([
    ['*', 'mcp:read'],
    ['mcp:*', 'mcp:read'],
    ['mcp:', 'mcp:read'],
    ['mcp', 'mcp:read'],
    ['MCP:READ', 'mcp:read'],
    ['mcp:read ', 'mcp:read'],
    ['__proto__', 'toString'],
    ['constructor', 'mcp:read'],
  ])('B-54 does not take %j for %j', (granted, needed) => {
    expect(policy.covers([granted], [needed])).toBe(false)
    expect(scopePolicy().covers([granted], [needed])).toBe(false)
  })

  it('B-54 takes a wildcard for what the hierarchy says it holds', () => {
    expect(scopePolicy({ '*': ['mcp:read'] }).covers(['*'], ['mcp:read'])).toBe(true)
  })

  it('takes a scope named like a member of objects as a scope', () => {
    const odd = scopePolicy({ ['__proto__']: ['constructor'] })
    expect(odd.covers(['__proto__'], ['constructor'])).toBe(true)
    expect(odd.covers(['constructor'], ['__proto__'])).toBe(false)
  })

  it.each([[{ a: ['a'] }], [{ a: ['b'], b: ['a'] }], [{ x: ['a'], a: ['b'], b: ['c'], c: ['a'] }]])(
    'A-64 refuses a hierarchy that contains itself: %j',
    (hierarchy) => {
      expect(() => scopePolicy(hierarchy)).toThrow(/contains itself/)
    },
  )

  const noHierarchies: readonly unknown[] = [
    null,
    'a',
    [],
    5,
    new Map([['a', ['b']]]),
    { a: 'b' },
    { a: ['b c'] },
    { 'a b': ['c'] },
    { a: [1] },
    { a: null },
    { openid: ['a'] },
  ]
  it.each(noHierarchies.map((hierarchy) => [hierarchy]))(
    'refuses a hierarchy of %j with the name of the option',
    (hierarchy) => {
      const attempt = () => scopePolicy(hierarchy as never)
      expect(attempt).toThrow(TypeError)
      expect(attempt).toThrow(/scopeHierarchy/)
    },
  )

  it('is not changed by a later change of the hierarchy', () => {
    const hierarchy = { a: ['b'] }
    const copy = scopePolicy(hierarchy)
    hierarchy.a.push('c')
    expect(copy.covers(['a'], ['c'])).toBe(false)
  })

  it('A-64 agrees with following the arrows one by one', () => {
    const names = ['a', 'b', 'c', 'd', 'e', 'f']
    // Arrows to later letters only, so that there is no cycle.
    const arrows = fc.array(
      fc.tuple(fc.nat(4), fc.nat(4)).map(([from, step]) => [from, Math.min(5, from + 1 + step)] as const),
    )
    fc.assert(
      fc.property(arrows, fc.nat(5), fc.nat(5), (pairs, from, to) => {
        const hierarchy: Record<string, string[]> = {}
        for (const [broad, narrow] of pairs) {
          hierarchy[names[broad]!] = [...(hierarchy[names[broad]!] ?? []), names[narrow]!]
        }
        const reaches = (at: number): boolean =>
          at === to || pairs.some(([broad, narrow]) => broad === at && reaches(narrow))
        expect(scopePolicy(hierarchy).covers([names[from]!], [names[to]!])).toBe(reaches(from))
      }),
    )
  })
})
