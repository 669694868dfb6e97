import { createServer } from 'node:net'
import { decodeJwt } from 'jose'
import { afterEach, describe, expect, test } from 'vitest'
import { dpopKey } from '../../src/client/dpop.ts'
import { clientCredentials } from '../../src/client/sources/client-credentials.ts'
import { fakeIssuer, refuses, tokens } from './authorization-servers.ts'
import { answer, closeServers, type Handler, listen } from './servers.ts'
import { authFailure, replaced, stillWorld, visible } from './token-sources.ts'

afterEach(closeServers)

const client = { id: 'agent', secret: 'secret-of-agent' }

/** A source at an authorization server that answers so, and the world around it. */
async function asking(how: Handler | Handler[], environment: object = {}) {
  const as = await fakeIssuer()
  const list = Array.isArray(how) ? how : [how]
  as.answer((_form, count) => list[Math.min(count, list.length) - 1] ?? answer(500))
  const { url } = await listen(answer(404))
  const world = stillWorld()
  const options = { issuer: as.issuer, client, scopes: ['a', 'b'] }
  const source = clientCredentials(options, { ...world.environment, ...environment })
  return { as, url, world, source, token: () => source.token({ url }) }
}

describe('E-46 what is no answer with a token', () => {
  test.each([
    ['no access_token', tokens({}), 'access_token'],
    ['an access_token that is no text', tokens({ access_token: 7 }), 'access_token'],
    ['an empty access_token', tokens({ access_token: '' }), 'access_token'],
    ['an access_token with a line break', tokens({ access_token: 'shown-never\r\nX: y' }), 'access_token'],
    ['an access_token without end', tokens({ access_token: 'a'.repeat(9000) }), 'access_token'],
    ['token_type mac', tokens({ access_token: 'shown-never', token_type: 'mac' }), 'type'],
    ['token_type N_A', tokens({ access_token: 'shown-never', token_type: 'N_A' }), 'type'],
    ['token_type DPoP', tokens({ access_token: 'shown-never', token_type: 'DPoP' }), 'type'],
    ['no token_type', tokens({ access_token: 'shown-never', token_type: undefined }), 'token_type'],
    ['expires_in -1', tokens({ access_token: 'shown-never', expires_in: -1 }), 'expires_in'],
    ['expires_in 0', tokens({ access_token: 'shown-never', expires_in: 0 }), 'expires_in'],
    ['expires_in "soon"', tokens({ access_token: 'shown-never', expires_in: 'soon' }), 'expires_in'],
    ['expires_in true', tokens({ access_token: 'shown-never', expires_in: true }), 'expires_in'],
    [
      'expires_in NaN',
      answer(200, {}, '{"access_token":"shown-never","token_type":"Bearer","expires_in":NaN}'),
      'JSON',
    ],
    [
      'access_token twice',
      answer(200, {}, '{"access_token":"shown-never","access_token":"b","token_type":"Bearer"}'),
      'JSON',
    ],
    ['a page', answer(200, { 'content-type': 'text/html' }, '<html>shown-never</html>'), 'JSON'],
    ['a list', answer(200, {}, []), 'JSON'],
    ['nothing', answer(200), 'JSON'],
    [
      'status 200 with an error',
      answer(200, {}, { error: 'invalid_client', access_token: 'shown-never' }),
      'invalid_client',
    ],
    ['status 201', answer(201, {}, { access_token: 'shown-never', token_type: 'Bearer' }), '201'],
    ['a redirect', answer(307, { location: 'http://127.0.0.1:1/shown-never' }), '307'],
    ['status 404', answer(404, {}, 'shown-never'), '404'],
  ])('%s: an error that says so, after one request', async (_name, how, word) => {
    const { as, token } = await asking(how)
    const error = await authFailure(token())
    expect(error.message).toContain(word)
    expect(visible(error)).not.toContain('shown-never')
    expect(as.forms).toHaveLength(1)
  })

  test('E-43 more than 64 KiB are not read', async () => {
    const { token } = await asking(tokens({ access_token: 'a', more: 'x'.repeat(70_000) }))
    expect((await authFailure(token())).message).toContain('65536 bytes')
  })

  test('E-43 an answer that does not come is given up after the time of the environment, and not asked for again', async () => {
    const { as, token } = await asking(() => {}, { timeout: 50 })
    expect((await authFailure(token())).message).toContain('within 50 ms')
    expect(as.forms).toHaveLength(1)
  })
})

