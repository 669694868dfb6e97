import type { VerifierEnvironment } from 'mcp-bearer/verify'
import { afterEach, describe, expect, it, vi } from 'vitest'
import {
  type Answer,
  fails,
  faultOf,
  good,
  introspecting,
  introspectionServer,
  says,
  tokens,
} from './introspection-server.ts'

afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
})

const destroys: Answer = (_question, response) => void response.destroy()
const isUuid = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/

describe('an endpoint that is down', () => {
  /** Asks about a new token, and says for how long the answer sends callers away. */
  function asker(url: string, environment: VerifierEnvironment = {}) {
    vi.spyOn(Math, 'random').mockReturnValue(0)
    const setup = introspecting(url, {}, environment)
    const next = tokens('tok')
    return { ...setup, wait: async () => (await faultOf(setup.verifier, next())).retryAfter, next }
  }

  it('I16 D6 three failures are forgiven, then pauses grow from 1 s to 60 s, each with two questions', async () => {
    const server = await introspectionServer(fails(500))
    const { wait, pass, logged } = asker(server.url)
    // A failure, our own question that fails as well, and both once more.
    expect([await wait(), await wait(), await wait(), server.questions.length]).toEqual([1, 1, 1, 4])
    const steps: unknown[] = []
    for (let step = 0; step < 8; step++) {
      const seconds = (await wait())!
      pass(seconds - 0.001)
      expect(await wait()).toBe(1)
      const before = server.questions.length
      pass(0.001)
      await wait()
      await wait()
      steps.push([seconds, server.questions.length - before])
    }
    expect(steps).toEqual([1, 2, 4, 8, 16, 32, 60, 60].map((seconds) => [seconds, 2]))
    expect(logged.map(({ event }) => event)).toEqual(['introspection_unavailable'])
  })

  it('I16 two callers that fail at once are forgiven, with our own question after them', async () => {
    const server = await introspectionServer(fails(500))
    const { verify, next } = asker(server.url)
    expect(await Promise.all([verify(next()), verify(next())])).toEqual([503, 503])
    expect(await verify(next())).toBe(503)
    expect(server.questions.length).toBeGreaterThanOrEqual(4)
  })

  it('I16 one answer ends it: what fails later is forgiven again', async () => {
    const server = await introspectionServer(fails(500))
    const { wait, verify, next, pass } = asker(server.url)
    for (let time = 0; time < 3; time++) await wait()
    pass(1)
    server.answer = says(good)
    expect(await verify(next())).toBe(200)
    server.answer = fails(500)
    await wait()
    server.answer = says(good)
    expect(await verify(next())).toBe(200)
  })

  it('I16 one question about a token of our own is enough to notice that it is back', async () => {
    const server = await introspectionServer(fails(500))
    const { wait, verify, next, pass } = asker(server.url)
    for (let time = 0; time < 3; time++) await wait()
    pass(1)
    server.answer = ({ token, ...question }, response) =>
      (isUuid.test(token ?? '') ? says({ active: false }) : fails(500))({ token, ...question }, response)
    await wait()
    server.answer = says(good)
    expect(await verify(next())).toBe(200)
  })

  it('I16 ten requests a second for ten minutes are few questions', async () => {
    const server = await introspectionServer(fails(500))
    const { wait, pass, logged } = asker(server.url)
    for (let tenth = 0; tenth < 6000; tenth++) {
      await wait()
      pass(0.1)
    }
    // Pauses of 1, 2, 4, 8, 16 and 32 s, then one a minute.
    expect(server.questions.length).toBeGreaterThan(4 + 2 * 10)
    expect(server.questions.length).toBeLessThanOrEqual(4 + 2 * 16)
    expect(logged).toHaveLength(1)
  })

  it('I16 a moment in which a hundred fail at once shuts nobody out', async () => {
    const server = await introspectionServer(destroys)
    const { verify, next } = asker(server.url)
    const all = await Promise.all(Array.from({ length: 100 }, () => verify(next())))
    expect(new Set(all)).toEqual(new Set([503]))
    server.answer = says(good)
    expect(await verify(next())).toBe(200)
  })

  it('I16 after a pause one caller asks, and the others wait for what becomes of it', async () => {
    const server = await introspectionServer(fails(500))
    const { wait, verify, next, pass } = asker(server.url)
    for (let time = 0; time < 3; time++) await wait()
    const before = server.questions.length
    pass(1)
    const first = verify(next())
    const others = Array.from({ length: 50 }, () => verify(next()))
    expect(new Set(await Promise.all([first, ...others]))).toEqual(new Set([503]))
    expect(server.questions.length - before).toBe(2)
  })

  it.each([
    ['30', 30],
    ['60', 60],
    ['61', 60],
    ['86400', 60],
    ['99999999999999999999', 60],
  ])('I16 Retry-After: %s is heeded at once, for %s s', async (header, seconds) => {
    const server = await introspectionServer(fails(429, { 'retry-after': header }))
    const { wait, pass } = asker(server.url)
    await wait()
    expect(await wait()).toBe(seconds)
    pass(seconds - 0.001)
    await wait()
    expect(server.questions).toHaveLength(2)
    pass(0.001)
    await wait()
    expect(server.questions).toHaveLength(3)
  })

  it.each(['', '0', '-5', '1e9', '0x99', '5, 5', 'soon'])(
    'I16 Retry-After: "%s" says nothing',
    async (header) => {
      const server = await introspectionServer(fails(503, { 'retry-after': header }))
      const { wait, verify, next } = asker(server.url)
      await wait()
      server.answer = says(good)
      expect(await verify(next())).toBe(200)
    },
  )

  it('I16 a clock that is set back makes no pause longer', async () => {
    const server = await introspectionServer(fails(500))
    const { wait, verify, next, pass } = asker(server.url)
    for (let time = 0; time < 3; time++) await wait()
    server.answer = says({ ...good, exp: undefined })
    pass(-86_400)
    expect(await verify(next())).toBe(200)
  })

  it('B-94 the log tells of each outage once, of another cause as well, and of none twice a minute', async () => {
    const server = await introspectionServer(fails(500))
    const { wait, verify, next, pass, logged } = asker(server.url)
    const said = () => logged.splice(0).map(({ event }) => event)
    for (let time = 0; time < 3; time++) await wait()
    expect(said()).toEqual(['introspection_unavailable'])
    server.answer = fails(401)
    pass(1)
    for (let time = 0; time < 3; time++) await wait()
    expect(said()).toEqual(['introspection_refused'])
    for (const seconds of [10, 48, 2]) {
      server.answer = says(good)
      pass(seconds)
      expect(await verify(next())).toBe(200)
      server.answer = fails(500)
      for (let time = 0; time < 3; time++) await wait()
    }
    expect(said()).toEqual(['introspection_unavailable'])
  })
})

