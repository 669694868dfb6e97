import { describe, expect, it } from 'vitest'
import type { JsonObject } from '../../src/gateway/message.ts'
import { type Answer, program, until, wire, world } from './command-support.ts'
import { alice, bob, request } from './front-support.ts'

const notification = (method: string, params: JsonObject = {}): JsonObject => ({
  jsonrpc: '2.0',
  method,
  params,
})

let lastId = 0
/** A call of a tool, under an id that no other one has. */
const call = (name: string, args: JsonObject = {}) =>
  request('tools/call', { name, arguments: args }, `call-${++lastId}`)

const contentOf = (message: JsonObject | undefined) =>
  (message as { result: { content: { text: string }[] } }).result.content[0]!.text

async function textIn(answer: Promise<Answer>): Promise<string> {
  return contentOf((await (await answer).all()).at(-1))
}

describe('a session', () => {
  it('has a process of its own, which never sees the ids of the client', async () => {
    const gate = await world({})
    const client = wire(gate)
    const [one, two] = [await client.open(), await client.open()]
    expect(gate.commands.processes).toBe(2)
    expect(await textIn(client.send(call('pid'), { session: one }))).not.toBe(
      await textIn(client.send(call('pid'), { session: two })),
    )
    const params = { name: 'ids', arguments: {}, _meta: { progressToken: 'mine' } }
    const answer = await client.send(request('tools/call', params, 'an-id'), { session: one })
    const message = await answer.next()
    expect(message).toMatchObject({ id: 'an-id' })
    const [id, token] = JSON.parse(contentOf(message))
    expect(id).toBe(token)
    expect(typeof id).toBe('number')
  })

  it('is a 404 for everybody else, as one that never was, whatever they try', async () => {
    const gate = await world({})
    const session = await wire(gate).open()
    const stranger = wire(gate, bob)
    const ping = request('ping')
    const tries: [JsonObject | undefined, string][] = [
      [ping, 'POST'],
      [notification('notifications/cancelled', { requestId: 1 }), 'POST'],
      [{ jsonrpc: '2.0', id: 1, result: {} }, 'POST'],
      [undefined, 'GET'],
      [undefined, 'DELETE'],
    ]
    for (const [message, method] of tries) {
      const answers = await Promise.all(
        [session, 'x'.repeat(32)].map((id) => stranger.send(message!, { session: id, method })),
      )
      expect(answers.map(({ status }) => status)).toEqual([404, 404])
      const [foreign, unknown] = await Promise.all(answers.map((each) => each.all()))
      expect(foreign).toEqual(unknown)
    }
    expect((await wire(gate).send(ping, { session })).status).toBe(200)
  })

  it('ends by DELETE: its process is gone, and it is unknown', async () => {
    const gate = await world({})
    const client = wire(gate)
    const session = await client.open()
    const stream = await client.listen(session)
    const hanging = client.send(call('hang'), { session })
    await until(async () => (await textIn(client.send(call('heard', {}), { session }))).includes('hang'))
    expect((await client.send(undefined!, { session, method: 'DELETE' })).status).toBe(204)
    expect((await hanging).status).toBe(502)
    expect(await stream.all()).toEqual([])
    await until(() => gate.commands.processes === 0)
    expect((await client.send(request('ping'), { session })).status).toBe(404)
    expect(gate.commands.sessions).toBe(0)
  })

  it('does not say of a call that the server has that it was not looked at, or it is sent again', async () => {
    const gate = await world({})
    const client = wire(gate)
    const session = await client.open()
    const hanging = client.send(call('hang'), { session })
    await until(async () => (await textIn(client.send(call('heard', {}), { session }))).includes('hang'))
    await client.send(undefined!, { session, method: 'DELETE' })
    const answer = await hanging
    expect(answer.status).not.toBe(404)
    expect(await answer.next()).toMatchObject({
      error: { message: expect.stringContaining('may have done') },
    })
  })

  it('takes no id twice at a time, and takes it again afterwards', async () => {
    const gate = await world({})
    const client = wire(gate)
    const session = await client.open()
    const hanging = client.send(request('tools/call', { name: 'hang' }, 'same'), { session })
    await until(async () => (await textIn(client.send(call('heard'), { session }))).includes('hang'))
    const second = await client.send(request('ping', {}, 'same'), { session })
    expect(second.status).toBe(400)
    expect(await second.next()).toMatchObject({ id: 'same', error: { code: -32600 } })
    await client.send(notification('notifications/cancelled', { requestId: 'same' }), { session })
    expect(await (await hanging).all()).toEqual([])
    expect((await client.send(request('ping', {}, 'same'), { session })).status).toBe(200)
  })

  it('tells the process of a cancellation by the name the process knows', async () => {
    const gate = await world({})
    const client = wire(gate)
    const session = await client.open()
    const hanging = client.send(request('tools/call', { name: 'hang' }, 'long'), { session })
    const heard = async () =>
      JSON.parse(await textIn(client.send(call('heard'), { session }))) as JsonObject[]
    const isHanging = ({ params }: JsonObject) => (params as JsonObject).name === 'hang'
    await until(async () => (await heard()).some(isHanging))
    await client.send(notification('notifications/cancelled', { requestId: 'long', reason: 'bored' }), {
      session,
    })
    await hanging
    const all = await heard()
    const { id } = all.find(isHanging)!
    expect(all.find(({ method }) => method === 'notifications/cancelled')?.params).toEqual({
      requestId: id,
      reason: 'bored',
    })
  })

  it('survives that its client is cut off: the call goes on', async () => {
    const gate = await world({})
    const client = wire(gate)
    const session = await client.open()
    const abort = new AbortController()
    const cut = client.send(call('hang'), { session, signal: abort.signal })
    const heard = () => textIn(client.send(call('heard'), { session }))
    await until(async () => (await heard()).includes('hang'))
    abort.abort()
    await expect(cut).rejects.toThrow()
    // The gateway notices before it has answered that often.
    for (let at = 0; at < 5; at++) await client.send(request('ping'), { session })
    expect(await heard()).not.toContain('notifications/cancelled')
  })

  it('must be opened with initialize, and once', async () => {
    const gate = await world({})
    const client = wire(gate)
    expect((await client.send(request('tools/list'))).status).toBe(400)
    expect(gate.commands.processes).toBe(0)
    const session = await client.open()
    expect((await client.send(request('initialize', {}), { session })).status).toBe(400)
    expect((await client.send(undefined!, { method: 'GET' })).status).toBe(405)
    const headers = { 'mcp-protocol-version': '1999-01-01' }
    expect((await client.send(request('ping'), { session, headers })).status).toBe(400)
    const accept = { accept: 'application/json' }
    expect((await client.send(request('ping'), { session, headers: accept })).status).toBe(406)
  })

  it('has one stream of no request', async () => {
    const gate = await world({})
    const client = wire(gate)
    const session = await client.open()
    const stream = await client.listen(session)
    expect((await client.listen(session)).status).toBe(409)
    stream.leave()
    await until(async () => (await client.listen(session)).status === 200)
  })

  it('ends when nobody uses it, and not while a stream is open or a call is running', async () => {
    const gate = await world({ processes: { idleMs: 60_000 } })
    const client = wire(gate)
    const [idle, streaming, calling] = [await client.open(), await client.open(), await client.open()]
    const stream = await client.listen(streaming)
    const running = client.send(call('hang'), { session: calling })
    await until(async () => (await textIn(client.send(call('heard'), { session: calling }))).includes('hang'))
    gate.time.pass(61_000)
    await until(() => gate.commands.processes === 2)
    expect((await client.send(request('ping'), { session: idle })).status).toBe(404)
    expect((await client.send(request('ping', {}, 2), { session: streaming })).status).toBe(200)
    expect((await running).isStream).toBe(true)
    stream.leave()
    await until(async () => {
      gate.time.pass(61_000)
      return gate.commands.sessions === 1
    })
  })

  it('makes room for another one of its owner only', async () => {
    const gate = await world({ processes: { max: 3, maxPerPrincipal: 2 } })
    const client = wire(gate)
    const [first, second] = [await client.open(), await client.open()]
    gate.time.pass(1000)
    await client.send(request('ping'), { session: first })
    const third = await client.open()
    expect((await client.send(request('ping'), { session: second })).status).toBe(404)
    const streams = await Promise.all([first, third].map((session) => client.listen(session)))
    expect(streams.map(({ status }) => status)).toEqual([200, 200])
    const refused = await client.send(
      request('initialize', { protocolVersion: '2025-11-25', capabilities: {} }),
    )
    expect(refused.status).toBe(503)
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
    // Another principal is not concerned until all places are taken.
    const other = wire(gate, bob)
    await other.listen(await other.open())
    expect(gate.commands.processes).toBe(3)
    expect((await other.send(request('initialize', {}))).status).toBe(503)
  })
})

