import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { changeToken, config, forget, log, refusal } from '../state.ts'
import { NotPassedOn } from './passed-on.ts'
import { tracedFetch } from './traced-fetch.ts'

const token = 'tok-4711-abcdefghijklmnop'
const seen: { url: string | undefined; headers: Record<string, unknown> }[] = []
let answer: (url: string) => { status: number; headers?: Record<string, string>; body?: string }

const server = createServer((req, res) => {
  seen.push({ url: req.url, headers: req.headers })
  const { status, headers = {}, body = '' } = answer(req.url ?? '')
  res.writeHead(status, headers)
  if (req.url === '/endless') res.write(body)
  else res.end(body)
})

beforeEach(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  vi.stubGlobal('location', { origin })
  vi.stubGlobal('sessionStorage', { getItem: () => 'session-secret-1234' })
  answer = () => ({ status: 200, body: 'good' })
  changeToken(token)
})

afterEach(async () => {
  forget()
  config.value = { kind: 'server', name: '' }
  seen.length = 0
  vi.unstubAllGlobals()
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
})

const ask = (path: string, more: Partial<Parameters<typeof tracedFetch>[0]> = {}) =>
  tracedFetch({ purpose: 'call', method: 'GET', path, ...more })

describe('where it goes', () => {
  it.each([
    'https://elsewhere.example/mcp',
    '//elsewhere.example/mcp',
    '/\\elsewhere.example/mcp',
    '/\t/elsewhere.example/mcp',
    'mcp',
    '',
    'data:text/plain,x',
  ])('never to %j', async (path) => {
    await expect(ask(path, { token })).rejects.toThrow(TypeError)
    expect(seen).toEqual([])
    expect(log.value).toEqual([])
  })

  it('with a token not to the program that serves the page, only to the server behind it', async () => {
    config.value = { kind: 'bridge', name: '' }
    for (const path of ['/inspector/send', '/targets', '/target/../inspector/send', '/']) {
      await expect(ask(path, { token }), path).rejects.toThrow('it goes to the server and to nobody else')
    }
    expect(seen).toEqual([])
    await (await ask('/target/mcp?a=1', { token })).text()
    await (await ask('/target?a=1', { token })).text()
    expect(log.value.map(({ path }) => path)).toEqual(['/mcp?a=1', '/?a=1'])
  })

  it('with the secret of the session only to a program on this machine', async () => {
    await (await ask('/mcp', { token })).text()
    config.value = { kind: 'keys', name: '' }
    await (await ask('/admin', { token })).text()
    expect(seen.map(({ headers }) => headers['x-inspector-session'])).toEqual([
      undefined,
      'session-secret-1234',
    ])
    expect(seen.map(({ headers }) => headers.authorization)).toEqual([`Bearer ${token}`, `Bearer ${token}`])
    expect(JSON.stringify(log.value)).not.toContain('session-secret')
  })

  it('not with a token that was forgotten, whoever still holds it', async () => {
    changeToken('the-next-token')
    await (await ask('/mcp', { token })).text()
    expect(seen).toHaveLength(1)
    forget()
    await expect(ask('/mcp', { token })).rejects.toThrow('it was forgotten')
    changeToken('a-third-token')
    await expect(ask('/mcp', { token })).rejects.toThrow('it was forgotten')
    await expect(ask('/mcp', { token: 'the-next-token' })).rejects.toThrow('it was forgotten')
    expect([seen.length, log.value.length]).toEqual([1, 0])
  })

  it('not with a token that no header can carry, and without saying it', async () => {
    const wrong = ask('/mcp', { token: 'secret\nvalue' })
    await expect(wrong).rejects.toThrow(/^token: it has characters that no header can carry$/)
    expect(log.value).toEqual([])
  })
})

