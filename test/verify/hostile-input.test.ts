import fc from 'fast-check'
import { explainToken, jwtVerifier } from 'mcp-bearer/verify'
import { describe, expect, it } from 'vitest'
import { askers } from './differential.ts'
import { goodDraft, pick, set, write } from './draft.ts'
import { audience, forgeWith, goodClaims, hmac, issuer, now, quiet } from './forge.ts'
import { claimNames, headerNames, oddValues } from './mutations-of-members.ts'
import { opinionOn } from './reference.ts'
import { secret } from './vectors/material.ts'
import { manners, optionsOf, worlds } from './worlds.ts'

const options = { secret, algorithm: 'HS256', issuer, audience } as const
const token = forgeWith(hmac(secret))({ alg: 'HS256' }, goodClaims)

describe('what is handed in for a token', () => {
  it.each<[name: string, value: unknown]>([
    ['undefined', undefined],
    ['null', null],
    ['a number', 7],
    ['a bigint', 7n],
    ['true', true],
    ['a symbol', Symbol('token')],
    ['a function', () => token],
    ['a list that holds a good token', [token]],
    ['the bytes of a good token', Buffer.from(token)],
    ['a good token as an object', Object(token)],
    ['an object that turns into a good token', { length: 1, toString: () => token }],
    ['an object that cannot be looked at', new Proxy({}, { get: () => expect.fail('looked at') })],
  ])('B-30 B-106 is refused as malformed when it is no text: %s', async (_name, value) => {
    const told: string[] = []
    const onRefused = ({ reason }: { readonly reason: string }) => void told.push(reason)
    const verifier = jwtVerifier(options, { clock: () => now * 1000, logger: quiet, onRefused })
    expect(await verifier.verifyToken(value as string)).toBeNull()
    expect(verifier.recognizes?.(value as string)).toBe(false)
    expect((await explainToken(value as string, options)).refusal?.reason).toBe('malformed')
    expect(told).toEqual(['malformed'])
    expect(await verifier.verifyToken(token)).not.toBeNull()
  })

  it('B-30 B-33 is malformed or too long when it is just any text', async () => {
    const { first, forgetful } = askers(options, undefined)
    const part = fc.string({ unit: fc.constantFrom(...'eyJAQgw_-+/=. é\ud800'), maxLength: 30 })
    const texts = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(part, { maxLength: 6 }).map((parts) => parts.join('.')),
      fc.integer({ min: 8000, max: 9000 }).map((length) => 'x'.repeat(length)),
    )
    const property = fc.asyncProperty(texts, async (text) => {
      const expected = text.length > 8192 ? 'too_long' : 'malformed'
      const outcomes = [await first(text), await forgetful(text)]
      if (outcomes.some((outcome) => outcome !== expected)) expect(outcomes).toEqual([expected, expected])
    })
    await fc.assert(property, { numRuns: 1000 })
  })
})

describe('odd values', () => {
  const world = worlds.HS256
  // The usual one, the strictest and the most lenient.
  const asks = [0, 3, 5]
    .map((at) => pick(manners, at))
    .map((manner) => ({
      demands: { ...manner, ...world.demands },
      ask: askers({ ...world.keys, ...optionsOf(manner) }, undefined).forgetful,
    }))

  it.each([
    ['header', headerNames],
    ['payload', claimNames],
  ] as const)(
    'B-02 B-23 B-34 B-45 B-53 in any place of the %s come out as the rules say, and nothing is thrown',
    async (side, names) => {
      const wrong: unknown[] = []
      for (const name of names) {
        for (const value of oddValues) {
          const draft = goodDraft('HS256')
          set(draft[side], name, value)
          const odd = write(draft, world.right)
          for (const [at, { demands, ask }] of asks.entries()) {
            const outcome = await ask(odd)
            const { outcome: expected } = opinionOn(odd, demands)
            if (outcome !== expected) wrong.push([name, value, at, outcome, expected])
          }
        }
      }
      expect(wrong).toEqual([])
    },
  )
})

describe('a clock', () => {
  it.each([Number.NaN, undefined, {}])('B-45 B-48 that says %s lets no token through', async (time) => {
    let say: unknown = now * 1000
    const environment = { clock: () => say as number, logger: quiet }
    const verifiers = [0, 10].map((rememberTokens) =>
      jwtVerifier(options, { ...environment, rememberTokens }),
    )
    for (const verifier of verifiers) {
      say = now * 1000
      expect(await verifier.verifyToken(token)).not.toBeNull()
      say = time
      expect(await verifier.verifyToken(token)).toBeNull()
    }
  })

  it('B-121 B-48 that goes on, or back, changes the same for a token that is remembered and for one that is not', async () => {
    let say = 0
    const environment = { clock: () => say, logger: quiet }
    const rules = { maxTokenAge: 600 }
    const counts = new Map<string, number>()
    const moment = fc.integer({ min: -700, max: 700 }).map((seconds) => now + seconds)
    const late = fc.oneof(
      moment,
      moment.map((seconds) => seconds + 700),
    )
    const times = fc.record({ exp: late, nbf: moment, iat: moment }, { requiredKeys: ['exp', 'iat'] })
    const property = fc.asyncProperty(
      times,
      fc.array(moment, { minLength: 1, maxLength: 6 }),
      async (claims, moments) => {
        const told: string[] = []
        const refused = (reason: string) => void told.push(reason)
        const remembering = jwtVerifier({ ...options, rules }, environment)
        const dated = forgeWith(hmac(secret))({ alg: 'HS256' }, { ...goodClaims, ...claims })
        for (const seconds of moments) {
          say = seconds * 1000
          const forgetful = jwtVerifier({ ...options, rules }, { ...environment, rememberTokens: 0 })
          for (const verifier of [remembering, forgetful]) {
            if ((await verifier.verifyToken(dated, { refused })) !== null) told.push('accepted')
          }
          const [known = '', fresh = ''] = told.splice(0)
          counts.set(known, (counts.get(known) ?? 0) + 1)
          if (known !== fresh) expect(known).toBe(fresh)
        }
      },
    )
    await fc.assert(property, { numRuns: 400, seed: 20_260_801 })
    await fc.assert(property, { numRuns: 400 })
    const due = ['accepted', 'expired', 'not_yet_valid', 'issued_in_future', 'too_old']
    expect(due.filter((outcome) => (counts.get(outcome) ?? 0) < 20)).toEqual([])
  })
})
