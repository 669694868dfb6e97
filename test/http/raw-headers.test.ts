import { createServer } from 'node:http'
import { bearerAuth as protectListener } from 'mcp-bearer/node'
import { bearerAuth as protectFetch } from 'mcp-bearer/sdk'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { askRaw, goodToken, knowing, listening, post, request } from './support.ts'

const T = goodToken
const key = 'sk-alice-0123456789'
const longest = 'a'.repeat(8192)

/** How a request is answered, and whether the verifier was asked before. */
type Expected = 'accepted' | 'no credential' | 'bad token' | 'bad token, asked' | 'two credentials' | 'parser'

const statuses: Readonly<Record<Expected, number>> = {
  accepted: 200,
  'no credential': 401,
  'bad token': 401,
  'bad token, asked': 401,
  'two credentials': 400,
  parser: 400,
}

const bodies: Readonly<Partial<Record<Expected, RegExp>>> = {
  'no credential': /^\{"error":"unauthorized"/,
  'bad token': /^\{"error":"invalid_token"/,
  'bad token, asked': /^\{"error":"invalid_token"/,
  'two credentials': /^\{"error":"invalid_request"/,
}

/** The vectors of the requirement: id, header lines as they stand on the wire (Latin-1), answer. */
const vectors: readonly (readonly [id: string, lines: readonly string[], expected: Expected])[] = [
  ['X01', [], 'no credential'],
  ['X02', ['Authorization:'], 'no credential'],
  ['X02', ['Authorization:   '], 'no credential'],
  ['X03', ['Authorization: Bearer'], 'no credential'],
  ['X04', ['Authorization: Bearer '], 'no credential'],
  ['X05', [`Authorization: Bearer ${T}`], 'accepted'],
  ['X06', [`Authorization: bearer ${T}`], 'accepted'],
  ['X06', [`Authorization: BEARER ${T}`], 'accepted'],
  ['X06', [`Authorization: bEaReR ${T}`], 'accepted'],
  ['X07', [`Authorization: Bearer   ${T}`], 'accepted'],
  ['X08', [`Authorization: Bearer ${T}  `], 'accepted'],
  ['X08', [`Authorization: Bearer ${T}\t`], 'accepted'],
  ['X09', [`Authorization:  Bearer ${T}`], 'accepted'],
  ['X10', [`Authorization: Bearer\t${T}`], 'bad token'],
  ['X11', [`Authorization: Bearer${T}`], 'no credential'],
  ['X11', [`Authorization: Bearer-${T}`], 'no credential'],
  ['X11', [`Authorization: Bearers ${T}`], 'no credential'],
  ['X12', [`Authorization: Bearer ${T} extra`], 'bad token'],
  ['X13', ['Authorization: Bearer a"b'], 'bad token'],
  ['X13', [`Authorization: Bearer "${T}"`], 'bad token'],
  ['X14', [`Authorization: Bearer token="${T}"`], 'bad token'],
  ['X14', [`Authorization: Bearer access_token=${T}`], 'bad token'],
  ['X15', [`Authorization: Bearer ${T},`], 'two credentials'],
  ['X15', [`Authorization: Bearer ,${T}`], 'two credentials'],
  ['X16', ['Authorization: Bearer a=b'], 'bad token'],
  ['X17', ['Authorization: Bearer ='], 'bad token'],
  ['X17', ['Authorization: Bearer =='], 'bad token'],
  ['X18', [`Authorization: Bearer {${T}}`], 'bad token'],
  ['X18', [`Authorization: Bearer <${T}>`], 'bad token'],
  ['X18', [`Authorization: Bearer ${T};x=1`], 'bad token'],
  ['X19', ['Authorization: Bearer \x80'], 'bad token'],
  ['X19', ['Authorization: Bearer \xe9'], 'bad token'],
  ['X19', ['Authorization: Bearer \xc3\xa9'], 'bad token'],
  ['X19', [`Authorization: Bearer ${T}\xff`], 'bad token'],
  ['X20', ['Authorization: Bearer %41%42'], 'bad token'],
  ['X21', ['Authorization: Bearer null'], 'bad token, asked'],
  ['X21', ['Authorization: Bearer undefined'], 'bad token, asked'],
  ['X21', ['Authorization: Bearer [object Object]'], 'bad token'],
  ['X21', ['Authorization: Bearer Bearer'], 'bad token, asked'],
  ['X21', [`Authorization: Bearer $\{TOKEN}`], 'bad token'],
  ['X22', [`Authorization: Bearer Bearer ${T}`], 'bad token'],
  ['X23', [`Authorization: Bearer ${longest}`], 'accepted'],
  ['X24', [`Authorization: Bearer ${longest}a`], 'bad token'],
  ['X25', [`Authorization: Bearer ${T}`, `Authorization: Bearer ${T}`], 'two credentials'],
  ['X26', [`Authorization: Bearer ${T}`, 'Authorization: Bearer other'], 'two credentials'],
  ['X27', ['Authorization: Basic x', `Authorization: Bearer ${T}`], 'two credentials'],
  ['X28', [`Authorization: Bearer ${T}, Bearer other`], 'two credentials'],
  ['X29', [`Authorization: Basic dXNlcjpwYXNz, Bearer ${T}`], 'two credentials'],
  ['X30', ['Authorization: Basic dXNlcjpUX09L'], 'no credential'],
  ['X31', [`Authorization: DPoP ${T}`], 'no credential'],
  ['X34', [`Cookie: Authorization=Bearer ${T}`], 'no credential'],
  ['X34', [`Cookie: access_token=${T}`], 'no credential'],
  ['X35', [`Authorization: Bearer ${T}`, `X-API-Key: ${key}`], 'two credentials'],
  ['X36', [`X-API-Key: ${key}`, `X-API-Key: ${key}`], 'two credentials'],
  ['X36', [`X-API-Key: ${key}, ${key}`], 'two credentials'],
  ['X37', ['X-API-Key:', `Authorization: Bearer ${T}`], 'accepted'],
  ['X38', [`Authorization: Bearer\r\n ${T}`], 'parser'],
  ['X39', [`Authorization: Bearer ${T}\0`], 'parser'],
  ['X40', [`AUTHORIZATION: Bearer ${T}`], 'accepted'],
  ['X40', [`authorization: Bearer ${T}`], 'accepted'],
  ['X41', [`Authorization : Bearer ${T}`], 'parser'],
  ['X42', [`Proxy-Authorization: Bearer ${T}`], 'no credential'],
  ['A-13', [`X-Forwarded-Authorization: Bearer ${T}`], 'no credential'],
  ['A-13', [`X-Original-Authorization: Bearer ${T}`], 'no credential'],
  ['A-13', [`X-Forwarded-Access-Token: ${T}`], 'no credential'],
  ['A-13', [`X-Auth-Request-Access-Token: ${T}`], 'no credential'],
  ['A-13', ['X-Forwarded-User: alice'], 'no credential'],
  ['A-12', [`X-API-Key: ${key}`], 'accepted'],
  ['A-12', ['X-API-Key: a"b'], 'bad token'],
  ['A-15', ['Mcp-Session-Id: 0123456789abcdef'], 'no credential'],
  ['FL-33', ['Authorization: Bearer constructor'], 'bad token, asked'],
  ['FL-33', ['Authorization: Bearer __proto__'], 'bad token, asked'],
  ['FL-33', ['Authorization: Bearer toString'], 'bad token, asked'],
]

const verifier = knowing({
  [T]: { token: T, clientId: 'alice' },
  [longest]: { token: longest, clientId: 'long' },
  [key]: { token: key, clientId: 'key' },
})
const options = { verifier, apiKeyHeader: 'X-API-Key', logger: () => {} }
let reached = 0
let server: Awaited<ReturnType<typeof listening>>

beforeAll(async () => {
  server = await listening(
    createServer(
      protectListener(options, (req, res) => {
        reached++
        req.resume().on('end', () => res.end('inside'))
      }),
    ),
  )
})
afterAll(() => server.close())
beforeEach(() => {
  reached = 0
  verifier.asked.length = 0
})

async function expectAnswer(bytes: string, expected: Expected): Promise<void> {
  const answer = await askRaw(server.port, bytes)
  expect(answer.status).toBe(statuses[expected])
  expect(answer.body).toMatch(bodies[expected] ?? /^/)
  expect(reached).toBe(expected === 'accepted' ? 1 : 0)
  expect(verifier.asked).toHaveLength(expected === 'accepted' || expected === 'bad token, asked' ? 1 : 0)
  // RFC 6750 section 3.1: only who presented something is told of an error.
  expect(answer.header('www-authenticate').some((line) => line.includes('error='))).toBe(
    expected.startsWith('bad token') || expected === 'two credentials',
  )
}

describe('the Authorization header, byte by byte', () => {
  it.each(vectors.map(([id, lines, expected]) => [id, shown(lines), expected, lines] as const))(
    '%s %s is answered as: %s',
    async (_id, _shown, expected, lines) => {
      await expectAnswer(post(...lines), expected)
    },
  )

  it('X32 A-09 refuses a token in the header beside one in the query', async () => {
    const start = 'POST /mcp?x=1&access_token=other HTTP/1.1'
    await expectAnswer(request(start, [`Authorization: Bearer ${T}`], '{}'), 'two credentials')
    await expectAnswer(
      request('POST /mcp?access%5Ftoken=other HTTP/1.1', [`Authorization: Bearer ${T}`], '{}'),
      'two credentials',
    )
    await expectAnswer(request(start, [`X-API-Key: ${key}`], '{}'), 'two credentials')
  })

  it.each(['access_token', 'token', 'api_key'])(
    'X33 A-02 never uses a token in the query as %s',
    async (name) => {
      await expectAnswer(request(`POST /mcp?${name}=${T} HTTP/1.1`, [], '{}'), 'no credential')
      await expectAnswer(
        request(`POST http://localhost/mcp?${name}=${T} HTTP/1.1`, [], '{}'),
        'no credential',
      )
    },
  )

  it('A-03 never uses a token in a form body', async () => {
    const body = `access_token=${T}`
    const lines = ['Content-Type: application/x-www-form-urlencoded', `Content-Length: ${body.length}`]
    await expectAnswer(request('POST /mcp HTTP/1.1', lines) + body, 'no credential')
  })

  it('X44 never uses a trailer field', async () => {
    const head = request('POST /mcp HTTP/1.1', ['Transfer-Encoding: chunked', 'Trailer: Authorization'])
    await expectAnswer(`${head}2\r\n{}\r\n0\r\nAuthorization: Bearer ${T}\r\n\r\n`, 'no credential')
  })
})

describe('X43 the Authorization header of a runtime that follows Fetch', () => {
  const { fetch } = protectFetch(options, { fetch: async () => new Response('inside') })
  const ask = (...pairs: [string, string][]) => fetch(new Request('http://localhost/mcp', { headers: pairs }))

  it.each([
    ['two equal lines', `Bearer ${T}`, `Bearer ${T}`],
    ['two tokens', `Bearer ${T}`, 'Bearer other'],
    ['another scheme first', 'Basic eA==', `Bearer ${T}`],
    ['another scheme last', `Bearer ${T}`, 'Basic eA=='],
  ])('refuses %s', async (_case, first, second) => {
    const answer = await ask(['authorization', first], ['authorization', second])
    expect(answer.status).toBe(400)
    expect(verifier.asked).toEqual([])
  })

  it('refuses two API keys', async () => {
    expect((await ask(['x-api-key', key], ['x-api-key', key])).status).toBe(400)
  })

  it('takes one', async () => {
    expect((await ask(['authorization', `Bearer ${T}`])).status).toBe(200)
  })
})

/** Header lines for the name of a test: without tokens, and printable. */
function shown(lines: readonly string[]): string {
  const text = lines.join(' + ').replaceAll(longest, 'L').replaceAll(T, 'T').replaceAll(key, 'K')
  return text === ''
    ? '(absent)'
    : JSON.stringify(text).replace(/[^\x20-\x7E]/g, (char) => `\\x${char.charCodeAt(0).toString(16)}`)
}
