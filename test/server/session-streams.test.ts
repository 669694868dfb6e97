import { getAccessToken } from 'mcp-bearer/server'
import { describe, expect, it, vi } from 'vitest'
import {
  ask,
  bare,
  call,
  type EventReader,
  gatehouse,
  hello,
  keeping,
  listenOn,
  openSession,
  person,
  reading,
  said,
  tell,
  textIn,
  tokens,
} from './session-client.ts'

const alice = 'alice-1'
const bob = 'bob-1'

/** A tool that sends one progress notification at the beginning and one for each door it comes through. */
function house(options = {}, http = {}) {
  const auth = tokens({
    [alice]: person('alice', ['notes']),
    'alice-low': person('alice'),
    [bob]: person('bob', ['notes']),
  })
  const kept = keeping({ auth, ...options }, http)
  const doors = [gatehouse(), gatehouse()] as const
  const signals: AbortSignal[] = []
  kept.server.tool('steps', {}, async (_args, ctx) => {
    signals.push(ctx.signal)
    await ctx.progress(0)
    for (const [at, door] of doors.entries()) {
      await door.enter()
      await ctx.progress(at + 1)
    }
    return `done by ${ctx.auth?.subject} ${getAccessToken()?.subject}`
  })
  kept.server.tool('echo', {}, async (_args, ctx) => {
    await ctx.progress(1)
    return 'echo'
  })
  kept.server.resource('notes://today', { scopes: ['notes'] }, () => 'private')
  kept.server.resource('notes://public', {}, () => 'public')
  return { ...kept, doors, signals }
}

const progressOf = (message: { params?: Record<string, unknown> } | undefined) => message?.params?.progress

describe('a stream that was cut off', () => {
  it('goes on after the last event the client has seen: first what it missed, then live', async () => {
    const { listen, doors } = house()
    const { url } = await listen()
    const wire = await openSession({ url, token: alice })
    const first = reading(await call(wire, 'steps', {}, 4, 'p'))
    expect(progressOf(await first.next())).toBe(0)
    await first.cut()
    doors[0].open()
    await doors[1].arrived
    const second = reading(await listenOn(wire, first.lastId))
    expect(progressOf(await second.next())).toBe(1)
    doors[1].open()
    const rest = await second.rest()
    expect(rest.map(progressOf)).toEqual([2, undefined])
    expect(rest[1]?.id).toBe(4)
    expect(textIn(rest[1])).toBe('done by alice alice')
  })

  it('can be cut off again before anything has come, and still knows where it was', async () => {
    const { listen, doors } = house()
    const { url } = await listen()
    const wire = await openSession({ url, token: alice })
    const first = reading(await call(wire, 'steps', {}, 4, 'p'))
    await first.next()
    await first.cut()
    const second = reading(await listenOn(wire, first.lastId))
    expect((await second.event())?.data).toBe('')
    expect(second.lastId).toBe(first.lastId)
    await second.cut()
    for (const door of doors) door.open()
    const third = reading(await listenOn(wire, second.lastId))
    expect((await third.rest()).map(progressOf)).toEqual([1, 2, undefined])
  })

  it('leaves its call running and its session in use; the answer waits', async () => {
    const { listen, doors, signals } = house()
    const { url } = await listen()
    const wire = await openSession({ url, token: alice })
    const first = reading(await call(wire, 'steps', {}, 4, 'p'))
    await first.next()
    await first.cut()
    expect(await said(await call(wire, 'echo'))).toBe('echo')
    for (const door of doors) door.open()
    const answered = vi.waitFor(async () => {
      const again = reading(await listenOn(wire, first.lastId))
      const messages = await again.rest()
      expect(textIn(messages.at(-1))).toBe('done by alice alice')
    })
    await answered
    expect(signals.map(({ aborted }) => aborted)).toEqual([false])
  })

  it('can be read again when it has ended; when nothing is left the client is told, and need not come back', async () => {
    const { listen } = house()
    const { url } = await listen()
    const wire = await openSession({ url, token: alice })
    const whole = reading(await call(wire, 'echo', {}, 1, 'p'))
    const primer = await whole.event()
    expect(primer).toMatchObject({ data: '', retry: '1000' })
    expect((await whole.rest()).map(textIn)).toEqual([undefined, 'echo'])
    const again = reading(await listenOn(wire, primer?.id))
    expect((await again.rest()).map(textIn)).toEqual([undefined, 'echo'])
    const over = await listenOn(wire, whole.lastId)
    expect([over.status, over.headers.get('content-type')]).toEqual([400, 'application/json'])
  })

  it('FL-09 D-64 of somebody else, or of another session, is not there: 404 and not one event', async () => {
    const { listen } = house()
    const { url } = await listen()
    const mine = await openSession({ url, token: alice })
    const whole = reading(await call(mine, 'echo', {}, 1, 'p'))
    const primer = (await whole.event())?.id ?? ''
    await whole.rest()
    const mineToo = await openSession({ url, token: alice })
    const theirs = await openSession({ url, token: bob })
    const [, channel, number] = primer.split('-')
    const [salt] = (await own(theirs)).split('-')
    const tries = [
      await listenOn(theirs, primer),
      await listenOn(mineToo, primer),
      await listenOn({ ...mine, token: bob }, primer),
      await listenOn(mine, `${salt}-${channel}-${number}`),
      await listenOn(mine, `${primer}0000`),
      await listenOn(mine, `${primer} `.replace('-', '--')),
      await listenOn(mine, '0'),
    ]
    for (const answer of tries) {
      expect(answer.status).toBe(404)
      expect(await answer.text()).not.toContain('echo')
    }
    expect((await listenOn(mine, primer)).status).toBe(200)
  })

  it('takes the place of the old connection, which may only seem to be alive', async () => {
    const { listen, doors } = house()
    const { url } = await listen()
    const wire = await openSession({ url, token: alice })
    const first = reading(await call(wire, 'steps', {}, 4, 'p'))
    await first.next()
    const second = reading(await listenOn(wire, first.lastId))
    expect(await first.rest()).toEqual([])
    for (const door of doors) door.open()
    expect((await second.rest()).map(progressOf)).toEqual([1, 2, undefined])
  })

  it('an event without a message is for clients of 2025-11-25 only; older ones can come back all the same', async () => {
    const { listen, doors } = house()
    const { url } = await listen()
    const opened = await openSession({ url, token: alice }, {}, '2025-06-18')
    const wire = { ...opened, headers: { 'mcp-protocol-version': '2025-06-18' } }
    const first = reading(await call(wire, 'steps', {}, 4, 'p'))
    expect(progressOf((await first.event())?.message)).toBe(0)
    await first.cut()
    for (const door of doors) door.open()
    const second = reading(await listenOn(wire, first.lastId))
    expect(progressOf((await second.event())?.message)).toBe(1)
    expect((await second.rest()).map(progressOf)).toEqual([2, undefined])
  })

  it('a call that is cancelled by its client ends its stream without an answer', async () => {
    const { listen, signals } = house()
    const { url } = await listen()
    const wire = await openSession({ url, token: alice })
    const stream = reading(await call(wire, 'steps', {}, 4, 'p'))
    await stream.next()
    await tell(wire, 'notifications/cancelled', { requestId: 4 })
    expect(await stream.rest()).toEqual([])
    expect(signals[0]?.aborted).toBe(true)
    expect((await listenOn(wire, stream.lastId)).status).toBe(400)
  })
})

