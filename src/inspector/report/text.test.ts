import { describe, expect, it } from 'vitest'
import type { Finding, Severity } from '../probe/finding.ts'
import { findingTexts } from '../probe/finding-texts.ts'
import type { CheckOutcome, ProbeReport } from '../probe/probe-report.ts'
import { reportLines } from './text.ts'

const checks: CheckOutcome[] = [
  { id: 'no-token', title: 'A request without a token', outcome: 'found' },
  { id: 'metadata', title: 'The metadata', outcome: 'passed' },
  { id: 'own-token', title: 'Your token', outcome: 'skipped', reason: 'No token was given.' },
  { id: 'tampered', title: 'A copy', outcome: 'skipped', reason: 'No token was given.' },
]

function finding(severity: Severity, detail = 'The answer was 200.'): Finding {
  const code = 'no-authentication'
  return {
    ...findingTexts[code],
    code,
    severity,
    detail,
    seen: [
      {
        request: {
          method: 'POST',
          target: '/mcp',
          headers: [
            ['Content-Type', 'application/json'],
            ['Authorization', 'Bearer [redacted]'],
          ],
          body: '{"id":1}',
        },
        response: {
          status: 401,
          headers: [
            ['date', 'today'],
            ['www-authenticate', 'Bearer realm="x"'],
          ],
          body: 'line 1\nline 2',
          isCut: false,
          ms: 1,
        },
      },
      { request: { method: 'GET', target: '/mcp', headers: [] }, response: undefined, problem: 'closed' },
    ],
  }
}

function report(findings: readonly Finding[], server: ProbeReport['server']): ProbeReport {
  const at = '2026-08-01T12:00:00.000Z'
  const worst = findings[0]?.severity
  return { url: 'http://h/mcp', at, ms: 41.6, withToken: false, server, checks, findings, worst, requests: 7 }
}
const someServer = { name: 'notes', version: '2', revisions: ['2026-07-28', '2025-11-25'] }

describe('the report as text', () => {
  it('begins with the server, and how much was looked at', () => {
    const lines = reportLines(report([finding('critical'), finding('minor'), finding('minor')], someServer))
    expect(lines.slice(0, 3)).toEqual([
      'notes 2 at http://h/mcp',
      'MCP 2026-07-28, 2025-11-25; 2 checks, 3 findings: 1 critical, 2 minor (7 requests in 42 ms)',
      '',
    ])
    expect(reportLines(report([], { revisions: [] })).slice(0, 2)).toEqual([
      'http://h/mcp',
      '2 checks, 0 findings (7 requests in 42 ms)',
    ])
  })

  it('shows of a finding what was seen, what is demanded and what to do', () => {
    const { title, demand, citation, fix } = findingTexts['no-authentication']
    expect(reportLines(report([finding('critical')], someServer)).slice(3)).toEqual([
      'CRITICAL  no-authentication',
      `  ${title}`,
      '  The answer was 200.',
      '    > POST /mcp',
      '    > Authorization: Bearer [redacted]',
      '    < HTTP 401',
      '    < www-authenticate: Bearer realm="x"',
      '    and 1 more exchange: --verbose shows all',
      `  Demanded: ${demand}`,
      `    ${citation.name}: ${citation.url}`,
      `  To do: ${fix}`,
      '',
      'Not looked at: own-token, tampered (no token was given).',
    ])
  })

  it('verbose shows whole exchanges, and all checks', () => {
    const lines = reportLines(report([finding('critical')], someServer), { isVerbose: true })
    const text = lines.join('\n')
    expect(text).toContain(
      '    > Content-Type: application/json\n    > Authorization: Bearer [redacted]\n    >\n    > {"id":1}',
    )
    expect(text).toContain('    < date: today')
    expect(text).toContain('    < line 1\n    < line 2')
    expect(text).toContain('    > GET /mcp\n    < closed')
    expect(lines.slice(-5)).toEqual([
      'All checks',
      '  found   no-token: A request without a token',
      '  ok      metadata: The metadata',
      '  skipped own-token: Your token (No token was given.)',
      '  skipped tampered: A copy (No token was given.)',
    ])
  })

  it('what many checks lack is said once', () => {
    const many = ['a', 'b', 'c', 'd'].map((id) => ({
      id,
      title: id,
      outcome: 'skipped' as const,
      reason: 'MCP. Is it there?',
    }))
    const lines = reportLines({ ...report([], someServer), checks: [...checks, ...many] })
    expect(lines.at(-1)).toBe(
      'Not looked at: own-token, tampered (no token was given); 4 checks (MCP. Is it there?).',
    )
  })

  it('without findings is calm, and does not say so when nothing was looked at', () => {
    expect(reportLines(report([], someServer))).toContain(
      'Nothing found. As far as it was looked at, the server does what the specifications ask.',
    )
    const skipped = checks.map((check) => ({ ...check, outcome: 'skipped' as const }))
    expect(reportLines({ ...report([], someServer), checks: skipped })).toContain('Nothing was looked at.')
  })

  it('a terminal obeys nothing a server writes, and no line of it looks like one of ours', () => {
    const text = 'x\u001b[2J\u202E\nCRITICAL  made-up\r\u0007'
    const server = { name: text, version: text, revisions: [text] }
    const one = finding('note', text)
    const request = { method: text, target: text, headers: [[text, text]] as const, body: text }
    const response = { status: 200, headers: [['location', text]] as const, body: text, isCut: true, ms: 1 }
    const seen = [
      { request, response },
      { request, response: undefined, problem: text },
    ]
    for (const isVerbose of [true, false]) {
      const lines = reportLines(report([{ ...one, seen }], server), { isVerbose })
      expect(lines.join('')).not.toMatch(/[\p{Cc}\p{Cf}]/u)
      expect(lines.filter((line) => line.startsWith('CRITICAL'))).toEqual([])
    }
  })
})
