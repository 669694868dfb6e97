import { describe, expect, test } from 'vitest'
import { reconnectPace } from './reconnect-pace.ts'

/** Streams that live as long as told, one after another: the pause before each. */
function pausesOf(lives: readonly number[], delay: number): number[] {
  let now = 0
  const pace = reconnectPace(() => now)
  return lives.map((life) => {
    now += life
    const pause = pace(delay)
    now += pause
    return pause
  })
}

describe('the pause before a stream is asked for again', () => {
  test('is what the server says, within bounds', () => {
    expect(pausesOf([5000], 500)).toEqual([500])
    expect(pausesOf([5000], 0)).toEqual([100])
    expect(pausesOf([5000], 3_600_000)).toEqual([30_000])
  })

  test('grows while streams end at once, up to two seconds', () => {
    expect(pausesOf([0, 0, 0, 0, 0, 0, 0], 0)).toEqual([100, 200, 400, 800, 1600, 2000, 2000])
  })

  test('is short again after a stream that lasted', () => {
    expect(pausesOf([0, 0, 0, 10_000, 0], 0)).toEqual([100, 200, 400, 100, 200])
  })

  test('is never shorter than the server says', () => {
    expect(pausesOf([0, 0, 0], 1000)).toEqual([1000, 1000, 1000])
  })
})
