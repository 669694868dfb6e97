import fc from 'fast-check'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { formatLogEntry, type LogEntry, stderrLogger, throttled } from './log.ts'

const entry = (more: Partial<LogEntry>): LogEntry => ({
  level: 'warn',
  event: 'refused',
  message: 'no',
  ...more,
})

describe('formatLogEntry', () => {
  it('writes level, event, message and facts on one line', () => {
    const details = {
      path: '/mcp',
      status: 401,
      anonymous: true,
      missing: undefined,
      reason: 'wrong audience',
    }
    expect(formatLogEntry(entry({ message: 'The audience is another.', details }))).toBe(
      'mcp-bearer warn refused "The audience is another." path=/mcp status=401 anonymous=true reason="wrong audience"',
    )
  })

  it('FL-61 tells the reason and not the token', () => {
    const line = formatLogEntry(
      entry({
        message: 'Authorization: Bearer S3CRET-token refused',
        details: {
          header: 'Bearer\tS3CRET',
          other: 'Bearer\nS3CRET',
          url: '/mcp?access_token=S3CRET',
          token: 'S3CRET',
        },
      }),
    )
    expect(line).toContain('mcp-bearer warn refused')
    expect(line).not.toContain('S3CRET')
  })

  it.each(['\r\n', '\n', '\r', '\u2028', '\u2029', '\u0085', '\u001b[2J', '\u009b2J', '\0'])(
    'writes %j as no control character, wherever it stands',
    (text) => {
      const line = formatLogEntry(
        entry({ event: `a${text}b`, message: `a${text}b`, details: { [`a${text}b`]: `a${text}b` } }),
      )
      expect(line).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}]/u)
    },
  )

  it('writes one line for anything', () => {
    const text = fc.string({ unit: 'binary' })
    fc.assert(
      fc.property(
        text,
        text,
        fc.dictionary(text, fc.oneof(text, fc.double(), fc.boolean())),
        (event, message, details) => {
          expect(formatLogEntry(entry({ event, message, details }))).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}]/u)
        },
      ),
    )
  })

  it('does not let a text pass for a fact', () => {
    expect(formatLogEntry(entry({ details: { reason: 'x" admin="yes' } }))).toContain(
      String.raw`reason="x\" admin=\"yes"`,
    )
  })
})

describe('stderrLogger', () => {
  afterEach(() => void vi.restoreAllMocks())

  it('writes warnings and errors to standard error, and never to standard output', () => {
    const err = vi.spyOn(process.stderr, 'write').mockReturnValue(true)
    const out = vi.spyOn(process.stdout, 'write').mockReturnValue(true)
    stderrLogger(entry({}))
    stderrLogger(entry({ level: 'error' }))
    stderrLogger(entry({ level: 'info' }))
    expect(err.mock.calls.map(([text]) => text)).toEqual([
      'mcp-bearer warn refused no\n',
      'mcp-bearer error refused no\n',
    ])
    expect(out).not.toHaveBeenCalled()
  })
})

describe('throttled', () => {
  it('writes one line a minute of each event, and says how many it left out', () => {
    let now = 0
    const written: LogEntry[] = []
    const log = throttled(
      (one) => written.push(one),
      () => now,
    )
    for (; now < 60_000; now += 1000) log(entry({ details: { now } }))
    log(entry({ event: 'other' }))
    expect(written.map(({ event }) => event)).toEqual(['refused', 'other'])
    log(entry({ details: { now } }))
    expect(written.at(-1)?.details).toEqual({ now: 60_000, omitted: 59 })
    now += 60_000
    log(entry({ details: { now } }))
    expect(written.at(-1)?.details).toEqual({ now: 120_000 })
  })

  it('is not silenced for longer by a clock that is set back', () => {
    let now = 1_000_000
    const written: LogEntry[] = []
    const log = throttled(
      (one) => written.push(one),
      () => now,
    )
    log(entry({}))
    now -= 600_000
    log(entry({}))
    expect(written).toHaveLength(2)
  })
})
