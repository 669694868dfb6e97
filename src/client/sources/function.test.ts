import { AsyncLocalStorage } from 'node:async_hooks'
import { describe, expect, it, vi } from 'vitest'
import { type ExpiringToken, functionToken, type TokenFunction } from './function.ts'

const request = { url: 'https://mcp.example.com/mcp' }
const other = { url: 'https://other.example.com/mcp' }

/** A clock and a function that gives a numbered token, good for so many seconds. */
function expiring(expiresIn: number) {
  const state = { now: 1_000_000 }
  let calls = 0
  const give = vi.fn<TokenFunction>(async () => ({ token: `sk-${++calls}`, expiresIn }))
  return { state, give, source: functionToken(give, { clock: () => state.now }) }
}

describe('a function that gives a string', () => {
  it('FL-86 is asked for every request, and sees which', async () => {
    let calls = 0
    const give = vi.fn<TokenFunction>(() => `Bearer sk-${++calls}`)
    const source = functionToken(give)
    const signal = new AbortController().signal
    await source.token(request)
    expect(await source.token({ ...request, scopes: ['a'], signal })).toBe('sk-2')
    expect(await source.token({ ...request, signal })).toBe('sk-3')
    expect(give).toHaveBeenLastCalledWith({ ...request, signal }, undefined)
  })

  it('FL-95 is asked by each of those who come at the same time', async () => {
    const user = new AsyncLocalStorage<string>()
    const source = functionToken(async () => `sk-of-${user.getStore()}`)
    const users = ['alice', 'bob', 'carol']
    const tokens = await Promise.all(users.map((name) => user.run(name, () => source.token(request))))
    expect(tokens).toEqual(['sk-of-alice', 'sk-of-bob', 'sk-of-carol'])
    const again = await Promise.all(users.map((name) => user.run(name, () => source.token(request))))
    expect(again).toEqual(tokens)
  })

  it('hears once of a token that was refused', async () => {
    let current = 'sk-1'
    const heard: (string | undefined)[] = []
    const source = functionToken(async (_request, refused) => {
      heard.push(refused)
      if (refused === current) current = 'sk-2'
      return current
    })
    await source.token(request)
    await source.refused?.('sk-1', { scopes: [] })
    expect(await source.token(request)).toBe('sk-2')
    await source.token(request)
    expect(heard).toEqual([undefined, 'sk-1', undefined])
  })

  it('hears of it until it gives another', async () => {
    const give = vi.fn<TokenFunction>(async () => 'sk-1')
    const source = functionToken(give)
    await source.token(request)
    await source.refused?.('sk-1', { scopes: [] })
    await source.token(request)
    await source.token(request)
    expect(give.mock.calls.map(([, refused]) => refused)).toEqual([undefined, 'sk-1', 'sk-1'])
  })
})

describe('a function that gives an expiry', () => {
  it.each([
    // A tenth of the time, and a minute at most.
    [100, 90],
    [3600, 3540],
    [10, 9],
  ])('E-47 of %i seconds is asked again after %i', async (expiresIn, seconds) => {
    const { state, source } = expiring(expiresIn)
    expect(await source.token(request)).toBe('sk-1')
    state.now += seconds * 1000 - 1
    expect(await source.token(request)).toBe('sk-1')
    state.now += 1
    expect(await source.token(request)).toBe('sk-2')
  })

  it('as a date is kept as long', async () => {
    let now = Date.UTC(2026, 0, 1)
    const give = vi.fn<TokenFunction>(() => ({ token: 'sk-abc123', expiresAt: new Date(now + 100_000) }))
    const source = functionToken(give, { clock: () => now })
    await source.token(request)
    now += 89_999
    await source.token(request)
    expect(give).toHaveBeenCalledTimes(1)
    now += 1
    await source.token(request)
    expect(give).toHaveBeenCalledTimes(2)
  })

  it('counts the seconds from when it was asked, not from when it answered', async () => {
    let now = 0
    const give = vi.fn<TokenFunction>(async () => {
      now += 50_000
      return { token: 'sk-abc123', expiresIn: 100 }
    })
    const source = functionToken(give, { clock: () => now })
    await source.token(request)
    now = 90_000
    await source.token(request)
    expect(give).toHaveBeenCalledTimes(2)
  })

  it('E-21 is asked once for all who wait, and again for a refused token only', async () => {
    const { give, source } = expiring(3600)
    const ask = () => Promise.all(Array.from({ length: 50 }, () => source.token(request)))
    expect(new Set(await ask())).toEqual(new Set(['sk-1']))
    await source.refused?.('sk-unknown', { scopes: [] })
    await ask()
    expect(give).toHaveBeenCalledTimes(1)
    await source.refused?.('sk-1', { scopes: [] })
    expect(new Set(await ask())).toEqual(new Set(['sk-2']))
    expect(give).toHaveBeenCalledTimes(2)
    expect(give.mock.calls[1]?.[1]).toBe('sk-1')
  })

  it('E-55 goes on when the one who asked first gives up', async () => {
    let answer: (token: ExpiringToken) => void = () => {}
    const give = vi.fn<TokenFunction>(() => new Promise((resolve) => (answer = resolve)))
    const source = functionToken(give)
    const gone = new AbortController()
    const mine = source.token({ ...request, signal: gone.signal })
    const others = source.token(request)
    gone.abort(new Error('enough'))
    await expect(mine).rejects.toThrow('enough')
    answer({ token: 'sk-abc123', expiresIn: 60 })
    expect(await others).toBe('sk-abc123')
    expect(give).toHaveBeenCalledTimes(1)
    expect(give.mock.calls[0]?.[0]).toEqual(request)
  })

  it('E-09 keeps servers and scopes apart', async () => {
    const { give, source } = expiring(3600)
    expect(await source.token(request)).toBe('sk-1')
    expect(await source.token(other)).toBe('sk-2')
    expect(await source.token({ ...request, scopes: ['a', 'b'] })).toBe('sk-3')
    expect(await source.token({ ...request, scopes: ['b', 'a'] })).toBe('sk-3')
    expect(await source.token({ url: 'HTTPS://MCP.example.com:443/mcp?session=1' })).toBe('sk-1')
    expect(await source.token({ ...other, resource: 'https://mcp.example.com/mcp' })).toBe('sk-1')
    await source.refused?.('sk-1', { scopes: [] })
    expect(await source.token(other)).toBe('sk-2')
    expect(give).toHaveBeenCalledTimes(3)
  })

  it('remembers no more than 64 servers, those asked for last', async () => {
    const { give, source } = expiring(3600)
    const at = (number: number) => source.token({ url: `https://${number}.example.com/mcp` })
    for (let number = 0; number < 64; number++) await at(number)
    await at(0)
    await at(64)
    expect(give).toHaveBeenCalledTimes(65)
    await at(0)
    expect(give).toHaveBeenCalledTimes(65)
    await at(1)
    expect(give).toHaveBeenCalledTimes(66)
  })
})

