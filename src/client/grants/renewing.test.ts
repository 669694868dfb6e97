import { describe, expect, test } from 'vitest'
import { AuthError } from '../../core/index.ts'
import { StatusError } from '../../verify/fetch-json.ts'
import { memoryTokenStore, type StoredTokens, type TokenStore } from '../stores/token-store.ts'
import { type Renewing, renewing, type TokenNeed } from './renewing.ts'

const url = 'https://mcp.example.com/mcp'
const hour = 3_600_000
const silence = { scopes: [] }

interface Setting {
  readonly scopes?: readonly string[]
  readonly life?: number
  readonly store?: TokenStore
  readonly refreshes?: boolean
  readonly dpop?: Renewing['dpop']
  readonly random?: number
}

/** A source over a grant that counts, gives `t1`, `t2` and so on, and can be held up or made to fail. */
function world({ scopes = [], life = hour, store, refreshes = false, dpop, random = 0 }: Setting = {}) {
  const state = {
    now: 1_000_000,
    needs: [] as TokenNeed[],
    lines: [] as string[],
    fail: undefined as unknown,
    /** Only an acquisition with this scope fails. */
    failing: undefined as string | undefined,
    granted: undefined as readonly string[] | undefined,
    gate: undefined as Promise<void> | undefined,
  }
  const acquire = async (need: TokenNeed): Promise<StoredTokens> => {
    state.needs.push(need)
    const count = state.needs.length
    await state.gate
    const fails = state.failing === undefined || need.scopes.includes(state.failing)
    if (state.fail !== undefined && fails) throw state.fail
    return {
      accessToken: `t${count}`,
      expiresAt: state.now + life,
      scopes: state.granted ?? need.scopes,
      ...(refreshes && { refreshToken: `r${count}` }),
    }
  }
  const source = renewing({
    name: 'the grant',
    acquire,
    scopes,
    dpop,
    clock: () => state.now,
    log: ({ event, level }) => void state.lines.push(`${level} ${event}`),
    shelf: { store, key: async () => 'grant', variant: '', refreshes },
    random: () => random,
  })
  const token = (extra?: readonly string[], signal?: AbortSignal) =>
    source.token({ url, scopes: extra, signal })
  return { state, source, token, refuse: (which: string) => source.refused?.(which, silence) }
}

/** A promise, and what settles it. */
function gate() {
  let open: () => void = () => {}
  const closed = new Promise<void>((resolve) => {
    open = resolve
  })
  return { closed, open }
}

/** Lets everything happen that waits for nothing. */
const settle = () => new Promise<void>((resolve) => setImmediate(resolve))

const outage = () =>
  new AuthError('token_unavailable', 'cannot be reached', { cause: new StatusError(503, new Headers()) })

describe('E-47 early renewal', () => {
  test('in the last minute of an hour, in the background, once', async () => {
    const { state, token } = world()
    await token()
    state.now += hour - 60_001
    await token()
    await settle()
    expect(state.needs).toHaveLength(1)
    state.now += 1
    const held = gate()
    state.gate = held.closed
    expect([await token(), await token(), await token()]).toEqual(['t1', 't1', 't1'])
    await settle()
    expect(state.needs).toHaveLength(2)
    held.open()
    await settle()
    expect(await token()).toBe('t2')
  })

  test('in the last tenth of a short life', async () => {
    const { state, token } = world({ life: 10_000 })
    await token()
    state.now += 8_999
    await token()
    await settle()
    expect(state.needs).toHaveLength(1)
    state.now += 1
    await token()
    await settle()
    expect(state.needs).toHaveLength(2)
  })

  test('earlier by chance, by half a minute at most', async () => {
    const { state, token } = world({ random: 1 })
    await token()
    state.now += hour - 90_001
    await token()
    await settle()
    expect(state.needs).toHaveLength(1)
    state.now += 1
    await token()
    await settle()
    expect(state.needs).toHaveLength(2)
  })

  test('one that fails keeps the good token, is told, and is tried again after a pause and not for each request', async () => {
    const { state, token } = world()
    await token()
    state.now += hour - 30_000
    state.fail = outage()
    for (let asked = 0; asked < 20; asked++) {
      expect(await token()).toBe('t1')
      await settle()
    }
    expect(state.needs).toHaveLength(2)
    expect(state.lines).toEqual(['warn token_renewal_failed'])
    state.now += 1000
    await token()
    await settle()
    expect(state.needs).toHaveLength(3)
    state.fail = undefined
    state.now += 2000
    await token()
    await settle()
    expect(await token()).toBe('t4')
  })

  test('an expired token is not given out, whether or not there is another one', async () => {
    const { state, token } = world()
    await token()
    state.now += hour
    state.fail = outage()
    await expect(token()).rejects.toThrow('cannot be reached')
    state.fail = undefined
    state.now += 1000
    expect(await token()).toBe('t3')
  })

  test('a clock that is set back costs one renewal, and no request waits', async () => {
    const { state, token } = world()
    await token()
    state.now -= hour / 2
    expect(await token()).toBe('t1')
    await settle()
    expect(await token()).toBe('t2')
    await settle()
    expect(state.needs).toHaveLength(2)
  })
})