describe('what the server says of the token', () => {
  const refused = { status: 401, headers: { 'www-authenticate': 'Bearer realm="x", error="invalid_token"' } }

  it('is kept, and goes away with a good answer', async () => {
    answer = () => ({ ...refused, body: `no ${token}` })
    await (await ask('/mcp', { token })).text()
    expect(refusal.value).toMatchObject({
      status: 401,
      withToken: true,
      challenge: { realm: 'x', error: 'invalid_token' },
      body: 'no [redacted]',
    })
    answer = () => ({ status: 200 })
    await (await ask('/mcp')).text()
    expect(refusal.value?.status).toBe(401)
    await (await ask('/mcp', { token })).text()
    expect(refusal.value).toBeUndefined()
  })

  it('is not what it says of another one, of none, of a made-up one, or of a catalogue', async () => {
    answer = () => refused
    changeToken('another-token')
    changeToken(token)
    await (await ask('/mcp', { token: 'another-token' })).text()
    await (await ask('/mcp')).text()
    await (await ask('/mcp', { headers: { authorization: `Bearer ${token}` } })).text()
    await (await ask('/openmcp.json', { purpose: 'catalogue', token })).text()
    expect(refusal.value).toBeUndefined()
    forget()
    await (await ask('/mcp', { purpose: 'probe', headers: { Authorization: 'Basic bm9ib2R5' } })).text()
    expect(refusal.value).toBeUndefined()
    await (await ask('/mcp', { purpose: 'probe' })).text()
    expect(refusal.value).toMatchObject({ status: 401, withToken: false })
  })

  it.each([
    [400, false, undefined],
    [400, true, 400],
    [403, false, 403],
    [404, true, undefined],
    [500, true, undefined],
  ])('is a refusal with status %i and challenge %s, or is none', async (status, isChallenged, kept) => {
    answer = () => ({ status, headers: isChallenged ? refused.headers : {} })
    await (await ask('/mcp', { token })).text()
    expect(refusal.value?.status).toBe(kept)
  })
})

describe('behind a program on this machine', () => {
  it('its own answer is no answer of the server', async () => {
    config.value = { kind: 'bridge', name: '' }
    answer = () => ({
      status: 403,
      headers: { 'x-inspector-problem': 'unreachable' },
      body: '{"problem":"Nothing listens there."}',
    })
    const failed = ask('/target/mcp', { token })
    await expect(failed).rejects.toThrow(NotPassedOn)
    await expect(failed).rejects.toThrow('Nothing listens there.')
    expect(log.value[0]).toMatchObject({
      status: undefined,
      problem: 'Nothing listens there.',
      isOpen: false,
    })
    expect(refusal.value).toBeUndefined()
  })

  it('a status that a browser hides is the one of the server', async () => {
    answer = () => ({ status: 502, headers: { 'x-inspector-status': '307' }, body: 'moved' })
    const given = await ask('/mcp', { token })
    expect(given.status).toBe(307)
    expect(await given.text()).toBe('moved')
    expect(log.value[0]).toMatchObject({ status: 307, responseBody: 'moved' })
  })
})

it('is over for everybody when everything is forgotten', async () => {
  const { promise: asked, resolve } = deferred()
  const slow = createServer((_req, res) => {
    res.writeHead(200).write('a')
    resolve(undefined)
  })
  await new Promise<void>((done) => slow.listen(0, '127.0.0.1', done))
  vi.stubGlobal('location', { origin: `http://127.0.0.1:${(slow.address() as AddressInfo).port}` })
  const given = await ask('/mcp', { token })
  await asked
  forget()
  await expect(given.text()).rejects.toThrow()
  expect(log.value).toEqual([])
  slow.closeAllConnections()
  await new Promise((done) => slow.close(done))
})

it('does not say of an answer that it broke off when the reader has read enough', async () => {
  const reader = (await ask('/endless')).body!.getReader()
  await reader.read()
  await reader.cancel()
  expect(log.value.at(-1)).toMatchObject({ isOpen: false, problem: undefined, status: 200 })
})

it('says why there is no answer', async () => {
  vi.stubGlobal('location', { origin: 'http://127.0.0.1:1' })
  await expect(ask('/mcp', { token })).rejects.toThrow()
  expect(log.value[0]?.problem).toBe('No answer came: the connection failed.')
})

function deferred(): { promise: Promise<unknown>; resolve: (value: unknown) => void } {
  let resolve: (value: unknown) => void = () => {}
  const promise = new Promise((done) => {
    resolve = done
  })
  return { promise, resolve }
}