describe('an answer', () => {
  it('is JSON when it comes first, and a stream when something comes before', async () => {
    const gate = await world({})
    const client = wire(gate)
    const session = await client.open()
    const plain = await client.send(call('echo', { value: 'x' }), { session })
    expect(plain.isStream).toBe(false)
    const log = { method: 'notifications/message', params: { level: 'info', data: 'a line' } }
    const stream = await client.send(call('tell', log), { session })
    expect(stream.isStream).toBe(true)
    expect((await stream.all()).map(({ method }) => method)).toEqual(['notifications/message', undefined])
  })

  it('becomes a stream after ten seconds, and is given up when the server shows nothing', async () => {
    const gate = await world({ requestTimeoutMs: 20_000 })
    const client = wire(gate)
    const session = await client.open()
    const waiting = client.send(call('hang'), { session })
    await until(async () => (await textIn(client.send(call('heard'), { session }))).includes('hang'))
    gate.time.pass(10_000)
    const stream = await waiting
    expect(stream.isStream).toBe(true)
    gate.time.pass(10_000)
    expect(await stream.all()).toMatchObject([{ error: { code: -32000 } }])
    const heard = await textIn(client.send(call('heard'), { session }))
    expect(heard).toContain('notifications/cancelled')
  })

  it('comes once, whatever the server says', async () => {
    const gate = await world({})
    const client = wire(gate)
    const session = await client.open()
    const twice = await client.send(call('twice'), { session })
    expect((await twice.all()).map(contentOf)).toEqual(['first'])
    const stray = await client.send(call('stray'), { session })
    expect((await stray.all()).map(contentOf)).toEqual(['own'])
    expect(await textIn(client.send(call('garbage'), { session }))).toBe('after garbage')
  })

  it('goes to whoever asked, of 50 sessions with equal ids that share one process', async () => {
    const gate = await world({ per: 'principal' })
    const client = wire(gate)
    const sessions = await Promise.all(Array.from({ length: 50 }, () => client.open()))
    expect(new Set(sessions).size).toBe(50)
    expect(gate.commands.processes).toBe(1)
    const answers = await Promise.all(
      sessions.map((session, value) =>
        textIn(client.send(call('together', { count: 50, value }), { session })),
      ),
    )
    expect(answers).toEqual(sessions.map((_, value) => String(value)))
  })

  it('cannot be cancelled by another session with the same id', async () => {
    const gate = await world({ per: 'principal' })
    const client = wire(gate)
    const [one, two] = [await client.open(), await client.open()]
    const waiting = client.send(
      request('tools/call', { name: 'together', arguments: { count: 2, value: 1 } }, 7),
      { session: one },
    )
    const heard = () => textIn(client.send(call('heard'), { session: two }))
    await until(async () => (await heard()).includes('together'))
    await client.send(notification('notifications/cancelled', { requestId: 7 }), { session: two })
    await client.send(request('tools/call', { name: 'together', arguments: { count: 2, value: 2 } }, 7), {
      session: two,
    })
    expect(await textIn(waiting)).toBe('1')
  })
})

