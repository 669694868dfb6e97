import { setImmediate as turn } from 'node:timers/promises'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { ECKeyPair, type KeyPair } from '../issuer/index.ts'
import { jwtVerifier } from './jwt.ts'
import { inTurn } from './turns.ts'

/** Milliseconds by the stopwatch. It moves by hand: how busy the machine is decides nothing here. */
let elapsed = 0
/** Work that takes so long by the stopwatch. */
const taking = (milliseconds: number, result?: unknown) => (): unknown => {
  elapsed += milliseconds
  return result
}

beforeEach(async () => {
  vi.spyOn(performance, 'now').mockImplementation(() => elapsed)
  // What the test before spent is forgotten in the next turn.
  await turn()
  await turn()
  return () => void vi.restoreAllMocks()
})

/** Counts the turns of the event loop until a promise is settled. */
function turnCounter() {
  let count = 0
  let isOver = false
  const next = () => {
    count += 1
    if (!isOver) setImmediate(next)
  }
  setImmediate(next)
  return {
    now: () => count,
    stop: () => {
      isOver = true
    },
  }
}

describe('inTurn', () => {
  it('runs at once what fits into a turn, and keeps the rest for later ones, in their order', async () => {
    const turns = turnCounter()
    const done: [number, number][] = []
    const results = Array.from({ length: 10 }, (_, at) =>
      inTurn(() => {
        elapsed += 0.5
        done.push([at, turns.now()])
        return at
      }),
    )
    // A millisecond a turn: two of them ran before anybody waited.
    expect(done).toEqual([
      [0, 0],
      [1, 0],
    ])
    expect(results.slice(0, 2)).toEqual([0, 1])
    expect(results.slice(2).every((result) => result instanceof Promise)).toBe(true)
    expect(await Promise.all(results)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    turns.stop()
    expect(done.map(([at]) => at)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    expect(new Set(done.map(([, at]) => at)).size).toBe(5)
  })

  it('who comes later waits behind those who wait', async () => {
    const done: string[] = []
    const named = (name: string) => () => {
      elapsed += 1
      done.push(name)
    }
    const first = ['a', 'b', 'c'].map((name) => inTurn(named(name)))
    await turn()
    const second = ['d', 'e'].map((name) => inTurn(named(name)))
    await Promise.all([...first, ...second])
    expect(done).toEqual(['a', 'b', 'c', 'd', 'e'])
  })

  it('other work comes in between', async () => {
    const order: string[] = []
    const waiting = Array.from({ length: 4 }, (_, at) =>
      inTurn(() => {
        elapsed += 1
        order.push(`work ${at}`)
      }),
    )
    const others = (async () => {
      for (let at = 0; at < 3; at++) {
        await turn()
        order.push('other')
      }
    })()
    await Promise.all([...waiting, others])
    expect(order.join(', ')).toMatch(/work 0, (?:other, )?work 1, other, work 2, other, work 3/)
  })

  it('work that takes longer than a turn has is done, and costs the next ones no more than that turn', async () => {
    expect(inTurn(taking(50, 'long'))).toBe('long')
    const next = inTurn(taking(0.5, 'short'))
    expect(next).toBeInstanceOf(Promise)
    expect(await next).toBe('short')
    expect(inTurn(taking(0.25, 'at once'))).toBe('at once')
  })

  it('the account is of a turn: small works in many turns never wait', async () => {
    for (let at = 0; at < 20; at++) {
      expect(inTurn(taking(0.75, at))).toBe(at)
      await turn()
      await turn()
    }
  })

  it('an exception counts as work, and breaks neither the account nor those who wait', async () => {
    const failing = () => {
      elapsed += 1
      throw new RangeError('broken work')
    }
    expect(() => inTurn(failing)).toThrow(RangeError)
    const results = [inTurn(taking(1, 'one')), inTurn(failing), inTurn(taking(1, 'two'))]
    expect(results.every((result) => result instanceof Promise)).toBe(true)
    expect(await Promise.allSettled(results as Promise<unknown>[])).toEqual([
      { status: 'fulfilled', value: 'one' },
      { status: 'rejected', reason: new RangeError('broken work') },
      { status: 'fulfilled', value: 'two' },
    ])
    await turn()
    await turn()
    expect(inTurn(taking(0.5, 'at once'))).toBe('at once')
  })

  it('a rejected promise of work is the promise that is given back', async () => {
    const broken = Promise.reject(new RangeError('later'))
    expect(inTurn(() => broken)).toBe(broken)
    await expect(broken).rejects.toThrow('later')
  })
})

describe('tokens nobody has seen before', () => {
  const issuer = 'https://as.example.com'

  /** 64 tokens, and a verifier whose every check takes a sixteenth of a millisecond by the stopwatch. */
  async function cold() {
    const pair: KeyPair = await ECKeyPair.generate()
    const tokens = await Promise.all(
      Array.from({ length: 64 }, (_, at) => pair.createToken({ issuer, subject: `user-${at}` })),
    )
    vi.mocked(performance.now).mockImplementation(() => {
      elapsed += 0.0625
      return elapsed
    })
    const options = { publicKey: pair.publicKey, issuer, algorithm: 'ES256' } as const
    return { tokens, verifier: jwtVerifier(options, { logger: () => {} }) }
  }

  it('64 at once are spread over turns, in the order they came in, and all are judged', async () => {
    const { tokens, verifier } = await cold()
    const turns = turnCounter()
    const finished: { readonly subject: string | undefined; readonly at: number }[] = []
    await Promise.all(
      tokens.map(async (token) => {
        const accepted = await verifier.verifyToken(token)
        finished.push({ subject: accepted?.subject, at: turns.now() })
      }),
    )
    turns.stop()
    expect(finished.map(({ subject }) => subject)).toEqual(tokens.map((_, at) => `user-${at}`))
    const perTurn = sizes(finished.map(({ at }) => at))
    // A millisecond is sixteen of them.
    expect(perTurn).toEqual([16, 16, 16, 16])
  })

  it('those that were good before do not wait, however much was spent', async () => {
    const { tokens, verifier } = await cold()
    await Promise.all(tokens.map((token) => verifier.verifyToken(token)))
    const turns = turnCounter()
    const waiting = inTurn(taking(50)) ?? inTurn(taking(0.5))
    expect(waiting).toBeInstanceOf(Promise)
    const verdicts = await Promise.all(tokens.map((token) => verifier.verifyToken(token)))
    expect(turns.now()).toBe(0)
    expect(verdicts.every((verdict) => verdict !== null)).toBe(true)
    await waiting
    turns.stop()
  })

  it('what is refused by its looks alone is on the account as well', async () => {
    const { verifier } = await cold()
    const turns = turnCounter()
    const finished: number[] = []
    await Promise.all(
      Array.from({ length: 64 }, async () => {
        await verifier.verifyToken('a.b.c')
        finished.push(turns.now())
      }),
    )
    turns.stop()
    expect(sizes(finished)).toEqual([16, 16, 16, 16])
  })

  /** How many there are of each value, in their order. */
  function sizes(values: readonly number[]): number[] {
    const counts = new Map<number, number>()
    for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1)
    return [...counts.values()]
  }
})
