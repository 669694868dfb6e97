import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { rolldown } from 'rolldown'
import { afterEach, describe, expect, onTestFinished, test } from 'vitest'
import { authorizedFetch } from '../../src/client/fetch/authorized-fetch.ts'
import { refreshToken } from '../../src/client/sources/refresh-token.ts'
import { memoryTokenStore, type TokenStore } from '../../src/client/stores/token-store.ts'
import { type FakeIssuer, fakeIssuer, refuses, tokens } from './authorization-servers.ts'
import { answer, closeServers, listen } from './servers.ts'
import { authFailure, silence, stillWorld, visible } from './token-sources.ts'

afterEach(closeServers)

const client = { id: 'app' }
const hour = 3_600_000

/** An authorization server whose refresh tokens are good for one time; `refresh-1` is the first. One that is used twice ends all. */
async function rotatingIssuer(): Promise<FakeIssuer> {
  const as = await fakeIssuer()
  let good = 1
  as.answer(({ fields }) => {
    if (fields.refresh_token !== `refresh-${good}`) {
      good = 0
      return refuses('invalid_grant', `${fields.refresh_token} was used already`)
    }
    good += 1
    return tokens({ access_token: `access-${good}`, refresh_token: `refresh-${good}` })
  })
  return as
}

/** The refresh tokens that arrived. */
const sentTo = (as: FakeIssuer) => as.forms.map(({ fields }) => fields.refresh_token)

describe('rotation', () => {
  test('FL-84 fifty requests that find their token refused: one refresh, fifty successes', async () => {
    const as = await rotatingIssuer()
    let good = ''
    const server = await listen((request, response, body) => {
      const isGood = request.headers.authorization === `Bearer ${good}`
      answer(request.url !== '/mcp' ? 404 : isGood ? 200 : 401)(request, response, body)
    })
    const auth = refreshToken({ issuer: as.issuer, client, refreshToken: 'refresh-1' })
    const fetch = authorizedFetch({ url: server.url, auth })
    good = 'access-2'
    expect((await fetch(server.url)).status).toBe(200)
    good = 'access-3'
    const all = await Promise.all(Array.from({ length: 50 }, () => fetch(server.url)))
    expect(all.map(({ status }) => status)).toEqual(Array.from({ length: 50 }, () => 200))
    expect(sentTo(as)).toEqual(['refresh-1', 'refresh-2'])
  })

  test('E-40 E-49 a refresh names the resource, and no scope unless it was given', async () => {
    const as = await rotatingIssuer()
    const { url } = await listen(answer(404))
    await refreshToken({ issuer: as.issuer, client, refreshToken: 'refresh-1' }).token({ url })
    expect(as.forms[0]?.fields).toEqual({
      grant_type: 'refresh_token',
      refresh_token: 'refresh-1',
      client_id: 'app',
      resource: url,
    })
  })

  test('two servers at once: two tokens, and no refresh token twice', async () => {
    const as = await rotatingIssuer()
    const servers = [await listen(answer(404)), await listen(answer(404))]
    const source = refreshToken({ issuer: as.issuer, client, refreshToken: 'refresh-1' })
    const given = await Promise.all(servers.map(({ url }) => source.token({ url })))
    expect([...given].sort()).toEqual(['access-2', 'access-3'])
    expect(sentTo(as)).toEqual(['refresh-1', 'refresh-2'])
  })

  test('a refresh token that does not rotate is used again', async () => {
    const as = await fakeIssuer()
    const { url } = await listen(answer(404))
    const source = refreshToken({ issuer: as.issuer, client, refreshToken: async () => 'refresh-1' })
    await source.refused?.(await source.token({ url }), silence)
    await source.token({ url })
    expect(sentTo(as)).toEqual(['refresh-1', 'refresh-1'])
  })

  test('FL-85 a new refresh token in an answer that is no good otherwise is not lost', async () => {
    const as = await fakeIssuer()
    as.answer(({ fields }) =>
      fields.refresh_token === 'refresh-1'
        ? tokens({ access_token: 'a', token_type: 'mac', refresh_token: 'refresh-2' })
        : tokens({ access_token: 'good', refresh_token: 'refresh-3' }),
    )
    const { url } = await listen(answer(404))
    const world = stillWorld()
    const source = refreshToken({ issuer: as.issuer, client, refreshToken: 'refresh-1' }, world.environment)
    await authFailure(source.token({ url }))
    world.now += 1000
    expect(await source.token({ url })).toBe('good')
    expect(sentTo(as)).toEqual(['refresh-1', 'refresh-2'])
  })
})

