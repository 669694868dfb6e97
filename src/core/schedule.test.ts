import { expect, test, vi } from 'vitest'
import { interval } from './schedule.ts'

test('an interval runs again and again, until it is stopped, and keeps no process alive', async () => {
  const timers = vi.spyOn(globalThis, 'setInterval')
  let runs = 0
  await new Promise<void>((resolve) => {
    const stop = interval(() => {
      runs += 1
      if (runs < 2) return
      stop()
      resolve()
    }, 1)
    const [timer] = timers.mock.results.map(({ value }) => value as NodeJS.Timeout)
    expect(timer?.hasRef()).toBe(false)
    // The test itself has to be kept alive.
    timer?.ref()
  })
  timers.mockRestore()
  expect(runs).toBe(2)
})
