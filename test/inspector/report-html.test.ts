import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { findingTexts } from '../../src/inspector/probe/finding-texts.ts'
import { htmlReport } from '../../src/inspector/report/html.ts'
import { reportStyle, reportStyleHash } from '../../src/inspector/report/report-style.ts'
import { hostileReport } from './hostile-report.ts'

const nasty = `</code></pre></style><script>alert(1)</script><img src=x onerror=alert(2)>" onclick="alert(3)' \`&amp;`

describe('the report as HTML', () => {
  it('allows its own style by its digest, and nothing else', () => {
    const digest = `sha256-${createHash('sha256').update(reportStyle).digest('base64')}`
    expect(reportStyleHash).toBe(digest)
    const html = htmlReport(hostileReport(''))
    const policy = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(html)?.[1] ?? ''
    expect(policy.replaceAll('&#39;', "'").split('; ')).toEqual([
      "default-src 'none'",
      `style-src '${digest}'`,
      'img-src data:',
      "base-uri 'none'",
      "form-action 'none'",
    ])
    expect(html.slice(html.indexOf('<style>') + 7, html.indexOf('</style>'))).toBe(reportStyle)
    expect(html.indexOf('Content-Security-Policy')).toBeLessThan(html.indexOf('<style>'))
  })

  it('FL-104 markup of a server is shown, wherever it stands', () => {
    const skeleton = (html: string) => html.match(/<[a-z!/][^>]*>/gi)
    const [plain, hostile] = [htmlReport(hostileReport('harmless')), htmlReport(hostileReport(nasty))]
    // The same tags with the same attributes: the text of the server added none, and changed none.
    expect(skeleton(hostile)).toEqual(skeleton(plain))
    expect(hostile).not.toMatch(/<script|<img|onclick="|onerror=alert\(2\)>/)
    expect(hostile.split('&#60;script&#62;alert(1)').length - 1).toBe(plain.split('harmless').length - 1)
  })

  it('what would turn the direction of writing or cannot be seen is written out', () => {
    const html = htmlReport(hostileReport('a\u202Eb\u0000c\u001b[2Jd\u2028e\u{E0041}f\ud800g\rh'))
    expect(html).not.toMatch(/(?![\n\t])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u)
    expect(html).toContain('a\\u{202e}b\\x00c\\x1b[2Jd\\u{2028}e\\u{e0041}f\\u{d800}g\\x0dh')
  })

  it('loads nothing and runs nothing', () => {
    const html = htmlReport(hostileReport(nasty))
    expect(html).not.toMatch(/<script|<iframe|<object|<base|<form|@import|url\(/i)
    const addresses = [...html.matchAll(/ (?:href|src|action|poster|srcset)="([^"]*)"/g)].map(([, to]) => to)
    expect(addresses).toEqual(['data:,', findingTexts['no-authentication'].citation.url])
  })

  it('the exchanges of a critical finding are open, those of others are not', () => {
    const report = hostileReport('x')
    expect(htmlReport(report)).toContain('<details open>')
    const minor = report.findings.map((finding) => ({ ...finding, severity: 'minor' as const }))
    expect(htmlReport({ ...report, findings: minor })).toContain('<details>')
  })

  it('says how to run it again, without the token', () => {
    const report = hostileReport('x')
    expect(htmlReport(report)).toContain('mcp-bearer probe http://127.0.0.1:9/mcp --auth env:TOKEN')
    expect(htmlReport({ ...report, withToken: false })).not.toContain('--auth')
    expect(htmlReport({ ...report, url: 'http://127.0.0.1:9/a;b' })).toContain(
      '&#39;http://127.0.0.1:9/a;b&#39;',
    )
  })

  it('what can be sent again as it was has a line of curl; what held a credential has none', () => {
    const report = hostileReport('x')
    const lines = htmlReport(report).match(/curl -i[^<]*/g)
    // Of the two exchanges one had a token.
    expect(lines).toEqual(['curl -i --path-as-is -g -X x http://127.0.0.1:9/ --request-target x'])
  })

  it('what is code in our words is shown as code, and what a server writes never', () => {
    const html = htmlReport(hostileReport('some `code`'))
    expect(html).toContain('Give the server an <code>auth</code>')
    expect(html).toContain('<bdi>some &#96;code&#96;</bdi>')
  })

  it('a report without findings says so', () => {
    const html = htmlReport({ ...hostileReport('x'), findings: [], worst: undefined })
    expect(html).toContain('Nothing found.')
    expect(html).toContain('nothing found</li>')
  })
})
