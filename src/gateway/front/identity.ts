import { type Grant, grantOf } from '../../core/access-token.ts'
import { type AccessToken, type Clock, systemClock } from '../../core/index.ts'
import { checkOptions, numberBetween } from '../../core/options.ts'
import { type IssuerJwkSet, KeyPair } from '../../issuer/key-pair.ts'

/** How a gateway says who calls. */
export interface IdentityAssertionOptions {
  /** The gateway's own key, such as an `ECKeyPair`. Its public half is what the server behind the gateway trusts. */
  readonly keyPair: KeyPair
  /** `iss`: how the gateway calls itself, such as its URL. */
  readonly issuer: string
  /** `aud`: how the server behind the gateway is called. It must take no other. */
  readonly audience: string
  /** The header that holds it, in any case. Default: `mcp-identity`. */
  readonly header?: string
  /** Seconds it is good for. 5 to 3600. Default: 60. */
  readonly lifetimeSeconds?: number
  /** Default: the clock of this machine. */
  readonly clock?: Clock
}

/** Says who calls, to a server that does not see the caller's token. */
export interface IdentityAssertion {
  /** The header that holds it, in lower case. What a caller sends under this name goes no further. */
  readonly header: string
  /** The headers that go with a request of this caller. */
  headers(caller: AccessToken): Promise<Readonly<Record<string, string>>>
  /** What the server checks it with (RFC 7517 section 5); the gateway publishes it at `/.well-known/jwks.json`. */
  jwks(): IssuerJwkSet
}

const known = [
  'keyPair',
  'issuer',
  'audience',
  'header',
  'lifetimeSeconds',
  'clock',
] as const satisfies readonly (keyof IdentityAssertionOptions)[]

/**
 * Makes an {@link IdentityAssertion}: a short-lived JWT (RFC 7519) of the gateway's own key, made anew before half of its
 * life is over, and never good for longer than the caller's token. Claims: `sub` is the subject of the caller's token, or
 * its client where it has none; `client_id`; `scope`, as granted; `orig_iss`, who issued the caller's token, where
 * somebody did. The server must take it from this header alone, and check `iss`, `aud` and `exp`.
 *
 * @throws TypeError naming the option that is unknown, missing or wrong
 *
 * @example
 * ```ts
 * import { ECKeyPair } from 'mcp-bearer/issuer'
 * import { identityAssertion } from 'mcp-bearer/gateway'
 *
 * const identity = identityAssertion({
 *   keyPair: await ECKeyPair.generate(),
 *   issuer: 'https://gateway.example.com',
 *   audience: 'http://127.0.0.1:9000/mcp',
 * })
 * ```
 */
export function identityAssertion(options: IdentityAssertionOptions): IdentityAssertion {
  const { keyPair, issuer, audience, header, lifetimeSeconds, clock } = checkedOptions(options)
  const made = new WeakMap<Grant, Made>()

  function make(caller: AccessToken, now: number): Made {
    const { subject, clientId, scopes, issuer: original, expiresAt } = caller
    const left = expiresAt === undefined ? lifetimeSeconds : (expiresAt.getTime() - now) / 1000
    const expiresInSeconds = Math.max(Math.min(lifetimeSeconds, Math.floor(left)), 1)
    const additionalClaims = { client_id: clientId, scope: scopes.join(' '), orig_iss: original }
    const about = { subject: subject ?? clientId, issuer, audience, expiresInSeconds, additionalClaims }
    const headers = keyPair.createToken(about, () => now).then((token) => Object.freeze({ [header]: token }))
    return { at: now, until: now + expiresInSeconds * 500, headers }
  }

  return {
    header,
    headers(caller) {
      // A grant is what a verifier says of a token: with another subject or scope it is another one.
      const grant = grantOf(caller)
      const now = clock()
      const last = made.get(grant)
      // A clock that was set back must not keep it.
      if (last && now >= last.at && now < last.until) return last.headers
      const next = make(caller, now)
      made.set(grant, next)
      next.headers.catch(() => made.delete(grant))
      return next.headers
    },
    jwks: () => keyPair.jwks(),
  }
}

/** In milliseconds since 1970. */
interface Made {
  readonly at: number
  readonly until: number
  readonly headers: Promise<Readonly<Record<string, string>>>
}

/** Headers that mean something to HTTP or to the protocol, or are read as a credential. */
const taken =
  /^(?:authorization|cookie|host|accept|origin|content-.+|mcp-(?:session-id|protocol-version|method|name|param-.+)|last-event-id|connection|transfer-encoding|te|trailer|upgrade|keep-alive|proxy-.+|expect|date)$/

function checkedOptions(options: IdentityAssertionOptions): Required<IdentityAssertionOptions> {
  checkOptions('identityAssertion', options, known)
  const { keyPair, issuer, audience, header = 'mcp-identity', clock = systemClock } = options
  if (!(keyPair instanceof KeyPair))
    throw new TypeError('identityAssertion: keyPair must be a key pair, for example an ECKeyPair')
  for (const [name, value] of Object.entries({ issuer, audience })) {
    if (typeof value !== 'string' || value === '')
      throw new TypeError(`identityAssertion: ${name} must be a non-empty text`)
  }
  const lower = typeof header === 'string' ? header.toLowerCase() : ''
  if (!/^[a-z0-9][a-z0-9-]{0,63}$/.test(lower) || taken.test(lower))
    throw new TypeError('identityAssertion: header must be the name of a header that has no other meaning')
  if (typeof clock !== 'function') throw new TypeError('identityAssertion: clock must be a function')
  const lifetimeSeconds = numberBetween(
    'identityAssertion: lifetimeSeconds',
    options.lifetimeSeconds ?? 60,
    5,
    3600,
  )
  return { keyPair, issuer, audience, header: lower, lifetimeSeconds, clock }
}
