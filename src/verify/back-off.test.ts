import { afterEach, describe, expect, it, vi } from 'vitest'
import { backOff } from './back-off.ts'
import { StatusError } from './fetch-json.ts'

afterEach(() => {
  vi.restoreAllMocks()
})

/** A pause under a clock that only moves by hand. */
function pausing(random = 0) {
  vi.spyOn(Math, 'random').mockReturnValue(random)
  let time = 1_800_000_000_000
  const pause = backOff(() => time)
  return {
    pause,
    pass(milliseconds: number) {
      time += milliseconds
    },
    /** Fails when the pause is over, and says how long the next one is. */
    fail(error: unknown = new Error('no answer')) {
      time += pause.wait()
      pause.failed(error)
      return pause.wait()
    },
  }
}

const asking = (retryAfter: string) => new StatusError(503, new Headers({ 'retry-after': retryAfter }))

describe('backOff', () => {
  it('B-75 starts without a pause', () => {
    expect(pausing().pause.wait()).toBe(0)
  })

  it('B-75 doubles from one second to one minute, and stays there', () => {
    const { fail, pause } = pausing()
    expect(Array.from({ length: 8 }, () => fail())).toEqual([
      1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000,
    ])
    expect(pause.failures).toBe(8)
    for (let time = 0; time < 2000; time++) fail()
    expect(fail()).toBe(60_000)
  })

  it('B-75 is up to a quarter shorter, so that many do not come back together', () => {
    const { fail } = pausing(0.999_999)
    expect([fail(), fail()]).toEqual([750, 1500])
  })

  it('B-75 runs down, and is over to the millisecond', () => {
    const { fail, pause, pass } = pausing()
    fail()
    pass(400)
    expect(pause.wait()).toBe(600)
    pass(599)
    expect(pause.wait()).toBe(1)
    pass(1)
    expect(pause.wait()).toBe(0)
    pass(86_400_000)
    expect(pause.wait()).toBe(0)
  })

  it('B-75 one success ends it, and what comes later starts anew', () => {
    const { fail, pause } = pausing()
    for (let time = 0; time < 5; time++) fail()
    pause.succeeded()
    expect([pause.wait(), pause.failures]).toEqual([0, 0])
    expect(fail()).toBe(1000)
  })

  it('B-75 many that fail at the same moment are one failure', () => {
    const { fail, pause } = pausing()
    fail()
    for (let time = 0; time < 100; time++) pause.failed(asking('60'))
    expect([pause.wait(), pause.failures]).toEqual([1000, 1])
    expect(fail()).toBe(2000)
  })

  it('B-75 lasts as long as the server asks for, within the minute, and never shorter than it would', () => {
    const { fail } = pausing()
    expect(['30', '61', '1', '0', '99999999999999999999'].map((text) => fail(asking(text)))).toEqual([
      30_000, 60_000, 4000, 8000, 60_000,
    ])
  })

  it('B-75 a clock that is set back ends it', () => {
    const { fail, pause, pass } = pausing()
    fail()
    pass(-1)
    expect(pause.wait()).toBe(0)
  })
})