describe('when it is over', () => {
  test('E-49 invalid_grant: one request, an error that says to log in again, and no further request', async () => {
    const as = await fakeIssuer()
    as.answer(({ fields }) => refuses('invalid_grant', `no ${fields.refresh_token}`))
    const { url } = await listen(answer(404))
    const world = stillWorld()
    const source = refreshToken({ issuer: as.issuer, client, refreshToken: 'refresh-1' }, world.environment)
    const error = await authFailure(source.token({ url }))
    expect(error).toMatchObject({ error: 'invalid_grant', status: 400 })
    expect(error.message).toContain('Log in again')
    expect(visible(error)).not.toContain('refresh-1')
    for (let later = 0; later < 5; later++) {
      world.now += hour
      expect(await authFailure(source.token({ url }))).toMatchObject({ error: 'invalid_grant' })
    }
    expect(as.forms).toHaveLength(1)
    expect(visible(source)).not.toContain('refresh-1')
  })

  test('E-49 a function is asked for another one, and one it gave before is not sent again', async () => {
    const as = await rotatingIssuer()
    const { url } = await listen(answer(404))
    const world = stillWorld()
    let newest = 'refresh-1'
    const options = { issuer: as.issuer, client, refreshToken: async () => newest }
    const source = refreshToken(options, world.environment)
    await source.token({ url })
    as.answer(({ fields }) =>
      fields.refresh_token === 'refresh-9' ? tokens({ access_token: 'again' }) : refuses('invalid_grant'),
    )
    world.now += hour
    await authFailure(source.token({ url }))
    world.now += hour
    await authFailure(source.token({ url }))
    newest = 'refresh-9'
    world.now += hour
    expect(await source.token({ url })).toBe('again')
    expect(sentTo(as)).toEqual(['refresh-1', 'refresh-2', 'refresh-9'])
  })

  test.each([500, 503, 429])(
    'E-54 an answer %i is not the end, and the refresh token is not sent again at once',
    async (status) => {
      const as = await fakeIssuer()
      as.answer((_form, count) =>
        count === 1 ? answer(status, { 'retry-after': '0' }) : tokens({ access_token: 'later' }),
      )
      const { url } = await listen(answer(404))
      const world = stillWorld()
      const source = refreshToken({ issuer: as.issuer, client, refreshToken: 'refresh-1' }, world.environment)
      expect(await authFailure(source.token({ url }))).toMatchObject({ status })
      expect(as.forms).toHaveLength(1)
      world.now += 1000
      expect(await source.token({ url })).toBe('later')
    },
  )

  test('E-54 a connection that breaks after it was sent: not sent again at once', async () => {
    const as = await fakeIssuer()
    as.answer(() => (request) => void request.socket.destroy())
    const { url } = await listen(answer(404))
    await authFailure(refreshToken({ issuer: as.issuer, client, refreshToken: 'refresh-1' }).token({ url }))
    expect(as.forms).toHaveLength(1)
  })

  test('E-54 a connection that was never made is made again', async () => {
    const as = await fakeIssuer()
    const { url } = await listen(answer(404))
    let failures = 0
    const fetch = async (at: string | URL, init?: RequestInit): Promise<Response> => {
      if (init?.method !== 'POST' || failures++ > 1) return globalThis.fetch(at, init)
      throw new TypeError('fetch failed', { cause: Object.assign(new Error('no'), { code: 'ECONNREFUSED' }) })
    }
    const source = refreshToken({ issuer: as.issuer, client, refreshToken: 'refresh-1' }, { fetch })
    expect(await source.token({ url })).toBe('token-1')
  })

  test.each([
    ['throws', async () => Promise.reject(new Error('vault is sealed')), 'vault is sealed'],
    ['gives nothing', async () => '', 'no token'],
    ['gives no text', async () => undefined as unknown as string, 'no token'],
    ['gives two lines', async () => 'refresh\nsecond', 'no token'],
  ])('a function that %s is an error that says so', async (_name, given, word) => {
    const as = await fakeIssuer()
    const { url } = await listen(answer(404))
    const error = await authFailure(
      refreshToken({ issuer: as.issuer, client, refreshToken: given }).token({ url }),
    )
    expect(error.message).toContain(word)
    expect(visible(error)).not.toContain('second')
    expect(as.forms).toHaveLength(0)
  })

  test.each([
    ['is empty', ''],
    ['is not set', undefined],
    ['holds a line break', 'a\nb'],
  ])('a refresh token that %s is a TypeError', (_name, token) => {
    const make = () => refreshToken({ issuer: 'https://idp.example', client, refreshToken: token as string })
    expect(make).toThrow(TypeError)
    expect(make).toThrow('refreshToken')
  })
})