describe('what the server asks', () => {
  const ask = (method = 'sampling/createMessage') => call('ask', { method, params: {} })

  it('is asked on the stream of the call, and answered to the process that asked', async () => {
    const gate = await world({})
    const client = wire(gate)
    const session = await client.open()
    const answer = await client.send(ask(), { session })
    const question = await answer.next()
    expect(question).toMatchObject({ method: 'sampling/createMessage' })
    const reply = await client.send({ jsonrpc: '2.0', id: question!.id, result: { roots: [] } }, { session })
    expect(reply.status).toBe(202)
    expect(contentOf(await answer.next())).toBe('{"roots":[]}')
  })

  it('is asked on the stream of no request when there is one', async () => {
    const gate = await world({})
    const client = wire(gate)
    const session = await client.open()
    const stream = await client.listen(session)
    const answer = client.send(ask(), { session })
    const question = await stream.next()
    await client.send({ jsonrpc: '2.0', id: question!.id, result: { roots: [1] } }, { session })
    expect(await textIn(answer)).toBe('{"roots":[1]}')
  })

  it('waits until somebody is there to be asked', async () => {
    const gate = await world({})
    const client = wire(gate)
    const session = await client.open()
    await client.send(call('askLater', { method: 'sampling/createMessage' }), { session })
    const stream = await client.listen(session)
    const question = await stream.next()
    expect(question).toMatchObject({ method: 'sampling/createMessage' })
    await client.send({ jsonrpc: '2.0', id: question!.id, result: { late: true } }, { session })
    await until(async () => (await textIn(client.send(call('heard'), { session }))).includes('"late":true'))
  })

  it('is answered by nobody but the session it was asked in', async () => {
    const gate = await world({ per: 'principal' })
    const client = wire(gate)
    const [one, two] = [await client.open(), await client.open()]
    const answer = await client.send(ask(), { session: one })
    const question = await answer.next()
    for (const id of [question!.id, 1, 2, '1'])
      await client.send({ jsonrpc: '2.0', id: id as number, result: { forged: true } }, { session: two })
    await client.send({ jsonrpc: '2.0', id: question!.id, result: { roots: [] } }, { session: one })
    expect(contentOf(await answer.next())).toBe('{"roots":[]}')
  })

  it('is refused for a client that cannot, and a ping is answered by the gateway', async () => {
    const gate = await world({})
    const client = wire(gate)
    const session = await client.open({ capabilities: {} })
    expect(await textIn(client.send(ask('sampling/createMessage'), { session }))).toContain('-32601')
    const ping = await client.send(ask('ping'), { session })
    expect(ping.isStream).toBe(false)
    expect((await ping.all()).map(contentOf)).toEqual(['{}'])
  })

  it('is taken back by the name the client knows', async () => {
    const gate = await world({})
    const client = wire(gate)
    const session = await client.open()
    const answer = await client.send(call('askTwice', { method: 'sampling/createMessage' }), { session })
    const [first, cancelled, second] = [await answer.next(), await answer.next(), await answer.next()]
    expect(cancelled).toMatchObject({ method: 'notifications/cancelled', params: { requestId: first!.id } })
    expect(second!.id).not.toBe(first!.id)
    // What is not wanted any more does not go on.
    await client.send({ jsonrpc: '2.0', id: first!.id, result: {} }, { session })
    const heard = JSON.parse(await textIn(client.send(call('heard'), { session })))
    expect(heard.filter(({ method }: JsonObject) => method === undefined)).toEqual([])
  })

  it('does not fill the memory when nobody comes', async () => {
    const gate = await world({})
    const client = wire(gate)
    const session = await client.open()
    for (let at = 0; at < 130; at++)
      await client.send(call('askLater', { method: 'sampling/createMessage' }), { session })
    const heard = await textIn(client.send(call('heard'), { session }))
    expect(heard).toContain('does not come to be asked')
  })
})

