import { createServer } from 'node:http'
import { type LogEntry, parseChallenges } from 'mcp-bearer'
import { bearerAuth } from 'mcp-bearer/node'
import type { IntrospectionVerifierOptions } from 'mcp-bearer/verify'
import { describe, expect, it, onTestFinished } from 'vitest'
import { askRaw, listening, post } from '../http/support.ts'
import {
  type Answer,
  client,
  fails,
  good,
  introspecting,
  introspectionServer,
  says,
  secret,
} from './introspection-server.ts'

/** A server behind a gate that introspects, asked over a real socket. */
async function protectedBy(answer: Answer, options: Partial<IntrospectionVerifierOptions> = {}) {
  const endpoint = await introspectionServer(answer)
  const { verifier, clock, logged, pass } = introspecting(endpoint.url, options)
  const atGate: LogEntry[] = []
  const listener = bearerAuth({ verifier, clock, logger: (entry) => atGate.push(entry) }, (req, res) =>
    res.end(`inside as ${req.auth.clientId}`),
  )
  const server = await listening(createServer(listener))
  onTestFinished(server.close)
  return {
    endpoint,
    pass,
    log: () => JSON.stringify([...logged, ...atGate]),
    ask: (token: string) => askRaw(server.port, post(`Authorization: Bearer ${token}`)),
  }
}

describe('over HTTP', () => {
  it('I01 a good token is let in', async () => {
    const { ask } = await protectedBy(says(good))
    expect(await ask('tok-1')).toMatchObject({
      status: 200,
      body: expect.stringContaining('inside as app-1'),
    })
  })

  it.each<[string, unknown]>([
    ['I02 inactive', { active: false, error_description: 'locked by 10.0.0.5' }],
    ['I04 nothing', {}],
    ['I07 another audience', { ...good, aud: 'https://other.example.com' }],
    ['I10 exp a text', { ...good, exp: '9999999999' }],
    ['I12 another issuer', { ...good, iss: 'https://evil.example.com' }],
    ['I14 bound to a key', { ...good, cnf: { jkt: 'abc' } }],
  ])('B-91 B-92 B-93 %s: 401, and the same answer for each of them', async (_name, answer) => {
    const { ask } = await protectedBy(says(answer), { issuer: 'https://as.example.com' })
    const { status, header, body, raw } = await ask('tok-1')
    expect(status).toBe(401)
    expect(parseChallenges(header('www-authenticate')[0] ?? '')).toEqual([
      {
        scheme: 'Bearer',
        params: { realm: 'mcp', error: 'invalid_token', error_description: 'Token is invalid or expired' },
      },
    ])
    expect(body).toBe('{"error":"invalid_token","error_description":"Token is invalid or expired"}')
    expect(raw).not.toMatch(/tok-1|10\.0\.0\.5|example\.com|127\.0\.0\.1|introspect/)
  })

  it('I09 one that has expired is told so, in the challenge only', async () => {
    const { ask } = await protectedBy(says({ ...good, exp: 1 }))
    const { status, header, body } = await ask('tok-1')
    expect(status).toBe(401)
    expect(header('www-authenticate')[0]).toContain('error_description="The access token expired"')
    expect(body).toBe('{"error":"invalid_token","error_description":"Token is invalid or expired"}')
  })

  it.each<[string, Answer]>([
    ['I15 400', fails(400)],
    ['I15 401', fails(401, { 'www-authenticate': 'Basic realm="as"' })],
    ['I15 403', fails(403)],
    ['I16 500', fails(500)],
    ['I16 429', fails(429, { 'retry-after': '30' })],
    ['I17 HTML', says('<title>10.0.0.5</title>', { 'content-type': 'text/html' })],
    ['I18 a redirect', fails(302, { location: 'https://10.0.0.5/login' })],
    ['I19 100 KiB', says(' '.repeat(100 * 1024))],
    ['I16 the end of the connection', (_question, response) => void response.destroy()],
  ])('B-94 D6 %s: 503 with Retry-After, and nothing of the cause', async (_name, answer) => {
    const { ask, log } = await protectedBy(answer)
    const { status, header, body, raw } = await ask('visitor-token-1')
    expect(status).toBe(503)
    expect(header('retry-after')).toEqual(['1'])
    expect(header('www-authenticate')).toEqual([])
    expect(header('cache-control')).toEqual(['no-store'])
    expect(body).toBe(
      '{"error":"temporarily_unavailable","error_description":"The token cannot be verified right now"}',
    )
    const hidden = [secret, btoa(`mcp-server:${secret}`), 'visitor-token']
    for (const text of [...hidden, '10.0.0.5', '127.0.0.1', 'introspect', 'status', 'KiB']) {
      expect(raw.includes(text)).toBe(false)
    }
    for (const text of hidden) expect(log().includes(text)).toBe(false)
  })

  it('I16 callers are sent away for as long as the authorization server asks, and it is left alone', async () => {
    const { ask, endpoint, pass } = await protectedBy(fails(429, { 'retry-after': '30' }))
    const retryAfter = async (token: string) => Number((await ask(token)).header('retry-after')[0])
    expect([await retryAfter('tok-1'), await retryAfter('tok-2')]).toEqual([1, 30])
    pass(20.5)
    expect(await retryAfter('tok-1')).toBe(10)
    expect(endpoint.questions).toHaveLength(2)
    endpoint.answer = says(good)
    pass(9.5)
    expect((await ask('tok-1')).status).toBe(200)
  })

  it('a good token without a scope that all need is 403, with the scope', async () => {
    const { ask } = await protectedBy(says(good), { client, requiredScopes: ['mcp:write'] })
    const { status, header, body } = await ask('tok-1')
    expect(status).toBe(403)
    expect(header('www-authenticate')[0]).toContain('error="insufficient_scope"')
    expect(JSON.parse(body)).toMatchObject({ error: 'insufficient_scope', scope: 'mcp:write' })
  })

  it.each(['a&active=true', 'a%26b', 'töken', 'a b', 'x'.repeat(8193)])(
    'I23 what cannot be a bearer token is refused without a question (%#)',
    async (token) => {
      const { ask, endpoint } = await protectedBy(says(good))
      expect((await ask(token)).status).toBe(401)
      expect(endpoint.questions).toEqual([])
    },
  )

  it('I23 the longest and strangest bearer token arrives as it is', async () => {
    const { ask, endpoint } = await protectedBy(says(good))
    const token = `${'-._~+/'.repeat(1365)}==`
    expect((await ask(token)).status).toBe(200)
    expect(endpoint.questions[0]?.token).toBe(token)
  })
})
