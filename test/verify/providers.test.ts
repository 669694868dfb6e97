import { type JwtVerifierOptions, jwtVerifier, type RefusalReason } from 'mcp-bearer/verify'
import { describe, expect, it } from 'vitest'
import { audience, clock, forgeWith, goodClaims, issuer, now, pss, quiet } from './forge.ts'
import { publicJwk, rsa } from './vectors/material.ts'
import type { Provider } from './vectors/provider.ts'
import { optionsOf, providers, tokenOf } from './vectors/providers.ts'
import { withClaims, withHeader } from './vectors/tokens.ts'

/** What becomes of a token: what it is read as, or why it is refused. */
async function outcome(options: JwtVerifierOptions, token: string) {
  let reason: RefusalReason | undefined
  const environment = {
    clock,
    logger: quiet,
    onRefused: (refusal: { reason: RefusalReason }) => {
      reason = refusal.reason
    },
  }
  const verdict = await jwtVerifier(options, environment).verifyToken(token)
  return verdict === null
    ? reason
    : { subject: verdict.subject, clientId: verdict.clientId, scopes: verdict.scopes }
}

/** The options of a provider without one of them, `rules.types` or `algorithm`. */
function without(provider: Provider, name: string): JwtVerifierOptions {
  const [group, rule] = name.split('.')
  const options = optionsOf(provider)
  const left = rule === undefined ? {} : { rules: omit(options.rules ?? {}, rule) }
  return { ...omit(options, group ?? ''), ...left }
}

function omit<T extends object>(object: T, name: string): T {
  const entries = Object.entries(object)
  const left = entries.filter(([key]) => key !== name)
  if (left.length === entries.length) throw new Error(`there is no ${name}`)
  return Object.fromEntries(left) as T
}

const list: readonly Provider[] = Object.values(providers)

describe.each(list)('FL-48 $about', (provider) => {
  it('its access token passes with its documented options, and says who and what', async () => {
    expect(await outcome(optionsOf(provider), tokenOf(provider))).toEqual(provider.expects)
  })

  it.each(provider.refused)('refused: $name', async ({ claims, header, reason }) => {
    expect(await outcome(optionsOf(provider), tokenOf(provider, claims, header))).toBe(reason)
  })

  it('at least three small changes are refused', () => {
    expect(provider.refused.length).toBeGreaterThanOrEqual(3)
  })

  it('B-58 what validate refuses, nothing else would have', async () => {
    const rejected = provider.refused.filter(({ reason }) => reason === 'rejected')
    expect(rejected.length > 0).toBe(provider.options.rules?.validate !== undefined)
    for (const { claims, header } of rejected) {
      const found = await outcome(without(provider, 'rules.validate'), tokenOf(provider, claims, header))
      expect(typeof found).toBe('object')
    }
  })

  it('FL-36 no token of another provider passes, though the keys are the same', async () => {
    const others = list.filter((other) => other.options.issuer !== provider.options.issuer)
    for (const other of others) {
      expect(typeof (await outcome(optionsOf(provider), tokenOf(other)))).toBe('string')
    }
    expect(others.length).toBeGreaterThan(10)
  })
})

const loosenings = list.flatMap((provider) =>
  Object.entries(provider.without ?? {}).map(([name, expected]) => ({
    provider,
    about: provider.about,
    name,
    expected,
  })),
)

describe('options that are there for one provider', () => {
  it.each(loosenings)('FL-48 $about needs $name', async ({ provider, name, expected }) => {
    expect(await outcome(without(provider, name), tokenOf(provider))).toEqual(
      typeof expected === 'string' ? expected : { ...provider.expects, ...expected },
    )
  })

  it('FL-48 a secret, or a key that is not RSA, needs its algorithm named', () => {
    for (const provider of [providers.supabase, providers['supabase-keys']]) {
      expect(() => jwtVerifier(without(provider, 'algorithm'), { logger: quiet })).toThrow(TypeError)
    }
  })
})

/** A check, the option that loosens it, and a token that only this check refuses. */
interface Loosened {
  readonly options: Partial<JwtVerifierOptions>
  readonly token: () => string
  readonly strictly: RefusalReason
}

const otherName = 'https://other.example.com'
const loosened: Readonly<Record<string, Loosened>> = {
  clockSkew: {
    options: { clockSkew: 300 },
    token: () => withClaims({ exp: now - 120, iat: undefined }),
    strictly: 'expired',
  },
  'several issuers': {
    options: { issuer: [issuer, otherName] },
    token: () => withClaims({ iss: otherName }),
    strictly: 'wrong_issuer',
  },
  'several audiences': {
    options: { audience: [audience, otherName] },
    token: () => withClaims({ aud: otherName }),
    strictly: 'wrong_audience',
  },
  'several algorithms': {
    options: { algorithms: ['RS256', 'PS256'] },
    token: () => forgeWith(pss(rsa.privateKey))({ alg: 'PS256' }, goodClaims),
    strictly: 'algorithm_not_allowed',
  },
  'rules.allowMissingExp': {
    options: { rules: { allowMissingExp: true } },
    token: () => withClaims({ exp: undefined }),
    strictly: 'missing_claim',
  },
  'rules.types': {
    options: { rules: { types: ['at+jwt', 'vnd.example+jwt'] } },
    token: () => withHeader({ typ: 'vnd.example+jwt' }),
    strictly: 'wrong_type',
  },
  'rules.scopesFrom': {
    options: { rules: { scopesFrom: ({ scope }) => (Array.isArray(scope) ? scope : undefined) } },
    token: () => withClaims({ scope: { 'mcp:read': true } }),
    strictly: 'invalid_scope',
  },
}

describe('each strict check can be loosened alone', () => {
  const strict: JwtVerifierOptions = { publicKey: publicJwk(rsa), issuer, audience }

  it.each(Object.entries(loosened))(
    'FL-48 %s lets its own token pass, and no other',
    async (name, { options }) => {
      for (const [other, { token, strictly }] of Object.entries(loosened)) {
        expect([other, await outcome(strict, token())]).toEqual([other, strictly])
        const found = await outcome({ ...strict, ...options }, token())
        expect([other, typeof found === 'string' ? found : 'passes']).toEqual([
          other,
          other === name ? 'passes' : strictly,
        ])
      }
    },
  )
})
