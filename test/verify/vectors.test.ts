import { AuthError } from 'mcp-bearer'
import { jwtVerifier } from 'mcp-bearer/verify'
import { describe, expect, it } from 'vitest'
import { reasonsOfJwts } from './differential.ts'
import { audience, clock, goodClaims, issuer, now, quiet } from './forge.ts'
import { asJson, prepareVerifiers, type VerifierName, vectors } from './vectors/index.ts'
import { untouched } from './vectors/signature.ts'
import { plainBlocks } from './vectors/signature-rsa.ts'
import { vectorTable } from './vectors/table.ts'
import { signed, withClaims, withHeader } from './vectors/tokens.ts'

const verifiers = prepareVerifiers((options, fetch) => jwtVerifier(options, { clock, fetch, logger: quiet }))

/** Every row of the requirements that is about a single token. */
const rows = [
  [1, 12],
  [20, 27],
  [30, 34],
  [40, 58],
].flatMap(([first = 0, last = 0]) =>
  Array.from({ length: last - first + 1 }, (_, at) => `B-${String(first + at).padStart(2, '0')}`),
)

describe('the vectors', () => {
  it('are at least 150 that must be refused and 40 that must pass', () => {
    const passing = vectors.filter(({ expected }) => expected === 'accepted')
    expect(passing.length).toBeGreaterThanOrEqual(40)
    expect(vectors.length - passing.length).toBeGreaterThanOrEqual(150)
  })

  it('have each a name of its own', () => {
    const names = vectors.map(({ name }) => name)
    expect(names.filter((name, at) => names.indexOf(name) !== at)).toEqual([])
  })

  it('cover every requirement and every reason', () => {
    const ids = new Set(vectors.flatMap((vector) => vector.ids))
    const reasons = new Set(vectors.map(({ expected }) => expected))
    expect(rows.filter((id) => !ids.has(id))).toEqual([])
    expect(reasonsOfJwts.filter((reason) => !reasons.has(reason))).toEqual([])
  })

  it('stand in the docs as they are here, and no token with them', async () => {
    const table = vectorTable()
    expect(/eyJ|[\w-]{30,}\.[\w-]{30,}/.test(table)).toBe(false)
    await expect(
      table,
      'docs/verification-vectors.md is out of date: npx vitest run --project integration test/verify/vectors.test.ts -u',
    ).toMatchFileSnapshot('../../docs/verification-vectors.md')
  })
})

describe('the tokens of the vectors', () => {
  it.each(Object.entries(untouched))(
    'B-11 %s passes as long as nobody changes it',
    async (verifier, token) => {
      expect(await verifiers[verifier as keyof typeof untouched].verifyToken(token())).not.toBeNull()
    },
  )

  it.each(Object.entries(plainBlocks))(
    'B-10 %s padded by hand passes as long as it is padded as it should be',
    async (verifier, token) => {
      expect(await verifiers[verifier as keyof typeof plainBlocks].verifyToken(token())).not.toBeNull()
    },
  )

  it('B-11 can be run elsewhere from plain data, with the same outcome', async () => {
    const plain: ReturnType<typeof asJson> = JSON.parse(JSON.stringify(asJson()))
    expect(plain.length).toBeGreaterThan(500)
    const wrong: string[] = []
    for (const { name, options, token, expected, expects } of plain) {
      let reason: string | undefined
      const environment = {
        clock: () => now * 1000,
        logger: quiet,
        onRefused: (refusal: { reason: string }) => {
          reason = refusal.reason
        },
      }
      const verdict = await jwtVerifier(options, environment).verifyToken(token)
      const read = verdict && {
        subject: verdict.subject ?? null,
        clientId: verdict.clientId,
        scopes: [...verdict.scopes],
      }
      const good = verdict === null ? reason === expected : JSON.stringify(read) === JSON.stringify(expects)
      if (!good) wrong.push(name)
    }
    expect(wrong).toEqual([])
  })

  it('B-20 B-60 what is refused before its signature is checked causes no request', async () => {
    let requests = 0
    const fetch = () => {
      requests += 1
      return Promise.reject(new Error('nobody asked for this'))
    }
    const verifier = jwtVerifier(
      { jwksUri: 'https://as.example.com/jwks', issuer, audience },
      { clock, fetch, logger: quiet },
    )
    const early = [
      'malformed',
      'too_long',
      'algorithm_not_allowed',
      'critical_header',
      'wrong_type',
      'wrong_issuer',
    ]
    const list = vectors.filter(({ verifier, expected }) => verifier === 'rs256' && early.includes(expected))
    for (const { token } of list) expect(await verifier.verifyToken(token())).toBeNull()
    expect(list.length).toBeGreaterThan(200)
    expect(requests).toBe(0)
    // The same verifier does ask for the keys of a token that might be good.
    await expect(verifier.verifyToken(withClaims({}))).rejects.toThrow(AuthError)
    expect(requests).toBe(1)
  })

  it.each<[name: string, value: unknown, verifier: VerifierName, token: () => string]>([
    ['alg', 'RS256', 'rs256', () => signed({ typ: 'JWT' }, goodClaims)],
    ['kid', 'rsa', 'jwks', () => withHeader({ kid: undefined })],
    ['iss', issuer, 'rs256', () => withClaims({ iss: undefined })],
    ['aud', audience, 'rs256', () => withClaims({ aud: undefined })],
    ['exp', now + 300, 'rs256', () => withClaims({ exp: undefined })],
    ['sub', 'user-1', 'rs256', () => withClaims({ sub: undefined, client_id: undefined })],
    ['jti', 'token-1', 'rfc9068', () => withClaims({})],
    ['tid', 'tenant-1', 'tenant', () => withClaims({})],
  ])(
    'B-34 a token without %s is refused also where every object seems to have it',
    async (name, value, verifier, token) => {
      const [presented, complete] = [token(), withClaims({ jti: 'token-1', tid: 'tenant-1' })]
      Object.defineProperty(Object.prototype, name, { value, configurable: true })
      try {
        expect(await verifiers[verifier].verifyToken(presented)).toBeNull()
      } finally {
        Reflect.deleteProperty(Object.prototype, name)
      }
      if (verifier !== 'jwks') expect(await verifiers[verifier].verifyToken(complete)).not.toBeNull()
    },
  )

  it.each(['mcp:read', '*', 'mcp:*', 'MCP:ADMIN', 'mcp:admin:all', 'mcp:admi'])(
    'B-54 FL-42 a good token with the scope %s lacks the scope mcp:admin',
    async (scope) => {
      await expect(verifiers['scope-needed'].verifyToken(withClaims({ scope }))).rejects.toMatchObject({
        code: 'insufficient_scope',
        scopes: ['mcp:admin'],
      })
    },
  )
})
