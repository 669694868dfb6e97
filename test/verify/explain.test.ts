import { generateKeyPairSync } from 'node:crypto'
import { inspect } from 'node:util'
import { AuthError, type AuthEvent, bearerGate, type LogEntry, type TokenVerifier } from 'mcp-bearer'
import {
  anyOf,
  BearerAuthProvider,
  cached,
  explainToken,
  type JwtVerifierOptions,
  jwtVerifier,
  memoryRevocations,
  type RefusalReason,
  refusalReasons,
  revocable,
  type TokenExplanation,
  type TokenRefusal,
} from 'mcp-bearer/verify'
import { describe, expect, it, vi } from 'vitest'
import { explanations } from '../../src/verify/refusal.ts'
import { audience, clock, encodePart, forge, goodClaims, issuer, now } from './forge.ts'
import { json, keyServer, status } from './key-server.ts'

const { publicKey, privateKey } = generateKeyPairSync('ed25519')
const stranger = generateKeyPairSync('ed25519')
const pem = String(publicKey.export({ type: 'spki', format: 'pem' }))
const basic: JwtVerifierOptions = { publicKey: pem, issuer, audience, algorithm: 'EdDSA' }
const severalAlgorithms: JwtVerifierOptions = {
  publicKey: pem,
  issuer,
  audience,
  algorithms: ['EdDSA', 'RS256'],
}
const header = { alg: 'EdDSA', typ: 'JWT', kid: 'k1' }

/** A token that is good but for these members. */
const tokenOf = (claims: object = {}, head: object = {}, key = privateKey) =>
  forge(key, { ...header, ...head }, { ...goodClaims, ...claims })

const explain = (token: string, options: Partial<JwtVerifierOptions> = {}) =>
  explainToken(token, { ...basic, ...options }, { clock })

/** One token for each reason a JWT can be refused for, and what the operator is told besides message and remedy. */
interface Case {
  readonly token: () => string
  /** Default: {@link basic}. */
  readonly options?: JwtVerifierOptions
  readonly expected?: string
  readonly found?: string
}

const time = (seconds: number) => new Date(seconds * 1000).toISOString()
const nowText = `now ${time(now)}`

const cases: Partial<Record<RefusalReason, Case>> = {
  malformed: { token: () => 'opaque-token-of-somebody' },
  too_long: { token: () => tokenOf({ pad: 'x'.repeat(9000) }) },
  wrong_type: {
    token: () => tokenOf({}, { typ: 'logout+jwt' }),
    expected: 'none, jwt, at+jwt, application/at+jwt',
    found: 'logout+jwt',
  },
  algorithm_not_allowed: { token: () => tokenOf({}, { alg: 'none' }), expected: 'EdDSA', found: 'none' },
  critical_header: { token: () => tokenOf({}, { crit: ['exp'] }) },
  no_matching_key: {
    token: () => tokenOf({}, { alg: 'RS256' }),
    options: severalAlgorithms,
    found: 'kid k1, alg RS256',
  },
  bad_signature: { token: () => tokenOf({}, {}, stranger.privateKey) },
  missing_claim: { token: () => tokenOf({ exp: undefined }), found: 'no exp' },
  expired: { token: () => tokenOf({ exp: now - 60 }), expected: nowText, found: time(now - 60) },
  not_yet_valid: { token: () => tokenOf({ nbf: now + 61 }), expected: nowText, found: time(now + 61) },
  issued_in_future: {
    token: () => tokenOf({ iat: now + 61 }),
    expected: nowText,
    found: time(now + 61),
  },
  too_old: {
    token: () => tokenOf({ iat: now - 200 }),
    options: { ...basic, rules: { maxTokenAge: 100 } },
    expected: nowText,
    found: time(now - 200),
  },
  invalid_time: {
    token: () => tokenOf({ exp: (now + 300) * 1000, iat: 'yesterday' }),
    found: `exp ${(now + 300) * 1000}, iat yesterday`,
  },
  wrong_issuer: {
    token: () => tokenOf({ iss: 'https://other.example.com' }),
    expected: issuer,
    found: 'https://other.example.com',
  },
  wrong_audience: {
    token: () => tokenOf({ aud: 'https://sister.example.com' }),
    expected: audience,
    found: 'https://sister.example.com',
  },
  not_an_access_token: { token: () => tokenOf({ token_use: 'id' }) },
  sender_constrained: { token: () => tokenOf({ cnf: { jkt: 'thumbprint' } }), found: 'cnf jkt' },
  no_identity: { token: () => tokenOf({ sub: undefined, client_id: undefined }) },
  invalid_scope: { token: () => tokenOf({ scope: 7 }) },
  rejected: { token: () => tokenOf(), options: { ...basic, rules: { validate: () => false } } },
}

