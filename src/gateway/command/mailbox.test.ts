import { describe, expect, it } from 'vitest'
import type { RpcMessage } from '../message.ts'
import { mailbox } from './mailbox.ts'

const letter = (method: string, filler = ''): RpcMessage => ({ jsonrpc: '2.0', method, params: { filler } })
const methods = (messages: readonly RpcMessage[]) => messages.map(({ method }) => method)

describe('mailbox', () => {
  it('gives out what came, in order, and once', () => {
    const box = mailbox()
    for (const name of ['a', 'b', 'c']) expect(box.put(letter(name))).toEqual([])
    expect(box.size).toBe(3)
    expect(methods(box.take())).toEqual(['a', 'b', 'c'])
    expect(box.take()).toEqual([])
  })

  it('gives back the oldest when there are too many', () => {
    const box = mailbox(2)
    box.put(letter('a'))
    box.put(letter('b'))
    expect(methods(box.put(letter('c')))).toEqual(['a'])
    expect(methods(box.take())).toEqual(['b', 'c'])
  })

  it('gives back as many as a long one needs, and one that is too long itself', () => {
    const box = mailbox(100, 1000)
    for (const name of ['a', 'b', 'c']) box.put(letter(name, 'x'.repeat(200)))
    expect(methods(box.put(letter('d', 'x'.repeat(500))))).toEqual(['a', 'b'])
    expect(methods(box.put(letter('e', 'x'.repeat(1000))))).toEqual(['c', 'd', 'e'])
    expect(box.size).toBe(0)
    expect(box.put(letter('f', 'x'.repeat(900)))).toEqual([])
  })

  it('has the room back of what was taken out or thrown away', () => {
    const box = mailbox(100, 1000)
    box.put(letter('a', 'x'.repeat(800)))
    box.drop(({ method }) => method === 'a')
    expect(box.put(letter('b', 'x'.repeat(800)))).toEqual([])
    box.take()
    expect(box.put(letter('c', 'x'.repeat(800)))).toEqual([])
    expect(methods(box.take())).toEqual(['c'])
  })
})