/** The name of a place in a session's stream. */
async function own(wire: Parameters<typeof listenOn>[0]): Promise<string> {
  const stream = reading(await listenOn(wire))
  await stream.event()
  await stream.cut()
  return stream.lastId
}

describe('the stream of no request', () => {
  it('is one: a second is 409, and has the old one go on', async () => {
    const { server, listen } = house()
    const { url } = await listen()
    const wire = await openSession({ url, token: alice })
    const stream = reading(await listenOn(wire))
    expect((await stream.event())?.data).toBe('')
    expect((await listenOn(wire)).status).toBe(409)
    server.tool('new', {}, () => 'new')
    expect(await stream.next()).toMatchObject({ method: 'notifications/tools/list_changed' })
    await stream.cut()
    await vi.waitFor(async () => expect((await listenOn(wire)).status).toBe(200))
  })

  it('is for those who accept one', async () => {
    const { listen } = house()
    const { url } = await listen()
    const wire = await openSession({ url, token: alice })
    expect((await bare(wire, 'GET', { accept: 'application/json' })).status).toBe(406)
  })

  it('brings what came while it was cut off', async () => {
    const { server, listen } = house()
    const { url } = await listen()
    const wire = await openSession({ url, token: alice })
    const place = await own(wire)
    server.tool('new', {}, () => 'new')
    const stream = reading(await listenOn(wire, place))
    expect(await stream.next()).toMatchObject({ method: 'notifications/tools/list_changed' })
    server.remove('tool', 'new')
    expect(await stream.next()).toMatchObject({ method: 'notifications/tools/list_changed' })
  })

  it('D-42 brings the changes of resources to those who asked for them, and to nobody else', async () => {
    const { server, listen } = house()
    const { url } = await listen()
    const people = await Promise.all([alice, alice, bob].map((token) => openSession({ url, token })))
    const [asking] = people
    expect((await ask(asking!, 'resources/subscribe', { uri: 'notes://today' })).status).toBe(200)
    const streams = await Promise.all(people.map(async (wire) => reading(await listenOn(wire))))
    server.resourceUpdated('notes://today')
    expect((await streams[0]!.next())?.params).toEqual({ uri: 'notes://today' })
    // Everybody is told of this one; so whoever has not heard of the other by now never does.
    server.remove('resource', 'notes://public')
    expect(await Promise.all(streams.map(untilListChanged))).toEqual([[], [], []])
    await ask(asking!, 'resources/unsubscribe', { uri: 'notes://today' })
    server.resourceUpdated('notes://today')
    server.resource('notes://public', {}, () => 'public')
    expect(await untilListChanged(streams[0]!)).toEqual([])
  })

  it('FL-15 nobody subscribes to what they may not read, or to what is not there', async () => {
    const { listen } = house()
    const { url } = await listen()
    const wire = await openSession({ url, token: 'alice-low' })
    expect((await ask(wire, 'resources/subscribe', { uri: 'notes://today' })).status).toBe(403)
    const unknown = await (await ask(wire, 'resources/subscribe', { uri: 'notes://none' })).json()
    expect(unknown).toMatchObject({ error: { code: -32602 } })
  })

  it.each(['GET', 'POST'])(
    'FL-03 D-42 a client that comes back with a lesser token (%s) hears no more of what it may not read',
    async (verb) => {
      const { server, listen } = house()
      const { url } = await listen()
      const wire = await openSession({ url, token: alice })
      const low = { ...wire, token: 'alice-low' }
      for (const uri of ['notes://today', 'notes://public']) await ask(wire, 'resources/subscribe', { uri })
      const stream = reading(await listenOn(verb === 'GET' ? low : wire))
      if (verb === 'POST') await ask(low, 'ping')
      server.resourceUpdated('notes://today')
      server.resourceUpdated('notes://public')
      expect((await stream.next())?.params).toEqual({ uri: 'notes://public' })
      await ask(wire, 'ping')
      server.resourceUpdated('notes://today')
      expect((await stream.next())?.params).toEqual({ uri: 'notes://today' })
    },
  )

  it('is told of tools by their change only when it knows of tools', async () => {
    const { server, listen } = keeping()
    server.resource('notes://one', {}, () => 'one')
    const { url } = await listen()
    const wire = await openSession({ url })
    const stream = reading(await listenOn(wire))
    server.tool('first', {}, () => 'first')
    server.resource('notes://two', {}, () => 'two')
    expect((await stream.next())?.method).toBe('notifications/resources/list_changed')
  })
})

