import { describe, expect, it } from 'vitest'
import { messageText } from './message-text.ts'

const lines = (count: number) => Array.from({ length: count }, (_, at) => ({ name: `tool "${at}"` }))

describe('messageText', () => {
  it.each([
    ['a list that is kept', { tools: Object.freeze(lines(100)) }],
    [
      'one with more behind it',
      { tools: Object.freeze(lines(9)), nextCursor: 'x', ttlMs: 0, _meta: { a: 1 } },
    ],
    ['resources', { _meta: {}, resources: Object.freeze(lines(8)) }],
    ['a list that may change', { prompts: lines(100) }],
    ['a short one', { tools: Object.freeze(lines(2)) }],
    ['no list at all', { tools: 'x', content: [] }],
    ['a member that is not there', { tools: Object.freeze(lines(20)), nextCursor: undefined }],
  ])('says of %s what JSON says', (_what, result) => {
    const message = { result, jsonrpc: '2.0', id: '"1"' }
    const expected: unknown = JSON.parse(JSON.stringify(message))
    for (let time = 0; time < 2; time++) expect(JSON.parse(messageText(message))).toEqual(expected)
  })

  it('says an error, and a message without a result', () => {
    const error = { jsonrpc: '2.0', id: 1, error: { code: 1, message: 'x' } }
    expect(messageText(error)).toBe(JSON.stringify(error))
    expect(messageText({ result: null, id: 2 })).toBe('{"result":null,"id":2}')
  })

  it('does not keep a list that can change', () => {
    const list = lines(10)
    const message = { result: { tools: list }, id: 1 }
    messageText(message)
    list.push({ name: 'new' })
    expect(messageText(message)).toContain('new')
  })
})
