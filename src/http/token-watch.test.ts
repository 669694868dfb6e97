import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import {
  AccessToken,
  type AccessTokenInit,
  AuthError,
  type AuthErrorCode,
  scopePolicy,
  type TokenVerifier,
  type Verdict,
  type VerifyContext,
} from '../core/index.ts'
import { type TokenWatchOptions, tokenWatch } from './token-watch.ts'

const day = 86_400_000
const start = 1_800_000_000_000

beforeEach(() => {
  // Nobody is asked sooner than the interval.
  vi.spyOn(Math, 'random').mockReturnValue(0)
})

afterEach(() => {
  vi.restoreAllMocks()
})

const tokenOf = (init: Partial<AccessTokenInit> = {}) =>
  new AccessToken({ token: 'good', clientId: 'alice', ...init })
const inSeconds = (seconds: number) => start / 1000 + seconds

/** Answers that promises of promises have been through. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await undefined
}

const contented: TokenVerifier = { verifyToken: async (token) => ({ token, clientId: 'alice' }) }

/** A watch whose clock and interval only move by hand. */
function watching(verifier: TokenVerifier = contented, options: Partial<TokenWatchOptions> = {}) {
  const time = { now: start }
  const scheduled = new Set<{ run: () => void; ms: number }>()
  const tokens = tokenWatch({
    clock: () => time.now,
    verifier,
    schedule(run, ms) {
      const entry = { run, ms }
      scheduled.add(entry)
      return () => void scheduled.delete(entry)
    },
    ...options,
  })
  const ended: string[] = []
  return {
    tokens,
    time,
    scheduled,
    ended,
    watch: (token = tokenOf(), name = '') =>
      tokens.watch(token, (reason) => ended.push(name === '' ? reason : `${name} ${reason}`)),
    /** Time goes by, and the intervals with it. */
    async pass(milliseconds: number, step = 1000) {
      for (let passed = 0; passed < milliseconds; passed += step) {
        time.now += step
        for (const { run } of [...scheduled]) run()
        await settled()
      }
    },
  }
}

describe('tokenWatch and expiry', () => {
  it('D-40 FL-10 ends an idle stream within a second of its expiry, once', async () => {
    const { watch, pass, ended } = watching()
    watch(tokenOf({ expiresAt: inSeconds(2.5) }))
    await pass(2000)
    expect(ended).toEqual([])
    await pass(1000)
    expect(ended).toEqual(['expired'])
    await pass(10_000)
    expect(ended).toEqual(['expired'])
  })

  it('D-40 lets no event through after expiry, the skew granted', () => {
    const { watch, time, ended } = watching()
    const stream = watch(tokenOf({ expiresAt: inSeconds(2), clockSkew: 1 }))
    time.now = start + 2999
    expect(stream.check()).toBe(true)
    time.now = start + 3000
    expect([stream.check(), stream.check()]).toEqual([false, false])
    expect(ended).toEqual(['expired'])
  })

  it('tells nobody of an end before the caller has the watch', () => {
    const { watch, ended } = watching()
    const stream = watch(tokenOf({ expiresAt: inSeconds(-1) }))
    expect(ended).toEqual([])
    expect(stream.check()).toBe(false)
    expect(ended).toEqual(['expired'])
  })

  it('FL-11 a token valid for a year keeps its stream, and no timer is that long', async () => {
    const { watch, time, scheduled, pass, ended } = watching()
    const stream = watch(tokenOf({ expiresAt: inSeconds(365 * 86_400) }))
    expect([...scheduled].map(({ ms }) => ms)).toEqual([1000])
    await pass(60_000)
    time.now = start + 364 * day
    await pass(60_000)
    expect([stream.check(), ended]).toEqual([true, []])
  })

  it('a token that never expires keeps its stream', async () => {
    const { watch, pass, ended } = watching()
    watch()
    await pass(1000 * day, day)
    expect(ended).toEqual([])
  })

  it('a broken clock leaves nobody in', async () => {
    const { watch, time, ended } = watching()
    const stream = watch(tokenOf({ expiresAt: inSeconds(1000) }))
    time.now = Number.NaN
    expect(stream.check()).toBe(false)
    expect(ended).toEqual(['expired'])
    const throwing = watching(contented, {
      clock: vi
        .fn(() => start)
        .mockReturnValueOnce(start)
        .mockImplementation(() => {
          throw new Error('no time')
        }),
    })
    throwing.watch()
    await throwing.pass(1000)
    expect(throwing.ended).toEqual(['revoked'])
  })
})