describe('a store', () => {
  const sourceWith = (as: FakeIssuer, store: TokenStore, token = 'refresh-1', now = 0) => {
    const world = stillWorld()
    world.now += now
    return refreshToken({ issuer: as.issuer, client, refreshToken: token }, { ...world.environment, store })
  }

  test('E-48 the next start goes on with the newest refresh token', async () => {
    const as = await rotatingIssuer()
    const { url } = await listen(answer(404))
    const store = memoryTokenStore()
    expect(await sourceWith(as, store).token({ url })).toBe('access-2')
    expect(await sourceWith(as, store).token({ url })).toBe('access-2')
    expect(await sourceWith(as, store, 'refresh-1', hour).token({ url })).toBe('access-3')
    expect(sentTo(as)).toEqual(['refresh-1', 'refresh-2'])
  })

  test('FL-84 many with one store refresh once', async () => {
    const as = await rotatingIssuer()
    const { url } = await listen(answer(404))
    const store = memoryTokenStore()
    const sources = Array.from({ length: 10 }, () => sourceWith(as, store))
    expect(new Set(await Promise.all(sources.map((source) => source.token({ url }))))).toEqual(
      new Set(['access-2']),
    )
    expect(as.forms).toHaveLength(1)
  })

  test('two users with one store do not meet', async () => {
    const as = await fakeIssuer()
    as.answer(({ fields }) => tokens({ access_token: `of-${fields.refresh_token}` }))
    const { url } = await listen(answer(404))
    const store = memoryTokenStore()
    expect(await sourceWith(as, store, 'alice').token({ url })).toBe('of-alice')
    expect(await sourceWith(as, store, 'bob').token({ url })).toBe('of-bob')
  })

  test('E-50 nor do two issuers, and no key holds anything secret', async () => {
    const issuers = [await fakeIssuer(), await fakeIssuer()]
    const { url } = await listen(answer(404))
    const inner = memoryTokenStore()
    const keys = new Set<string>()
    const store: TokenStore = {
      ...inner,
      async save(key, tokens) {
        keys.add(key)
        await inner.save(key, tokens)
      },
    }
    for (const as of issuers) await sourceWith(as, store).token({ url })
    expect(issuers.map((as) => as.forms.length)).toEqual([1, 1])
    expect(keys.size).toBe(4)
    expect([...keys].join()).not.toMatch(/refresh-1|token-1/)
  })
})

test('FL-84 four processes with one file refresh once', async () => {
  const as = await rotatingIssuer()
  const { url } = await listen(answer(404))
  const folder = await mkdtemp(join(tmpdir(), 'mcp-bearer-refresh-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  const program = await bundled(folder)
  const run = promisify(execFile)
  const args = [program, as.issuer, url, join(folder, 'tokens.json')]
  const runs = await Promise.all(Array.from({ length: 4 }, () => run(process.execPath, args)))
  expect(runs.map(({ stdout }) => stdout)).toEqual(Array.from({ length: 4 }, () => 'access-2'))
  expect(sentTo(as)).toEqual(['refresh-1'])
}, 30_000)

/** A program that prints a token, out of the sources, so that no build is needed. */
async function bundled(folder: string): Promise<string> {
  const at = (path: string) =>
    JSON.stringify(fileURLToPath(new URL(`../../src/client/${path}`, import.meta.url)))
  const code = `
    import { refreshToken } from ${at('sources/refresh-token.ts')}
    import { fileTokenStore } from ${at('stores/file-token-store.ts')}
    const [issuer, url, file] = process.argv.slice(2)
    const options = { issuer, client: { id: 'app' }, refreshToken: 'refresh-1' }
    process.stdout.write(await refreshToken(options, { store: fileTokenStore(file) }).token({ url }))`
  const plugin = {
    name: 'program',
    resolveId: (id: string) => (id === 'program' ? id : undefined),
    load: (id: string) => (id === 'program' ? code : undefined),
  }
  const bundle = await rolldown({ input: 'program', platform: 'node', external: /^node:/, plugins: [plugin] })
  const file = join(folder, 'program.mjs')
  await bundle.write({ file, format: 'esm', codeSplitting: false })
  await bundle.close()
  return file
}
