import { jwtVerifier, type RefusalReason } from 'mcp-bearer/verify'
import { beforeEach, describe, expect, it } from 'vitest'
import { clock, goodClaims, issuer, now, quiet } from './forge.ts'
import { prepareVerifiers, themes, usual } from './vectors/index.ts'
import { withClaims, withPayload } from './vectors/tokens.ts'

const reasons: RefusalReason[] = []
/** Everything an operator is told of refused tokens. */
const told: string[] = []
const verifiers = prepareVerifiers((options, fetch) =>
  jwtVerifier(options, {
    clock,
    fetch,
    logger: quiet,
    onRefused(refusal) {
      reasons.push(refusal.reason)
      told.push(JSON.stringify(refusal))
    },
  }),
)

beforeEach(() => {
  reasons.length = 0
  told.length = 0
})

for (const [theme, vectors] of Object.entries(themes)) {
  describe(theme, () => {
    for (const { ids, name, verifier, token, expected, expects } of vectors) {
      it(`${ids.join(' ')} ${expected}: ${name} (${verifier})`, async () => {
        const presented = token()
        // Twice: a token that was good is remembered, and judged in another way.
        for (const time of ['first', 'second']) {
          const verdict = await verifiers[verifier].verifyToken(presented)
          expect([time, verdict && 'accepted', ...reasons.splice(0)].filter(Boolean)).toEqual([
            time,
            expected,
          ])
          if (verdict === null) continue
          const { subject, clientId, scopes } = verdict
          expect({ subject, clientId, scopes }).toEqual({ ...usual, ...expects })
        }
        // Not `toContain`, which would print the token.
        expect(presented.length > 40 && told.some((text) => text.includes(presented))).toBe(false)
      })
    }
  })
}

describe('what an accepted token says', () => {
  const accept = async (token: string) => {
    const accepted = await verifiers.rs256.verifyToken(token)
    if (accepted === null) throw new Error('refused')
    return accepted
  }

  it('B-34 claims have no prototype, and take nothing from a claim named __proto__', async () => {
    const payload = JSON.stringify(goodClaims).replace('{', '{"__proto__":{"scope":"admin"},')
    const { claims } = await accept(withPayload(payload))
    expect(Object.getPrototypeOf(claims)).toBeNull()
    expect(Object.hasOwn(claims, 'toString') || 'toString' in claims).toBe(false)
  })

  it('B-57 shows the actor of a delegated token', async () => {
    const { subject, claims } = await accept(withClaims({ act: { sub: 'agent' } }))
    expect(subject).toBe('user-1')
    expect(claims.act).toEqual({ sub: 'agent' })
  })

  it('B-120 carries issuer, expiry with skew, claims and the raw token', async () => {
    const token = withClaims({ exp: now + 300, email: 'a@example.com' })
    const accepted = await accept(token)
    expect(accepted.issuer).toBe(issuer)
    expect(accepted.expiresAt).toEqual(new Date((now + 300) * 1000))
    expect(accepted.isExpired((now + 359) * 1000)).toBe(false)
    expect(accepted.isExpired((now + 360) * 1000)).toBe(true)
    expect(accepted.claims.email).toBe('a@example.com')
    expect(accepted.token === token).toBe(true)
  })
})
