import { createServer } from 'node:http'
import { AuthError, type LogEntry, parseChallenges } from 'mcp-bearer'
import { type BearerGateOptions, bearerAuth } from 'mcp-bearer/node'
import { afterEach, describe, expect, it } from 'vitest'
import { askRaw, goodToken, knowing, listening, post, type RawAnswer, request } from './support.ts'

const metadata = 'https://mcp.example.com/.well-known/oauth-protected-resource/mcp'
const secret = 'db password wrong for root@10.0.0.5'

/** What each token makes the verifier do. */
const verifier = knowing({
  [goodToken]: { token: goodToken, clientId: 'alice', scopes: ['mcp:read'] },
  low: { token: 'low', clientId: 'bob', scopes: ['other'] },
  expired: { token: 'expired', expiresAt: 1, scopes: ['mcp:read'] },
  'expired-low': { token: 'expired-low', expiresAt: 1 },
  null: null,
  false: false,
  undefined: undefined,
  denied: throwing(new AuthError('access_denied')),
  limited: throwing(new AuthError('rate_limited', undefined, { retryAfter: 1.2 })),
  outage: throwing(new AuthError('verifier_unavailable', secret)),
  'long-outage': throwing(new AuthError('verifier_unavailable', secret, { retryAfter: 120 })),
  step: throwing(new AuthError('insufficient_scope', undefined, { scopes: ['files:write', 'a"b'] })),
  invalid: throwing(new AuthError('invalid_token', secret)),
  anonymous: throwing(new AuthError('unauthorized', secret)),
  error: throwing(new Error(`${secret} a"b\\c\r\nX-Evil: 1 \u00e9`)),
  client: throwing(new AuthError('token_unavailable')),
  text: throwing('just text'),
  number: () => 42 as never,
  list: () => [] as never,
  typeless: () => ({ token: 'x', scopes: 'read' }) as never,
})

const log: LogEntry[] = []
const everything: string[] = []
let close = async () => {}

afterEach(async () => {
  await close()
  close = async () => {}
})

async function ask(bytes: string, options: Partial<BearerGateOptions> = {}): Promise<RawAnswer> {
  log.length = 0
  const server = await listening(
    createServer(
      bearerAuth(
        { verifier, requiredScopes: ['mcp:read'], logger: (entry) => log.push(entry), ...options },
        (_req, res) => res.end('inside'),
      ),
    ),
  )
  close = server.close
  const answer = await askRaw(server.port, bytes)
  everything.push(answer.raw, JSON.stringify(log))
  return answer
}

const withToken = (token: string, options?: Partial<BearerGateOptions>) =>
  ask(post(`Authorization: Bearer ${token}`), options)

/** The bytes of a refusal of this gate, without the date. */
function bytes(status: string, headers: readonly string[], body: string): string {
  const lines = [
    `HTTP/1.1 ${status}`,
    'content-type: application/json',
    `content-length: ${body.length}`,
    'cache-control: no-store',
    ...headers,
    'Connection: keep-alive',
    'Keep-Alive: timeout=5',
  ]
  return `${lines.join('\r\n')}\r\n\r\n${body}`
}

const undated = (answer: RawAnswer) => answer.raw.replace(/^Date: .*\r\n/m, '')

const unauthorized = '{"error":"unauthorized","error_description":"Authentication required"}'
const invalidToken = '{"error":"invalid_token","error_description":"Token is invalid or expired"}'
const bare = 'www-authenticate: Bearer realm="mcp", scope="mcp:read"'
const invalid =
  'www-authenticate: Bearer realm="mcp", error="invalid_token", error_description="Token is invalid or expired", scope="mcp:read"'
const expired = invalid.replace('Token is invalid or expired', 'The access token expired')

