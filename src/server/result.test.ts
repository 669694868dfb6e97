import { describe, expect, it } from 'vitest'
import { AccessToken } from '../core/index.ts'
import { toPromptResult, toResourceContents, toToolResult } from './result.ts'

describe('toToolResult', () => {
  const text = (value: string) => [{ type: 'text', text: value }]

  it.each([
    ['a string', 'hello', { content: text('hello') }],
    ['a number', 7, { content: text('7') }],
    ['false', false, { content: text('false') }],
    ['nothing', undefined, { content: [] }],
    ['null', null, { content: [] }],
    ['an object', { a: 1 }, { content: text('{"a":1}'), structuredContent: { a: 1 } }],
    [
      'an object with a type of its own',
      { type: 'text' },
      { content: text('{"type":"text"}'), structuredContent: { type: 'text' } },
    ],
    [
      'an object whose content is no list',
      { content: 'x' },
      { content: text('{"content":"x"}'), structuredContent: { content: 'x' } },
    ],
    ['a list of data', [1, 2], { content: text('[1,2]') }],
    ['an empty list', [], { content: text('[]') }],
    ['a content block', { type: 'text', text: 'x' }, { content: text('x') }],
    [
      'content blocks',
      [{ type: 'image', data: 'AA==', mimeType: 'image/png' }],
      { content: [{ type: 'image', data: 'AA==', mimeType: 'image/png' }] },
    ],
    ['a full result', { content: text('x'), isError: true }, { content: text('x'), isError: true }],
  ])('takes %s', (_name, value, result) => {
    expect(toToolResult(value)).toEqual(result)
  })

  it('keeps what an object says of itself: dates as JSON writes them, undefined members left out', () => {
    expect(toToolResult({ at: new Date(0), none: undefined }).structuredContent).toEqual({
      at: '1970-01-01T00:00:00.000Z',
    })
  })

  it('FL-72 returning the access token shows no token', () => {
    const result = toToolResult(new AccessToken({ token: 'very-secret-token', clientId: 'c' }))
    expect(JSON.stringify(result)).not.toContain('very-secret')
  })

  it.each([
    ['a BigInt inside', { n: 1n }],
    ['a function', () => 1],
    ['a symbol', Symbol('x')],
  ])('refuses %s', (_name, value) => {
    expect(() => toToolResult(value)).toThrow(TypeError)
  })

  it('refuses a cycle', () => {
    const cycle: Record<string, unknown> = {}
    cycle.self = cycle
    expect(() => toToolResult(cycle)).toThrow(TypeError)
  })
})

describe('toResourceContents', () => {
  const uri = 'x://y'
  it.each([
    ['text', 'hi', [{ uri, mimeType: 'text/plain', text: 'hi' }]],
    ['an object as JSON', { a: 1 }, [{ uri, mimeType: 'application/json', text: '{"a":1}' }]],
    ['bytes', new Uint8Array([1, 2]), [{ uri, mimeType: 'application/octet-stream', blob: 'AQI=' }]],
    ['contents', { uri: 'x://z', text: 't' }, [{ uri: 'x://z', text: 't' }]],
    ['several contents', { contents: [{ uri, blob: 'AA==' }] }, [{ uri, blob: 'AA==' }]],
  ])('takes %s', (_name, value, contents) => {
    expect(toResourceContents(uri, undefined, value)).toEqual(contents)
  })

  it('prefers the MIME type of the resource', () => {
    expect(toResourceContents(uri, 'text/html', '<p>')).toEqual([{ uri, mimeType: 'text/html', text: '<p>' }])
  })

  it('refuses nothing at all', () => {
    expect(() => toResourceContents(uri, undefined, undefined)).toThrow(TypeError)
  })
})

describe('toPromptResult', () => {
  const message = { role: 'user', content: { type: 'text', text: 'hi' } }

  it('takes the text of one user message', () => {
    expect(toPromptResult('hi')).toEqual({ messages: [message] })
  })

  it('takes messages, and a result in full', () => {
    expect(toPromptResult([message])).toEqual({ messages: [message] })
    expect(toPromptResult({ messages: [message], description: 'd' })).toEqual({
      messages: [message],
      description: 'd',
    })
  })

  it.each([
    [undefined],
    [[]],
    [{ messages: 'x' }],
    [[{ role: 'system', content: message.content }]],
    [[{ role: 'user', content: 'x' }]],
  ])('refuses %j', (value) => {
    expect(() => toPromptResult(value)).toThrow(TypeError)
  })
})
