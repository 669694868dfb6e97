import { afterEach, describe, expect, test } from 'vitest'
import { dpopKey } from '../../src/client/dpop.ts'
import { clientCredentials } from '../../src/client/sources/client-credentials.ts'
import { refreshToken } from '../../src/client/sources/refresh-token.ts'
import { memoryTokenStore, type StoredTokens, type TokenStore } from '../../src/client/stores/token-store.ts'
import { type FakeIssuer, fakeIssuer, refuses, tokens } from './authorization-servers.ts'
import { answer, closeServers, listen } from './servers.ts'
import { authFailure } from './token-sources.ts'

afterEach(closeServers)

const client = { id: 'app' }
const confidential = { id: 'app', secret: 'secret-0123456789' }
const logger = () => {}
const sentTo = (as: FakeIssuer) => as.forms.map(({ fields }) => fields.refresh_token)

/** A store whose contents can be looked at. */
function openStore(): { readonly store: TokenStore; readonly entries: Map<string, StoredTokens> } {
  const inner = memoryTokenStore()
  const entries = new Map<string, StoredTokens>()
  const store: TokenStore = {
    load: (key) => inner.load(key),
    exclusive: (key, work) => inner.exclusive(key, work),
    async save(key, kept) {
      await inner.save(key, kept)
      if (kept === undefined) entries.delete(key)
      else entries.set(key, kept)
    },
  }
  return { store, entries }
}

describe('refresh tokens', () => {
  test('one that was refused late does not take away the newer one of another process', async () => {
    const as = await fakeIssuer()
    const { url } = await listen(answer(404))
    const { store, entries } = openStore()
    // What took this process for dead, and the lock from it, has refreshed meanwhile.
    as.answer(({ fields }) => (request, response, body) => {
      const [base = ''] = [...entries.keys()].filter((key) => !key.includes(url))
      const isFirst = fields.refresh_token === 'refresh-1'
      const newer = { accessToken: 'none', expiresAt: 0, refreshToken: 'refresh-3' }
      const done = fields.refresh_token === 'refresh-2' ? store.save(base, newer) : Promise.resolve()
      void done.then(() =>
        (isFirst
          ? tokens({ access_token: 'access-1', refresh_token: 'refresh-2', expires_in: 1 })
          : fields.refresh_token === 'refresh-2'
            ? refuses('invalid_grant')
            : tokens({ access_token: 'access-3', refresh_token: 'refresh-4' }))(request, response, body),
      )
    })
    let now = 1_000_000
    const source = refreshToken(
      { issuer: as.issuer, client, refreshToken: 'refresh-1' },
      { store, logger, clock: () => now },
    )
    expect(await source.token({ url })).toBe('access-1')
    now += 10_000
    expect(await authFailure(source.token({ url }))).toMatchObject({ error: 'invalid_grant' })
    now += 10_000
    expect(await source.token({ url })).toBe('access-3')
    expect(sentTo(as)).toEqual(['refresh-1', 'refresh-2', 'refresh-3'])
  })

  test('one that was replaced by an answer without a usable access token is not sent again', async () => {
    const as = await fakeIssuer()
    const { url } = await listen(answer(404))
    as.answer(({ fields }) =>
      fields.refresh_token === 'refresh-1'
        ? tokens({ access_token: 'access-1', token_type: 'mac', refresh_token: 'refresh-2' })
        : refuses('invalid_grant'),
    )
    let now = 1_000_000
    const source = refreshToken(
      { issuer: as.issuer, client, refreshToken: 'refresh-1' },
      { logger, clock: () => now },
    )
    for (let asked = 0; asked < 3; asked++) {
      expect(await authFailure(source.token({ url }))).toMatchObject({ code: 'token_unavailable' })
      now += 100_000
    }
    expect(sentTo(as)).toEqual(['refresh-1', 'refresh-2'])
  })
})

describe('a shared store', () => {
  test('a token that is bound to a key is not stored, and not sent as a bearer token by another source', async () => {
    const as = await fakeIssuer()
    const { url } = await listen(answer(404))
    const { store, entries } = openStore()
    const options = { issuer: as.issuer, client: confidential }
    as.answer(({ headers }, count) =>
      tokens({ access_token: `token-${count}`, token_type: headers.dpop ? 'DPoP' : 'Bearer' }),
    )
    const bound = clientCredentials({ ...options, dpop: await dpopKey() }, { store, logger })
    expect(await bound.token({ url })).toBe('token-1')
    expect(entries.size).toBe(0)
    expect(await clientCredentials(options, { store, logger }).token({ url })).toBe('token-2')
    expect(await clientCredentials(options, { store, logger }).token({ url })).toBe('token-2')
  })

  test.each([
    ['an empty refresh token', { accessToken: 'none', expiresAt: 0, refreshToken: '' }],
    ['a refresh token that is none', { accessToken: 'none', expiresAt: 0, refreshToken: 42 }],
    ['an object with nothing in it', {}],
    ['a text', 'text'],
  ])('%s in it is nothing', async (_what, kept) => {
    const as = await fakeIssuer()
    const { url } = await listen(answer(404))
    const store = {
      load: async () => kept,
      save: async () => {},
      exclusive: <T>(_key: string, work: () => Promise<T>) => work(),
    } as unknown as TokenStore
    const source = refreshToken({ issuer: as.issuer, client, refreshToken: 'refresh-1' }, { store, logger })
    expect(await source.token({ url })).toBe('token-1')
    expect(sentTo(as)).toEqual(['refresh-1'])
  })

  test('null is nothing, as stores of other makers say it', async () => {
    const as = await fakeIssuer()
    const { url } = await listen(answer(404))
    const store = {
      load: async () => null,
      save: async () => {},
      exclusive: <T>(_key: string, work: () => Promise<T>) => work(),
    } as unknown as TokenStore
    const source = clientCredentials({ issuer: as.issuer, client: confidential }, { store, logger })
    expect(await source.token({ url })).toBe('token-1')
  })
})
