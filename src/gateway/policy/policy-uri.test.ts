import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { spelledGlob, uriPatternProblem, uriSpellings } from './policy-uri.ts'

function allows(pattern: string, uri: string): boolean {
  const spelled = uriSpellings(uri)
  return spelled !== undefined && spelledGlob(pattern).allows(spelled)
}

function denies(pattern: string, uri: string): boolean {
  const spelled = uriSpellings(uri)
  return spelled === undefined || spelledGlob(pattern).denies(spelled)
}

describe('uriSpellings', () => {
  it.each([
    ['no scheme', 'secret'],
    ['nothing', ''],
    ['no text', 5],
    ['too long', `docs://${'a'.repeat(3000)}`],
    ['dot segments', 'docs://pub/../secret'],
    ['a dot segment at the end', 'docs://pub/..'],
    ['a single dot', 'docs://pub/./x'],
    ['dot segments in disguise', 'docs://pub/%2e%2E/secret'],
    ['dot segments and a hidden slash', 'docs://pub/..%2fsecret'],
    ['dot segments, encoded twice', 'docs://pub/%252e%252e%252fsecret'],
    ['dot segments and a backslash', 'docs://pub/..\\secret'],
    ['dot segments and a hidden backslash', 'docs://pub/..%5csecret'],
    ['dot segments before a parameter', 'docs://pub/..;x/secret'],
    ['dot segments of a web address', 'https://example.com/pub/../secret'],
    ['dot segments in a query', 'docs://pub?path=a/../b'],
    ['a percent sign alone', 'docs://100%'],
    ['a percent sign and no hex', 'docs://%zz'],
    ['no UTF-8', 'docs://%c0%ae%c0%ae/secret'],
    ['a tab', 'docs://sec\tret'],
    ['a line break', 'docs://secret\n'],
    ['a space before', ' docs://secret'],
    ['a space behind', 'docs://secret '],
    ['a hidden NUL', 'docs://secret%00.txt'],
    ['a user name', 'https://internal@example.com/'],
    ['no host', 'https://'],
  ])('a URI with %s has none', (_, uri) => {
    expect(uriSpellings(uri)).toBeUndefined()
  })

  it('is encoded so often that nobody means it', () => {
    const encoded = (times: number): string =>
      times === 0 ? '%41' : encoded(times - 1).replaceAll('%', '%25')
    expect(uriSpellings(`docs://${encoded(2)}`)?.loose).toBe('docs:/a')
    expect(uriSpellings(`docs://${encoded(9)}`)).toBeUndefined()
  })

  it('is the same for the URI in its strict spelling', () => {
    const uri = fc.string({
      unit: fc.constantFrom('a', 'B', '%41', '%2F', '%25', '/', '//', '\\', '.', '?', '#', 'é', ' ', '{'),
      maxLength: 12,
    })
    fc.assert(
      fc.property(
        fc.constantFrom('docs://', 'FILE:///', 'https://Example.com/', 'x:'),
        uri,
        (start, rest) => {
          const spelled = uriSpellings(start + rest)
          if (spelled === undefined) return
          expect(uriSpellings(spelled.strict)).toEqual(spelled)
        },
      ),
      { numRuns: 3000 },
    )
  })

  it('takes a template as it stands', () => {
    expect(uriSpellings('docs://{id}/{+path}', true)?.strict).toBe('docs://%7Bid%7D/%7B+path%7D')
    expect(uriSpellings('https://{host}/', true)).toBeDefined()
  })
})

