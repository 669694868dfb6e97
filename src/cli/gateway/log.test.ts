import { expect, it } from 'vitest'
import type { LogEntry } from '../../core/index.ts'
import type { RequestEntry } from '../../gateway/request-entry.ts'
import type { Terminal } from '../terminal.ts'
import { gatewayLog } from './log.ts'

const request: RequestEntry = { time: 0, method: 'tools/call', outcome: 'ok', status: 200, ms: 12.4 }
const secret = 'Bearer abcdef0123456789abcdef'

function written(kind: 'text' | 'json', entry: Partial<RequestEntry> | LogEntry): string {
  const lines: string[] = []
  const log = gatewayLog(kind, { note: (line: string) => void lines.push(line) } as Terminal)
  if ('event' in entry) log.logger(entry)
  else log.onRequest({ ...request, ...entry })
  expect(lines).toHaveLength(1)
  return lines[0]!
}

it('a request is one line: when, status, how long, what, who, and what went wrong', () => {
  const clock = /^\d\d:\d\d:\d\d/
  const text = (entry: Partial<RequestEntry>) => written('text', entry).replace(clock, 'T')
  expect(text({ target: 'echo', subject: 'alice', client: 'c' })).toBe(
    'T  200     12 ms  tools/call echo           alice',
  )
  expect(text({ client: 'c' })).toBe('T  200     12 ms  tools/call                c')
  expect(text({ method: 'POST', status: 401, outcome: 'invalid_token' })).toBe(
    'T  401     12 ms  POST                      invalid_token',
  )
  expect(text({ status: 0, outcome: 'left' })).toBe('T    0     12 ms  tools/call                left')
  expect(text({})).toBe('T  200     12 ms  tools/call')
})

it.each(['text', 'json'] as const)(
  'FL-71 in %s nothing forges a line, moves the cursor, or is a credential',
  (kind) => {
    const evil = `a\n200 ok\u001b[2K\u202e ${secret}`
    const long = `${'x'.repeat(100)} ${secret}`
    for (const entry of [
      { target: evil, subject: long },
      { level: 'warn', event: 'e', message: evil, details: { path: evil, count: 2, none: undefined } },
      { level: 'info', event: 'child_stderr', message: evil },
    ] as const) {
      const line = written(kind, entry)
      expect(line).not.toMatch(/[\p{Cc}\u202e]/u)
      expect(line).not.toContain('abcdef')
    }
  },
)

it('a credential that is cut off is none that can be read', () => {
  const line = written('text', { target: `${'x'.repeat(100)} sk-abcdef0123456789` })
  expect(line).toMatch(/x{100}/)
  expect(line).not.toContain('abc')
})

it('what else happens is a sentence for people, and an object for programs', () => {
  const entry: LogEntry = { level: 'warn', event: 'e', message: 'look', details: { count: 2 } }
  expect(written('text', entry)).toBe('mcp-bearer: warning: look (count 2)')
  expect(written('text', { level: 'info', event: 'child_stderr', message: 'hello' })).toBe('  | hello')
  expect(JSON.parse(written('json', entry))).toEqual({
    time: expect.stringMatching(/^\d{4}-.*Z$/),
    level: 'warn',
    event: 'e',
    message: 'look',
    details: { count: 2 },
  })
})
