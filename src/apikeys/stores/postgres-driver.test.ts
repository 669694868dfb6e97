import { expect, test } from 'vitest'
import { openDriver, type PostgresDriver } from './postgres-driver.ts'

const settings = {
  url: 'postgres://127.0.0.1/keys',
  poolSize: 1,
  connectTimeoutMs: 1000,
  statementTimeoutMs: 1000,
  prepare: true,
}
const missing = () =>
  Promise.reject(Object.assign(new Error('no such package'), { code: 'ERR_MODULE_NOT_FOUND' }))
const driver = {} as PostgresDriver
const installed = async () => () => driver
const unwanted = () => expect.unreachable('the other driver was loaded')

test('pg is taken where it is installed, else postgres', async () => {
  expect(await openDriver(settings, undefined, { pg: installed, postgres: unwanted })).toBe(driver)
  expect(await openDriver(settings, undefined, { pg: missing, postgres: installed })).toBe(driver)
})

test('the one that is named is taken, and no other', async () => {
  expect(await openDriver(settings, 'postgres', { pg: unwanted, postgres: installed })).toBe(driver)
  await expect(openDriver(settings, 'postgres', { pg: unwanted, postgres: missing })).rejects.toThrow(
    'npm install postgres',
  )
})

test('without any, the error says what to install', async () => {
  await expect(openDriver(settings, undefined, { pg: missing, postgres: missing })).rejects.toThrow(
    'npm install pg',
  )
})

test('a driver that is there and broken is not passed over', async () => {
  const broken = () => Promise.reject(new SyntaxError('broken'))
  await expect(openDriver(settings, undefined, { pg: broken, postgres: unwanted })).rejects.toThrow('broken')
})
