import { type HttpOptions, MCPServer, type MCPServerOptions } from 'mcp-bearer/server'
import { describe, expect, it } from 'vitest'
import {
  ask,
  askLegacy,
  closeLater,
  listening,
  officialClient,
  openSession,
  openStream,
  streamOf,
} from './feature-peers.ts'
import { alice, bob, directory, memoryLog, post, rpc } from './fixtures.ts'

async function serve(options: Partial<MCPServerOptions> = {}, http: HttpOptions = {}) {
  const log = memoryLog()
  const server = new MCPServer({ name: 'changing', auth: directory(), logger: log.logger, ...options }, http)
  /** Whom the rule lets in now. */
  const allowed = new Set(['alice', 'bob'])
  let isBroken = false
  const authorize = ({ auth }: { auth: { subject?: string | undefined } | undefined }) => {
    if (isBroken) throw new Error('hunter2')
    return allowed.has(auth?.subject ?? '')
  }
  server.tool('one', {}, () => 'x')
  server.prompt('one', {}, () => 'x')
  server.resource('open://one', {}, () => 'x')
  server.resource('secret://one', { scopes: ['admin'] }, () => 'x')
  server.resource('ruled://{id}', { authorize }, () => 'x')
  const url = await listening(server)
  const listen = (token: string | undefined, notifications: Record<string, unknown>) =>
    openStream(url, token, 'subscriptions/listen', { notifications })
  return { server, url, allowed, listen, breakRule: () => (isBroken = true), ...log }
}

const acknowledged = { method: 'notifications/subscriptions/acknowledged' }
const updated = (uri: string) => ({ method: 'notifications/resources/updated', params: { uri } })
const turn = () => new Promise((resolve) => setImmediate(resolve))

describe('subscriptions/listen', () => {
  it('D-42 a URI the caller may not read is 403 before any byte of a stream', async () => {
    const { url, allowed } = await serve()
    const listen = (token: string, resourceSubscriptions: unknown) =>
      ask(url, token, 'subscriptions/listen', { notifications: { resourceSubscriptions } })
    const refused = await listen(bob, ['open://one', 'secret://one'])
    expect(refused.status).toBe(403)
    expect(refused.headers.get('www-authenticate')).toContain('scope="admin"')
    expect((await listen(bob, ['secret://%6Fne'])).status).toBe(403)
    allowed.delete('bob')
    expect((await listen(bob, ['ruled://7'])).status).toBe(403)
    expect((await listen(bob, ['none://one'])).error).toMatchObject({
      code: -32602,
      message: 'Unknown resource',
    })
    for (const odd of [[1], [null], [{}], [''], ['\0']])
      expect((await listen(bob, odd)).error?.code, JSON.stringify(odd)).toBe(-32602)
  })

  it('nobody without a token listens', async () => {
    const { url } = await serve()
    const answer = await ask(url, undefined, 'subscriptions/listen', {
      notifications: { toolsListChanged: true },
    })
    expect(answer.status).toBe(401)
  })

  it('D-82 a subscription names a bounded number of resources', async () => {
    const { url } = await serve()
    const some = (length: number) => ({
      notifications: { resourceSubscriptions: Array.from({ length }, (_, n) => `ruled://${n}`) },
    })
    expect((await ask(url, bob, 'subscriptions/listen', some(1001))).error?.message).toBe(
      'Too many subscriptions',
    )
    const stream = await openStream(url, bob, 'subscriptions/listen', some(1000))
    expect(await stream.next()).toMatchObject(acknowledged)
    await stream.close()
  })

  it('D-44 streams of some take no place from others', async () => {
    const { server, listen } = await serve({ limits: { maxStreams: 1100 } })
    const message = rpc('subscriptions/listen', { notifications: { toolsListChanged: true } })
    const open: Response[] = []
    for (let n = 0; n < 1100; n++) open.push(await server.fetch(post('http://localhost/mcp', message, alice)))
    const another = await listen(bob, { toolsListChanged: true })
    expect(await another.next()).toMatchObject(acknowledged)
    await Promise.all([another.close(), ...open.map((response) => response.body?.cancel())])
  })

  it('tells of tools, prompts and resources that come and go, to who asked', async () => {
    const { server, listen } = await serve()
    const tools = await listen(bob, { toolsListChanged: true })
    const prompts = await listen(bob, { promptsListChanged: true, resourcesListChanged: true })
    await tools.next()
    await prompts.next()
    server.tool('two', {}, () => 'x')
    expect(await tools.next()).toMatchObject({ method: 'notifications/tools/list_changed' })
    server.prompt('two', {}, () => 'x')
    expect(await prompts.next()).toMatchObject({ method: 'notifications/prompts/list_changed' })
    server.resource('open://{id}', {}, () => 'x')
    expect(await prompts.next()).toMatchObject({ method: 'notifications/resources/list_changed' })
    server.remove('tool', 'two')
    expect(await tools.next()).toMatchObject({ method: 'notifications/tools/list_changed' })
    await Promise.all([tools.close(), prompts.close()])
  })

  it('D-42 tells of a resource only who subscribed to it, and still may read it when it changes', async () => {
    const { server, listen, allowed } = await serve()
    const uris = { resourceSubscriptions: ['open://one', 'ruled://7'] }
    const [ofBob, ofAlice] = [await listen(bob, uris), await listen(alice, uris)]
    await Promise.all([ofBob.next(), ofAlice.next()])
    server.resourceUpdated('ruled://7')
    expect(await ofBob.next()).toMatchObject(updated('ruled://7'))
    expect(await ofAlice.next()).toMatchObject(updated('ruled://7'))
    allowed.delete('bob')
    server.resourceUpdated('ruled://8')
    server.resourceUpdated('ruled://7')
    expect(await ofAlice.next()).toMatchObject(updated('ruled://7'))
    await turn()
    server.resourceUpdated('open://one')
    expect(await ofBob.next()).toMatchObject(updated('open://one'))
    allowed.add('bob')
    server.resourceUpdated('ruled://7')
    expect(await ofBob.next()).toMatchObject(updated('ruled://7'))
    await Promise.all([ofBob.close(), ofAlice.close()])
  })

  it('a rule that throws, and a resource that is gone, are told of to nobody', async () => {
    const { server, listen, breakRule } = await serve()
    server.resource('gone://one', {}, () => 'x')
    const stream = await listen(bob, { resourceSubscriptions: ['ruled://7', 'gone://one', 'open://one'] })
    await stream.next()
    breakRule()
    server.remove('resource', 'gone://one')
    server.resourceUpdated('ruled://7')
    server.resourceUpdated('gone://one')
    await turn()
    server.resourceUpdated('open://one')
    expect(await stream.next()).toMatchObject(updated('open://one'))
    await stream.close()
  })

  it('the official client hears, and ends its subscription', async () => {
    const { server, url } = await serve()
    const heard: string[] = []
    const client = await officialClient(url, bob, 'auto')
    let got = () => {}
    client.setNotificationHandler('notifications/resources/updated', ({ params }) => {
      heard.push(params.uri)
      got()
    })
    const subscription = await client.listen({ resourceSubscriptions: ['open://one'] })
    const arrived = new Promise<void>((resolve) => {
      got = resolve
    })
    server.resourceUpdated('open://one')
    await arrived
    expect(heard).toEqual(['open://one'])
    await subscription.close()
  })
})

