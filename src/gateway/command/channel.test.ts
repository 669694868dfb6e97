import { describe, expect, it } from 'vitest'
import type { RpcId, RpcMessage } from '../message.ts'
import type { UpstreamError } from '../upstream.ts'
import { type Asker, type Channel, channel } from './channel.ts'
import type { Child } from './child.ts'

/** A process that can be made to say anything. */
function fakeChild(takes: () => boolean = () => true) {
  const sent: RpcMessage[] = []
  const child: Child = {
    pid: 1,
    isRunning: true,
    send(message) {
      if (!takes()) return false
      sent.push(message)
      return true
    },
    onMessage() {},
    onExit() {},
    async stop() {},
  }
  return { child, sent }
}

interface Heard extends Asker {
  readonly messages: RpcMessage[]
  readonly answers: RpcMessage[]
  readonly failures: UpstreamError[]
}

function asker(id: RpcId, progressToken?: RpcId): Heard {
  const [messages, answers, failures] = [[], [], []] as [RpcMessage[], RpcMessage[], UpstreamError[]]
  return {
    id,
    progressToken,
    messages,
    answers,
    failures,
    message: (message) => void messages.push(message),
    answer: (message) => void answers.push(message),
    fail: (error) => void failures.push(error),
  }
}

function opened(takes?: () => boolean) {
  const { child, sent } = fakeChild(takes)
  const said: RpcMessage[] = []
  const ended: Channel[] = []
  const line = channel(child, {
    said: (_from, message) => void said.push(message),
    ended: (gone) => void ended.push(gone),
  })
  const say = (message: Partial<RpcMessage>) => child.onMessage({ jsonrpc: '2.0', ...message })
  return { line, child, sent, said, ended, say }
}

const ping: RpcMessage = { jsonrpc: '2.0', id: 'x', method: 'ping' }

describe('channel', () => {
  it('gives each request an id of its own, and each answer to whoever asked', () => {
    const { line, sent, say } = opened()
    const [one, two] = [asker('same'), asker('same')]
    const ids = [line.ask(ping, one), line.ask(ping, two)]
    expect(sent.map(({ id }) => id)).toEqual(ids)
    expect(new Set(ids).size).toBe(2)
    say({ id: ids[1]!, result: { to: 'two' } })
    say({ id: String(ids[0]), result: { to: 'one' } })
    expect(one.answers).toEqual([{ jsonrpc: '2.0', id: 'same', result: { to: 'one' } }])
    expect(two.answers).toEqual([{ jsonrpc: '2.0', id: 'same', result: { to: 'two' } }])
  })

  it('drops a second answer, and one to nothing', () => {
    const { line, said, say } = opened()
    const one = asker(1)
    const own = line.ask(ping, one)
    for (const id of [own, own, own + 1, `${own}0`, -own, '', '__proto__']) say({ id, result: {} })
    expect(one.answers).toHaveLength(1)
    expect(said).toEqual([])
  })

  it('writes a progress token anew only when there is one, and names it back', () => {
    const { line, sent, said, say } = opened()
    const [with0, without] = [asker(1, 0), asker(2)]
    const _meta = { progressToken: 0, other: 'stays' }
    const own = line.ask({ ...ping, params: { _meta, a: 1 } }, with0)
    const silent = line.ask({ ...ping, params: { _meta: { other: 1 } } }, without)
    expect(sent[0]?.params).toEqual({ _meta: { progressToken: own, other: 'stays' }, a: 1 })
    expect(sent[1]?.params).toEqual({ _meta: { other: 1 } })
    const progress = (progressToken: unknown) =>
      say({ method: 'notifications/progress', params: { progressToken, progress: 1 } })
    for (const token of [own, silent, 99, undefined, { own }]) progress(token)
    expect(with0.messages.map(({ params }) => params)).toEqual([{ progressToken: 0, progress: 1 }])
    expect(without.messages).toEqual([])
    expect(said).toEqual([])
  })

  it('names a subscription as whoever asked has named it, in the answer, too', () => {
    const { line, say } = opened()
    const one = asker('listen:0')
    const own = line.ask(ping, one)
    const named = (id: unknown) => ({ _meta: { 'io.modelcontextprotocol/subscriptionId': id, more: 1 } })
    say({ method: 'notifications/tools/list_changed', params: named(String(own)) })
    say({ method: 'notifications/tools/list_changed', params: named(own + 7) })
    say({ id: own, result: { resultType: 'complete', ...named(own) } })
    expect(one.messages.map(({ params }) => params)).toEqual([named('listen:0')])
    expect(one.answers[0]).toMatchObject({ id: 'listen:0', result: named('listen:0') })
  })

  it('tells the process of what is given up, once, and lets nothing come of it', () => {
    const { line, sent, say } = opened()
    const one = asker('x')
    const own = line.ask(ping, one)
    line.giveUp(own, 'bored')
    line.giveUp(own, 'bored')
    say({ id: own, result: {} })
    expect(sent.slice(1)).toEqual([
      { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: own, reason: 'bored' } },
    ])
    expect(one.answers).toEqual([])
  })

  it('tells whoever waits that the process is gone, each once', () => {
    const { line, child, ended, say } = opened()
    const [one, two] = [asker(1), asker(2)]
    const own = line.ask(ping, one)
    line.ask(ping, two)
    say({ id: own, result: {} })
    child.onExit({ code: 1, signal: null, wasStopped: false, text: 'It has ended.' })
    expect(one.failures).toEqual([])
    expect(two.failures.map(({ problem, message }) => [problem, message])).toEqual([
      ['unreachable', 'It has ended.'],
    ])
    expect(ended).toEqual([line])
  })

  it('refuses what the process does not take, and more than it may have to do', () => {
    const full = opened(() => false)
    expect(() => full.line.ask(ping, asker(1))).toThrow(expect.objectContaining({ problem: 'busy' }))
    const { line } = opened()
    for (let at = 0; at < 1000; at++) line.ask(ping, asker(at))
    expect(() => line.ask(ping, asker(1))).toThrow(
      expect.objectContaining({ problem: 'busy', retryAfter: 1 }),
    )
  })

  it('passes on what belongs to no request, unchanged', () => {
    const { said, say } = opened()
    const request = { jsonrpc: '2.0', id: 1, method: 'roots/list' } as const
    const log = {
      jsonrpc: '2.0',
      method: 'notifications/message',
      params: { level: 'info', data: 1 },
    } as const
    say(request)
    say(log)
    expect(said).toEqual([request, log])
  })
})
