import { describe, expect, it } from 'vitest'
import { distance, timeText } from './times.ts'

const now = Date.UTC(2027, 0, 1)

describe('how far away', () => {
  it.each([
    [0, 'now'],
    [59_000, 'now'],
    [60_000, 'in 1 min'],
    [-119 * 60_000, '119 min ago'],
    [2 * 3_600_000, 'in 2 h'],
    [-47 * 3_600_000, '47 h ago'],
    [90 * 86_400_000 - 5, 'in 90 d'],
    [-3 * 365 * 86_400_000, '3 y ago'],
  ])('%d ms is %s', (ms, text) => {
    expect(distance(new Date(now + ms), now)).toBe(text)
  })

  it('the moment itself is in UTC, and says so', () => {
    expect(timeText(new Date(now + 61_001))).toBe('2027-01-01 00:01:01Z')
  })
})
