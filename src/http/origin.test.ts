import { describe, expect, it } from 'vitest'
import type { RequestHead } from './head.ts'
import { loopbackOrigins, originPolicy } from './origin.ts'

type Lines = Readonly<Record<string, string | readonly string[]>>

function head(lines: Lines, method = 'POST'): RequestHead {
  const known = new Map(Object.entries(lines))
  return { method, url: '/mcp', header: (name) => [known.get(name) ?? []].flat() }
}

const policy = originPolicy({
  allowedHosts: ['mcp.example.com', 'localhost:3000', '[::1]:3000', 'plain.example.com:80'],
  allowedOrigins: ['https://app.example.com', 'http://localhost:3000', 'vscode-webview://abc'],
})
const host = 'mcp.example.com'
const check = (lines: Lines) => policy.check(head(lines))

describe('originPolicy.check', () => {
  it('D-02 lets a request without Origin pass', () => {
    expect(check({ host })).toBe('ok')
  })

  it.each([
    'https://app.example.com',
    'https://app.example.com:443',
    'HTTPS://APP.EXAMPLE.COM',
    'http://localhost:3000',
    'vscode-webview://abc',
  ])('D-03 takes the origin %s', (origin) => {
    expect(check({ host, origin })).toBe('ok')
  })

  it.each([
    'null',
    '',
    'https://evil.example',
    'http://app.example.com',
    'https://app.example.com:8443',
    'https://app.example.com.evil.example',
    'https://evil.app.example.com',
    'https://app.example.com/',
    'https://app.example.com?x',
    'https://app.example.com#x',
    ' https://app.example.com',
    'http://localhost',
    'http://localhost:30000',
    'http://localhost.evil.example',
    'http://localhost:3000@evil',
    'http://user@localhost:3000',
    'http://127.0.0.1.nip.io:3000',
    'https://app.example.com, https://evil.example',
    'https://app.example.com, https://app.example.com',
    'app.example.com',
    'https:app.example.com',
    'file://',
    'vscode-webview://abcd',
    '*',
  ])('D-01 D-03 A-84 refuses the origin %j', (origin) => {
    expect(check({ host, origin })).toBe('forbidden')
  })

  it('D-03 refuses two Origin lines, even when both are allowed', () => {
    const origin = 'https://app.example.com'
    expect(check({ host, origin: [origin, origin] })).toBe('forbidden')
  })

  it('D-02 takes null only when it is listed', () => {
    expect(originPolicy({ allowedOrigins: ['null'] }).check(head({ host, origin: 'null' }))).toBe('ok')
  })

  it('D-01 takes no origin when none is listed', () => {
    expect(originPolicy().check(head({ host, origin: 'http://mcp.example.com' }))).toBe('forbidden')
  })

  it.each([
    'mcp.example.com',
    'MCP.example.com',
    'mcp.example.com:8443',
    'localhost:3000',
    'LOCALHOST:3000',
    '[::1]:3000',
    '[0:0:0:0:0:0:0:1]:3000',
    'plain.example.com',
    'plain.example.com:80',
  ])('D-04 takes the host %s', (value) => {
    expect(check({ host: value })).toBe('ok')
  })

  it.each([
    '',
    'evil.example',
    'evil.example:3000',
    'localhost',
    'localhost:3001',
    'localhost.:3000',
    '127.0.0.1:3000',
    'plain.example.com:8080',
    'mcp.example.com.evil.example',
    'mcp.example.com@evil.example',
    'evil.example#mcp.example.com',
    'mcp.example.com/x',
    'mcp.example.com:',
    'mcp.example.com:x',
    'mcp.example.com, evil.example',
    'mcp.example.com:80:80',
    '[::1',
  ])('D-04 FL-26 refuses the host %j', (value) => {
    expect(check({ host: value })).toBe('forbidden')
  })

  it('D-04 refuses a missing Host where names are listed, and two Host lines anywhere', () => {
    expect(check({})).toBe('forbidden')
    expect(check({ host: [host, host] })).toBe('forbidden')
    expect(originPolicy().check(head({ host: [host, host] }))).toBe('forbidden')
  })

  it('D-04 without a list takes any well-formed host', () => {
    const open = originPolicy()
    expect(open.check(head({ host: 'any.example:1' }))).toBe('ok')
    expect(open.check(head({}))).toBe('ok')
    expect(open.check(head({ host: 'any.example@evil' }))).toBe('forbidden')
  })

  it('D-07 D-08 listens to no forwarded name and to no request target', () => {
    const forwarded = { 'x-forwarded-host': host, forwarded: `host=${host}` }
    expect(check({ host: 'evil.example', ...forwarded })).toBe('forbidden')
    expect(policy.check({ ...head({ host: 'evil.example' }), url: `http://${host}/mcp` })).toBe('forbidden')
  })
})