describe('a principal whose sessions share a process', () => {
  it('has it initialized once, and until the last session ends', async () => {
    const gate = await world({ per: 'principal' })
    const client = wire(gate)
    const sessions = [await client.open(), await client.open()]
    const heard = JSON.parse(await textIn(client.send(call('heard'), { session: sessions[1]! })))
    expect(heard.map(({ method }: JsonObject) => method)).toEqual([
      'initialize',
      'notifications/initialized',
      'tools/call',
    ])
    await client.send(undefined!, { session: sessions[0]!, method: 'DELETE' })
    expect(gate.commands.processes).toBe(1)
    await client.send(undefined!, { session: sessions[1]!, method: 'DELETE' })
    await until(() => gate.commands.processes === 0)
  })

  it('shares it with nobody else', async () => {
    const gate = await world({ per: 'principal', identity: true })
    const [one, two] = [wire(gate, alice), wire(gate, bob)]
    const [a, b] = [await one.open(), await two.open()]
    const pids = await Promise.all([
      textIn(one.send(call('pid'), { session: a })),
      textIn(two.send(call('pid'), { session: b })),
    ])
    expect(new Set(pids).size).toBe(2)
    const quiet = await two.listen(b)
    const log = { method: 'notifications/message', params: { level: 'info', data: 'of alice' } }
    await (await one.send(call('tell', log), { session: a })).all()
    const own = { method: 'notifications/message', params: { level: 'info', data: 'of bob' } }
    await two.send(call('tell', own), { session: b })
    expect(await quiet.next()).toMatchObject({ params: { data: 'of bob' } })
  })

  it('keeps a subscription until the last session that has it lets it go', async () => {
    const gate = await world({ per: 'principal' })
    const client = wire(gate)
    const [one, two] = [await client.open(), await client.open()]
    const uri = 'note://one'
    for (const session of [one, two]) await client.send(request('resources/subscribe', { uri }), { session })
    const heard = async () =>
      (await textIn(client.send(call('heard'), { session: one }))).includes('resources/unsubscribe')
    const first = await client.send(request('resources/unsubscribe', { uri }), { session: one })
    expect(await first.next()).toMatchObject({ id: 1, result: {} })
    expect(await heard()).toBe(false)
    await client.send(request('resources/unsubscribe', { uri }), { session: two })
    expect(await heard()).toBe(true)
  })

  it('lets go what only the session that has ended had subscribed to', async () => {
    const gate = await world({ per: 'principal' })
    const client = wire(gate)
    const [one, two] = [await client.open(), await client.open()]
    const subscribe = (session: string, uri: string) =>
      client.send(request('resources/subscribe', { uri }), { session })
    await subscribe(one, 'note://both')
    await subscribe(one, 'note://one')
    await subscribe(two, 'note://both')
    await client.send(undefined!, { session: one, method: 'DELETE' })
    const heard = JSON.parse(await textIn(client.send(call('heard'), { session: two }))) as JsonObject[]
    const gone = heard.filter(({ method }) => method === 'resources/unsubscribe')
    expect(gone.map(({ params }) => params)).toEqual([{ uri: 'note://one' }])
  })
})

