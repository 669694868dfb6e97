import { generateKeyPairSync, sign } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { formatLogEntry, type LogEntry } from '../core/log.ts'
import { readEnvironment, type VerifierEnvironment } from './environment.ts'
import { jwtVerifier } from './jwt.ts'
import { explanations, type RefusalReason, type TokenRefusal } from './refusal.ts'
import { type Compare, refusalOf, refusalReporter, shown } from './report.ts'

const token = 'aaaaaaaaaaaa.bbbbbbbbbbbb.cccccccccccc'

/** Texts of whatever halves of characters, controls among them. */
const anything = fc
  .array(fc.oneof(fc.nat(0x7f), fc.nat(0xffff), fc.integer({ min: 0xd800, max: 0xdfff })), {
    maxLength: 1500,
  })
  .map((units) => String.fromCharCode(...units))

function broken(): never {
  throw new Error('broken reporter')
}

/** A reporter whose clock only moves by hand, and what it wrote. */
function reporterOf(compare?: Compare, more: VerifierEnvironment = {}) {
  let time = 1_800_000_000_000
  const logged: LogEntry[] = []
  const environment = { clock: () => time, logger: (entry: LogEntry) => logged.push(entry), ...more }
  return {
    logged,
    report: refusalReporter(readEnvironment('test', environment), compare),
    pass: (seconds: number) => {
      time += seconds * 1000
    },
    /** The reason of each line, and how many were left out before it. */
    lines: () => logged.map(({ details }) => [details?.reason, details?.omitted]),
  }
}

