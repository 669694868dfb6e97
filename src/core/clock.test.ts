import { expect, it } from 'vitest'
import { systemClock } from './clock.ts'

it('the system clock gives milliseconds since 1970', () => {
  const before = Date.now()
  const now = systemClock()
  expect(now).toBeGreaterThanOrEqual(before)
  expect(now).toBeLessThanOrEqual(Date.now())
})