describe('tokenWatch and a clock that breaks while the verifier is asked', () => {
  it('leaves nobody in', async () => {
    const clock = vi.fn(() => time.now)
    const verifier: TokenVerifier = {
      async verifyToken(token) {
        // Read once for the verdict; what is left is the time of the next question.
        clock
          .mockImplementationOnce(() => time.now)
          .mockImplementationOnce(() => {
            throw new Error('no time')
          })
        return { token, clientId: 'alice' }
      },
    }
    const { watch, time, pass, ended } = watching(verifier, { clock })
    watch()
    await pass(60_000)
    expect(ended).toEqual(['revoked'])
  })
})

describe('tokenWatch and what a verifier knows by itself', () => {
  const listed = () => {
    const revoked = new Map<AccessToken, string>()
    return { ...contented, revoked, recheck: (token: AccessToken) => revoked.get(token) }
  }

  it('D-41 no event after a revocation, and an idle stream ends within a second', async () => {
    const verifier = listed()
    const { watch, pass, ended } = watching(verifier)
    const [one, two, other] = [tokenOf(), tokenOf(), tokenOf()]
    const stream = watch(one, 'one')
    watch(two, 'two')
    const staying = watch(other, 'other')
    verifier.revoked.set(one, 'revoked').set(two, 'revoked')
    expect(stream.check()).toBe(false)
    expect(ended).toEqual(['one revoked'])
    await pass(1000)
    expect(ended).toEqual(['one revoked', 'two revoked'])
    expect(staying.check()).toBe(true)
  })

  it('calls expiry by its name, and every other reason a revocation', () => {
    const verifier = listed()
    const { watch, ended } = watching(verifier)
    for (const reason of ['expired', 'rejected', 'not_active', '']) {
      const token = tokenOf()
      verifier.revoked.set(token, reason)
      watch(token).check()
    }
    expect(ended).toEqual(['expired', 'revoked', 'revoked', 'revoked'])
  })

  it.each([
    [
      'throws',
      () => {
        throw new Error('broken')
      },
    ],
    ['answers with a promise', async () => undefined],
    ['answers with false', () => false],
  ])('a recheck that %s ends the stream: it must not be mistaken for silence', (_, recheck) => {
    const { watch, ended } = watching({ ...contented, recheck: recheck as () => never })
    expect(watch().check()).toBe(false)
    expect(ended).toEqual(['revoked'])
  })

  it('null is silence, as of a verifier that is not written in TypeScript', () => {
    const { watch } = watching({ ...contented, recheck: () => null as never })
    expect(watch().check()).toBe(true)
  })

  it('asks as a method of the verifier', () => {
    class Own implements TokenVerifier {
      readonly isGood = true
      async verifyToken() {
        return null
      }
      recheck() {
        return this.isGood ? undefined : 'revoked'
      }
    }
    expect(watching(new Own()).watch().check()).toBe(true)
  })
})

/** A verifier that is asked, and answers when the test says so. */
function asked(answer: (n: number) => Verdict | Promise<Verdict> = () => null) {
  const questions: { token: string; context: VerifyContext | undefined }[] = []
  const verifier: TokenVerifier = {
    async verifyToken(token, context) {
      questions.push({ token, context })
      return answer(questions.length)
    },
  }
  return { verifier, questions }
}