describe('one acquisition for many', () => {
  test('fifty at once are one', async () => {
    const { state, token } = world()
    expect(new Set(await Promise.all(Array.from({ length: 50 }, () => token())))).toEqual(new Set(['t1']))
    expect(state.needs).toHaveLength(1)
  })

  test('E-55 who gives up stops waiting with the reason, and the others get their token', async () => {
    const { state, token } = world()
    const held = gate()
    state.gate = held.closed
    const giving = new AbortController()
    const [first, second] = [token([], giving.signal), token()]
    giving.abort(new Error('enough'))
    await expect(first).rejects.toThrow('enough')
    held.open()
    expect(await second).toBe('t1')
    expect(state.needs).toHaveLength(1)
  })

  test('E-55 when all have given up and it fails later, nothing is left unhandled', async () => {
    const { state, token } = world()
    const held = gate()
    state.gate = held.closed
    const giving = new AbortController()
    const only = token([], giving.signal)
    giving.abort(new Error('enough'))
    await expect(only).rejects.toThrow('enough')
    state.fail = outage()
    held.open()
    await settle()
    expect(state.needs).toHaveLength(1)
  })

  test('E-55 who has given up before asking starts nothing', async () => {
    const { state, token } = world()
    await expect(token([], AbortSignal.abort(new Error('enough')))).rejects.toThrow('enough')
    await settle()
    expect(state.needs).toHaveLength(0)
  })

  test('a failure is that of all who wait, and of those who come within the pause', async () => {
    const { state, token } = world()
    state.fail = outage()
    const all = await Promise.allSettled(Array.from({ length: 50 }, () => token()))
    expect(all.every(({ status }) => status === 'rejected')).toBe(true)
    await expect(token()).rejects.toMatchObject({ message: 'cannot be reached', retryAfter: 1 })
    expect(state.needs).toHaveLength(1)
  })

  test('the pause is as long as the server says', async () => {
    const { state, token } = world()
    const cause = new StatusError(503, new Headers({ 'retry-after': '30' }))
    state.fail = new AuthError('token_unavailable', 'down', { cause })
    await expect(token()).rejects.toThrow('down')
    state.now += 29_000
    await expect(token()).rejects.toMatchObject({ retryAfter: 1 })
    expect(state.needs).toHaveLength(1)
    state.fail = undefined
    state.now += 1000
    expect(await token()).toBe('t2')
  })

  test('what is thrown by anybody else is not shown', async () => {
    const { state, token } = world()
    state.fail = new Error('with the secret in it')
    await expect(token()).rejects.toSatisfy(
      (error) => error instanceof AuthError && !error.message.includes('secret') && error.cause === undefined,
    )
  })
})

describe('a token that was refused', () => {
  test('E-21 is replaced once, for however many report it', async () => {
    const { state, token, refuse } = world()
    await token()
    await Promise.all(Array.from({ length: 50 }, () => refuse('t1')))
    expect(await Promise.all([token(), token()])).toEqual(['t2', 't2'])
    expect(state.needs).toHaveLength(2)
    expect(state.needs[1]?.refusals).toBe(1)
  })

  test('a straggler with an older one changes nothing', async () => {
    const { state, token, refuse } = world()
    await token()
    await refuse('t1')
    await token()
    await refuse('t2')
    await token()
    for (const late of ['t1', 't2', 't1', 'never given']) await refuse(late)
    expect(await token()).toBe('t3')
    expect(state.needs).toHaveLength(3)
    await refuse('t3')
    expect(await token()).toBe('t4')
  })

  test('a server that refuses whatever it gets makes us ask three times a minute', async () => {
    const { state, token, refuse } = world()
    for (let request = 0; request < 100; request++) {
      await refuse(await token())
      await token()
      state.now += 100
    }
    expect(state.needs).toHaveLength(4)
    expect(await token()).toBe('t4')
    state.now += 60_000
    await refuse('t4')
    expect(await token()).toBe('t5')
  })

  test('the place of the metadata that the challenge names is passed on', async () => {
    const { state, source, token } = world()
    await token()
    const resourceMetadata = 'https://mcp.example.com/meta'
    await source.refused?.('t1', { scopes: [], resourceMetadata })
    await token()
    expect(state.needs.map(({ metadataUrl }) => metadataUrl)).toEqual([undefined, resourceMetadata])
  })

  test('E-09 at one server is still good at the other', async () => {
    const { source, refuse } = world()
    const other = 'https://other.example.com/mcp'
    expect(await source.token({ url })).toBe('t1')
    expect(await source.token({ url: other })).toBe('t2')
    await refuse('t1')
    expect(await source.token({ url: other })).toBe('t2')
    expect(await source.token({ url })).toBe('t3')
  })
})

