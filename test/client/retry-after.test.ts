import { authorizedFetch, type FetchLike } from 'mcp-bearer/client'
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { failure } from './servers.ts'

const url = 'https://mcp.example.com/mcp'
const outage = { error: 'temporarily_unavailable' }

// Loaded with the first failure, by no timer that could be advanced.
beforeAll(async () => void (await import('../../src/client/fetch/failures.ts')))
beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

describe('FL-93, E-25 Retry-After', () => {
  it.each([
    [429, undefined],
    [503, outage],
  ])('a %i is waited out, and the request is sent once more', async (status, body) => {
    const server = answers(refusal(status, '2', body), new Response('welcome'))
    const work = authorizedFetch({ url, auth: 'token-1', fetch: server.fetch })(url, post)
    await vi.advanceTimersByTimeAsync(1_999)
    expect(server.bodies).toEqual(['hello'])
    await vi.advanceTimersByTimeAsync(1)
    expect(await (await work).text()).toBe('welcome')
    expect(server.bodies).toEqual(['hello', 'hello'])
    expect(vi.getTimerCount()).toBe(0)
  })

  it('the token of the second attempt is asked for after the wait', async () => {
    const server = answers(refusal(429, '1'), new Response())
    let current = 'token-1'
    const work = authorizedFetch({ url, auth: { token: async () => current }, fetch: server.fetch })(url)
    await vi.advanceTimersByTimeAsync(500)
    current = 'token-2'
    await vi.advanceTimersByTimeAsync(500)
    await work
    expect(server.authorizations).toEqual(['Bearer token-1', 'Bearer token-2'])
  })

  it('a server that goes on refusing sees two requests', async () => {
    const server = answers(refusal(429, '1'), refusal(429, '1'), new Response())
    const work = failure(authorizedFetch({ url, auth: 'token-1', fetch: server.fetch })(url))
    await vi.advanceTimersByTimeAsync(60_000)
    expect(await work).toMatchObject({ code: 'rate_limited', retryAfter: 1 })
    expect(server.bodies).toHaveLength(2)
  })

  it('a date is reckoned from the clock', async () => {
    const server = answers(refusal(429, 'Wed, 21 Oct 2026 07:28:00 GMT'), new Response('welcome'))
    const clock = () => Date.parse('2026-10-21T07:27:57.5Z')
    const work = authorizedFetch({ url, auth: 'token-1', fetch: server.fetch, clock })(url)
    await vi.advanceTimersByTimeAsync(2_999)
    expect(server.bodies).toHaveLength(1)
    await vi.advanceTimersByTimeAsync(1)
    expect((await work).status).toBe(200)
  })

  it.each([
    ['longer than 5 s', '6', undefined],
    ['longer than maxWait', '2', { maxWait: 1_999 }],
    ['any at all, with maxWait 0', '1', { maxWait: 0 }],
    ['of 0', '0', undefined],
    ['that cannot be read', 'soon', undefined],
  ])('%s is an error at once', async (_case, retryAfter, retry) => {
    const server = answers(refusal(429, retryAfter), new Response())
    const fetch = authorizedFetch({ url, auth: 'token-1', fetch: server.fetch, retry })
    expect(await failure(fetch(url))).toMatchObject({ code: 'rate_limited', status: 429 })
    expect(server.bodies).toHaveLength(1)
    expect(vi.getTimerCount()).toBe(0)
  })

  it.each([
    [500, outage],
    [502, outage],
    [503, undefined],
    [503, { error: 'other' }],
    [504, outage],
  ])('E-28 a %i with %j may have been carried out, and is not sent again', async (status, body) => {
    const server = answers(refusal(status, '1', body), new Response())
    const work = authorizedFetch({ url, auth: 'token-1', fetch: server.fetch })(url, post)
    await vi.advanceTimersByTimeAsync(60_000)
    expect((await work).status).toBe(status)
    expect(server.bodies).toHaveLength(1)
  })

  it('E-27 a body that is a stream is not sent twice', async () => {
    const server = answers(refusal(429, '1'), new Response())
    const body = new Blob(['hello']).stream()
    const fetch = authorizedFetch({ url, auth: 'token-1', fetch: server.fetch })
    const error = await failure(fetch(url, { method: 'POST', body, duplex: 'half' } as RequestInit))
    expect(error).toMatchObject({ code: 'rate_limited', retryAfter: 1 })
    expect(server.bodies).toHaveLength(1)
  })

  it('E-55 the wait ends when the caller gives up, and leaves no timer', async () => {
    const server = answers(refusal(429, '2'), new Response())
    const controller = new AbortController()
    const fetch = authorizedFetch({ url, auth: 'token-1', fetch: server.fetch })
    const work = failure(fetch(url, { signal: controller.signal }))
    await vi.advanceTimersByTimeAsync(1_000)
    const reason = new Error('enough')
    controller.abort(reason)
    expect(await work).toBe(reason)
    expect(vi.getTimerCount()).toBe(0)
    expect(server.bodies).toHaveLength(1)
  })

  it.each([
    [{ maxWait: -1 }, 'retry.maxWait'],
    [{ maxWait: Number.NaN }, 'retry.maxWait'],
    [{ maxWait: '5' }, 'retry.maxWait'],
    [{ stepUp: 'no' }, 'retry.stepUp'],
    [{ attempts: 3 }, 'unknown option "attempts"'],
    [3, 'retry'],
  ])('%j is a TypeError when it is made', (retry, message) => {
    const make = () => authorizedFetch({ url, retry: retry as object })
    expect(make).toThrow(TypeError)
    expect(make).toThrow(message)
  })
})

const post = { method: 'POST', body: 'hello' }

function refusal(status: number, retryAfter: string, body?: object): Response {
  const text = body === undefined ? undefined : JSON.stringify(body)
  return new Response(text, { status, headers: { 'retry-after': retryAfter } })
}

/** A fetch that gives these answers, in order. */
function answers(...responses: Response[]) {
  const bodies: unknown[] = []
  const authorizations: (string | null)[] = []
  const fetch: FetchLike = async (_url, init) => {
    bodies.push(init?.body)
    authorizations.push(new Headers(init?.headers).get('authorization'))
    const next = responses.shift()
    if (!next) throw new Error('one request too many')
    return next
  }
  return { fetch, bodies, authorizations }
}
