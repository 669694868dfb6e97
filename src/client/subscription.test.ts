import { describe, expect, it, vi } from 'vitest'
import { AuthError } from '../core/index.ts'
import type { ChangeStream } from './changes.ts'
import { openSubscription, type SubscriptionParts } from './subscription.ts'

/** A stream that ends when it is told to, or closed. */
function stream(): ChangeStream & { end: () => void; isClosed: boolean } {
  let end: () => void = () => {}
  const ended = new Promise<void>((resolve) => {
    end = resolve
  })
  return {
    ended,
    end,
    isClosed: false,
    async close() {
      this.isClosed = true
      end()
    },
  }
}

/** Parts whose streams are opened one after the other; an error is thrown instead. */
function parts(outcomes: (ChangeStream | Error)[]) {
  const pauses: number[] = []
  let time = 0
  const self = {
    pauses,
    advance: (milliseconds: number) => {
      time += milliseconds
    },
    open: vi.fn(async () => {
      const next = outcomes.shift() ?? stream()
      if (next instanceof Error) throw next
      return next
    }),
    onGap: vi.fn(),
    onLost: vi.fn(),
    pause: async (milliseconds: number) => void pauses.push(milliseconds),
    elapsed: () => time,
  }
  return self satisfies SubscriptionParts
}

const never = new AbortController().signal

describe('a subscription', () => {
  it('throws what its first opening throws, and tries nothing else', async () => {
    const error = new Error('no')
    const some = parts([error])
    await expect(openSubscription(some, never)).rejects.toBe(error)
    expect(some.open).toHaveBeenCalledTimes(1)
    expect(some.onLost).not.toHaveBeenCalled()
  })

  it('is opened again at once when its stream ends, and says that there was a gap', async () => {
    const first = stream()
    const some = parts([first])
    const subscription = await openSubscription(some, never)
    expect(some.onGap).not.toHaveBeenCalled()
    first.end()
    await vi.waitFor(() => expect(some.onGap).toHaveBeenCalledTimes(1))
    expect(some.pauses).toEqual([0])
    await subscription.close()
    expect(await subscription.closed).toEqual({ reason: 'closed' })
  })

  it('waits longer each time, and gives up: a server that ends every stream is not asked for ever', async () => {
    const ended = stream()
    ended.end()
    const some = parts(Array.from({ length: 50 }, () => ended))
    const { closed } = await openSubscription(some, never)
    expect(await closed).toMatchObject({ reason: 'lost', error: expect.any(Error) })
    expect(some.open).toHaveBeenCalledTimes(11)
    expect(some.pauses).toHaveLength(10)
    const longest = [0, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000, 30_000]
    for (const [index, pause] of some.pauses.entries()) {
      expect(pause).toBeLessThanOrEqual(longest[index] ?? 0)
      expect(pause).toBeGreaterThanOrEqual((longest[index] ?? 0) / 2)
    }
    expect(some.onLost).toHaveBeenCalledTimes(1)
  })

  it('begins anew with its patience when a stream has lasted', async () => {
    const streams = [stream(), stream(), stream()]
    const some = parts([...streams])
    const subscription = await openSubscription(some, never)
    for (const [index, one] of streams.entries()) {
      some.advance(index === 1 ? 1 : 60_000)
      one.end()
      await vi.waitFor(() => expect(some.onGap).toHaveBeenCalledTimes(index + 1))
    }
    expect(some.pauses.map((pause) => pause > 0)).toEqual([false, true, false])
    await subscription.close()
  })

  it.each([
    'invalid_token',
    'unauthorized',
    'insufficient_scope',
    'access_denied',
    'origin_mismatch',
  ] as const)('is over at once when the credential is refused: %s', async (code) => {
    const first = stream()
    const error = new AuthError(code)
    const some = parts([first, error])
    const { closed } = await openSubscription(some, never)
    first.end()
    expect(await closed).toEqual({ reason: 'lost', error })
    expect(some.onLost).toHaveBeenCalledWith(error)
    expect(some.open).toHaveBeenCalledTimes(2)
  })

  it.each([
    ['no such method', Object.assign(new Error('no'), { code: -32_601 })],
    ['wrong parameters', Object.assign(new Error('no'), { code: -32_602 })],
    ['nothing to tell', Object.assign(new Error('no'), { code: 'CAPABILITY_NOT_SUPPORTED' })],
  ])('is over at once when the server has %s', async (_case, error) => {
    const first = stream()
    const some = parts([first, error])
    const { closed } = await openSubscription(some, never)
    first.end()
    expect(await closed).toEqual({ reason: 'lost', error })
  })

  it.each(['rate_limited', 'verifier_unavailable', 'token_unavailable'] as const)(
    'E-25 waits as long as it is told when that may pass: %s',
    async (code) => {
      const first = stream()
      const some = parts([first, new AuthError(code, 'later', { retryAfter: 120 })])
      const subscription = await openSubscription(some, never)
      first.end()
      await vi.waitFor(() => expect(some.onGap).toHaveBeenCalledTimes(1))
      expect(some.pauses).toEqual([0, 120_000])
      await subscription.close()
    },
  )

  it('waits five minutes at most, whatever it is told', async () => {
    const first = stream()
    const some = parts([first, new AuthError('rate_limited', 'later', { retryAfter: 10 ** 9 })])
    const subscription = await openSubscription(some, never)
    first.end()
    await vi.waitFor(() => expect(some.onGap).toHaveBeenCalledTimes(1))
    expect(some.pauses).toEqual([0, 300_000])
    await subscription.close()
  })

  it('closes its stream when its signal is aborted, and is not opened again', async () => {
    const abort = new AbortController()
    const first = stream()
    const some = parts([first])
    const { closed } = await openSubscription(some, abort.signal)
    abort.abort()
    expect(await closed).toEqual({ reason: 'closed' })
    expect(first.isClosed).toBe(true)
    expect(some.open).toHaveBeenCalledTimes(1)
    expect(some.onLost).not.toHaveBeenCalled()
  })

  it('can be closed while it waits, with the timer it has by itself', async () => {
    const first = stream()
    const { pause: _pause, ...some } = parts([first, new Error('down'), new Error('down')])
    const subscription = await openSubscription(some, never)
    first.end()
    await vi.waitFor(() => expect(some.open).toHaveBeenCalledTimes(2))
    await subscription.close()
    expect(await subscription.closed).toEqual({ reason: 'closed' })
    expect(some.open).toHaveBeenCalledTimes(2)
  })

  it('that is closed just as it is opened again tells of no gap, and closes the new stream', async () => {
    const [first, second] = [stream(), stream()]
    const some = parts([first])
    const subscription = await openSubscription(some, never)
    some.open.mockImplementation(async () => {
      // Between the answer of the server and whoever waits for it.
      queueMicrotask(() => void subscription.close())
      return second
    })
    first.end()
    expect(await subscription.closed).toEqual({ reason: 'closed' })
    expect(some.onGap).not.toHaveBeenCalled()
    expect(second.isClosed).toBe(true)
  })

  it('is over when it is closed, also when the stream cannot be closed', async () => {
    const first = { ...stream(), close: () => Promise.reject(new Error('broken')) }
    const subscription = await openSubscription(parts([first]), never)
    await subscription.close()
    expect(await subscription.closed).toEqual({ reason: 'closed' })
  })
})
