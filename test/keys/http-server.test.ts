import { Client } from 'mcp-bearer/client'
import { type HttpOptions, type Limits, MCPServer } from 'mcp-bearer/server'
import { describe, expect, it } from 'vitest'
import { makeKey } from '../../src/apikeys/format.ts'
import {
  ask,
  askLegacy,
  listening,
  officialClient,
  openSession,
  openStream,
  streamOf,
} from '../server/feature-peers.ts'
import { keyHouse } from './http-support.ts'

/** API keys in front of an `MCPServer`. */

async function served(limits: Limits = {}, http: HttpOptions = {}, house = keyHouse()) {
  const { verifier, clock } = house
  const server = new MCPServer({ name: 'keys', auth: verifier, clock, limits, logger: () => {} }, http)
  server.tool('search', {}, (_args, ctx) => `for ${ctx.auth?.subject}`)
  server.tool('purge', { scopes: ['admin'] }, () => 'purged')
  server.resource('notes://today', {}, () => 'private')
  server.prompt('greet', {}, () => 'private')
  return { ...house, server, url: await listening(server) }
}

const call = (name: string) => ['tools/call', { name, arguments: {} }] as const
const names = (list: readonly { readonly name: string }[]) => list.map(({ name }) => name)
const from = (address: string) => ({ headers: { 'x-forwarded-for': address } })

describe.each(['auto', 'legacy'] as const)('the official client with a key, %s', (mode) => {
  it('K01 A-41 lists and calls the tools the key is bound to, and nothing else', async () => {
    const { url, made } = await served()
    const { key } = await made({ tools: ['search'], scopes: ['admin'] })
    const client = await officialClient(url, key, mode)
    expect(names((await client.listTools()).tools)).toEqual(['search'])
    expect((await client.callTool({ name: 'search', arguments: {} })).content).toMatchObject([
      { text: 'for alice' },
    ])
    expect((await client.listResources()).resources).toEqual([])
    expect((await client.listPrompts()).prompts).toEqual([])
    for (const refused of [
      () => client.callTool({ name: 'purge', arguments: {} }),
      () => client.readResource({ uri: 'notes://today' }),
      () => client.getPrompt({ name: 'greet' }),
    ])
      await expect(refused()).rejects.toThrow(/403|access_denied/)
  })

  it('B-104 is refused on its next request when the key is revoked', async () => {
    const { url, made, keys } = await served()
    const { key, id } = await made()
    const client = await officialClient(url, key, mode)
    await client.callTool({ name: 'search', arguments: {} })
    await keys.revoke(id)
    await expect(client.callTool({ name: 'search', arguments: {} })).rejects.toThrow()
  })
})

describe('a key that changes while it is used', () => {
  it('A-41 opens fewer tools from the next request on, and its session is not carried on', async () => {
    const { url, made, keys } = await served()
    const { key, id } = await made()
    const session = await openSession(url, key)
    expect((await askLegacy(url, key, ...call('search'), session)).status).toBe(200)
    await keys.update(id, { tools: ['other'] })
    expect((await ask(url, key, ...call('search'))).status).toBe(403)
    expect((await askLegacy(url, key, ...call('search'), session)).status).toBe(404)
    expect((await ask(url, key, 'tools/list')).result.tools).toEqual([])
  })

  it('B-104 D-02 a session goes on with the key that replaced it', async () => {
    const { url, made, keys } = await served()
    const { key, id } = await made()
    const session = await openSession(url, key)
    const { key: next } = await keys.rotate(id)
    expect((await askLegacy(url, next, ...call('search'), session)).status).toBe(200)
    const { key: stranger } = await made()
    expect((await askLegacy(url, stranger, ...call('search'), session)).status).toBe(404)
  })

  it('FL-10 D-41 its streams end when it is revoked: before the next event, and soon when there is none', async () => {
    const { server, url, made, keys } = await served()
    const [loud, idle, other] = await Promise.all([made(), made(), made()])
    const listen = async (key: string) => {
      const opened = await openStream(url, key, 'subscriptions/listen', {
        notifications: { toolsListChanged: true },
      })
      expect((await opened.next())?.method).toBe('notifications/subscriptions/acknowledged')
      return opened
    }
    const streams = await Promise.all([loud, idle, other].map(({ key }) => listen(key)))
    const session = await openSession(url, loud.key)
    const headers = { ...session, accept: 'text/event-stream', authorization: `Bearer ${loud.key}` }
    const standing = streamOf(await fetch(url, { headers }))
    await keys.revoke(loud.id)
    server.tool('new', {}, () => '')
    // A last word, and the end.
    expect((await streams[0]!.next())?.method).toBeUndefined()
    expect(await streams[0]!.next()).toBeUndefined()
    expect(await standing.next()).toBeUndefined()
    expect((await streams[2]!.next())?.method).toBe('notifications/tools/list_changed')
    expect((await streams[1]!.next())?.method).toBe('notifications/tools/list_changed')
    await keys.revoke(idle.id)
    expect((await streams[1]!.next())?.result).toMatchObject({ resultType: 'complete' })
    expect(await streams[1]!.next()).toBeUndefined()
    await streams[2]!.close()
  })
})