describe('resources/subscribe in a session', () => {
  async function listener(url: string, token: string) {
    const session = await openSession(url, token)
    const headers = { ...session, authorization: `Bearer ${token}`, accept: 'text/event-stream' }
    const stream = streamOf(await fetch(url, { headers }))
    closeLater(stream)
    const send = (method: string, params = {}) => askLegacy(url, token, method, params, session)
    return { ...stream, send }
  }

  it('D-42 tells who subscribed and still may read', async () => {
    const { server, url, allowed, breakRule } = await serve()
    const [ofBob, ofAlice] = [await listener(url, bob), await listener(url, alice)]
    for (const client of [ofBob, ofAlice])
      for (const uri of ['open://one', 'ruled://7'])
        expect((await client.send('resources/subscribe', { uri })).result).toEqual({})
    const refused = await ofBob.send('resources/subscribe', { uri: 'secret://one' })
    expect([refused.status, refused.headers.get('www-authenticate')]).toEqual([
      403,
      expect.stringContaining('scope="admin"'),
    ])
    expect((await ofBob.send('resources/subscribe', { uri: 'none://one' })).error?.code).toBe(-32602)
    server.resourceUpdated('ruled://7')
    expect(await ofBob.next()).toMatchObject(updated('ruled://7'))
    expect(await ofAlice.next()).toMatchObject(updated('ruled://7'))
    allowed.delete('bob')
    server.resourceUpdated('ruled://7')
    expect(await ofAlice.next()).toMatchObject(updated('ruled://7'))
    await turn()
    server.resourceUpdated('secret://one')
    server.resourceUpdated('open://one')
    expect(await ofBob.next()).toMatchObject(updated('open://one'))
    expect(await ofAlice.next()).toMatchObject(updated('open://one'))
    breakRule()
    server.resourceUpdated('ruled://7')
    await turn()
    expect((await ofAlice.send('resources/unsubscribe', { uri: 'open://one' })).result).toEqual({})
    server.resourceUpdated('open://one')
    await turn()
    server.tool('two', {}, () => 'x')
    expect(await ofBob.next()).toMatchObject(updated('open://one'))
    expect(await ofBob.next()).toMatchObject({ method: 'notifications/tools/list_changed' })
    expect(await ofAlice.next()).toMatchObject({ method: 'notifications/tools/list_changed' })
  })

  it('a client subscribes to a bounded number', async () => {
    const { server, url } = await serve()
    const session = await openSession(url, bob)
    const send = async (method: string, params: Record<string, unknown>) => {
      const { headers, body } = rpc(method, params, '2025-11-25')
      const request = post('http://localhost/mcp', { headers: { ...headers, ...session }, body }, bob)
      return (await (await server.fetch(request)).json()) as { error?: { message: string } }
    }
    const subscribe = (n: number) => send('resources/subscribe', { uri: `ruled://${n}` })
    for (let n = 0; n < 1000; n++) await subscribe(n)
    expect((await subscribe(1000)).error?.message).toBe('Too many subscriptions')
    // What it has it may say again.
    expect((await subscribe(7)).error).toBeUndefined()
    await send('resources/unsubscribe', { uri: 'ruled://7' })
    expect((await subscribe(1000)).error).toBeUndefined()
  })

  it('lists that change are told of to the official client', async () => {
    const { server, url } = await serve()
    const client = await officialClient(url, bob, 'legacy')
    let isTold = false
    client.setNotificationHandler('notifications/prompts/list_changed', () => {
      isTold = true
    })
    // It opens its stream when it likes.
    for (let n = 0; !isTold; n++) {
      server.prompt(`new-${n}`, {}, () => 'x')
      await client.ping()
    }
  })
})
