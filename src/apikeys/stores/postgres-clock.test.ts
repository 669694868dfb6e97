import { expect, test } from 'vitest'
import { databaseClock } from './postgres-clock.ts'

test('the time of an answer counts from when it was asked for, so that it is never behind', () => {
  let watch = 0
  const clock = databaseClock(() => watch)
  watch = 40
  clock.anchor(10, 1000)
  expect(clock.time()).toBe(1030)
  watch = 1040
  expect(clock.time()).toBe(2030)
})

test('an answer that came slower does not replace one that came quickly a moment ago', () => {
  let watch = 10
  const clock = databaseClock(() => watch)
  clock.anchor(9, 1000)
  expect(clock.time()).toBe(1001)
  watch = 600
  clock.anchor(100, 1590)
  expect(clock.time()).toBe(1591)
})

test('after a second any answer counts: a clock that was set is followed', () => {
  let watch = 10
  const clock = databaseClock(() => watch)
  clock.anchor(9, 300_000)
  watch = 1100
  clock.anchor(1050, 2000)
  expect(clock.time()).toBe(2050)
})

test('it is a whole number, and early rather than late', () => {
  const clock = databaseClock(() => 5.25)
  clock.anchor(5, 1000)
  expect(clock.time()).toBe(1001)
})
