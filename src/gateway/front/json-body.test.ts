import { describe, expect, it } from 'vitest'
import { readMessage } from './json-body.ts'

const good = '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","arguments":{"a":1}}}'

/** What the caller reads who is refused; `undefined` for a message that was taken. */
function problem(text: string): string | undefined {
  const { refused } = readMessage(text)
  return refused && JSON.parse(refused.body).error.message
}

describe('readMessage', () => {
  it('takes requests, notifications and answers', () => {
    expect(readMessage(good).message).toEqual(JSON.parse(good))
    for (const text of [
      '{"jsonrpc":"2.0","method":"notifications/initialized"}',
      '{"jsonrpc":"2.0","id":"a","result":{}}',
      '{"jsonrpc":"2.0","id":"a","error":{"code":-32601,"message":"no"}}',
      '{"jsonrpc":"2.0","id":1,"method":"ping","extra":{"a":[{"b":1},{"b":2}]}}',
    ])
      expect(problem(text), text).toBeUndefined()
  })

  it.each([
    '{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/call"}',
    String.raw`{"jsonrpc":"2.0","id":1,"method":"ping","metho\u0064":"tools/call"}`,
    '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","name":"b"}}',
    '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","arguments":{"x":{"y":1,"y":2}}}}',
    '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","arguments":{"x":[{"__proto__":1,"__proto__":2}]}}}',
    '{"jsonrpc":"2.0","id":1,"method":"ping","params":{},"params":{}}',
  ])('refuses a member that stands in it twice: %s', (text) => {
    expect(problem(text)).toBe('A member stands in the request body twice')
  })

  it('takes colons, braces and quotes within texts for what they are', () => {
    const args = { '"a":{': '\\":{"b":[', c: ':::', d: '\\\\', __proto__: 1, constructor: { toString: 1 } }
    const text = JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method: 'tools/call',
      params: { name: 'x', arguments: args },
    })
    expect(problem(text)).toBeUndefined()
  })

  it.each([
    '{"jsonrpc":"2.0","id":1,"method":"ping","Method":"tools/call"}',
    '{"jsonrpc":"2.0","id":1,"Method":"tools/call","method":"ping"}',
    '{"jsonrpc":"2.0","id":1,"method":"ping","PARAMS":{"name":"a"}}',
    '{"jsonrpc":"2.0","id":1,"method":"ping","param\u017f":{"name":"a"}}',
    '{"jsonrpc":"2.0","id":1,"ID":2,"method":"ping"}',
    '{"jsonrpc":"2.0","id":1,"result":{},"Method":"tools/call"}',
    '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","NAME":"b"}}',
    '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"Name":"b"}}',
    '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","argument\u017f":{}}}',
    '{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":"a","Uri":"b"}}',
    '{"jsonrpc":"2.0","id":1,"method":"tasks/get","params":{"task_id":"b"}}',
    '{"jsonrpc":"2.0","id":1,"method":"completion/complete","params":{"ref":{"type":"ref/prompt","Name":"b"}}}',
    '{"jsonrpc":"2.0","id":1,"method":"subscriptions/listen","params":{"notifications":{"resource_subscriptions":["a"]}}}',
  ])('refuses another spelling of what decides: %s', (text) => {
    expect(problem(text)).toMatch(/spelt almost like/)
  })

  it('leaves the names within arguments to the tool', () => {
    expect(
      problem(
        '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","arguments":{"Name":1,"name":2,"URI":3}}}',
      ),
    ).toBeUndefined()
    expect(
      problem(
        '{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"x","clientInfo":{"Name":1}}}',
      ),
    ).toBeUndefined()
  })

  it.each([
    ['[]', /batches/],
    ['[{"jsonrpc":"2.0","id":1,"method":"ping"}]', /batches/],
    ['null', /no|not a message/],
    ['"ping"', /not a message/],
    ['{}', /not a message/],
    ['{"jsonrpc":"1.0","id":1,"method":"ping"}', /not a message/],
    ['{"id":1,"method":"ping"}', /not a message/],
    ['{"jsonrpc":"2.0","id":null,"method":"ping"}', /not a message/],
    ['{"jsonrpc":"2.0","id":1.5,"method":"ping"}', /not a message/],
    ['{"jsonrpc":"2.0","id":9007199254740993,"method":"ping"}', /not a message/],
    ['{"jsonrpc":"2.0","id":1,"method":7}', /not a message/],
    ['{"jsonrpc":"2.0","id":1,"method":"ping","params":[]}', /not a message/],
    ['{"jsonrpc":"2.0","id":1,"method":"ping","params":null}', /not a message/],
    ['{"jsonrpc":"2.0","id":1,"method":"ping","result":{}}', /not a message/],
    ['{"jsonrpc":"2.0","method":"ping","error":{}}', /not a message/],
    ['{"jsonrpc":"2.0","id":1}', /not a message/],
    ['', /not valid JSON/],
    ['{"jsonrpc":"2.0","id":1,"method":"ping"', /not valid JSON/],
    ['{"jsonrpc":"2.0","id":1,"method":"ping"} x', /not valid JSON/],
    ["{'jsonrpc':'2.0'}", /not valid JSON/],
  ])('refuses what is no single message: %s', (text, message) => {
    expect(problem(text)).toMatch(message)
  })

  it('refuses what is nested too deeply, however it is made, without a stack that overflows', () => {
    const nested = (depth: number) =>
      `{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":${'['.repeat(depth)}${']'.repeat(depth)}}}`
    expect(problem(nested(126))).toBeUndefined()
    expect(problem(nested(127))).toBe('The request body is nested too deeply')
    expect(problem(nested(1_000_000))).toBe('The request body is nested too deeply')
    expect(problem('{"a":'.repeat(1_000_000))).toBe('The request body is nested too deeply')
  })
})