describe('E-46 how long it lives', () => {
  test.each([
    ['a number', 100, 100],
    ['a number in a text', '100', 100],
    ['a fraction', 100.5, 100.5],
  ])('%s: until then', async (_name, expires_in, seconds) => {
    const { world, token } = await asking([1, 2].map((n) => tokens({ access_token: `t${n}`, expires_in })))
    expect(await token()).toBe('t1')
    world.now += seconds * 1000 - 1
    expect(await token()).toBe('t1')
    world.now += 1
    expect(await token()).toBe('t2')
  })

  test.each([
    ['1e99', 1e99],
    ['nothing', undefined],
    ['null', null],
  ])('%s: for very long, and no timer overflows', async (_name, expires_in) => {
    const { as, world, token } = await asking(tokens({ access_token: 't1', expires_in }))
    expect(await token()).toBe('t1')
    world.now += 300 * 24 * 3_600_000
    expect(await token()).toBe('t1')
    expect(as.forms).toHaveLength(1)
  })

  test('1e99 is cut to a year, which any clock and any store can hold', async () => {
    const { world, token } = await asking(
      [1, 2].map((n) => tokens({ access_token: `t${n}`, expires_in: 1e99 })),
    )
    expect(await token()).toBe('t1')
    world.now += 365 * 24 * 3_600_000
    expect(await token()).toBe('t2')
  })

  test('a token that is over when it arrives is given once, and the next request gets the next', async () => {
    const { token } = await asking([1, 2].map((n) => tokens({ access_token: `t${n}`, expires_in: 1e-9 })))
    expect([await token(), await token()]).toEqual(['t1', 't2'])
  })

  test('a narrower scope is taken, and not asked for again and again', async () => {
    const { as, source, url } = await asking(tokens({ access_token: 't1', scope: 'a' }))
    await source.token({ url })
    await source.token({ url, scopes: ['b'] })
    expect(as.forms).toHaveLength(1)
  })
})

describe('E-54 what is asked again', () => {
  const now = { 'retry-after': '0' }

  test.each([429, 500, 502, 503])('%i twice, then a token: three requests', async (status) => {
    const { as, token } = await asking([
      answer(status, now),
      answer(status, now),
      tokens({ access_token: 't' }),
    ])
    expect(await token()).toBe('t')
    expect(as.forms).toHaveLength(3)
  })

  test('503 without end: three requests, and an error with status', async () => {
    const { as, token } = await asking(answer(503, now))
    expect(await authFailure(token())).toMatchObject({ status: 503 })
    expect(as.forms).toHaveLength(3)
  })

  test('503 with a Retry-After of an hour: one request, and the error says when', async () => {
    const { as, token } = await asking(answer(503, { 'retry-after': '3600' }))
    const error = await authFailure(token())
    expect(error).toMatchObject({ retryAfter: 3600 })
    expect(error.message).toMatch(/cannot be reached.*in 3600 s/)
    expect(as.forms).toHaveLength(1)
  })

  test('a connection that breaks is made again', async () => {
    const { as, token } = await asking([(request) => request.socket.destroy(), tokens({ access_token: 't' })])
    expect(await token()).toBe('t')
    expect(as.forms).toHaveLength(2)
  })

  test('nobody there: an error without a stack of sockets, and no value that was sent', async () => {
    const { url } = await listen(answer(404))
    const tokenEndpoint = `http://127.0.0.1:${await closedPort()}/token`
    const source = clientCredentials({ issuer: 'https://idp.example', tokenEndpoint, client })
    const error = await authFailure(source.token({ url }))
    expect(error.message).toMatch(/https:\/\/idp\.example cannot be reached.*ECONNREFUSED/)
    expect(error.cause).toBeUndefined()
  })

  test.each([400, 401, 403])('%i is not asked again, and not for each request either', async (status) => {
    const { as, world, token } = await asking(refuses('invalid_client', undefined, status))
    const first = await authFailure(token())
    expect(first).toMatchObject({ error: 'invalid_client', status })
    expect(await authFailure(token())).toMatchObject({ error: 'invalid_client', status, retryAfter: 1 })
    expect(as.forms).toHaveLength(1)
    world.now += 1000
    await authFailure(token())
    expect(as.forms).toHaveLength(2)
  })

  test('the words of the server are one short line', async () => {
    const { token } = await asking(refuses('invalid_scope', `first\r\nsecond\u2028${'x'.repeat(500)}`))
    const { errorDescription = '', message } = await authFailure(token())
    expect(errorDescription).toMatch(/^first second x+…$/)
    expect(errorDescription.length).toBe(200)
    expect(message).not.toMatch(/[\r\n\u2028]/)
  })

  test('an error that is no word of RFC 6749 is not repeated', async () => {
    const { token } = await asking(refuses('"><script>'))
    const error = await authFailure(token())
    expect(error.error).toBeUndefined()
    expect(error.message).not.toContain('script')
  })

  test('E-61 a fetch of the caller that fails with all it was given tells nothing of it', async () => {
    const fetch = async (url: string | URL, init?: RequestInit): Promise<Response> => {
      if (init?.method !== 'POST') return globalThis.fetch(url, init)
      throw Object.assign(new Error(`failed: ${init.body} ${JSON.stringify(init.headers)}`), { init })
    }
    const { token } = await asking(answer(500), { fetch })
    const error = await authFailure(token())
    expect(error.message).toContain('cannot be reached')
    const basic = btoa('agent:secret-of-agent')
    for (const part of ['secret-of-agent', basic]) expect(visible(error)).not.toContain(part)
  })
})

