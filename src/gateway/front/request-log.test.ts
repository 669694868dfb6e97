import { describe, expect, it } from 'vitest'
import type { RequestEntry } from '../request-entry.ts'
import { requestLine } from './request-log.ts'

const entry: RequestEntry = {
  time: Date.UTC(2026, 0, 1),
  subject: 'alice',
  client: 'app',
  method: 'tools/call',
  target: 'echo',
  outcome: 'ok',
  status: 200,
  ms: 1.5,
}

describe('requestLine', () => {
  it('is one object of JSON', () => {
    expect(requestLine(entry)).toBe(
      '{"time":"2026-01-01T00:00:00.000Z","subject":"alice","client":"app","method":"tools/call","target":"echo","outcome":"ok","status":200,"ms":1.5}',
    )
    const { subject: _s, client: _c, target: _t, ...least } = entry
    expect(JSON.parse(requestLine(least))).toEqual({ ...least, time: '2026-01-01T00:00:00.000Z' })
  })

  it('holds no control character, and nothing that ends a line or turns its direction', () => {
    const target = 'a\n{"b":1}\r\u0000\u001b[2J\u007f\u0085\u2028\u2029\u202e\ud800z'
    const line = requestLine({
      ...entry,
      target,
      method: target,
      outcome: target,
      subject: target,
      client: target,
    })
    expect(line).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u)
    expect(line).not.toMatch(/\\u|\\n|\\r/)
    expect(JSON.parse(line).target).toBe('a {"b":1} [2J z')
  })

  it('holds no credential, wherever one stands', () => {
    const key = `mb_live_${'a'.repeat(12)}_${'b'.repeat(38)}`
    for (const secret of [key, 'sk-abcdefghijkl', `eyJ${'a'.repeat(400)}.eyJ${'b'.repeat(20)}.c`]) {
      for (const before of ['', `${'x'.repeat(240)} `, 'y '.repeat(2000)]) {
        const line = requestLine({
          ...entry,
          target: before + secret,
          subject: secret,
          client: secret,
          method: secret,
        })
        expect(line).not.toContain(secret.slice(0, 20))
        expect(line.length).toBeLessThan(2000)
      }
    }
  })

  it('is short, and shows nothing of what is too long to be looked at', () => {
    expect(JSON.parse(requestLine({ ...entry, target: 'x'.repeat(300) })).target).toBe(`${'x'.repeat(256)}…`)
    expect(JSON.parse(requestLine({ ...entry, target: 'x'.repeat(5000) })).target).toBe('(too long)')
  })

  it('can be written whatever a clock says', () => {
    expect(requestLine({ ...entry, time: Number.NaN })).toContain('1970-01-01')
  })
})