describe('somebody who knows tokens that the endpoint stumbles over', () => {
  const oddities: [string, Answer][] = [
    ['400', fails(400)],
    ['403 of a firewall', fails(403)],
    ['500', fails(500)],
    ['429 that asks for an hour', fails(429, { 'retry-after': '3600' })],
    ['503 that asks for an hour', fails(503, { 'retry-after': '3600' })],
    ['HTML', says('<!doctype html>', { 'content-type': 'text/html' })],
    ['100 KiB', says('x'.repeat(100 * 1024))],
    ['the end of the connection', destroys],
  ]

  it.each(oddities)(
    'I15 I16 shuts out nobody else with %s, and the log says so once a minute',
    async (_name, odd) => {
      const server = await introspectionServer((question, response) =>
        (question.token?.startsWith('odd')
          ? odd
          : isUuid.test(question.token ?? '')
            ? says({ active: false })
            : says(good))(question, response),
      )
      const { verify, logged, pass } = introspecting(server.url)
      const [nextOdd, nextGood] = [tokens('odd'), tokens('good')]
      for (let round = 0; round < 30; round++) {
        expect(await verify(nextOdd())).toBe(503)
        expect(await verify(nextGood())).toBe(200)
      }
      for (let round = 0; round < 10; round++) {
        const bad = Array.from({ length: 20 }, () => verify(nextOdd()))
        const [before, during] = [verify(nextGood()), verify(nextGood())]
        expect(new Set(await Promise.all(bad))).toEqual(new Set([503]))
        expect(await Promise.all([before, during, verify(nextGood())])).toEqual([200, 200, 200])
      }
      const line = { level: 'warn', event: 'introspection_unanswered' }
      expect(logged).toEqual([expect.objectContaining(line)])
      pass(60)
      await verify(nextOdd())
      await verify(nextGood())
      expect(logged).toEqual([expect.objectContaining(line), expect.objectContaining(line)])
    },
  )

  it('I20 shuts out nobody else with tokens that are never answered', async () => {
    const server = await introspectionServer((question, response) => {
      if (!question.token?.startsWith('odd'))
        says({ ...good, active: !isUuid.test(question.token ?? '') })(question, response)
      else if (++count === 50) allArrived()
    })
    let count = 0
    let allArrived = () => {}
    const arrived = new Promise<void>((resolve) => {
      allArrived = resolve
    })
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const { verify } = introspecting(server.url)
    const [nextOdd, nextGood] = [tokens('odd'), tokens('good')]
    const bad = Array.from({ length: 50 }, () => verify(nextOdd()))
    await arrived
    expect(await verify(nextGood())).toBe(200)
    vi.advanceTimersByTime(5000)
    expect(new Set(await Promise.all(bad))).toEqual(new Set([503]))
    for (let round = 0; round < 10; round++) expect(await verify(nextGood())).toBe(200)
  })
})