describe('tokenWatch and what a verifier has to find out', () => {
  it('D-41 asks again every minute, and ends the stream when the token is good no more', async () => {
    const { verifier, questions } = asked((n) => (n < 3 ? { token: 'good', clientId: 'alice' } : null))
    const { watch, pass, ended } = watching(verifier)
    watch()
    await pass(59_000)
    expect(questions.length).toBe(0)
    await pass(1000)
    expect(questions.map(({ token }) => token)).toEqual(['good'])
    await pass(60_000)
    expect([questions.length, ended]).toEqual([2, []])
    await pass(60_000)
    expect([questions.length, ended]).toEqual([3, ['revoked']])
    await pass(600_000)
    expect(questions.length).toBe(3)
  })

  it.each([null, undefined, false] as const)('D-41 %j is a refusal', async (verdict) => {
    const { watch, pass, ended } = watching(asked(() => verdict).verifier)
    watch()
    await pass(60_000)
    expect(ended).toEqual(['revoked'])
  })

  it('D-41 asks also where the verifier has a recheck: it may know a list of its own and nothing else', async () => {
    const { watch, pass, ended } = watching({ ...asked().verifier, recheck: () => undefined })
    watch()
    await pass(60_000)
    expect(ended).toEqual(['revoked'])
  })

  it('calls an end expiry when the verifier says so, or the verdict does', async () => {
    const told: TokenVerifier = {
      async verifyToken(_, context) {
        context?.refused?.('expired')
        return null
      },
    }
    const over: Verdict = { token: 'good', clientId: 'alice', expiresAt: inSeconds(1) }
    for (const verifier of [told, asked(() => over).verifier]) {
      const { watch, pass, ended } = watching(verifier)
      watch()
      await pass(60_000)
      expect(ended).toEqual(['expired'])
    }
  })

  it.each([
    ['another subject', { clientId: 'app', issuer: 'https://as.example.com', subject: 'bob' }],
    ['another issuer', { clientId: 'app', issuer: 'https://evil.example.com', subject: 'alice' }],
    ['no subject', { clientId: 'app', issuer: 'https://as.example.com' }],
  ])('a token that speaks for somebody else now ends the stream: %s', async (_, changed) => {
    const { watch, pass, ended } = watching(asked(() => ({ token: 'good', ...changed })).verifier)
    watch(tokenOf({ clientId: 'app', issuer: 'https://as.example.com', subject: 'alice' }))
    await pass(60_000)
    expect(ended).toEqual(['revoked'])
  })

  it('goes by the newest verdict: its scopes and its expiry', async () => {
    const newest = { token: 'good', clientId: 'alice', scopes: ['read'], expiresAt: inSeconds(61) }
    const { watch, pass, ended } = watching(asked(() => newest).verifier)
    const stream = watch(tokenOf({ scopes: ['read', 'write'] }))
    expect(stream.token.scopes).toEqual(['read', 'write'])
    await pass(60_000)
    expect([stream.token.scopes, ended]).toEqual([['read'], []])
    await pass(1000)
    expect(ended).toEqual(['expired'])
  })

  it('gives the verifier the scopes of the place where the token is used', async () => {
    const { verifier, questions } = asked()
    const scopes = scopePolicy({ admin: ['read'] })
    const { watch, pass } = watching(verifier, { scopes })
    watch()
    await pass(60_000)
    expect(questions[0]?.context?.scopes).toBe(scopes)
  })

  it('a clock that is set back puts no question off', async () => {
    const { verifier, questions } = asked()
    const { watch, time, pass } = watching(verifier)
    watch()
    time.now -= 365 * day
    await pass(1000)
    expect(questions.length).toBe(1)
  })

  it('asks about streams that were opened together over a quarter of the interval', async () => {
    const { verifier, questions } = asked(() => ({ token: 'good', clientId: 'alice' }))
    const { watch, pass } = watching(verifier)
    for (let n = 0; n < 100; n++) {
      vi.mocked(Math.random).mockReturnValue(n / 100)
      watch()
    }
    await pass(45_000)
    expect(questions.length).toBe(0)
    await pass(8000)
    expect(questions.length).toBeGreaterThan(40)
    expect(questions.length).toBeLessThan(60)
    await pass(7000)
    expect(questions.length).toBe(100)
  })
})

