import { describe, expect, it, onTestFinished } from 'vitest'
import { EventStream } from '../../src/server/reply.ts'
import { fakeClock } from '../../src/testing/index.ts'
import {
  alice,
  bob,
  call,
  directory,
  fakeUpstream,
  modern,
  type Opened,
  opened,
  type People,
  people,
} from './front-support.ts'

/** A stream as a client reads it. */
interface Reading {
  readonly status: number
  readonly headers: Headers
  /** Everything until the text stands in it, or until the end. */
  until(text: string): Promise<string>
  /** Everything. */
  rest(): Promise<string>
  cancel(): Promise<void>
}

async function read(url: string, init: RequestInit): Promise<Reading> {
  const response = await fetch(url, init)
  const reader = response.body!.getReader()
  onTestFinished(() => reader.cancel().catch(() => {}))
  const decoder = new TextDecoder()
  let got = ''
  const until = async (isEnough: () => boolean) => {
    while (!isEnough()) {
      const { done, value } = await reader.read()
      if (done) return got
      got += decoder.decode(value, { stream: true })
    }
    return got
  }
  return {
    status: response.status,
    headers: response.headers,
    until: (text) => until(() => got.includes(text)),
    rest: () => until(() => false),
    cancel: () => reader.cancel(),
  }
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` })

/** A gateway whose server answers everything with streams; the newest is the last one. */
async function streaming(options: Parameters<typeof opened>[0] = {}) {
  const upstream = fakeUpstream()
  const streams: EventStream[] = []
  upstream.reply = () => {
    const stream = new EventStream()
    streams.push(stream)
    return stream
  }
  const all: Opened = await opened({ upstream, ...options })
  const listen = (token: string) => read(all.url, { headers: bearer(token) })
  const send = (token: string, message: unknown, headers: Record<string, string> = {}) =>
    read(all.url, {
      method: 'POST',
      headers: { ...bearer(token), 'content-type': 'application/json', ...headers },
      body: JSON.stringify(message),
    })
  return { ...all, streams, listen, send }
}

const event = (n: number) => ({ jsonrpc: '2.0', method: 'notifications/message', params: { n } })

describe('streams', () => {
  it('come event by event, are counted, and are written down when they are over', async () => {
    const { streams, send, door, written, entries } = await streaming()
    const reading = await send(alice, call('slow'))
    expect([reading.status, reading.headers.get('content-type')]).toEqual([200, 'text/event-stream'])
    streams[0]!.send(event(1))
    expect(await reading.until('"n":1')).toContain('event: message')
    expect([door.openStreams, entries]).toEqual([1, []])
    streams[0]!.send(event(2))
    streams[0]!.end()
    expect(await reading.rest()).toContain('"n":2')
    expect(await written(1)).toMatchObject([
      { method: 'tools/call', target: 'slow', outcome: 'ok', status: 200 },
    ])
    expect(door.openStreams).toBe(0)
  })

  it('A-43 end with their token: nothing is sent on them any more', async () => {
    const clock = fakeClock()
    const brief = 'brief-661020-token'
    const known: People = { ...people, [brief]: { claims: { sub: 'brief' }, expiresAt: clock() / 1000 + 60 } }
    const { streams, listen, send } = await streaming({ auth: directory(known), clock })
    const [standing, answering, other] = [
      await listen(brief),
      await send(brief, call('slow')),
      await listen(alice),
    ]
    for (const stream of streams) stream.send(event(1))
    await Promise.all([standing.until('"n":1'), answering.until('"n":1')])
    clock.advance(60_000)
    for (const stream of streams) stream.send(event(2))
    for (const reading of [standing, answering]) expect(await reading.rest()).not.toContain('"n":2')
    expect(await other.until('"n":2')).toContain('"n":2')
  })

  it('end when their token expires while nothing happens', async () => {
    const clock = fakeClock()
    const brief = 'brief-661020-token'
    const known: People = { ...people, [brief]: { claims: { sub: 'brief' }, expiresAt: clock() / 1000 + 60 } }
    const { listen, written } = await streaming({ auth: directory(known), clock })
    const reading = await listen(brief)
    clock.advance(60_000)
    await reading.rest()
    expect(await written(1)).toMatchObject([{ method: 'GET', subject: 'brief', status: 200 }])
  })

  it('end when their token is revoked', async () => {
    const revoked = new Set<string>()
    const auth = Object.assign(directory(), {
      recheck: ({ token }: { readonly token: string }) => (revoked.has(token) ? 'revoked' : undefined),
    })
    const { streams, listen, send } = await streaming({ auth })
    const [standing, answering, other] = [
      await listen(alice),
      await send(alice, call('slow')),
      await listen(bob),
    ]
    revoked.add(alice)
    for (const stream of streams) stream.send(event(1))
    expect(await Promise.all([standing.rest(), answering.rest()])).toEqual(['', ''])
    expect(await other.until('"n":1')).toContain('"n":1')
  })

  it('of subscriptions end with a last word', async () => {
    const clock = fakeClock()
    const brief = 'brief-661020-token'
    const known: People = { ...people, [brief]: { claims: { sub: 'brief' }, expiresAt: clock() / 1000 + 60 } }
    const { streams, send } = await streaming({ auth: directory(known), clock })
    const { message, headers } = modern('subscriptions/listen', { notifications: { toolsListChanged: true } })
    const lines = Object.fromEntries(headers.map((line) => line.split(': ') as [string, string]))
    const reading = await send(brief, message, lines)
    streams[0]!.send(event(1))
    await reading.until('"n":1')
    clock.advance(60_000)
    expect(await reading.rest()).toContain(
      '{"jsonrpc":"2.0","id":1,"result":{"resultType":"complete","_meta":{"io.modelcontextprotocol/subscriptionId":1}}}',
    )
  })

  it('one principal has so many and not more, and another one its own', async () => {
    const { streams, listen, url, door, written } = await streaming({ limits: { maxStreams: 2 } })
    const first = await listen(alice)
    await listen(alice)
    const refused = await fetch(url, { headers: bearer(alice) })
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '60'])
    expect(await written(1)).toMatchObject([{ outcome: 'rate_limited', subject: 'alice' }])
    // It was not even asked for: nobody has to guess whether something was done.
    expect(streams).toHaveLength(2)
    expect((await listen(bob)).status).toBe(200)
    expect(door.openStreams).toBe(3)
    streams[0]!.end()
    await first.rest()
    expect((await listen(alice)).status).toBe(200)
  })

  it('a client who leaves closes its stream', async () => {
    const { streams, listen, written, door } = await streaming()
    const reading = await listen(alice)
    const closed = new Promise<void>((resolve) => streams[0]!.onClose(resolve))
    await reading.cancel()
    await closed
    expect(await written(1)).toMatchObject([{ method: 'GET', outcome: 'ok', status: 200 }])
    expect(door.openStreams).toBe(0)
  })
})

describe('close', () => {
  it('ends standing streams, lets calls finish, and refuses what comes meanwhile', async () => {
    const upstream = fakeUpstream()
    const standing = new EventStream()
    let finish = () => {}
    const { door, url, post } = await opened({ upstream })
    const underWay = new Promise<void>((resolve) => {
      const { reply } = upstream
      upstream.reply = async (passage) => {
        if (passage.method === 'GET') return standing
        resolve()
        await new Promise<void>((done) => {
          finish = done
        })
        return reply(passage)
      }
    })
    const reading = await read(url, { headers: bearer(alice) })
    const called = post(alice, call('slow'))
    await underWay
    const closing = door.close()
    expect(await reading.rest()).toBe('')
    expect(upstream.isClosed).toBe(false)
    finish()
    expect((await called).status).toBe(200)
    await closing
    expect(upstream.isClosed).toBe(true)
    await expect(fetch(url, { headers: bearer(alice) })).rejects.toThrow()
    await expect(door.listen({ port: 0 })).rejects.toThrow('the gateway was closed')
    await door.close()
  })

  it('a request that was still being read when it closed is answered with 503', async () => {
    const upstream = fakeUpstream()
    const { door, url, verifier } = await opened({ upstream })
    let write: (text: string) => void = () => {}
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        write = (text) => {
          controller.enqueue(new TextEncoder().encode(text))
          controller.close()
        }
        controller.enqueue(new TextEncoder().encode('{'))
      },
    })
    const asked = fetch(url, {
      method: 'POST',
      headers: { ...bearer(alice), 'content-type': 'application/json' },
      body,
      duplex: 'half',
    } as RequestInit)
    while (verifier.asked === 0) await new Promise(setImmediate)
    const closing = door.close()
    write(JSON.stringify(call('echo')).slice(1))
    const told = await asked
    expect([told.status, told.headers.get('retry-after')]).toEqual([503, '5'])
    await closing
    expect(upstream.passages).toEqual([])
  })
})
