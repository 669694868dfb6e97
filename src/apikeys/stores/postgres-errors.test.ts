import { inspect } from 'node:util'
import { expect, test } from 'vitest'
import { isConflict, storeError } from './postgres-errors.ts'

const url = 'postgres://keys:p%40ss-word@db.internal/keys'

function databaseError(code: string, message: string, more: object = {}): Error {
  return Object.assign(new Error(message), { code, ...more })
}

test('an outage is verifier_unavailable, and says what happened', () => {
  const told = storeError(databaseError('ECONNREFUSED', 'connect ECONNREFUSED 127.0.0.1:5432'), url)
  expect(told).toMatchObject({ code: 'verifier_unavailable' })
  expect(String(told.cause)).toBe('Error: connect ECONNREFUSED 127.0.0.1:5432 (ECONNREFUSED)')
})

test('of several attempts to connect the first one is told', () => {
  const told = storeError(
    new AggregateError([databaseError('ECONNREFUSED', 'connect ECONNREFUSED ::1:5432')]),
    url,
  )
  expect(String(told.cause)).toContain('::1:5432')
})

test('the password is in nothing, however it is written, nor what a driver hangs on its errors', () => {
  const message = `cannot reach ${url} with p@ss-word or p%40ss-word`
  const told = storeError(databaseError('28P01', message, { query: 'select 1', parameters: ['digest'] }), url)
  const shown = inspect(told, { depth: 9, showHidden: true })
  for (const secret of ['p@ss-word', 'p%40ss-word', 'select 1', 'digest']) expect(shown).not.toContain(secret)
})

test('a password in the query of the URL is in nothing, either', () => {
  const shown = storeError(
    databaseError('28P01', 'no entry for p@ss-word or p%40ss-word'),
    'postgres://keys@db.internal/keys?sslmode=require&password=p%40ss-word',
  )
  expect(inspect(shown, { depth: 9 })).not.toMatch(/ss-word/)
})

test('a message that may repeat a value is not told', () => {
  const told = storeError(databaseError('XX000', 'row contains 0a0b0c'), url)
  expect(String(told.cause)).toBe('Error: PostgreSQL refused a statement (XX000)')
})

test('a value that cannot be kept is no outage', () => {
  const told = storeError(databaseError('22P05', 'unsupported Unicode escape sequence'), url)
  expect(told).toBeInstanceOf(TypeError)
  expect(told.message).toContain('U+0000')
})

test('what is no error at all is an outage as well', () => {
  for (const thrown of [undefined, null, 'gone', {}]) {
    expect(storeError(thrown, url)).toMatchObject({ code: 'verifier_unavailable' })
  }
})

test('deadlocks and failures to serialize may be tried again, and nothing else', () => {
  expect(isConflict(databaseError('40P01', ''))).toBe(true)
  expect(isConflict(databaseError('40001', ''))).toBe(true)
  expect(isConflict(databaseError('57014', ''))).toBe(false)
})
