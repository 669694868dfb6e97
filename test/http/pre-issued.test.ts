import { createHash } from 'node:crypto'
import { createServer } from 'node:http'
import { AuthError, type TokenVerifier } from 'mcp-bearer'
import { type BearerGateOptions, bearerAuth } from 'mcp-bearer/node'
import { anyOf, jwtVerifier, staticVerifier } from 'mcp-bearer/verify'
import { afterEach, describe, expect, it } from 'vitest'
import { askRaw, listening, post, type RawAnswer, request } from './support.ts'

/** Tokens that were given out beforehand, and what the wire says of them (requirements, group K). */
const good = 'sk-9mJ0xWq3TtB4hRk2Ld8Z'
const narrow = 'sk-narrow-0123456789abc'
const expired = 'sk-expired-0123456789ab'
const quiet = { logger: () => {} }
const now = 1_800_000_000_000

const keys = staticVerifier(
  {
    [good]: { subject: 'alice', scopes: ['mcp:read'] },
    [narrow]: { subject: 'bob', scopes: [] },
    [expired]: { subject: 'carol', scopes: ['mcp:read'], expiresAt: new Date(now - 1) },
  },
  { ...quiet, clock: () => now },
)

let close = async () => {}
afterEach(async () => {
  await close()
  close = async () => {}
})

async function ask(bytes: string, options: Partial<BearerGateOptions> = {}): Promise<RawAnswer> {
  const gate = { verifier: keys, requiredScopes: ['mcp:read'], clock: () => now, ...quiet, ...options }
  const server = await listening(createServer(bearerAuth(gate, (_req, res) => res.end('inside'))))
  close = server.close
  return askRaw(server.port, bytes)
}

const bearing = (key: string, options?: Partial<BearerGateOptions>) =>
  ask(post(`Authorization: Bearer ${key}`), options)

/** All but the date. */
const undated = ({ raw }: RawAnswer) => raw.replace(/^date:.*\r\n/im, '')

describe('tokens that were given out beforehand', () => {
  it('K01 K14 B-103 a good one lets in, and needs no expiry', async () => {
    expect(await bearing(good)).toMatchObject({ status: 200, body: 'inside' })
  })

  it('K02 is taken from a configured header as well', async () => {
    expect((await ask(post(`X-API-Key: ${good}`), { apiKeyHeader: 'x-api-key' })).status).toBe(200)
    expect((await ask(post(`X-API-Key: ${good}`))).status).toBe(401)
  })

  it.each([
    ['K03 one character changed', `${good.slice(0, -1)}Y`],
    ['K03 one character less', good.slice(0, -1)],
    ['K03 one character more', `${good}Z`],
    ['K04 in other case', good.toLowerCase()],
    ['K05 expired', expired],
    ['K05 unknown', 'sk-never-issued-01234567'],
    ['K07 the digest instead of the token', createHash('sha256').update(good).digest('hex')],
    ['K07 the digest in another encoding', createHash('sha256').update(good).digest('base64')],
    ['K11 __proto__', '__proto__'],
    ['K11 constructor', 'constructor'],
    ['K11 toString', 'toString'],
  ])('%s: invalid_token', async (_name, key) => {
    const answer = await bearing(key)
    expect(answer.status).toBe(401)
    expect(answer.header('www-authenticate')[0]).toContain('error="invalid_token"')
    expect(answer.raw).not.toContain(key)
  })

  it('K05 A-38 unknown, altered and expired ones get the same bytes', async () => {
    const unknown = undated(await bearing('sk-never-issued-01234567'))
    expect(undated(await bearing(`${good.slice(0, -1)}Y`))).toBe(unknown)
    expect(undated(await bearing(expired))).toBe(unknown)
  })

  it.each(['Bearer', 'Bearer  '])('K09 an empty one is none: %j', async (value) => {
    const answer = await ask(post(`Authorization: ${value}`))
    expect(answer.status).toBe(401)
    expect(answer.header('www-authenticate')[0]).not.toContain('error')
  })

  it('K10 one of a megabyte is refused before anybody looks for it', async () => {
    let asked = 0
    const counting: TokenVerifier = {
      async verifyToken() {
        asked += 1
        return null
      },
    }
    expect([401, 431]).toContain((await bearing('k'.repeat(1_000_000), { verifier: counting })).status)
    expect(asked).toBe(0)
  })

  it('K12 without the scope: 403, naming it', async () => {
    const answer = await bearing(narrow)
    expect(answer.status).toBe(403)
    expect(answer.header('www-authenticate')[0]).toContain('scope="mcp:read"')
  })

  it('K13 B-106 a store that is down: 503', async () => {
    const verifier: TokenVerifier = {
      async verifyToken() {
        throw new AuthError('verifier_unavailable', 'connection refused by 10.0.0.5')
      },
    }
    const answer = await bearing(good, { verifier })
    expect(answer.status).toBe(503)
    expect(Number(answer.header('retry-after')[0])).toBeGreaterThan(0)
    expect(answer.raw).not.toContain('10.0.0.5')
  })

  it('K16 B-62 what only looks like a JWT goes where it is recognised', async () => {
    const lookalike = 'eyJhbGciOiJub25lIn0.bm90IGEgSldU.c2ln'
    const issuer = 'https://as.example.com'
    const requests: string[] = []
    const jwt = jwtVerifier(
      { jwksUri: `${issuer}/jwks`, issuer, audience: 'me' },
      {
        ...quiet,
        fetch: async (url) => {
          requests.push(String(url))
          throw new Error('nobody there')
        },
      },
    )
    const opaque = staticVerifier({ [lookalike]: { subject: 'dave', scopes: ['mcp:read'] } }, quiet)
    expect((await bearing(lookalike, { verifier: anyOf([jwt, opaque], quiet) })).status).toBe(200)
    expect(requests).toEqual([])
  })

  it('B-109 X33 is never taken from the query, in any spelling of its name', async () => {
    for (const name of ['access_token', 'token', 'api_key', 'key']) {
      const answer = await ask(request(`POST /mcp?${name}=${good} HTTP/1.1`, [], '{}'))
      expect(answer.status).toBe(401)
      expect(answer.raw).not.toContain(good)
    }
  })
})