/** What is only said of other tokens, or by what stands around a verifier. */
const notOfJwts: readonly RefusalReason[] = [
  'inactive',
  'unknown_token',
  'not_recognized',
  'revoked',
  'cut_off',
  'placeholder',
  'bad_checksum',
  'unknown_key',
  'wrong_secret',
  'disabled',
  'wrong_environment',
  'address_not_allowed',
  'usage_exhausted',
]

/** Everything a person or a log could see of it. */
const everythingOf = (value: unknown) => `${JSON.stringify(value)}${inspect(value, { depth: 9 })}`

/** Every run of eight characters of the token that is in the text. */
function traces(token: string, text: string): string[] {
  const runs = Array.from({ length: Math.max(1, token.length - 7) }, (_, at) => token.slice(at, at + 8))
  return runs.filter((run) => text.includes(run))
}

describe('every reason', () => {
  it('has a case here, or is one that no JWT is refused for', () => {
    expect([...Object.keys(cases), ...notOfJwts].sort()).toEqual([...refusalReasons].sort())
  })

  it.each(Object.entries(cases))(
    'FL-61 %s is explained: message, remedy, and the values that were compared',
    async (reason, one) => {
      const { verdict, refusal, message, remedy } = await explainToken(one.token(), one.options ?? basic, {
        clock,
      })
      const texts = explanations[reason as RefusalReason]
      expect(verdict).toBe('refused')
      expect({ message, remedy }).toEqual(texts)
      expect(refusal).toEqual({
        reason,
        ...texts,
        ...(one.expected !== undefined && { expected: one.expected }),
        ...(one.found !== undefined && { found: one.found }),
      })
      expect(Object.isFrozen(refusal)).toBe(true)
    },
  )

  it.each(Object.entries(cases))(
    '%s is what the verifier itself reports, in the same words',
    async (_reason, one) => {
      const refused: TokenRefusal[] = []
      const logged: LogEntry[] = []
      const verifier = jwtVerifier(one.options ?? basic, {
        clock,
        logger: (entry) => logged.push(entry),
        onRefused: (refusal) => refused.push(refusal),
      })
      expect(await verifier.verifyToken(one.token())).toBeNull()
      const { refusal } = await explainToken(one.token(), one.options ?? basic, { clock })
      expect(refused).toEqual([refusal])
      expect(logged).toHaveLength(1)
    },
  )

  it.each(Object.entries(cases))(
    'FL-71 %s: no eight characters of the token are told or logged',
    async (_reason, one) => {
      const token = one.token()
      const told: unknown[] = []
      const verifier = jwtVerifier(one.options ?? basic, {
        clock,
        logger: (entry) => told.push(entry),
        onRefused: (refusal) => told.push(refusal),
        onEvent: (event) => told.push(event),
      })
      await verifier.verifyToken(token)
      told.push((await explainToken(token, one.options ?? basic, { clock })).refusal)
      expect(told.length).toBeGreaterThan(3)
      expect(traces(token, everythingOf(told))).toEqual([])
    },
  )
})