describe('tokenWatch and a verifier that fails', () => {
  const failing = (error: unknown) =>
    asked(() => {
      throw error
    })

  it.each([
    ['an outage', new AuthError('verifier_unavailable')],
    ['an error of its own', new Error('database is down')],
    ['what is no error', undefined],
  ])('keeps the stream at first, and ends it after the fifth time in a row: %s', async (_, error) => {
    const { verifier, questions } = failing(error)
    const { watch, pass, ended } = watching(verifier)
    const stream = watch()
    await pass(4 * 60_000)
    expect([questions.length, stream.check(), ended]).toEqual([4, true, []])
    await pass(60_000)
    expect([questions.length, stream.check(), ended]).toEqual([5, false, ['revoked']])
  })

  it('a verdict that is none is the fault of the verifier, not of the token', async () => {
    const { watch, pass, ended } = watching(asked(() => 'yes' as never).verifier)
    watch()
    await pass(4 * 60_000)
    expect(ended).toEqual([])
  })

  it('an answer in between starts the count anew', async () => {
    const { verifier } = asked((n) => {
      if (n % 5 !== 0) throw new Error('flaky')
      return { token: 'good', clientId: 'alice' }
    })
    const { watch, pass, ended } = watching(verifier)
    watch()
    await pass(20 * 60_000)
    expect(ended).toEqual([])
  })

  it.each(['unauthorized', 'invalid_token', 'insufficient_scope', 'access_denied'] as const)(
    'what says that the token is refused is no outage: %s',
    async (code: AuthErrorCode) => {
      const { watch, pass, ended } = watching(failing(new AuthError(code)).verifier)
      watch()
      await pass(60_000)
      expect(ended).toEqual(['revoked'])
    },
  )

  it('one that throws at once for ten thousand streams fills no stack, and keeps them', async () => {
    let questions = 0
    const verifier: TokenVerifier = {
      verifyToken() {
        questions += 1
        throw new Error('broken')
      },
    }
    const { watch, pass, ended, time } = watching(verifier)
    for (let n = 0; n < 10_000; n++) watch()
    time.now += 59_000
    await pass(1000)
    await new Promise(setImmediate)
    expect([questions, ended]).toEqual([10_000, []])
  })

  it('one that never answers is given up after 30 seconds, told so, and counts as an outage', async () => {
    const { verifier, questions } = asked(() => new Promise<Verdict>(() => {}))
    const { watch, pass, ended } = watching(verifier)
    watch()
    await pass(60_000 + 29_000)
    expect(questions[0]?.context?.signal?.aborted).toBe(false)
    await pass(1000)
    expect(questions[0]?.context?.signal?.aborted).toBe(true)
    await pass(3 * 90_000)
    expect(ended).toEqual([])
    await pass(90_000)
    expect([questions.length, ended]).toEqual([5, ['revoked']])
  })

  it('an answer that comes after it was given up changes nothing', async () => {
    const answers: ((verdict: Verdict) => void)[] = []
    const { verifier } = asked(() => new Promise<Verdict>((resolve) => answers.push(resolve)))
    const { watch, pass, ended } = watching(verifier)
    watch()
    await pass(91_000)
    answers[0]?.(null)
    await pass(1000)
    expect(ended).toEqual([])
    await pass(60_000)
    answers[1]?.(null)
    await settled()
    expect(ended).toEqual(['revoked'])
  })
})

