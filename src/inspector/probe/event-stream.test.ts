import { describe, expect, it } from 'vitest'
import { answerWatch, isAnswerTo, messagesOf } from './event-stream.ts'

describe('event streams', () => {
  it('give the messages that are complete, in every way to end a line', () => {
    const text =
      'event: message\r\ndata: {"id":1}\r\n\r\n: comment\n\ndata:{"id"\ndata::2}\n\nid: 3\rdata: {"id":3}\r\rdata: {"id":4}'
    expect(messagesOf(text)).toEqual([{ id: 1 }, { id: 2 }, { id: 3 }])
  })

  it('end for us with the answer to the request, in whatever pieces it comes', () => {
    const stream = 'data: {"method":"x"}\n\ndata: {"id":2,"result":{}}\n\ndata: {"id":1,"error":{}}\n\n'
    for (const size of [1, 2, 7, 1000]) {
      const watch = answerWatch('{"id":1}')
      const said: boolean[] = []
      for (let at = 0; at < stream.length; at += size) said.push(watch(stream.slice(at, at + size)))
      expect(said.indexOf(true)).toBe(said.length - 1)
    }
  })

  it('are not mistaken for an answer by a name of every object', () => {
    const isAnswer = isAnswerTo('{"id":"constructor"}')
    expect(isAnswer({ id: 'constructor' })).toBe(false)
    expect(isAnswer({ id: 'constructor', result: {} })).toBe(true)
    expect(isAnswerTo('no json')({ result: {} })).toBe(false)
    expect(isAnswerTo(undefined)({ id: undefined, result: {} })).toBe(false)
  })
})
