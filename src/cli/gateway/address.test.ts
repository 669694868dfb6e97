import { expect, it } from 'vitest'
import { addressOf, addressText, isLocal } from './address.ts'

it.each<[string, string, number, boolean]>([
  ['127.0.0.1:8000', '127.0.0.1', 8000, true],
  ['8000', '127.0.0.1', 8000, true],
  [':8000', '127.0.0.1', 8000, true],
  ['0', '127.0.0.1', 0, true],
  ['localhost:65535', 'localhost', 65_535, true],
  ['127.1:80', '127.1', 80, true],
  ['[::1]:8000', '::1', 8000, true],
  ['[::]:8000', '::', 8000, false],
  ['0.0.0.0:8000', '0.0.0.0', 8000, false],
  ['gateway.internal:8000', 'gateway.internal', 8000, false],
])('%s is an address, of this machine only unless it says otherwise', (text, host, port, local) => {
  expect(addressOf('--listen', text)).toEqual({ host, port })
  expect(isLocal({ host, port })).toBe(local)
})

it.each([
  '',
  ':',
  'localhost',
  '::1',
  '::1:8000',
  '[::1]',
  '*:80',
  'a b:80',
  '8000x',
  '65536',
  '-1',
  'http://a:80',
  '[a]b:80',
])('"%s" is none', (text) => {
  expect(() => addressOf('--metrics', text)).toThrow('--metrics must be HOST:PORT')
})

it('is written as in a URL', () => {
  expect(addressText({ host: '::1', port: 80 })).toBe('[::1]:80')
  expect(addressText({ host: '127.0.0.1', port: 0 })).toBe('127.0.0.1:0')
})
