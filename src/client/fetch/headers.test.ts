import { describe, expect, it } from 'vitest'
import { customHeaders } from './headers.ts'

describe('custom headers', () => {
  it('are copied, trimmed, and kept in order', () => {
    expect(customHeaders('x', { 'X-API-Key': ' abc\n', Cookie: 'a=b; c=d' }, true)).toEqual([
      ['X-API-Key', 'abc'],
      ['Cookie', 'a=b; c=d'],
    ])
    expect(customHeaders('x', undefined, true)).toEqual([])
  })

  it.each([
    ['bearer abc', 'Bearer abc'],
    ['Bearer  "abc"', 'Bearer abc'],
    ['Basic YTpi', 'Basic YTpi'],
    ['BearerX abc', 'BearerX abc'],
    ['DPoP abc', 'DPoP abc'],
  ])('FL-79 write a bearer token once: %j', (given, sent) => {
    expect(customHeaders('x', { Authorization: given }, false)).toEqual([['Authorization', sent]])
  })

  it.each([
    [{ 'X-Key': undefined }, 'the header X-Key is undefined'],
    [{ 'X-Key': '' }, 'the header X-Key is empty'],
    [{ 'X-Key': ' ' }, 'the header X-Key is empty'],
    [{ 'X-Key': 5 }, 'the header X-Key must be a string'],
    [{ 'X-Key': 'a\r\nb' }, 'the header X-Key holds a line break'],
    [{ 'X-Key': '\u20AC' }, 'the header X-Key holds'],
    [{ 'X-Key': 'a${B}' }, 'the header X-Key holds a placeholder'],
    [{ 'X Key': 'a' }, 'a name that no header can have'],
    [{ '': 'a' }, 'a name that no header can have'],
    [{ 'X-Key': 'a', 'x-key': 'b' }, 'headers holds x-key twice'],
    [{ 'Content-Type': 'text/plain' }, 'the header Content-Type is set by the transport'],
    [{ 'mcp-session-id': 'a' }, 'the header mcp-session-id is set by the transport'],
    [{ Authorization: 'Bearer' }, 'the header Authorization holds a token that is empty'],
    [{ Authorization: 'Bearer undefined' }, 'the header Authorization holds a token that is the word'],
    [{ Authorization: 'Bearer a b' }, 'the header Authorization holds a token that holds white space'],
    [['X-Key: a'], 'headers must be an object'],
    ['X-Key: a', 'headers must be an object'],
  ])('are refused: %j', (headers, message) => {
    expect(() => customHeaders('Client', headers, false)).toThrow(TypeError)
    expect(() => customHeaders('Client', headers, false)).toThrow(message)
  })
})
