import { describe, expect, it } from 'vitest'
import { apiKeyHeaderName, credentialReader } from './credential.ts'

function read(
  headers: { authorization?: string[]; 'x-api-key'?: string[] },
  { url = '/mcp', apiKeyHeader }: { url?: string; apiKeyHeader?: string } = { apiKeyHeader: 'x-api-key' },
): string {
  const lines = new Map(Object.entries(headers))
  const credential = credentialReader(apiKeyHeader)({
    method: 'GET',
    url,
    header: (name) => lines.get(name) ?? [],
  })
  return credential.kind === 'token' ? credential.token : credential.kind
}

describe('credentialReader', () => {
  it('A-12 reads a named header and no other', () => {
    expect(read({ 'x-api-key': ['key'] })).toBe('key')
    expect(read({ 'x-api-key': [' key '] })).toBe('key')
    expect(read({ 'x-api-key': ['key'] }, {})).toBe('none')
  })

  it.each([
    ['empty is absent', [''], 'none'],
    ['blank is absent', [' \t'], 'none'],
    ['an empty line beside a key', ['', 'key'], 'key'],
    ['two lines', ['key', 'key'], 'ambiguous'],
    ['two lines joined by the server', ['key, key'], 'ambiguous'],
    ['a scheme', ['Bearer key'], 'malformed'],
    ['a quote', ['a"b'], 'malformed'],
    ['too long', ['a'.repeat(8193)], 'malformed'],
    ['as long as it may be', ['a'.repeat(8192)], 'a'.repeat(8192)],
  ])('A-12 API-key header: %s', (_case, lines, expected) => {
    expect(read({ 'x-api-key': lines })).toBe(expected)
  })

  it.each(['Bearer abc', 'Bearer', 'Bearer a"b', 'Basic eA==', 'DPoP abc'])(
    'A-09 refuses an API key beside Authorization: %s',
    (line) => {
      expect(read({ authorization: [line], 'x-api-key': ['key'] })).toBe('ambiguous')
      expect(read({ authorization: [line], 'x-api-key': ['a"b'] })).toBe('ambiguous')
    },
  )

  it('X37 takes an empty header as absent, on either side', () => {
    expect(read({ authorization: ['Bearer abc'], 'x-api-key': [''] })).toBe('abc')
    expect(read({ authorization: [' '], 'x-api-key': ['key'] })).toBe('key')
  })

  it.each([
    '/mcp?access_token=x',
    '/mcp?a=1&access_token=x',
    '/mcp?access%5Ftoken=x',
    '/mcp?access_token=&access_token=x',
    'http://localhost/mcp?access_token=x',
  ])('A-09 X32 counts a token in the query as a second one, and never uses it: %s', (url) => {
    expect(read({ authorization: ['Bearer abc'] }, { url })).toBe('ambiguous')
    expect(read({ authorization: ['Bearer a"b'] }, { url })).toBe('ambiguous')
    expect(read({ 'x-api-key': ['key'] }, { url, apiKeyHeader: 'x-api-key' })).toBe('ambiguous')
    expect(read({}, { url })).toBe('none')
    expect(read({ authorization: ['Basic eA=='] }, { url })).toBe('none')
  })

  it.each([
    '/mcp?',
    '/mcp?access_token=',
    '/mcp?token=x',
    '/mcp?q=access_token',
    '/access_token=x',
    '/mcp?%',
  ])('leaves a query without a token alone: %s', (url) => {
    expect(read({ authorization: ['Bearer abc'] }, { url })).toBe('abc')
  })
})

describe('apiKeyHeaderName', () => {
  it('gives the name in lower case', () => {
    expect(apiKeyHeaderName('X-API-Key')).toBe('x-api-key')
    expect(apiKeyHeaderName(undefined)).toBeUndefined()
  })

  it.each([
    '',
    'x key',
    'x-key:',
    'x\r\ny',
    'Authorization',
    'proxy-authorization',
    'Cookie',
    'Host',
    'Origin',
    'X-Forwarded-Access-Token',
    'X-Forwarded-User',
    'X-Original-Authorization',
    'X-Auth-Request-Access-Token',
    1,
    null,
  ])('A-13 refuses %j', (name) => {
    expect(() => apiKeyHeaderName(name)).toThrow(TypeError)
  })
})