describe('what cannot be a token is an error', () => {
  const secret = 'sk half of a secret'
  const date = new Date(Number.NaN)
  it.each([
    ['must be a string, and is undefined', undefined],
    ['must be a string, and is null', null],
    ['is empty', ''],
    ['holds white space', secret],
    ['must be a string, and is undefined', {}],
    ['holds white space', { token: secret, expiresIn: 60 }],
    ['has expired already', { token: 'sk-abc123', expiresIn: 0 }],
    ['has expired already', { token: 'sk-abc123', expiresIn: -1 }],
    ['has expired already', { token: 'sk-abc123', expiresAt: new Date(0) }],
    ['has an expiry', { token: 'sk-abc123', expiresIn: '3600' }],
    ['has an expiry', { token: 'sk-abc123', expiresIn: Number.NaN }],
    ['has an expiry', { token: 'sk-abc123', expiresAt: date }],
    ['has an expiry', { token: 'sk-abc123', expiresAt: 3600 }],
    ['has an expiry', { token: 'sk-abc123', expiresAt: new Date(1e15), expiresIn: 60 }],
  ])('%s: case %#', async (fault, given) => {
    const source = functionToken(() => given as string, { name: 'the vault' })
    const failure = await source.token(request).then(String, (error) => error)
    expect(failure).toMatchObject({ name: 'AuthError', code: 'token_unavailable' })
    expect(failure.message).toContain(`No token: what the vault gave ${fault}`)
    expect(failure.message).not.toContain('half')
  })

  it('what the function throws is passed on, and the next request asks again', async () => {
    let failure: Error | undefined = new Error('the vault is sealed')
    const source = functionToken(() => {
      if (failure) throw failure
      return { token: 'sk-abc123', expiresIn: 60 }
    })
    await expect(source.token(request)).rejects.toBe(failure)
    failure = undefined
    expect(await source.token(request)).toBe('sk-abc123')
  })

  it('one without an expiry is not kept', async () => {
    const give = vi.fn<TokenFunction>(() => ({ token: 'sk-abc123' }))
    const source = functionToken(give)
    await source.token(request)
    await source.token(request)
    expect(give).toHaveBeenCalledTimes(2)
  })
})

it('has the name it was given, or none', () => {
  expect(functionToken(() => 'sk-abc123', { name: 'the vault' }).name).toBe('the vault')
  expect('name' in functionToken(() => 'sk-abc123')).toBe(false)
})

it.each([
  ['give a function', 'sk-abc123', {}],
  ['give a function', undefined, {}],
  ['unknown option "cache"', () => 'sk-abc123', { cache: true }],
  ['name must be a non-empty string', () => 'sk-abc123', { name: '' }],
])('misuse is a TypeError: %s', (message, give, options: object) => {
  const make = () => functionToken(give as TokenFunction, options)
  expect(make).toThrow(TypeError)
  expect(make).toThrow(message)
})