describe('tokenWatch and many streams', () => {
  it('asks four questions at once, and the next as soon as one is answered', async () => {
    const answers: ((verdict: Verdict) => void)[] = []
    const { verifier, questions } = asked(() => new Promise<Verdict>((resolve) => answers.push(resolve)))
    const { watch, pass, ended } = watching(verifier)
    for (let n = 0; n < 10; n++) watch()
    await pass(60_000)
    expect(questions.length).toBe(4)
    await pass(3000)
    expect(questions.length).toBe(4)
    answers[0]?.(null)
    await settled()
    expect([questions.length, ended.length]).toEqual([5, 1])
    for (let n = 1; n < 10; n++) {
      answers[n]?.(null)
      await settled()
    }
    expect([questions.length, ended.length]).toEqual([10, 10])
  })

  it('four that are never answered do not keep the others from being asked', async () => {
    const { verifier } = asked((n) => (n <= 4 ? new Promise<Verdict>(() => {}) : null))
    const { watch, pass, ended } = watching(verifier)
    for (let n = 0; n < 8; n++) watch(tokenOf(), `${n}`)
    await pass(91_000)
    expect(ended).toEqual(['4 revoked', '5 revoked', '6 revoked', '7 revoked'])
  })

  it('every stream is asked about in turn, with however many that come and go', async () => {
    const step = fc.record({ opens: fc.nat({ max: 6 }), closes: fc.nat({ max: 5 }) })
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
        const bad = new Set<string>()
        const running = { now: 0, most: 0 }
        const verifier: TokenVerifier = {
          async verifyToken(token) {
            running.most = Math.max(running.most, ++running.now)
            await undefined
            running.now -= 1
            return bad.has(token) ? null : { token, clientId: 'alice' }
          },
        }
        const { watch, pass, scheduled } = watching(verifier)
        const open: { token: string; stream: ReturnType<typeof watch> }[] = []
        let count = 0
        for (const { opens, closes } of steps) {
          for (let n = 0; n < opens; n++) {
            const token = `token ${count++}`
            open.push({ token, stream: watch(tokenOf({ token })) })
          }
          for (const { stream } of open.splice(0, closes)) stream.stop()
          await pass(7000)
        }
        for (const { token } of open) bad.add(token)
        await pass(61_000)
        expect(open.filter(({ stream }) => stream.check())).toEqual([])
        expect(scheduled.size).toBe(0)
        expect(running.most).toBeLessThanOrEqual(4)
      }),
      { numRuns: 30 },
    )
  })

  it('one whose end fails keeps no other from being ended', async () => {
    const { tokens, watch, pass, ended } = watching()
    tokens.watch(tokenOf({ expiresAt: inSeconds(1) }), () => {
      throw new Error('broken pipe')
    })
    watch(tokenOf({ expiresAt: inSeconds(1) }))
    await pass(1000)
    expect(ended).toEqual(['expired'])
  })

  it('a stream opened while another ends is looked at the next time', async () => {
    const { tokens, scheduled, pass } = watching()
    let opened = 0
    const reopen = () => {
      opened += 1
      tokens.watch(tokenOf({ expiresAt: inSeconds(0) }), reopen)
    }
    reopen()
    await pass(3000)
    expect([opened, scheduled.size]).toEqual([4, 1])
  })
})