describe('FL-36 FL-47 two values that differ', () => {
  const slash = 'they differ in a slash at the end'
  const letters = 'they differ in upper and lower case'
  const spelling = 'they differ in spelling only'
  const type = 'the value is right, its type is not: a text is needed, or for aud a list of them'

  it.each<[string, unknown, string | undefined]>([
    ['a slash more', `${audience}/`, slash],
    ['a slash more in a list', ['https://a.example', `${audience}/`], slash],
    ['another case', audience.toUpperCase(), letters],
    ['another case of the host', audience.replace('mcp.', 'MCP.'), letters],
    ['case and slash', `${audience.toUpperCase()}/`, spelling],
    ['a blank', ` ${audience}`, spelling],
    ['a line break', `${audience}\n`, spelling],
    ['the right one beside a number', [audience, 7], type],
    ['the right one, nested', [[audience]], undefined],
    ['something else', 'https://mcp.example.com/mcp2', undefined],
    ['two slashes more', `${audience}//`, undefined],
    ['nothing', undefined, undefined],
    ['an object', { [audience]: audience }, undefined],
  ])('aud with %s', async (_name, aud, hint) => {
    const { refusal } = await explain(tokenOf({ aud }))
    expect(refusal).toMatchObject({ reason: 'wrong_audience', expected: audience })
    expect(refusal?.hint).toBe(hint)
    const text = typeof aud === 'string' ? aud.replace('\n', '\\u{a}') : (JSON.stringify(aud) ?? 'none')
    expect(refusal?.found).toBe(text)
  })

  it.each<[string, unknown, string | undefined]>([
    ['a slash more', `${issuer}/`, slash],
    ['another case', issuer.toUpperCase(), letters],
    ['a list of the right one', [issuer], type],
    ['http', issuer.replace('https', 'http'), undefined],
    ['nothing', undefined, undefined],
  ])('iss with %s', async (_name, iss, hint) => {
    const { refusal } = await explain(tokenOf({ iss }))
    expect(refusal).toMatchObject({ reason: 'wrong_issuer', expected: issuer })
    expect(refusal?.hint).toBe(hint)
  })

  it('a slash less than what is configured', async () => {
    const { refusal } = await explain(tokenOf(), { audience: [`${audience}/`, 'other'] })
    expect(refusal).toMatchObject({ expected: `${audience}/, other`, found: audience, hint: slash })
  })
})