describe('a process that crashes', () => {
  it('in mid-call costs each call one answer, and the session goes on as it was', async () => {
    const gate = await world({})
    const client = wire(gate)
    const session = await client.open()
    await client.send(request('logging/setLevel', { level: 'debug' }), { session })
    await client.send(request('resources/subscribe', { uri: 'note://one' }), { session })
    const waiting = Array.from({ length: 5 }, (_, id) =>
      client.send(request('tools/call', { name: 'hang' }, `h${id}`), { session }),
    )
    await until(
      async () => (await textIn(client.send(call('heard'), { session }))).split('"hang"').length > 5,
    )
    const crash = client.send(request('tools/call', { name: 'crash' }, 'crash'), { session })
    for (const answer of await Promise.all([...waiting, crash])) {
      expect(answer.status).toBe(502)
      const messages = await answer.all()
      expect(messages).toHaveLength(1)
      expect(messages[0]).toMatchObject({ error: { code: -32000 } })
    }
    const after = await client.send(call('heard'), { session })
    const messages = await after.all()
    expect(messages.map(({ method }) => method)).toContain('notifications/tools/list_changed')
    const heard = JSON.parse(contentOf(messages.at(-1))) as JsonObject[]
    expect(heard.map(({ method }) => method)).toEqual([
      'initialize',
      'notifications/initialized',
      'logging/setLevel',
      'resources/subscribe',
      'tools/call',
    ])
    expect(heard[0]?.params).toMatchObject({ clientInfo: { name: 'wire' } })
  })

  it('takes its questions along: nobody is asked for a process that is gone', async () => {
    const gate = await world({})
    const client = wire(gate)
    const session = await client.open()
    await (
      await client.send(call('askLater', { method: 'sampling/createMessage', mark: 'old' }), { session })
    ).all()
    await (await client.send(call('crash'), { session })).all()
    await (
      await client.send(call('askLater', { method: 'sampling/createMessage', mark: 'new' }), { session })
    ).all()
    const stream = await client.listen(session)
    const isQuestion = (message: JsonObject | undefined) => message?.method === 'sampling/createMessage'
    let question = await stream.next()
    while (!isQuestion(question)) question = await stream.next()
    expect(question).toMatchObject({ params: { mark: 'new' } })
    // The client knows it by another name than the process: that one has asked for the first time.
    expect(question!.id).not.toBe(1)
    await client.send({ jsonrpc: '2.0', id: question!.id, result: { roots: [] } }, { session })
    const heard = async () =>
      JSON.parse(await textIn(client.send(call('heard'), { session }))) as JsonObject[]
    await until(async () => (await heard()).some(({ reply }) => reply !== undefined))
  })

  it('ends the stream of a call with an error', async () => {
    const gate = await world({})
    const client = wire(gate)
    const session = await client.open()
    const answer = await client.send(call('ask', { method: 'sampling/createMessage', params: {} }), {
      session,
    })
    await answer.next()
    await client.send(call('crash'), { session })
    expect(await answer.all()).toMatchObject([{ error: { code: -32000 } }])
  })

  it('over and over is not started again at once: 503 with Retry-After', async () => {
    const gate = await world({})
    const client = wire(gate)
    const session = await client.open()
    const statuses: number[] = []
    let last: Answer | undefined
    for (let at = 0; at < 4; at++) {
      last = await client.send(call('crash'), { session })
      await last.all()
      statuses.push(last.status)
      if (last.status === 503) break
    }
    expect(statuses.at(-1)).toBe(503)
    expect(Number(last?.headers.get('retry-after'))).toBeGreaterThan(0)
    gate.time.pass(61_000)
    expect((await client.send(request('ping'), { session })).status).toBe(200)
  })

  it('when it starts is a 502 that says so', async () => {
    const gate = await world(program('server-raw', 'crashes'))
    const answer = await wire(gate).send(request('initialize', { protocolVersion: '2025-11-25' }))
    expect(answer.status).toBe(502)
    expect(gate.commands.sessions).toBe(0)
  })
})

describe('a process that misbehaves', () => {
  it('and never answers initialize is stopped: 504', async () => {
    const gate = await world({
      ...program('server-raw', 'no-initialize'),
      processes: { startTimeoutMs: 300 },
    })
    const answer = await wire(gate).send(request('initialize', { protocolVersion: '2025-11-25' }))
    expect(answer.status).toBe(504)
    await until(() => gate.commands.processes === 0)
    expect(gate.commands.sessions).toBe(0)
  })

  it('and writes garbage, or floods standard error, is served all the same', async () => {
    const gate = await world(program('server-raw', 'garbage', 'flood'))
    const client = wire(gate)
    const session = await client.open()
    for (let at = 0; at < 20; at++)
      expect(await textIn(client.send(call('echo', { value: at }), { session }))).toBe(String(at))
    expect(gate.upstreamLog.length).toBeLessThan(3000)
  })
})