describe('tokenWatch and its interval', () => {
  it('is one for all streams, while there are any', async () => {
    const { watch, scheduled, pass } = watching()
    expect(scheduled.size).toBe(0)
    const first = watch()
    const second = watch()
    expect(scheduled.size).toBe(1)
    first.stop()
    expect(scheduled.size).toBe(1)
    second.stop()
    expect(scheduled.size).toBe(0)
    watch(tokenOf({ expiresAt: inSeconds(1) }))
    expect(scheduled.size).toBe(1)
    await pass(1000)
    expect(scheduled.size).toBe(0)
  })

  it('a stream that is over is not asked about any more', async () => {
    const answers: ((verdict: Verdict) => void)[] = []
    const { verifier, questions } = asked(() => new Promise<Verdict>((resolve) => answers.push(resolve)))
    const { watch, pass } = watching(verifier)
    const streams = Array.from({ length: 5 }, () => watch())
    await pass(60_000)
    streams[4]?.stop()
    answers[0]?.(null)
    await settled()
    await pass(1000)
    expect(questions.length).toBe(4)
  })

  it('D-43 a stream that is over is not ended again, and its question is called off', async () => {
    let answer: (verdict: Verdict) => void = () => {}
    const { verifier, questions } = asked(
      () =>
        new Promise((resolve) => {
          answer = resolve
        }),
    )
    const { watch, pass, ended } = watching(verifier)
    const stream = watch(tokenOf({ expiresAt: inSeconds(61) }))
    await pass(60_000)
    stream.stop()
    stream.stop()
    expect(questions[0]?.context?.signal?.aborted).toBe(true)
    expect(stream.check()).toBe(false)
    answer(null)
    await settled()
    await pass(10_000)
    expect(ended).toEqual([])
  })

  it('close stops everything: nobody is told, and no event passes', async () => {
    const { verifier, questions } = asked(() => new Promise<Verdict>(() => {}))
    const { tokens, watch, scheduled, pass, ended } = watching(verifier)
    const streams = [watch(), watch(tokenOf({ expiresAt: inSeconds(1000) }))]
    await pass(60_000)
    tokens.close()
    tokens.close()
    expect(questions.map(({ context }) => context?.signal?.aborted)).toEqual([true, true])
    streams.push(watch())
    expect(streams.map((stream) => stream.check())).toEqual([false, false, false])
    expect([scheduled.size, ended]).toEqual([0, []])
  })

  it('by default it is that of the machine, and keeps no process alive', () => {
    const timers = vi.spyOn(globalThis, 'setInterval')
    const cleared = vi.spyOn(globalThis, 'clearInterval')
    const stream = tokenWatch({ clock: () => start, verifier: contented }).watch(tokenOf(), () => {})
    const timer = timers.mock.results[0]?.value as NodeJS.Timeout
    expect(timer.hasRef()).toBe(false)
    stream.stop()
    expect(cleared).toHaveBeenCalledWith(timer)
  })
})

describe('options of tokenWatch', () => {
  it.each([
    [{ everyMs: 0 }, 'everyMs'],
    [{ everyMs: 2 ** 31 }, 'everyMs'],
    [{ everyMs: Number.NaN }, 'everyMs'],
    [{ verifyEveryMs: 0 }, 'verifyEveryMs'],
    [{ verifyEveryMs: Number.POSITIVE_INFINITY }, 'verifyEveryMs'],
  ])('refuses %j', (options, word) => {
    const make = () => watching(contented, options)
    expect(make).toThrow(TypeError)
    expect(make).toThrow(word)
  })
})

describe('tokenWatch and a verifier that cannot tell', () => {
  const unavailable = () => {
    throw new AuthError('verifier_unavailable')
  }

  it('D-40 while its recheck says so nothing is written, and the stream goes on when it can tell again', async () => {
    let isDown = false
    const { watch, pass, ended } = watching({
      ...contented,
      recheck: () => (isDown ? unavailable() : undefined),
    })
    const { check } = watch()
    for (let outage = 0; outage < 3; outage++) {
      expect(check()).toBe(true)
      isDown = true
      expect(check()).toBe(false)
      await pass(29_000)
      expect([check(), ended]).toEqual([false, []])
      isDown = false
    }
    expect([check(), ended]).toEqual([true, []])
  })

  it('D-40 after half a minute of it the stream ends', async () => {
    const { watch, pass, ended } = watching({ ...contented, recheck: unavailable })
    watch()
    await pass(30_000)
    expect(ended).toEqual([])
    await pass(1000)
    expect(ended).toEqual(['revoked'])
  })

  it.each(['server_error', 'invalid_token'] as const)(
    'FL-10 one that breaks in another way lets nobody stay: %s',
    async (code) => {
      const broken = () => {
        throw new AuthError(code)
      }
      const { watch, pass, ended } = watching({ ...contented, recheck: broken })
      watch()
      await pass(1000)
      expect(ended).toEqual(['revoked'])
    },
  )

  it('B-104 a look at somebody who was let in before counts as no use', async () => {
    const contexts: (VerifyContext | undefined)[] = []
    const { watch, pass } = watching({
      async verifyToken(token, context) {
        contexts.push(context)
        return { token, clientId: 'alice' }
      },
    })
    watch()
    await pass(61_000)
    expect(contexts.map((context) => context?.isRecheck)).toEqual([true])
  })
})