describe('FL-71 what came with the token', () => {
  const other = tokenOf({ sub: 'somebody-else' }, {}, stranger.privateKey)
  const head = encodePart(header)
  /** A part somebody made up, for the signature and for a claim: what is judged before the signature can hold it. */
  const made = 'c2lnbmF0dXJlLW9mLW5vYm9keQ'

  /** A token whose signature is nonsense. */
  const unsigned = (claims: object, more: object = {}) =>
    `${encodePart({ ...header, ...more })}.${encodePart({ ...goodClaims, ...claims })}.${made}`

  it.each<[string, string]>([
    ['another token as iss', tokenOf({ iss: other })],
    ['another token as aud', tokenOf({ aud: other })],
    ['another token in a list as aud', tokenOf({ aud: ['a', other] })],
    ['another token as kid', tokenOf({}, { kid: other, alg: 'RS256' })],
    ['another token as alg', tokenOf({}, { alg: other })],
    ['another token as typ', tokenOf({}, { typ: other })],
    ['another token as exp', tokenOf({ exp: other })],
    ['another token as nbf', tokenOf({ nbf: `Bearer ${other}` })],
    ['another token as a member of cnf', tokenOf({ cnf: { [other]: 1, jkt: 1 } })],
    ['its own header as iss', tokenOf({ iss: head })],
    ['its own header as aud', tokenOf({ aud: [head] })],
    ['its own header, a bearer credential, as aud', tokenOf({ aud: `Bearer ${head}` })],
    ['its own signature as iss', unsigned({ iss: made })],
    ['its own signature as iss, in a URL', unsigned({ iss: `https://x.example/?t=${made}&u=${made}` })],
    ['its own signature as alg', unsigned({}, { alg: made })],
    ['its own signature as typ', unsigned({}, { typ: made })],
    ['its own signature as kid', unsigned({}, { kid: made, alg: 'RS256' })],
  ])('%s is not repeated', async (_name, token) => {
    const refused: TokenRefusal[] = []
    const logged: LogEntry[] = []
    const verifier = jwtVerifier(severalAlgorithms, {
      clock,
      logger: (entry) => logged.push(entry),
      onRefused: (refusal) => refused.push(refusal),
    })
    expect(await verifier.verifyToken(token)).toBeNull()
    const { refusal } = await explainToken(token, severalAlgorithms, { clock })
    expect(refused).toEqual([refusal])
    expect(refusal?.found).toContain('[redacted]')
    const text = everythingOf([refusal, logged])
    for (const secret of [token, other]) expect(traces(secret, text)).toEqual([])
  })

  it.each<[string, unknown]>([
    ['a line break', 'https://x.example\nmcp-bearer error forged line'],
    ['a carriage return', 'https://x.example\r\n'],
    ['an escape of a terminal', '\u001b[2J\u001b]0;owned\u0007'],
    ['a null character', 'a\u0000b'],
    ['a direction mark', 'https://x.example/\u202egpj'],
    ['a blank without width', `${issuer}\u200b`],
    ['a line separator', 'a\u2028b\u2029c'],
    ['half a character', 'a\ud800b'],
    ['a blank that is no space', 'a\u00a0b'],
  ])('%s is written out, so that it can be seen and breaks nothing', async (_name, iss) => {
    const { refusal } = await explain(tokenOf({ iss }))
    expect(refusal?.found).toMatch(/\\u\{[\da-f]+\}/)
    expect(refusal?.found).toMatch(/^[\x20-\x7e]+$/)
  })

  it('what can be seen stays, in every script', async () => {
    const iss = 'https://bücher.example/日本語/😀'
    expect((await explain(tokenOf({ iss }))).refusal?.found).toBe(iss)
  })

  it.each<[string, object, object]>([
    ['iss', { iss: 'x'.repeat(4000) }, {}],
    ['aud', { aud: Array.from({ length: 500 }, (_, at) => `a${at}`) }, {}],
    ['cnf', { cnf: { jkt: 1, ...Object.fromEntries(Array.from({ length: 300 }, (_, at) => [at, 1])) } }, {}],
    ['alg', {}, { alg: 'x'.repeat(4000) }],
    ['typ', {}, { typ: 'x'.repeat(4000) }],
    ['exp', { exp: 'x'.repeat(4000) }, {}],
  ])('a long %s is cut', async (_name, claims, head) => {
    const { refusal } = await explain(tokenOf(claims, head))
    expect(refusal?.found).toHaveLength(201)
    expect(refusal?.found).toMatch(/…$/)
  })

  it('no character is cut in half', async () => {
    const { refusal } = await explain(tokenOf({ iss: `x${'😀'.repeat(300)}` }))
    expect(refusal?.found).toBe(`x${'😀'.repeat(99)}…`)
  })

  it('redaction comes before the cut: what a cut would spare is gone as well', async () => {
    const { refusal } = await explain(tokenOf({ iss: `${'x'.repeat(190)} ${other}` }))
    expect(traces(other, everythingOf(refusal))).toEqual([])
  })
})

describe('the other verdicts', () => {
  it('accepted: the token as it was verified, what it says, and nothing to do', async () => {
    const token = tokenOf()
    const explained = await explain(token)
    expect(explained).toMatchObject({
      verdict: 'accepted',
      message: 'The token is good.',
      header,
      claims: goodClaims,
    })
    expect(explained).not.toHaveProperty('remedy')
    expect(explained).not.toHaveProperty('refusal')
    expect(explained.accessToken).toMatchObject({ subject: 'user-1', clientId: 'app-1', token })
    expect(traces(token, everythingOf(explained))).toEqual([])
  })

  it('insufficient_scope: the scopes to ask for', async () => {
    const explained = await explain(tokenOf(), { requiredScopes: ['mcp:read', 'mcp:write'] })
    expect(explained).toMatchObject({
      verdict: 'insufficient_scope',
      message: 'The token is good, and lacks a scope that every token needs.',
      remedy: 'The client has to ask for: mcp:read mcp:write',
      claims: goodClaims,
    })
    expect(explained).not.toHaveProperty('accessToken')
  })

  it('unavailable: why, and whom to look at', async () => {
    const { publicKey: _none, ...others } = basic
    const server = await keyServer(status(500))
    expect(await explainToken(tokenOf(), { ...others, jwksUri: server.url }, { clock })).toMatchObject({
      verdict: 'unavailable',
      message: 'The keys of the token issuer cannot be fetched right now: the answer has status 500.',
      remedy: 'See that this machine reaches the issuer, and that jwksUri is right.',
      header,
      claims: goodClaims,
    })
  })

  it('a token that could not be read has neither header nor claims', async () => {
    for (const token of ['', 'opaque', 'a.b.c', `${tokenOf()}.`, '\u0000', 'x'.repeat(9000)]) {
      const explained = await explain(token)
      expect(explained.verdict).toBe('refused')
      expect(explained).not.toHaveProperty('header')
      expect(explained).not.toHaveProperty('claims')
    }
    for (const nothing of [undefined, null, 7, {}]) {
      const explained: TokenExplanation = await Reflect.apply(explainToken, undefined, [nothing, basic])
      expect(explained.refusal?.reason).toBe('malformed')
    }
  })

  it('rejects with a TypeError that names the option', async () => {
    const explained = explainToken(tokenOf(), { ...basic, audience: '' }, { clock })
    await expect(explained).rejects.toThrow(
      new TypeError('audience must be a non-empty string, or a list of them'),
    )
    const misspelt = Reflect.apply(explainToken, undefined, [tokenOf(), basic, { clok: clock }])
    await expect(misspelt).rejects.toThrow(/unknown option "clok"/)
  })

  it('what a hook throws is not made a verdict', async () => {
    for (const thrown of [new Error('broken'), new AuthError('rate_limited')]) {
      const validate = () => {
        throw thrown
      }
      await expect(explain(tokenOf(), { rules: { validate } })).rejects.toBe(thrown)
    }
  })
})