describe('the log', () => {
  it('says message, remedy and the values that were compared, as a warning', () => {
    const { report, logged } = reporterOf(() => ({ expected: 'a', found: 'b', hint: 'c' }))
    report('wrong_audience', token)
    const { message, remedy } = explanations.wrong_audience
    expect(logged).toEqual([
      {
        level: 'warn',
        event: 'token_refused',
        message: `${message} ${remedy}`,
        details: { reason: 'wrong_audience', expected: 'a', found: 'b', hint: 'c', omitted: undefined },
      },
    ])
  })

  it('has one line a minute for a reason, which says how many were left out', () => {
    const { report, pass, lines } = reporterOf()
    for (let second = 0; second < 180; second++) {
      for (let time = 0; time < 10; time++) report('expired', token)
      pass(1)
    }
    expect(lines()).toEqual([
      ['expired', undefined],
      ['expired', 599],
      ['expired', 599],
    ])
  })

  it('counts each reason by itself: a flood of one hides no other', () => {
    const { report, lines, pass } = reporterOf()
    for (let time = 0; time < 1000; time++) report('malformed', token)
    report('wrong_issuer', token)
    report('wrong_issuer', token)
    pass(60)
    report('wrong_issuer', token)
    report('malformed', token)
    expect(lines()).toEqual([
      ['malformed', undefined],
      ['wrong_issuer', undefined],
      ['wrong_issuer', 1],
      ['malformed', 999],
    ])
  })

  it('counts each verifier by itself', () => {
    const [one, other] = [reporterOf(), reporterOf()]
    one.report('expired', token)
    other.report('expired', token)
    expect([one.lines(), other.lines()]).toEqual([[['expired', undefined]], [['expired', undefined]]])
  })

  it('begins anew after a quiet time: nothing was left out', () => {
    const { report, pass, lines } = reporterOf()
    report('expired', token)
    pass(3600)
    report('expired', token)
    expect(lines()).toEqual([
      ['expired', undefined],
      ['expired', undefined],
    ])
  })

  it('does not fall silent when the clock is set back', () => {
    const { report, pass, lines } = reporterOf()
    report('expired', token)
    pass(-30)
    report('expired', token)
    expect(lines()).toHaveLength(1)
    pass(-31)
    report('expired', token)
    pass(-86_400)
    report('expired', token)
    report('expired', token)
    pass(60)
    report('expired', token)
    expect(lines()).toEqual([
      ['expired', undefined],
      ['expired', 1],
      ['expired', undefined],
      ['expired', 1],
    ])
  })

  it('one line is one line, whatever came with the token', () => {
    const { report, logged } = reporterOf(() => ({
      found: 'https://a.example\nmcp-bearer error handler_failed "all is lost"\r\u001b[2J\u2028',
    }))
    report('wrong_issuer', token)
    const [entry] = logged
    expect(entry && formatLogEntry(entry)).toMatch(/^mcp-bearer warn token_refused "[^\p{C}\p{Zl}]+$/u)
    expect(entry?.details?.found).not.toMatch(/[\p{C}\p{Zl}]/u)
  })
})

describe('the hook', () => {
  it('is called for each refusal, with a frozen object of nothing but texts', () => {
    const refused: TokenRefusal[] = []
    const onRefused = (refusal: TokenRefusal) => refused.push(refusal)
    const { report, lines } = reporterOf(() => ({ expected: 'a', found: 'b' }), { onRefused })
    for (let time = 0; time < 100; time++) report('wrong_issuer', token)
    expect(refused).toHaveLength(100)
    expect(lines()).toHaveLength(1)
    const reason = 'wrong_issuer'
    for (const refusal of refused) {
      expect(Object.isFrozen(refusal)).toBe(true)
      expect(refusal).toEqual({ reason, ...explanations.wrong_issuer, expected: 'a', found: 'b' })
    }
  })

  it('cannot change what the next one is told, nor what is logged', () => {
    const onRefused = (refusal: TokenRefusal) => {
      Reflect.set(refusal, 'message', 'changed')
      Reflect.deleteProperty(refusal, 'remedy')
    }
    const { report, logged, pass } = reporterOf(undefined, { onRefused })
    report('expired', token)
    pass(60)
    report('expired', token)
    const { message, remedy } = explanations.expired
    expect(logged.map((entry) => entry.message)).toEqual([`${message} ${remedy}`, `${message} ${remedy}`])
  })

  it.each<[string, () => void]>([
    ['throws', broken],
    ['rejects', async () => broken()],
  ])('that %s changes nothing, and every refusal is told all the same', async (_name, hook) => {
    const onRefused = vi.fn(hook)
    const { report, lines } = reporterOf(undefined, { onRefused })
    expect(() => report('expired', token)).not.toThrow()
    expect(() => report('malformed', token)).not.toThrow()
    expect(onRefused).toHaveBeenCalledTimes(2)
    expect(lines()).toHaveLength(2)
  })

  it.each<[string, () => void]>([
    ['throws', broken],
    ['rejects', async () => broken()],
  ])('is called also where the logger %s', (_name, logger) => {
    const onRefused = vi.fn()
    const { report } = reporterOf(undefined, { logger, onRefused })
    report('expired', token)
    report('expired', token)
    expect(onRefused).toHaveBeenCalledTimes(2)
  })
})

describe('what nobody asks for', () => {
  it('is not found out: without a hook, values are compared once a minute', () => {
    const compare = vi.fn<Compare>(() => ({}))
    const { report, pass } = reporterOf(compare)
    for (let time = 0; time < 1000; time++) report('wrong_issuer', token)
    expect(compare).toHaveBeenCalledTimes(1)
    pass(60)
    report('wrong_issuer', token)
    expect(compare).toHaveBeenCalledTimes(2)
    expect(compare).toHaveBeenLastCalledWith('wrong_issuer', token)
  })
})

describe('refusalOf', () => {
  it('FL-71 shows no part of the token of eight characters or more, wherever it stands', () => {
    const found = `x ${token} y bbbbbbbbbbbb z https://a.example/?q=cccccccccccc&r=${encodeURIComponent(token)}`
    const refusal = refusalOf('wrong_issuer', { found }, token)
    expect(refusal.found).toBe('x [redacted] y [redacted] z https://a.example/?q=[redacted]&r=[redacted]')
  })

  it('leaves out what was not compared', () => {
    expect(refusalOf('expired', {}, token)).toEqual({ reason: 'expired', ...explanations.expired })
  })

  it('of a token that is not even a text says what it can', () => {
    const refusal: TokenRefusal = Reflect.apply(refusalOf, undefined, ['malformed', {}, undefined])
    expect(refusal.reason).toBe('malformed')
  })
})

describe('shown', () => {
  it('property: is short, can be seen, is whole characters, and says the same of the same', () => {
    fc.assert(
      fc.property(anything, (text) => {
        const clean = shown(text)
        expect(clean.length).toBeLessThanOrEqual(201)
        expect(clean).not.toMatch(/[\p{C}\p{Zl}\p{Zp}]/u)
        expect(shown(text)).toBe(clean)
      }),
    )
  })

  it('FL-71 shows no credential that stands where reading ends, whatever came before it', () => {
    const jwt = `eyJ${'a'.repeat(60)}.${'b'.repeat(60)}.${'c'.repeat(60)}`
    const key = `mcpk_live_${'0'.repeat(12)}_${'k'.repeat(38)}`
    for (const credential of [jwt, key, 'sk-0123456789abcdef']) {
      for (let blanks = 0; blanks < credential.length; blanks++) {
        // Most of it is taken out, so the end of what is read moves up to where it would be shown.
        const clean = shown(`${`${jwt} `.repeat(4)}${' '.repeat(blanks)}${`${credential} `.repeat(20)}`)
        const runs = Array.from({ length: credential.length - 7 }, (_, at) => credential.slice(at, at + 8))
        expect(runs.filter((run) => clean.includes(run))).toEqual([])
      }
    }
  })

  it('FL-71 shows no secret that is longer than what is read', () => {
    const secret = 'z'.repeat(3000)
    expect(shown(`a ${secret} b`, [secret])).toBe('a [redacted] b')
    expect(shown(`${'a '.repeat(495)}${secret}`, [secret])).toMatch(/^(?:a )+…$/)
  })

  it('leaves ordinary text as it is', () => {
    for (const text of ['https://as.example.com/a?b=c', 'none', 'Grüße, 世界 😀', '[1,"a"]'])
      expect(shown(text)).toBe(text)
  })
})

describe('a verifier of JWTs', () => {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  const issuer = 'https://as.example.com'
  const audience = 'https://mcp.example.com/mcp'
  const now = 1_800_000_000
  const good = { iss: issuer, aud: audience, sub: 'user-1', iat: now - 60, exp: now + 300 }
  const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url')

  function tokenOf(claims: object, header: object = {}): string {
    const input = `${encode({ alg: 'EdDSA', ...header })}.${encode({ ...good, ...claims })}`
    return `${input}.${sign(null, Buffer.from(input), privateKey).toString('base64url')}`
  }

  function verifierOf(more: VerifierEnvironment = {}) {
    const logged: LogEntry[] = []
    const pem = String(publicKey.export({ type: 'spki', format: 'pem' }))
    const verifier = jwtVerifier(
      { publicKey: pem, issuer, audience, algorithms: ['EdDSA', 'RS256'] },
      { clock: () => now * 1000, logger: (entry) => logged.push(entry), ...more },
    )
    return { verifier, logged }
  }

  const cases: [RefusalReason, string, RegExp][] = [
    ['wrong_issuer', tokenOf({ iss: `${issuer}/` }), /expected=\S+ found=\S+\/ hint="they differ in a slash/],
    ['wrong_audience', tokenOf({ aud: 'https://b.example' }), / expected=\S+mcp found=https:\/\/b\.example$/],
    ['no_matching_key', tokenOf({}, { alg: 'RS256', kid: 'k9' }), / found="kid k9, alg RS256"$/],
    ['expired', tokenOf({ exp: now - 60 }), / expected="now 2027-\S+" found=2027-\S+$/],
    ['not_yet_valid', tokenOf({ nbf: now + 61 }), / expected="now 2027-\S+" found=2027-\S+$/],
    ['issued_in_future', tokenOf({ iat: now + 61 }), / expected="now 2027-\S+" found=2027-\S+$/],
    ['invalid_time', tokenOf({ exp: now * 1000 }), / found="exp 1800000000000, iat 1799999940"$/],
  ]

  it.each(cases)(
    'FL-61 FL-71 %s: one line with reason and remedy, and the token nowhere',
    async (reason, bad, facts) => {
      const { verifier, logged } = verifierOf()
      for (let time = 0; time < 3; time++) expect(await verifier.verifyToken(bad)).toBeNull()
      const lines = logged.map(formatLogEntry)
      expect(lines).toHaveLength(1)
      const { message, remedy } = explanations[reason]
      expect(lines[0]).toContain(`token_refused "${message} ${remedy}" reason=${reason}`)
      expect(lines[0]).toMatch(facts)
      for (const part of bad.split('.')) expect(lines[0]).not.toContain(part.slice(0, 8))
    },
  )

  it.each<[string, () => void]>([
    ['throws', broken],
    ['rejects', async () => broken()],
  ])('a hook that %s turns no verdict', async (_name, hook) => {
    const onRefused = vi.fn(hook)
    const { verifier } = verifierOf({ onRefused })
    expect(await verifier.verifyToken(tokenOf({ exp: now - 60 }))).toBeNull()
    expect(await verifier.verifyToken(tokenOf({}))).not.toBeNull()
    expect(onRefused).toHaveBeenCalledTimes(1)
  })

  it('property: whatever claims and header say, the verdict is one, and what is told of it is fit for a log', async () => {
    const refused: TokenRefusal[] = []
    const { verifier, logged } = verifierOf({ onRefused: (refusal) => refused.push(refusal) })
    const names = ['iss', 'aud', 'sub', 'exp', 'nbf', 'iat', 'cnf', 'scope', 'typ', 'token_use', '__proto__']
    const odd = fc.oneof(fc.jsonValue(), anything, fc.constantFrom(issuer, audience, now))
    const part = (keys: string[]) => fc.dictionary(fc.constantFrom(...keys), odd, { maxKeys: 3 })
    await fc.assert(
      fc.asyncProperty(
        part(names),
        part(['alg', 'typ', 'kid', 'crit', 'b64', 'cty']),
        async (claims, header) => {
          refused.length = 0
          const verdict = await verifier.verifyToken(tokenOf(claims, header))
          expect(refused).toHaveLength(verdict === null ? 1 : 0)
          for (const { found = '' } of refused) {
            expect(found.length).toBeLessThanOrEqual(201)
            expect(found).not.toMatch(/[\p{C}\p{Zl}\p{Zp}]/u)
          }
        },
      ),
      { numRuns: 500 },
    )
    expect(logged.length).toBeGreaterThan(3)
  })
})