describe('the answers, byte by byte', () => {
  it('A-30 A-10 FL-59 no credential: a challenge that names no error', async () => {
    expect(undated(await ask(post()))).toBe(bytes('401 Unauthorized', [bare], unauthorized))
  })

  it.each(['Authorization: Basic eA==', 'Authorization: Bearer'])(
    'A-31 %s: as no credential',
    async (line) => {
      expect(undated(await ask(post(line)))).toBe(bytes('401 Unauthorized', [bare], unauthorized))
    },
  )

  it('A-31 A-02 FL-31 a token in the query only: as no credential, and no trace in the log', async () => {
    const answer = await ask(request(`POST /mcp?access_token=${goodToken} HTTP/1.1`, [], '{}'))
    expect(undated(answer)).toBe(bytes('401 Unauthorized', [bare], unauthorized))
    expect(log).toEqual([])
  })

  it.each(['a"b', 'a b', 'x'.repeat(8193), 'unknown', 'null', 'false', 'undefined', 'invalid', 'anonymous'])(
    'A-32 A-35 A-38 a token that is not good, whatever the reason: the same bytes (%#)',
    async (token) => {
      expect(undated(await withToken(token))).toBe(bytes('401 Unauthorized', [invalid], invalidToken))
    },
  )

  it('A-33 an expired token: told in the challenge, so that a client refreshes', async () => {
    expect(undated(await withToken('expired'))).toBe(bytes('401 Unauthorized', [expired], invalidToken))
  })

  it('A-52 FL-42 an expired token that lacks the scope, too: 401, not 403', async () => {
    expect(undated(await withToken('expired-low'))).toBe(bytes('401 Unauthorized', [expired], invalidToken))
  })

  it('A-40 a missing scope: 403 naming all that are needed', async () => {
    const challenge =
      'www-authenticate: Bearer realm="mcp", error="insufficient_scope", error_description="The access token lacks a scope this operation needs", scope="mcp:read mcp:write"'
    const body =
      '{"error":"insufficient_scope","error_description":"The access token lacks a scope this operation needs","scope":"mcp:read mcp:write"}'
    const answer = await withToken(goodToken, { requiredScopes: ['mcp:read', 'mcp:write'] })
    expect(undated(answer)).toBe(bytes('403 Forbidden', [challenge], body))
  })

  it('A-63 A-66 a verifier that asks for more scope: those that can stand in a header', async () => {
    const answer = await withToken('step')
    expect(answer.status).toBe(403)
    expect(JSON.parse(answer.body)).toMatchObject({ scope: 'mcp:read files:write' })
  })

  it('A-41 a refusal that more scope would not cure: no challenge', async () => {
    expect(undated(await withToken('denied'))).toBe(bytes('403 Forbidden', [], '{"error":"access_denied"}'))
  })

  it('A-42 two credentials: 400', async () => {
    const challenge =
      'www-authenticate: Bearer realm="mcp", error="invalid_request", error_description="More than one credential was presented"'
    const body = '{"error":"invalid_request","error_description":"More than one credential was presented"}'
    const line = `Authorization: Bearer ${goodToken}`
    expect(undated(await ask(post(line, line)))).toBe(bytes('400 Bad Request', [challenge], body))
  })

  it('A-44 an outage behind the verifier: 503, and a log line', async () => {
    const body =
      '{"error":"temporarily_unavailable","error_description":"The token cannot be verified right now"}'
    expect(undated(await withToken('outage'))).toBe(
      bytes('503 Service Unavailable', ['retry-after: 5'], body),
    )
    expect(log.map(({ level, event }) => ({ level, event }))).toEqual([
      { level: 'error', event: 'verifier_unavailable' },
    ])
    expect((await withToken('long-outage')).header('retry-after')).toEqual(['120'])
  })

  it.each(['error', 'client', 'text', 'number', 'list', 'typeless'])(
    'A-45 FL-45 FL-60 FL-70 a verifier that is broken (%s): 500, one log line, and nothing of it on the wire',
    async (token) => {
      const answer = await withToken(token)
      expect(undated(answer)).toBe(bytes('500 Internal Server Error', [], '{"error":"server_error"}'))
      expect(log.map(({ level, event }) => ({ level, event }))).toEqual([
        { level: 'error', event: 'server_error' },
      ])
    },
  )

  it('A-45 FL-61 tells the operator what the verifier threw', async () => {
    await withToken('error')
    expect(log[0]?.details?.error).toContain(`Error: ${secret}`)
  })

  it('A-46 too many requests: 429 with whole seconds', async () => {
    expect(undated(await withToken('limited'))).toBe(
      bytes('429 Too Many Requests', ['retry-after: 2'], '{"error":"rate_limited"}'),
    )
  })

  it('A-61 D8 names the metadata when there is some, on 401 and 403', async () => {
    for (const token of ['unknown', 'low']) {
      const answer = await withToken(token, { resourceMetadata: metadata })
      expect(parseChallenges(answer.header('www-authenticate'))[0]?.params.resource_metadata).toBe(metadata)
    }
    expect((await withToken('unknown')).raw).not.toContain('resource_metadata')
  })

  it('A-60 A-68 every 401 and 403 challenge is one Bearer challenge, no parameter twice', async () => {
    for (const line of ['X-A: 1', 'Authorization: Bearer unknown', 'Authorization: Bearer low']) {
      const answer = await ask(post(line), { resourceMetadata: metadata, realm: 'files "x"' })
      const challenges = parseChallenges(answer.header('www-authenticate'))
      expect(challenges.map(({ scheme }) => scheme)).toEqual(['Bearer'])
      expect(challenges[0]?.params.realm).toBe('files "x"')
      const names = [...answer.header('www-authenticate')[0]!.matchAll(/(\w+)="/g)].map(([, name]) => name)
      expect(new Set(names).size).toBe(names.length)
    }
  })

  it('A-72 HEAD: the same headers, no body', async () => {
    const answer = await ask(request('HEAD /mcp HTTP/1.1', []))
    expect(undated(answer)).toBe(bytes('401 Unauthorized', [bare], unauthorized).replace(unauthorized, ''))
  })

  it('FL-65 is never a redirect', async () => {
    for (const token of ['unknown', 'low', 'error', 'outage']) {
      const answer = await withToken(token)
      expect(answer.status).toBeGreaterThanOrEqual(400)
      expect(answer.header('location')).toEqual([])
    }
  })
})

describe('the log', () => {
  it.each([
    ['Bearer ${TOKEN}', 'unexpanded_variable'],
    ['${TOKEN}', 'unexpanded_variable'],
    ['Bearer {env:TOKEN}', 'unexpanded_variable'],
    ['Bearer Bearer x', 'doubled_scheme'],
    ['Bearer Bearer', 'doubled_scheme'],
    ['Bearer undefined', 'missing_value'],
    ['Bearer null', 'missing_value'],
    ['Bearer [object Object]', 'missing_value'],
    ['Bearer <token>', 'angle_brackets'],
  ])('FL-32 X21 explains %s to the operator in one line, without the value', async (value, cause) => {
    const answer = await ask(post(`Authorization: ${value}`))
    expect(answer.status).toBe(401)
    expect(log).toMatchObject([{ level: 'warn', event: 'placeholder_credential', details: { cause } }])
    expect(JSON.stringify(log)).not.toContain(value)
    expect(answer.raw).not.toContain(cause)
  })

  it('says nothing of a token that is simply not good', async () => {
    await withToken('unknown')
    expect(log).toEqual([])
  })

  it('A-18 FL-71 never holds a token or a part of one, and neither does an answer', async () => {
    const [head, payload, signature] = goodToken.split('.')
    const leak = () => {
      throw new Error(`bad ${goodToken}: ${head} ${payload} ${signature}`, { cause: new Error(signature) })
    }
    const leaky = [
      { verifyToken: leak },
      { verifyToken: async () => leak() },
      { verifyToken: async () => Promise.reject(new AuthError('verifier_unavailable', goodToken)) },
    ]
    for (const one of leaky) await withToken(goodToken, { verifier: one })
    await ask(request(`GET /mcp?access_token=${goodToken} HTTP/1.1`, [`Authorization: Bearer ${goodToken}`]))
    await ask(post(`Authorization: Bearer ${goodToken} extra`))
    await ask(post(`Authorization: Bearer <${goodToken}>`))
    await withToken(goodToken, { requiredScopes: ['mcp:write'] })
    expect(everything.length).toBeGreaterThan(10)
    for (const written of everything) {
      for (const part of [goodToken, head!, payload!, signature!]) expect(written).not.toContain(part)
    }
  })
})

function throwing(error: unknown): () => never {
  return () => {
    throw error
  }
}
