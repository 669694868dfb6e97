import { describe, expect, it } from 'vitest'
import { UsageError } from '../command.ts'
import { dateOf, durationOf, momentOf } from './times.ts'

const now = Date.UTC(2027, 0, 1)

describe('a duration', () => {
  it.each([
    ['90d', 7_776_000],
    ['12h', 43_200],
    ['30m', 1800],
    ['3600s', 3600],
    ['2w', 1_209_600],
    ['0', 0],
    ['0s', 0],
  ])('%s', (text, seconds) => {
    expect(durationOf(text, '--grace')).toBe(seconds)
  })

  it.each([
    '',
    '90',
    'd',
    '-1d',
    '+1d',
    '1.5d',
    '1e3s',
    '90 d',
    '90D',
    '1y',
    '9999999999d',
    ' 1d',
    '1d\n',
    '00',
  ])('is not "%s"', (text) => {
    expect(() => durationOf(text, '--grace')).toThrow(UsageError)
    expect(() => durationOf(text, '--grace')).toThrow('--grace must be a duration such as 90d')
  })
})

describe('a moment', () => {
  it.each([
    ['2027-01-31', '2027-01-31T00:00:00.000Z'],
    ['2028-02-29', '2028-02-29T00:00:00.000Z'],
    ['2027-01-31T18:00Z', '2027-01-31T18:00:00.000Z'],
    ['2027-01-31T18:00:30Z', '2027-01-31T18:00:30.000Z'],
    ['2027-01-31T18:00:30.5+02:00', '2027-01-31T16:00:30.500Z'],
    ['1d', '2027-01-02T00:00:00.000Z'],
  ])('%s', (text, iso) => {
    expect(dateOf(momentOf(text, '--expires'), now).toISOString()).toBe(iso)
  })

  it('can be so long ago', () => {
    expect(dateOf(momentOf('12h', '--since'), now, -1).toISOString()).toBe('2026-12-31T12:00:00.000Z')
  })

  // Without a zone it would mean something else on each machine.
  it.each([
    '2027-02-30',
    '2027-02-29',
    '2027-13-01',
    '2027-01-31T18:00',
    '2027-01-31T25:00Z',
    '31.1.2027',
    'tomorrow',
    '2027',
    '1800000000',
    '2027-01-31T18:00+99:00',
  ])('is not "%s"', (text) => {
    expect(() => momentOf(text, '--expires')).toThrow('--expires must be a duration such as 90d')
  })
})
