import { expect, it } from 'vitest'
import { oneAtATime } from './one-at-a-time.ts'

it('runs the work of a key in the order of the calls, and of other keys at once', async () => {
  const inTurn = oneAtATime()
  const log: string[] = []
  const work = (name: string, ticks: number) => async () => {
    log.push(`${name} begins`)
    for (let tick = 0; tick < ticks; tick++) await Promise.resolve()
    log.push(`${name} ends`)
    return name
  }
  const all = [inTurn('a', work('one', 20)), inTurn('a', work('two', 0)), inTurn('b', work('other', 0))]
  expect(await Promise.all(all)).toEqual(['one', 'two', 'other'])
  expect(log.filter((line) => !line.startsWith('other'))).toEqual([
    'one begins',
    'one ends',
    'two begins',
    'two ends',
  ])
  expect(log.indexOf('other ends')).toBeLessThan(log.indexOf('one ends'))
})

it('what fails holds nobody up, and fails for its caller only', async () => {
  const inTurn = oneAtATime()
  const failing = inTurn('a', async () => {
    throw new Error('no luck')
  })
  const next = inTurn('a', async () => 'next')
  await expect(failing).rejects.toThrow('no luck')
  expect(await next).toBe('next')
})