describe('a server for keys', () => {
  it('K02 takes them from the header it names', async () => {
    const { url, made } = await served({}, { apiKeyHeader: 'X-API-Key' })
    const { key } = await made()
    expect((await ask(url, undefined, ...call('search'), { headers: { 'x-api-key': key } })).status).toBe(200)
  })

  it('B-108 sends no client into OAuth: no metadata in the challenge, and 404 with JSON where it would be', async () => {
    const { url } = await served()
    const refused = await fetch(url, { method: 'POST' })
    expect(refused.headers.get('www-authenticate')).toBe('Bearer realm="mcp"')
    for (const name of [
      'oauth-protected-resource',
      'oauth-protected-resource/mcp',
      'oauth-authorization-server',
    ]) {
      const answer = await fetch(new URL(`/.well-known/${name}`, url))
      expect([answer.status, await answer.json()]).toEqual([404, { error: 'not_found' }])
    }
  })

  it('B-103 knows the address of a caller behind its proxies, also without a throttle', async () => {
    const { url, made } = await served({ failuresPerMinute: 0 }, { trustProxy: 1 })
    const { key } = await made({ addresses: ['192.0.2.0/24'] })
    const status = async (address: string) => (await ask(url, key, ...call('search'), from(address))).status
    expect(await status('192.0.2.9')).toBe(200)
    expect(await status('198.51.100.9')).toBe(401)
    expect((await ask(url, key, ...call('search'))).status).toBe(401)
  })

  it('in this process is the same', async () => {
    const { server, made, keys } = await served()
    const { key, id } = await made({ tools: ['search'] })
    await using client = new Client(server, { auth: key })
    expect(names(await client.listTools())).toEqual(['search'])
    await keys.revoke(id)
    await expect(client.callTool('search')).rejects.toMatchObject({ code: 'invalid_token' })
  })
})

describe('those who try keys', () => {
  const unknown = () => makeKey('mcpk', 'live').key

  it('B-107 get 429 after so many, and lock out nobody whose key is good', async () => {
    const { url, made } = await served({ failuresPerMinute: 5 }, { trustProxy: 1 })
    const [victim, neighbour] = await Promise.all([made(), made()])
    const status = async (key: string, address: string) =>
      (await ask(url, key, ...call('search'), from(address))).status
    const [attacked, elsewhere] = ['192.0.2.1', '198.51.100.1']
    expect(await status(victim.key, attacked)).toBe(200)
    // By the id of the victim, which is public.
    const guess = victim.key.slice(0, -1) + (victim.key.endsWith('0') ? '1' : '0')
    for (let n = 0; n < 5; n++) expect(await status(n % 2 ? guess : unknown(), attacked)).toBe(401)
    expect(await status(unknown(), attacked)).toBe(429)
    expect(await status(neighbour.key, attacked)).toBe(429)
    expect(await status(victim.key, attacked)).toBe(200)
    expect(await status(victim.key, elsewhere)).toBe(200)
    expect(await status(neighbour.key, elsewhere)).toBe(200)
  })

  it('B-107 are blocked on every node that shares the store, after their first failure there', async () => {
    const house = keyHouse()
    const limits = { failuresPerMinute: 5, shared: house.store }
    const one = await served(limits, { trustProxy: 1 }, house)
    const two = await served(limits, { trustProxy: 1 }, house)
    const { key } = await house.made()
    const status = async (url: string, token: string, address: string) =>
      (await ask(url, token, ...call('search'), from(address))).status
    expect(await status(two.url, key, '192.0.2.1')).toBe(200)
    for (let n = 0; n < 5; n++) expect(await status(one.url, unknown(), '192.0.2.1')).toBe(401)
    expect(await status(one.url, unknown(), '192.0.2.1')).toBe(429)
    expect(await status(two.url, unknown(), '192.0.2.1')).toBe(401)
    expect(await status(two.url, unknown(), '192.0.2.1')).toBe(429)
    expect(await status(two.url, key, '192.0.2.1')).toBe(200)
    expect(await status(two.url, unknown(), '192.0.2.2')).toBe(401)
  })

  it('FL-102 are not the hosts that ask without a key what is asked for', async () => {
    const { url, made } = await served({ failuresPerMinute: 5 })
    const { key } = await made()
    const probes: Record<string, string>[] = [{}, { authorization: 'Bearer' }, { authorization: 'Bearer ' }]
    for (let n = 0; n < 50; n++) {
      const headers = { 'content-type': 'application/json', ...probes[n % probes.length] }
      const { status } = await fetch(url, { method: n % 2 ? 'POST' : 'GET', headers })
      expect(status).toBe(401)
    }
    expect((await ask(url, key, ...call('search'))).status).toBe(200)
  })
})