describe('what the caller is told, and the operator is not asked about', () => {
  const general = 'Bearer realm="mcp", error="invalid_token", error_description="Token is invalid or expired"'
  const expired = 'Bearer realm="mcp", error="invalid_token", error_description="The access token expired"'
  const body = '{"error":"invalid_token","error_description":"Token is invalid or expired"}'
  const silent = { clock, logger: () => {} }

  /** All bytes of the answer that a caller gets, and what stands where. */
  async function answerOf(verifier: TokenVerifier, token: string) {
    const gate = bearerGate({ verifier, ...silent })
    const headers = { authorization: `Bearer ${token}` }
    const answer = await gate(new Request('https://mcp.example.com/mcp', { method: 'POST', headers }))
    if (!(answer instanceof Response)) return undefined
    const text = await answer.text()
    return {
      status: answer.status,
      challenge: answer.headers.get('www-authenticate'),
      body: text,
      everything: `${answer.status}${[...answer.headers].join('\n')}${text}`,
    }
  }

  it.each(Object.entries(cases))('A-32 A-33 A-67 %s', async (reason, one) => {
    const answer = await answerOf(jwtVerifier(one.options ?? basic, silent), one.token())
    expect(answer).toMatchObject({ status: 401, challenge: reason === 'expired' ? expired : general, body })
  })

  const around: [string, (verifier: TokenVerifier) => TokenVerifier][] = [
    ['alone', (verifier) => verifier],
    ['in anyOf', (verifier) => anyOf([verifier], silent)],
    [
      'beside another in anyOf',
      (verifier) => anyOf([jwtVerifier({ ...basic, issuer: 'b' }, silent), verifier], silent),
    ],
    ['cached', (verifier) => cached(verifier, {}, silent)],
    ['revocable', (verifier) => revocable(verifier, memoryRevocations(clock), clock)],
    [
      'cached and revocable',
      (verifier) => revocable(cached(verifier, {}, silent), memoryRevocations(clock), clock),
    ],
    [
      'as a plain object',
      ({ verifyToken }) => ({ verifyToken: (token, context) => verifyToken(token, context) }),
    ],
  ]

  it.each(around)(
    'A-33 A-52 an expired token is told apart, %s: also one that was good before, and one without the scopes',
    async (_name, around) => {
      let seconds = now
      const environment = { clock: () => seconds * 1000, logger: () => {} }
      const verifier = around(jwtVerifier({ ...basic, requiredScopes: ['mcp:read'] }, environment))
      const gate = async (token: string) =>
        (await answerOf(verifier, token))?.challenge?.replace(', scope="mcp:read"', '')
      const good = tokenOf()
      expect(await gate(good)).toBeUndefined()
      expect(await gate(tokenOf({ exp: now - 60 }))).toBe(expired)
      expect(await gate(tokenOf({ exp: now - 60, scope: undefined }))).toBe(expired)
      expect(await gate(tokenOf({ exp: now - 60, aud: 'https://b.example' }))).toBe(expired)
      expect(await gate(tokenOf({ iss: 'https://b.example', exp: now - 60 }))).toBe(general)
      expect(await gate(tokenOf({ exp: now - 60 }, {}, stranger.privateKey))).toBe(general)
      seconds = now + 360
      expect(await gate(tokenOf({ sub: 'never-seen-before' }))).toBe(expired)
    },
  )

  it('A-33 a provider that is extended says so as well', async () => {
    class Provider extends BearerAuthProvider {
      override verifyToken(token: string, context?: Parameters<TokenVerifier['verifyToken']>[1]) {
        return super.verifyToken(token, context)
      }
    }
    const answer = await answerOf(new Provider(basic, silent), tokenOf({ exp: now - 60 }))
    expect(answer?.challenge).toBe(expired)
  })

  it('A-67 nothing of a token is in the answer, wherever it says it', async () => {
    const marker = 'MARKER-7f3a'
    const claims = [
      'iss',
      'aud',
      'sub',
      'client_id',
      'azp',
      'exp',
      'nbf',
      'iat',
      'scope',
      'typ',
      'token_use',
      'jti',
    ]
    const heads = ['alg', 'typ', 'kid', 'cty', 'crit', 'b64', 'jku', 'x5u', marker]
    const forms: unknown[] = [
      marker,
      [marker],
      { [marker]: marker },
      `"${marker}\r\nX-Injected: ${marker}`,
      0,
    ]
    const rules = { maxTokenAge: 1000, types: ['JWT', marker] }
    const verifiers = [basic, { ...basic, rules }, { ...basic, issuer: marker, audience: marker }].map(
      (options) => jwtVerifier(options, silent),
    )
    const tokens = forms.flatMap((form) => [
      ...claims.map((name) => tokenOf({ [name]: form })),
      ...heads.map((name) => tokenOf({}, { [name]: form })),
      tokenOf({ exp: now - 60, sub: form, [marker]: form }),
    ])
    let refused = 0
    for (const verifier of verifiers) {
      for (const token of tokens) {
        const answer = await answerOf(verifier, token)
        if (answer === undefined) continue
        refused += 1
        expect([general, expired]).toContain(answer.challenge)
        expect(answer).toMatchObject({ status: 401, body })
        expect(answer.everything).not.toContain('MARKER')
        expect(answer.everything).not.toContain('example.com')
      }
    }
    expect(refused).toBeGreaterThan(200)
  })
})

