import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { changeToken, forget, log, mostEntries } from '../state.ts'
import { knownSecrets } from './known-secrets.ts'
import { mostOfBody, trace } from './trace.ts'

const token = 'tok-4711-abcdefghijklmnop'

beforeEach(() => {
  vi.useFakeTimers()
  vi.stubGlobal('sessionStorage', { getItem: () => 'session-secret-1234' })
  changeToken(token)
})

afterEach(() => {
  forget()
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

function begin(more: Partial<Parameters<typeof trace>[0]> = {}) {
  return trace({ purpose: 'call', method: 'POST', path: '/mcp', headers: [], ...more })
}

const last = () => log.value.at(-1)!

it('keeps the newest entries, and so many', () => {
  for (let at = 0; at < mostEntries + 20; at += 1) begin({ path: `/${at}` })
  expect(log.value).toHaveLength(mostEntries)
  expect(log.value[0]?.path).toBe('/20')
  expect(last().path).toBe(`/${mostEntries + 19}`)
})

it('writes nothing down as it was sent', () => {
  begin({
    path: `/mcp?access_token=${token}`,
    headers: [
      ['Authorization', `Bearer ${token}`],
      ['x-other', token],
    ],
    body: `{"a":"${token}","b":"session-secret-1234","c":"altered-token"}`,
    secrets: ['altered-token'],
  }).fail(`it was ${token}`)
  expect(JSON.stringify(log.value)).not.toMatch(/4711|session-secret|altered/)
  expect(last()).toMatchObject({
    requestHeaders: [
      ['Authorization', 'Bearer [redacted]'],
      ['x-other', '[redacted]'],
    ],
    problem: 'it was [redacted]',
    isOpen: false,
    status: undefined,
  })
})

it('takes out a token that was changed meanwhile, and one that comes later', () => {
  const written = begin()
  changeToken('the-next-token-0815')
  written.head(200, [['x-said', `${token} the-next-token-0815`]])
  written.body(`${token} the-next-token-0815`)
  expect(written.end(true)).toBe('[redacted] [redacted]')
  expect(last().responseHeaders).toEqual([['x-said', '[redacted] [redacted]']])
})

it('shows a stream as it comes, and never the beginning of a token', () => {
  const written = begin()
  written.head(200, [])
  written.body(`data: ${token.slice(0, 10)}`)
  vi.advanceTimersByTime(1000)
  expect(last()).toMatchObject({ responseBody: 'data: ', isOpen: true, status: 200 })
  written.body(`${token.slice(10)} end`)
  vi.advanceTimersByTime(1000)
  expect(last().responseBody).toBe('data: [redacted] en'.slice(0, last().responseBody.length))
  written.end(true)
  expect(last()).toMatchObject({ responseBody: 'data: [redacted] end', isOpen: false })
})

it('keeps the beginning of a long body, and no half of a token at its end', () => {
  const written = begin()
  // Tokens shrink when they are taken out: what is beyond the limit moves up into it.
  const part = `${token} `
  for (let at = 0; at < 20_000; at += 1) written.body(part)
  const shown = written.end(true)
  expect(shown.length).toBeLessThanOrEqual(mostOfBody)
  expect(last().isCut).toBe(true)
  expect(shown).not.toMatch(/tok-|4711/)
  expect(shown.replaceAll('[redacted]', '').trim()).toBe('')
})

it('after "Forget" does not even know what the token was', () => {
  changeToken('an-older-token-0815')
  changeToken(token)
  expect(knownSecrets()).toContain('an-older-token-0815')
  forget()
  expect(knownSecrets()).toEqual(['session-secret-1234'])
})

it('writes nothing about what is not in the log any more', () => {
  const written = begin()
  forget()
  written.head(200, [['x-said', token]])
  written.body(token)
  vi.advanceTimersByTime(1000)
  written.end(true)
  expect(log.value).toEqual([])
})
