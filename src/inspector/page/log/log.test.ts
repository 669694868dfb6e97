import { describe, expect, it } from 'vitest'
import type { LogEntry } from '../net/log-entry.ts'
import { readBody } from './body-reading.ts'
import { curlOfEntry } from './curl.ts'
import { filtered } from './filter.ts'
import { statusOf } from './status-text.ts'

function entry(more: Partial<LogEntry> = {}): LogEntry {
  return {
    id: 1,
    purpose: 'call',
    at: 0,
    method: 'POST',
    path: '/mcp?a=b c',
    requestHeaders: [
      ['Content-Type', 'application/json'],
      ['Authorization', 'Bearer [redacted]'],
    ],
    requestBody: `{"it's":1}`,
    status: 200,
    ms: 3,
    responseHeaders: [],
    responseBody: '',
    isCut: false,
    isOpen: false,
    problem: undefined,
    ...more,
  }
}

describe('copied as curl', () => {
  it('has a variable where the token was, and the address of the page', () => {
    expect(curlOfEntry(entry(), { kind: 'server', name: '' }, 'http://127.0.0.1:8000')).toBe(
      `curl -i --path-as-is -g -H 'Content-Type: application/json' -H "Authorization: Bearer $TOKEN" --data-raw '{"it'\\''s":1}' 'http://127.0.0.1:8000/mcp?a=b c'`,
    )
  })

  it('goes to the server where a bridge stands between', () => {
    const line = curlOfEntry(
      entry({ method: 'GET', path: '/mcp', requestHeaders: [], requestBody: undefined }),
      { kind: 'bridge', name: '', url: 'https://mcp.example.com/mcp' },
      'http://127.0.0.1:8000',
    )
    expect(line).toBe('curl -i --path-as-is -g https://mcp.example.com/mcp')
  })
})

describe('the filter', () => {
  const all = [
    entry({ id: 1, path: '/one', status: 200 }),
    entry({ id: 2, path: '/two', status: 401, responseHeaders: [['www-authenticate', 'Bearer realm="x"']] }),
    entry({ id: 3, path: '/three', status: undefined, problem: 'No answer came.' }),
    entry({ id: 4, path: '/four', responseBody: 'the Word' }),
    entry({ id: 5, path: '/five', status: undefined }),
  ]
  const ids = (words: string, onlyFailures = false) => filtered(all, words, onlyFailures).map(({ id }) => id)

  it('shows the newest first', () => {
    expect(ids('')).toEqual([5, 4, 3, 2, 1])
  })

  it('takes every word, in any case, wherever it stands', () => {
    expect(ids('WORD')).toEqual([4])
    expect(ids('realm= 401')).toEqual([2])
    expect(ids('realm= 200')).toEqual([])
  })

  it('knows what failed', () => {
    expect(ids('', true)).toEqual([3, 2])
  })
})

describe('a status', () => {
  it.each([
    [entry({ status: 401 }), '401 Unauthorized', 'bad'],
    [entry({ status: 599 }), '599', 'bad'],
    [entry({ status: 200 }), '200 OK', 'good'],
    [entry({ status: 307 }), '307 Redirect', 'warn'],
    [entry({ status: 200, problem: 'x' }), '200 OK, broke off', 'bad'],
    [entry({ status: undefined }), 'waiting', undefined],
    [entry({ status: undefined, problem: 'x' }), 'no answer', 'bad'],
  ])('%#: has a word and a colour', (one, text, tone) => {
    expect(statusOf(one)).toEqual({ text, tone })
  })
})

describe('a body', () => {
  it.each([
    ['', 'application/json', { kind: 'empty' }],
    ['{"a":1}', '', { kind: 'json', value: { a: 1 } }],
    ['{"a":', 'application/json', { kind: 'text', text: '{"a":' }],
    ['"x"', 'application/json', { kind: 'text', text: '"x"' }],
    ['plain', 'text/plain', { kind: 'text', text: 'plain' }],
  ])('%j of type %j is read as it is best shown', (text, type, read) => {
    expect(readBody(text, type)).toEqual(read)
  })

  it('that is a stream is read event by event', () => {
    const text =
      ': hello\r\n\r\nid: 7\r\nevent: message\r\ndata: {"a":\r\ndata: 1}\r\n\r\ndata:plain\n\ndata: {"b"'
    expect(readBody(text, 'text/event-stream; charset=utf-8')).toEqual({
      kind: 'events',
      events: [
        { name: 'message', id: '7', data: '{"a":\n1}', value: { a: 1 } },
        { name: 'message', id: undefined, data: 'plain', value: undefined },
        { name: 'message', id: undefined, data: '{"b"', value: undefined },
      ],
    })
  })
})
