import type { Finding } from '../../src/inspector/probe/finding.ts'
import { findingTexts } from '../../src/inspector/probe/finding-texts.ts'
import type { ProbeReport } from '../../src/inspector/probe/probe-report.ts'

/** A report of a server that writes the same hostile text everywhere it can. */
export function hostileReport(text: string): ProbeReport {
  const code = 'no-authentication'
  const finding: Finding = {
    ...findingTexts[code],
    code,
    detail: text,
    seen: [
      {
        request: {
          method: 'POST',
          target: `/mcp?${text}`,
          headers: [['Authorization', 'Bearer [redacted]']],
          body: text,
        },
        response: {
          status: 200,
          headers: [
            ['x-hostile', text],
            [text, 'x'],
          ],
          body: text,
          isCut: true,
          ms: 3,
        },
      },
      { request: { method: text, target: text, headers: [] }, response: undefined, problem: text },
    ],
  }
  return {
    url: 'http://127.0.0.1:9/mcp',
    at: '2026-08-01T12:00:00.000Z',
    ms: 12,
    withToken: true,
    server: { name: text, version: text, revisions: [text] },
    checks: [
      { id: 'no-token', title: 'A request without a token', outcome: 'found' },
      { id: text, title: text, outcome: 'skipped', reason: text },
    ],
    findings: [finding],
    worst: 'critical',
    requests: 2,
  }
}