describe('tokens that are bound to a key', () => {
  const dpop = async (list: Handler[]) => {
    const as = await fakeIssuer()
    as.answer((_form, count) => list[Math.min(count, list.length) - 1] ?? answer(500))
    const { url } = await listen(answer(404))
    const key = dpopKey()
    const source = clientCredentials({ issuer: as.issuer, client, dpop: key }, stillWorld().environment)
    return { as, url, source, proofs: () => as.forms.map(({ headers }) => decodeJwt(String(headers.dpop))) }
  }
  const bound = (n: number, headers = {}): Handler =>
    answer(200, headers, { access_token: `t${n}`, token_type: 'DPoP', expires_in: 3600 })
  const wantsNonce = (nonce: string): Handler =>
    answer(400, { 'dpop-nonce': nonce }, { error: 'use_dpop_nonce' })

  test('F-40 a proof for the token endpoint goes along, a new one each time, without ath', async () => {
    const { as, url, source, proofs } = await dpop([bound(1), bound(2)])
    expect(await replaced(source, url)).toBe('t2')
    const [first, second] = proofs()
    expect(first).toMatchObject({ htm: 'POST', htu: as.tokenEndpoint })
    expect(first).not.toHaveProperty('ath')
    expect(first?.jti).not.toBe(second?.jti)
  })

  test('F-41 use_dpop_nonce: once more with the nonce, and later ones are taken over', async () => {
    const { url, source, proofs } = await dpop([wantsNonce('n1'), bound(1, { 'dpop-nonce': 'n2' }), bound(2)])
    expect(await replaced(source, url)).toBe('t2')
    expect(proofs().map(({ nonce }) => nonce)).toEqual([undefined, 'n1', 'n2'])
  })

  test('F-41 a server that always wants another nonce is asked twice', async () => {
    const { as, url, source } = await dpop([wantsNonce('n1'), wantsNonce('n2'), wantsNonce('n3')])
    expect(await authFailure(source.token({ url }))).toMatchObject({ error: 'use_dpop_nonce', status: 400 })
    expect(as.forms).toHaveLength(2)
  })

  test('F-42 a bearer token although one bound to the key was asked for: an error', async () => {
    const { url, source } = await dpop([tokens({ access_token: 'shown-never' })])
    const error = await authFailure(source.token({ url }))
    expect(error.message).toContain('bound to a key')
    expect(visible(error)).not.toContain('shown-never')
  })
})

/** A port that nobody listens at. */
async function closedPort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise<void>((resolve) => server.close(() => resolve()))
  return typeof address === 'object' && address !== null ? address.port : 1
}