describe('spelledGlob', () => {
  it.each([
    ['docs://a b/*', 'docs://a%20b/x'],
    ['docs://été/*', 'docs://%C3%A9t%c3%a9/x'],
    ['docs://e\u0301te/*', 'docs://e%CC%81te/x'],
    ['docs://%61/*', 'docs://a/%78'],
    ['DOCS://a/*', 'docs://a/x'],
    ['docs://a/*', 'DOCS://a/x'],
    ['https://Example.com/*', 'HTTPS://EXAMPLE.com:443/x'],
    ['file:///srv/**', 'file:/srv/x'],
    ['file:///srv/**', 'file://localhost/srv/x'],
    ['repo://owner%2Fname/*', 'repo://owner%2fname/x'],
    ['docs://**', 'docs://a//b'],
    ['docs://a/**', 'docs://a/'],
    ['docs://a%2Ab', 'docs://a*b'],
    ['**', 'docs://a/b?c#d'],
  ])('%s allows %s', (pattern, uri) => {
    expect(allows(pattern, uri)).toBe(true)
  })

  it.each([
    ['docs://a/*', 'docs://a/b%2Fc', 'a hidden slash'],
    ['docs://a/*', 'docs://a/b\\c', 'a backslash'],
    ['docs://a/*', 'docs://a/b%5Cc', 'a hidden backslash'],
    ['docs://a/*', 'docs://a/b%252Fc', 'a slash, encoded twice'],
    ['users://alice/*', 'users://Alice/x', 'another name'],
    ['docs://a%2Ab', 'docs://axb', 'what is no star'],
    ['docs://a', 'docs://a?x', 'a query'],
    ['docs://a', 'docs:///a', 'another host'],
    ['https://example.com/*', 'https://example.com:8443/x', 'another port'],
  ])('%s does not allow %s: %s', (pattern, uri) => {
    expect(allows(pattern, uri)).toBe(false)
  })

  it.each([
    ['docs://secret', 'docs://SECRET'],
    ['docs://secret', 'docs://secret/'],
    ['docs://secret', 'docs://secret?x'],
    ['docs://secret', 'docs://secret#x'],
    ['docs://secret', 'docs:///secret'],
    ['docs://secret', 'docs:secret/'.replace(':', ':/')],
    ['docs://secret', 'docs://%73ecret'],
    ['docs://secret', 'docs://%2573ecret'],
    ['docs://a/secret', 'docs://a//secret'],
    ['docs://a/secret', 'docs://a%2fsecret'],
    ['docs://a/secret', 'docs://a\\secret'],
    ['docs://a/secret/', 'docs://a/secret'],
    ['docs://a/secret/**', 'docs://a/secret/b/c'],
    ['https://internal/**', 'https://internal:443/x'],
    ['https://internal/**', 'https://me@internal/x'],
    ['https://internal/**', 'https:\\\\internal\\x'],
    ['http://127.0.0.1/**', 'http://2130706433/x'],
    ['http://127.0.0.1/**', 'http://0x7f.1/x'],
    ['file:///etc/**', 'file:/etc/passwd'],
    ['file:///etc/**', 'FILE:///ETC/passwd'],
  ])('%s denies %s', (pattern, uri) => {
    expect(denies(pattern, uri)).toBe(true)
  })

  it('denies nothing else', () => {
    expect(denies('docs://secret', 'docs://secrets')).toBe(false)
    expect(denies('docs://a/*', 'docs://a/b/c')).toBe(false)
  })

  it('what a pattern allows it denies as well, in any spelling', () => {
    const part = fc.string({ unit: fc.constantFrom('a', 'B', '%2F', '*', '**', '/', '?', 'é'), maxLength: 8 })
    fc.assert(
      fc.property(part, part, (pattern, rest) => {
        const [glob, uri] = [`docs://${pattern}`, `docs://${rest}`]
        if (allows(glob, uri)) expect(denies(glob, uri)).toBe(true)
      }),
      { numRuns: 5000 },
    )
  })
})

describe('uriPatternProblem', () => {
  it.each(['docs/*', '/srv/**', 'docs://a/../b', 'docs://%zz', ' docs://a', ''])(
    '%j fits no URI',
    (pattern) => {
      expect(uriPatternProblem(pattern)).toBeTypeOf('string')
    },
  )

  it.each(['**', '*', 'docs://*', '*://a/**', 'docs*://a', 'file:///srv/**', 'mailto:*'])(
    '%j is good',
    (pattern) => {
      expect(uriPatternProblem(pattern)).toBeUndefined()
    },
  )
})