/** The resources a stream tells of, up to the next change of the list. */
async function untilListChanged(stream: EventReader): Promise<unknown[]> {
  const heard: unknown[] = []
  for (let message = await stream.next(); message; message = await stream.next()) {
    if (message.method === 'notifications/resources/list_changed') break
    heard.push(message.params)
  }
  return heard
}

describe('the number of streams', () => {
  it('D-44 is limited for each principal, whichever token it shows; the slot of one that was dropped comes back', async () => {
    const { listen } = house({ limits: { maxStreams: 2 } })
    const { url } = await listen()
    const wires = []
    for (const token of [alice, 'alice-low', alice]) wires.push(await openSession({ url, token }))
    const [first, second, third] = wires
    const held = reading(await listenOn(first!))
    await listenOn({ ...second!, token: 'alice-low' })
    const refused = await listenOn(third!)
    expect(refused.status).toBe(429)
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
    expect((await listenOn(await openSession({ url, token: bob }))).status).toBe(200)
    await held.cut()
    await vi.waitFor(async () => expect((await listenOn(third!)).status).toBe(200))
  })

  it('a call whose stream is refused is given up: 429 does not mean that it goes on', async () => {
    const { listen, signals } = house({ limits: { maxStreams: 1 } })
    const { url } = await listen()
    const wire = await openSession({ url, token: alice })
    reading(await listenOn(wire))
    expect((await call(wire, 'steps', {}, 4, 'p')).status).toBe(429)
    expect(signals[0]?.aborted).toBe(true)
    // Without progress it needs no stream.
    expect(await said(await call(wire, 'echo', {}, 4))).toBe('echo')
  })

  it.each([
    [500, 'fetch'],
    [60, 'sockets'],
  ])('FL-14 %i streams that are dropped leave room for the next (%s)', async (count, way) => {
    const limits = { maxStreams: count }
    const { server, listen } = house({ limits }, { sessions: { maxPerPrincipal: count } })
    const { url } = await listen()
    const to = way === 'fetch' ? { url, token: alice, fetch: server.fetch } : { url, token: alice }
    const wires = []
    for (let at = 0; at < count; at++) wires.push(await openSession(to))
    const streams = await Promise.all(wires.map(async (wire) => reading(await listenOn(wire))))
    await Promise.all(streams.map((stream) => stream.event()))
    expect((await ask(to, 'initialize', hello())).status).toBe(429)
    await Promise.all(streams.map((stream) => stream.cut()))
    const next = await vi.waitFor(() => openSession(to))
    expect((await listenOn(next)).status).toBe(200)
  })
})
