import { describe, expect, it } from 'vitest'
import type { RequestEntry } from '../request-entry.ts'
import { gatewayCounts } from './counts.ts'

const entry: RequestEntry = { time: 0, method: 'tools/call', outcome: 'ok', status: 200, ms: 7 }

/** The values of a text by their lines' beginnings. */
function values(text: string): Map<string, string> {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  return new Map(
    lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), line.slice(line.lastIndexOf(' ') + 1)]),
  )
}

describe('gatewayCounts', () => {
  it('counts requests by method and outcome, and how long they took', () => {
    const counts = gatewayCounts()
    for (const ms of [0.5, 7, 700_000]) counts.onRequest({ ...entry, ms })
    counts.onRequest({ ...entry, outcome: 'invalid_token', method: 'POST' })
    const found = values(counts.text())
    expect(found.get('mcp_gateway_requests_total{method="tools/call",outcome="ok"}')).toBe('3')
    expect(found.get('mcp_gateway_requests_total{method="POST",outcome="invalid_token"}')).toBe('1')
    const bucket = (le: string) =>
      found.get(`mcp_gateway_request_duration_seconds_bucket{method="tools/call",le="${le}"}`)
    expect(['0.001', '0.005', '0.01', '600', '+Inf'].map(bucket)).toEqual(['1', '1', '2', '2', '3'])
    expect(found.get('mcp_gateway_request_duration_seconds_count{method="tools/call"}')).toBe('3')
    expect(found.get('mcp_gateway_request_duration_seconds_sum{method="tools/call"}')).toBe('700.0075')
  })

  it('is what Prometheus reads', () => {
    const counts = gatewayCounts({
      mcp_gateway_open_streams: { help: 'Streams\nthat are \\ open.', value: () => 3 },
    })
    counts.onRequest(entry)
    counts.onEvent({ type: 'accepted', method: 'jwt', cache: 'hit', seconds: 0.1 })
    const text = counts.text()
    expect(text.endsWith('\n')).toBe(true)
    const line =
      /^(?:# HELP [a-z_]+ [^\n]+|# TYPE [a-z_]+ (?:counter|gauge|histogram)|[a-z_]+(?:\{[a-z_]+="(?:[^"\\\n]|\\["\\n])*"(?:,[a-z_]+="(?:[^"\\\n]|\\["\\n])*")*\})? (?:[-+.\de]+|NaN|[+-]Inf))$/
    for (const one of text.trimEnd().split('\n')) expect(one).toMatch(line)
    expect(text).toContain('# HELP mcp_gateway_open_streams Streams\\nthat are \\\\ open.\n')
    expect(values(text).get('mcp_gateway_open_streams')).toBe('3')
  })

  it('counts what verifiers tell', () => {
    const counts = gatewayCounts()
    counts.onEvent({ type: 'accepted', method: 'api_key', cache: 'hit', seconds: 0.001 })
    counts.onEvent({ type: 'refused', method: 'jwt', cache: 'none', reason: 'expired', seconds: 0.002 })
    counts.onEvent({ type: 'jwks.fetched', result: 'ok', seconds: 0.2 })
    counts.onEvent({ type: 'revocation.synced', source: 'poll', lag: 1.5 })
    const found = values(counts.text())
    const name = 'mcp_auth_authenticate_duration_seconds_count'
    expect(found.get(`${name}{method="api_key",cache="hit",result="success"}`)).toBe('1')
    expect(found.get(`${name}{method="jwt",cache="none",result="failure",error_type="expired"}`)).toBe('1')
    expect(found.get('mcp_auth_jwks_fetches_total{result="ok"}')).toBe('1')
    expect(found.get('mcp_auth_revocation_lag_seconds{source="poll"}')).toBe('1.5')
  })

  it('is not made longer by what callers invent', () => {
    const counts = gatewayCounts()
    counts.onRequest({ ...entry, method: 'other', outcome: 'other' })
    const { length } = counts.text()
    for (let n = 0; n < 10_000; n++)
      counts.onRequest({
        ...entry,
        method: `x${n}"\n`,
        outcome: `__proto__${n}`,
        target: `t${n}`,
        subject: `s${n}`,
      })
    expect(values(counts.text()).get('mcp_gateway_requests_total{method="other",outcome="other"}')).toBe(
      '10001',
    )
    expect(counts.text().length).toBeLessThan(length + 200)
    for (let n = 0; n < 10_000; n++)
      counts.onEvent({ type: 'refused', method: 'custom', cache: 'none', reason: `"r${n}\n\\`, seconds: 0 })
    expect(counts.text().split('\n').length).toBeLessThan(20_000)
    expect(counts.text()).toContain('error_type="\\"r1\\n\\\\"')
  })

  it('shows the others when one gauge fails', () => {
    const counts = gatewayCounts({
      broken: {
        help: 'Fails.',
        value: () => {
          throw new Error('gone')
        },
      },
    })
    expect(values(counts.text()).get('broken')).toBe('NaN')
  })

  it('refuses a gauge whose name is none', () => {
    expect(() => gatewayCounts({ 'open streams': { help: '', value: () => 0 } })).toThrow(TypeError)
  })
})