describe('leaves no trace', () => {
  it('nothing is logged, reported or told, also where the whole bag of a verifier is handed in', async () => {
    const server = await keyServer(json({ keys: [{ ...publicKey.export({ format: 'jwk' }), d: 'private' }] }))
    const told = vi.fn()
    const standardError = vi.spyOn(process.stderr, 'write')
    const environment = {
      clock,
      logger: (entry: LogEntry) => told(entry),
      onRefused: (refusal: TokenRefusal) => told(refusal),
      onEvent: (event: AuthEvent) => told(event),
      rememberTokens: 5,
    }
    // Neither issuer nor audience, a key that should not be there, a token nobody has a key for.
    const options = { jwksUri: server.url, algorithm: 'EdDSA' } as const
    expect((await explainToken(tokenOf(), options, environment)).refusal?.reason).toBe('no_matching_key')
    server.answer = status(500)
    expect((await explainToken(tokenOf(), options, environment)).verdict).toBe('unavailable')
    expect(told).not.toHaveBeenCalled()
    expect(standardError).not.toHaveBeenCalled()
    standardError.mockRestore()
  })

  it('nothing is remembered: neither a good token nor a key set', async () => {
    const { publicKey: _none, ...others } = basic
    const server = await keyServer(json({ keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'k1' }] }))
    const options = { ...others, jwksUri: server.url }
    expect((await explainToken(tokenOf(), options, { clock })).verdict).toBe('accepted')
    server.answer = json({ keys: [] })
    expect((await explainToken(tokenOf(), options, { clock })).verdict).toBe('refused')
    expect(server.requests).toHaveLength(2)
  })
})