describe('scopes', () => {
  test('E-23 more of them are asked for with all there were, and remembered', async () => {
    const { state, token } = world({ scopes: ['a'] })
    expect(await token()).toBe('t1')
    expect(await token(['b'])).toBe('t2')
    expect(await token()).toBe('t2')
    expect(await token(['c'])).toBe('t3')
    expect(state.needs.map(({ scopes }) => scopes.join(' '))).toEqual(['a', 'a b', 'a b c'])
  })

  test('those that were granted without being asked for are not asked for', async () => {
    const { state, token } = world()
    state.granted = ['a', 'b']
    await token()
    expect(await token(['b'])).toBe('t1')
  })

  test('a step up that is refused leaves the others their token, and is not remembered', async () => {
    const { state, token, refuse } = world({ scopes: ['a'] })
    await token()
    state.fail = new AuthError('token_unavailable', 'no', { error: 'invalid_scope' })
    await expect(token(['b'])).rejects.toMatchObject({ error: 'invalid_scope' })
    expect(await token()).toBe('t1')
    state.fail = undefined
    await refuse('t1')
    expect(await token()).toBe('t3')
    expect(state.needs.at(-1)?.scopes).toEqual(['a'])
  })

  test('many who lack one scope are one request, and those who lack none do not wait', async () => {
    const { state, token } = world()
    await token()
    const held = gate()
    state.gate = held.closed
    const waiting = [token(['b']), token(['b'])]
    expect(await token()).toBe('t1')
    held.open()
    expect(await Promise.all(waiting)).toEqual(['t2', 't2'])
    expect(state.needs).toHaveLength(2)
  })

  test('one who needs more than is under way asks after it', async () => {
    const { state, token } = world()
    const held = gate()
    state.gate = held.closed
    const [first, second] = [token(), token(['b'])]
    await settle()
    held.open()
    expect(await Promise.all([first, second])).toEqual(['t1', 't2'])
    expect(state.needs.map(({ scopes }) => scopes)).toEqual([[], ['b']])
  })

  test('one who needs other scopes than those that were refused meanwhile gets them', async () => {
    const { state, token } = world()
    await token()
    const held = gate()
    state.gate = held.closed
    state.fail = new AuthError('token_unavailable', 'no', { error: 'invalid_scope' })
    state.failing = 'x'
    const [first, second] = [token(['x']), token(['b'])]
    held.open()
    await expect(first).rejects.toMatchObject({ error: 'invalid_scope' })
    expect(await second).toBe('t3')
  })

  test('a server that asks for more and more makes us ask ten times a minute', async () => {
    const { state, token } = world()
    await token()
    for (let count = 0; count < 50; count++) await token([`s${count}`])
    expect(state.needs).toHaveLength(11)
  })
})