describe('originPolicy, CORS', () => {
  const origin = 'https://app.example.com'
  const asking = (lines: Lines) => policy.preflight(head({ host, ...lines }, 'OPTIONS'))
  const asked = { origin, 'access-control-request-method': 'POST' }
  const list = (value: string | undefined) => (value ?? '').toLowerCase().split(', ')

  it('A-80 A-81 answers a preflight by name', () => {
    const headers = asking({
      ...asked,
      'access-control-request-headers': 'authorization,Mcp-Param-Region, x-evil',
    })
    expect(headers?.['access-control-allow-origin']).toBe(origin)
    expect(headers?.['access-control-allow-methods']).toBe('GET, POST, DELETE')
    expect(list(headers?.['access-control-allow-headers'])).toEqual([
      'authorization',
      'content-type',
      'accept',
      'mcp-protocol-version',
      'mcp-method',
      'mcp-name',
      'mcp-session-id',
      'last-event-id',
      'mcp-param-region',
    ])
    expect(headers?.vary).toContain('Origin')
  })

  it('A-81 allows the API-key header when there is one', () => {
    const own = originPolicy({ allowedOrigins: [origin], apiKeyHeader: 'X-API-Key' })
    const headers = own.preflight(head({ host, ...asked }, 'OPTIONS'))
    expect(list(headers?.['access-control-allow-headers'])).toContain('x-api-key')
  })

  it('A-81 echoes only what can be a header name', () => {
    const names = 'mcp-param-a b, mcp-param-, mcp-param-x\r\nevil: 1, mcp-param-ok'
    const headers = asking({ ...asked, 'access-control-request-headers': names })
    expect(list(headers?.['access-control-allow-headers']).slice(8)).toEqual(['mcp-param-ok'])
  })

  it('A-80 is no preflight: another method, no method asked for, no origin, a forbidden one, a forbidden host', () => {
    expect(policy.preflight(head({ host, ...asked }, 'POST'))).toBeUndefined()
    expect(asking({ origin })).toBeUndefined()
    expect(asking({ 'access-control-request-method': 'POST' })).toBeUndefined()
    expect(asking({ ...asked, origin: 'https://evil.example' })).toBeUndefined()
    expect(asking({ ...asked, host: 'evil.example' })).toBeUndefined()
  })

  it('A-82 A-83 exposes the challenge and varies by origin', () => {
    const headers = policy.corsHeaders(head({ host, origin }))
    expect(headers).toEqual({
      'access-control-allow-origin': origin,
      'access-control-expose-headers': 'WWW-Authenticate, Retry-After, Mcp-Session-Id, MCP-Protocol-Version',
      vary: 'Origin',
    })
  })

  it('A-83 varies by origin also without one, and with a forbidden one', () => {
    expect(policy.corsHeaders(head({ host }))).toEqual({ vary: 'Origin' })
    expect(policy.corsHeaders(head({ host, origin: 'https://evil.example' }))).toEqual({ vary: 'Origin' })
  })

  it('has nothing to say when no origin is allowed', () => {
    expect(originPolicy().corsHeaders(head({ host, origin }))).toBeUndefined()
  })

  it('A-84 never allows credentials or every origin', () => {
    const written = JSON.stringify([asking(asked), policy.corsHeaders(head({ host, origin }))])
    expect(written).not.toContain('credentials')
    expect(written).not.toContain('*')
  })
})

describe('originPolicy, options', () => {
  it.each([
    ['allowedOrigins', { allowedOrigins: ['*'] }],
    ['allowedOrigins', { allowedOrigins: ['https://app.example.com/'] }],
    ['allowedOrigins', { allowedOrigins: ['app.example.com'] }],
    ['allowedOrigins', { allowedOrigins: [] }],
    ['allowedHosts', { allowedHosts: ['*'] }],
    ['allowedHosts', { allowedHosts: ['https://mcp.example.com'] }],
    ['allowedHosts', { allowedHosts: ['mcp.example.com:x'] }],
    ['allowedHosts', { allowedHosts: [''] }],
    ['apiKeyHeader', { apiKeyHeader: 'x y' }],
    ['unknown option', { allowedOrigin: ['https://app.example.com'] }],
  ])('refuses a bad %s (%#)', (message, options) => {
    expect(() => originPolicy(options as never)).toThrow(TypeError)
    expect(() => originPolicy(options as never)).toThrow(message)
  })
})

describe('loopbackOrigins', () => {
  it('D-04 lists the names of this machine with the port', () => {
    const own = originPolicy(loopbackOrigins(3000))
    for (const name of ['localhost:3000', '127.0.0.1:3000', '[::1]:3000']) {
      expect(own.check(head({ host: name, origin: `http://${name}` }))).toBe('ok')
    }
    expect(own.check(head({ host: 'evil.example:3000' }))).toBe('forbidden')
    expect(own.check(head({ host: 'localhost:3000', origin: 'http://evil.example:3000' }))).toBe('forbidden')
  })

  it('D-03 a default port is the same as none', () => {
    const own = originPolicy(loopbackOrigins(80))
    expect(own.check(head({ host: 'localhost', origin: 'http://localhost' }))).toBe('ok')
  })
})