describe('a store', () => {
  test('what an earlier run left is used, without asking anybody', async () => {
    const store = memoryTokenStore()
    await world({ store }).token()
    const later = world({ store })
    expect(await later.token()).toBe('t1')
    expect(later.state.needs).toHaveLength(0)
  })

  test.each<[string, Partial<StoredTokens>]>([
    ['has expired', { expiresAt: 1 }],
    ['lacks a scope', { scopes: ['b'] }],
    ['cannot be sent', { accessToken: 'a\r\nb' }],
  ])('what %s is not used', async (_name, part) => {
    const store = memoryTokenStore()
    await store.save(`grant ${url} `, { accessToken: 'stored', expiresAt: 9e12, scopes: ['a'], ...part })
    expect(await world({ store, scopes: ['a'] }).token()).toBe('t1')
  })

  test('a token bound to the key of another process is not used', async () => {
    const store = memoryTokenStore()
    await world({ store }).token()
    const dpop = { proof: async () => 'proof', observe: () => false }
    const bound = world({ store, dpop })
    await bound.token()
    expect(bound.state.needs).toHaveLength(1)
  })

  test('FL-84 what another process renewed meanwhile is taken instead of asking again', async () => {
    const store = memoryTokenStore()
    const one = world({ store })
    const two = world({ store })
    await one.token()
    await two.token()
    await one.refuse('t1')
    expect(await one.token()).toBe('t2')
    await two.refuse('t1')
    expect(await two.token()).toBe('t2')
    expect(two.state.needs).toHaveLength(0)
  })

  test('E-47 early renewal does not find the token it is to replace', async () => {
    const { state, token } = world({ store: memoryTokenStore() })
    await token()
    state.now += hour - 1
    await token()
    await settle()
    expect(await token()).toBe('t2')
  })

  test('one that was refused is not taken from the store again', async () => {
    const store = memoryTokenStore()
    await world({ store }).token()
    const { token, refuse, state } = world({ store })
    await refuse(await token())
    await token()
    expect(state.needs).toHaveLength(1)
  })

  test('E-48 FL-85 both tokens are stored before anybody gets the access token, the refresh token first', async () => {
    const inner = memoryTokenStore()
    const saved: string[] = []
    const store: TokenStore = {
      ...inner,
      async save(key, tokens) {
        saved.push(tokens?.refreshToken ?? tokens?.accessToken ?? '')
        await inner.save(key, tokens)
      },
    }
    const { token } = world({ store, refreshes: true })
    await token().then(() => saved.push('given'))
    expect(saved).toEqual(['r1', 't1', 'given'])
  })

  test('E-48 a refresh token is passed on to the next acquisition, of whatever server', async () => {
    const { state, source } = world({ refreshes: true })
    await Promise.all([source.token({ url }), source.token({ url: 'https://other.example.com' })])
    expect(state.needs.map(({ refreshToken }) => refreshToken)).toEqual([undefined, 'r1'])
  })

  test('a store that does not save costs one warning; the new refresh token is used all the same', async () => {
    const inner = memoryTokenStore()
    const save = async () => Promise.reject(new Error('disk full'))
    const { state, token } = world({ store: { ...inner, save }, refreshes: true })
    expect(await token()).toBe('t1')
    state.now += hour
    expect(await token()).toBe('t2')
    expect(state.needs[1]?.refreshToken).toBe('r1')
    expect(state.lines).toEqual(['warn token_store_failed'])
  })

  test('a refresh token that came with a spoilt answer is kept', async () => {
    const { state, token } = world({ refreshes: true })
    state.fail = new AuthError('token_unavailable', 'spoilt')
    await expect(token()).rejects.toThrow('spoilt')
    await state.needs[0]?.rotated('rescued')
    state.fail = undefined
    state.now += 1000
    await token()
    expect(state.needs[1]?.refreshToken).toBe('rescued')
  })

  test('E-49 after invalid_grant the refresh token is gone', async () => {
    const { state, token } = world({ refreshes: true })
    await token()
    state.now += hour
    state.fail = new AuthError('token_unavailable', 'over', { error: 'invalid_grant' })
    await expect(token()).rejects.toThrow('over')
    state.fail = undefined
    state.now += 1000
    await token()
    expect(state.needs.map(({ refreshToken }) => refreshToken)).toEqual([undefined, 'r1', undefined])
  })

  test('a store that cannot be locked is an error, and no token is asked for: it might be the last use of a refresh token', async () => {
    const exclusive = () => {
      throw new Error('locked by somebody')
    }
    const { state, token } = world({ store: { ...memoryTokenStore(), exclusive }, refreshes: true })
    await expect(token()).rejects.toMatchObject({ code: 'token_unavailable' })
    expect(state.needs).toHaveLength(0)
  })
})

test('the oldest of a thousand servers is forgotten', async () => {
  const { state, source } = world()
  for (let port = 1; port <= 1001; port++) await source.token({ url: `https://mcp.example.com:${port}` })
  await source.token({ url: 'https://mcp.example.com:1001' })
  expect(state.needs).toHaveLength(1001)
  await source.token({ url: 'https://mcp.example.com:1' })
  expect(state.needs).toHaveLength(1002)
})
