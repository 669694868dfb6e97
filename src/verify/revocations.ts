import type { AccessToken } from '../core/access-token.ts'
import { type Clock, systemClock } from '../core/clock.ts'
import { checkOptions } from '../core/options.ts'
import { readUnverified } from './compact.ts'
import { digestOf } from './remembered.ts'

/** Knows which tokens are good no longer. Asked on every request: it answers from memory. */
export interface Revocations {
  /** `revoked` for this one token, `cut_off` when all that were issued until a certain time are, else `undefined`. */
  reasonFor(token: AccessToken): 'revoked' | 'cut_off' | undefined
}

/** One token that is revoked: by its text, or by the id its issuer gave it. */
export interface RevokedToken {
  /** The token itself, nothing before or after it; only its digest is kept. Of a JWT also the spellings that differ in the signature. */
  readonly token?: string
  /** The `jti` claim (RFC 7519 section 4.1.7), instead of `token`. */
  readonly jti?: string
  /** The `iss` claim; ids are unique only within an issuer. Needed with `jti`, unless the tokens carry no `iss`. */
  readonly issuer?: string
  /** When the token expires anyway, and may be forgotten; a `Date`, or seconds since 1970. Default: never. */
  readonly expiresAt?: Date | number
}

/** All tokens of an issuer, or of one subject or client of it, that were issued until a moment. */
export interface CutOff {
  /** The `iss` claim. */
  readonly issuer: string
  /** Only tokens with this `sub`. */
  readonly subject?: string
  /** Only tokens of this client. */
  readonly clientId?: string
  /** The moment. Default: now. A token issued in the same second counts as issued before (`iat` knows no less). */
  readonly issuedUntil?: Date
}

/** Revocations in the memory of this process. */
export interface MemoryRevocations extends Revocations {
  /** Refuses one token from now on. @throws TypeError when it is not said which */
  revoke(which: RevokedToken): void
  /** Refuses all tokens of an issuer, subject or client until a moment; of several, the latest that applies counts. @throws TypeError when a member has the wrong type */
  cutOff(which: CutOff): void
  /** How many entries there are. */
  readonly size: number
}

/**
 * A list of revoked tokens in the memory of this process: it is empty after a restart, and other processes know nothing
 * of it. Entries of single tokens go when the token has expired.
 *
 * @example
 * ```ts
 * import { jwtVerifier, memoryRevocations, revocable } from 'mcp-bearer/verify'
 *
 * const issuer = 'https://idp.example.com'
 * const revocations = memoryRevocations()
 * const verifier = revocable(jwtVerifier({ jwksUri: `${issuer}/jwks`, issuer, audience: 'my-server' }), revocations)
 *
 * revocations.revoke({ issuer, jti: 'f81d4fae' })
 * revocations.cutOff({ issuer, subject: 'alice' }) // she has to sign in again, everywhere
 * ```
 */
export function memoryRevocations(clock: Clock = systemClock): MemoryRevocations {
  if (typeof clock !== 'function') throw new TypeError('memoryRevocations: clock must be a function')
  /** Until when (seconds since 1970) a token is worth remembering. */
  const tokens = new Map<string, number>()
  /** Seconds since 1970. */
  const cutOffs = new Map<string, number>()
  let nextSweep = 0

  return {
    get size() {
      return tokens.size + cutOffs.size
    },

    reasonFor(token) {
      if (tokens.size > 0 && namesOf(token).some((name) => tokens.has(name))) return 'revoked'
      return cutOffs.size > 0 && isCutOff(token) ? 'cut_off' : undefined
    },

    revoke(which) {
      checkOptions('revoke', which, ['token', 'jti', 'issuer', 'expiresAt'])
      refuseUndefined('revoke', which, ['issuer'])
      sweep()
      const until = which.expiresAt === undefined ? Number.POSITIVE_INFINITY : secondsOf(which.expiresAt)
      const name = nameOf(which)
      tokens.set(name, Math.max(until + leastGrace, tokens.get(name) ?? 0))
    },

    cutOff(which) {
      checkOptions('cutOff', which, ['issuer', 'subject', 'clientId', 'issuedUntil'])
      refuseUndefined('cutOff', which, ['subject', 'clientId'])
      const { issuer, subject, clientId, issuedUntil } = which
      const until = issuedUntil === undefined ? clock() / 1000 : secondsOf(issuedUntil)
      if (subject !== undefined && clientId !== undefined) {
        throw new TypeError('cutOff: subject and clientId exclude each other; call it twice')
      }
      const name = cutOffName(text('issuer', issuer), ...narrowing(subject, clientId))
      cutOffs.set(name, Math.max(until, cutOffs.get(name) ?? until))
    },
  }

  /** The maximum of all that apply, compared with `<=`: a token of the very second is not newer. */
  function isCutOff({ issuer, subject, clientId, claims }: AccessToken): boolean {
    if (issuer === undefined) return false
    const names = [
      cutOffName(issuer),
      cutOffName(issuer, 'client', clientId),
      ...(subject === undefined ? [] : [cutOffName(issuer, 'sub', subject)]),
    ]
    const latest = Math.max(...names.map((name) => cutOffs.get(name) ?? Number.NEGATIVE_INFINITY))
    if (latest === Number.NEGATIVE_INFINITY) return false
    const issuedAt = claims.iat
    // One that does not say when it was issued, or in milliseconds, cannot be told from an old one.
    return !(typeof issuedAt === 'number' && issuedAt > latest && issuedAt <= lastSecond)
  }

  /** Now and then, so that revoking stays cheap. */
  function sweep(): void {
    const now = clock() / 1000
    if (now < nextSweep) return
    nextSweep = now + 60
    for (const [name, until] of tokens) if (until < now) tokens.delete(name)
  }
}

/** Seconds an entry outlives its token: the greatest clock skew a verifier can be given. */
const leastGrace = 300

/** 9999-12-31T23:59:59Z. What lies beyond was written in milliseconds. */
const lastSecond = 253_402_300_799

/** The names under which a token may have been revoked. */
function namesOf({ token, issuer, claims }: AccessToken): readonly string[] {
  const { jti } = claims
  const names = [digestName(token)]
  if (token.includes('.')) names.push(signedName(token))
  // RFC 7519 section 4.1.7: a text; not everybody keeps to it.
  if (typeof jti === 'string' || typeof jti === 'number') names.push(idName(issuer, String(jti)))
  return names
}

function nameOf({ token, jti, issuer }: RevokedToken): string {
  if ((token === undefined) === (jti === undefined)) throw new TypeError('revoke: give either token or jti')
  if (token === undefined) {
    return idName(issuer === undefined ? undefined : text('issuer', issuer), text('jti', jti))
  }
  // Copied together with what stands around it, it would be another text, and nothing revoked.
  if (/^\s|\s$|^bearer\s/i.test(text('token', token))) {
    throw new TypeError('revocations: token must be the token alone, without Bearer or blanks')
  }
  return readUnverified(token) === undefined ? digestName(token) : signedName(token)
}

/**
 * The name of all JWTs with this header and payload. Whoever holds one that is signed with ECDSA can make a second
 * signature of it that is as good (n − s in the place of s), and so must not get away with it.
 */
function signedName(token: string): string {
  return `signed:${digestName(token.slice(0, token.lastIndexOf('.')))}`
}

function digestName(token: string): string {
  const digest = digestOf(token)
  if (digest === undefined) throw new TypeError('revocations need a runtime with node:crypto')
  return digest
}

/** Encoded so that no two pairs look alike, nor like a digest. */
function idName(issuer: string | undefined, jti: string): string {
  return JSON.stringify([issuer ?? null, jti])
}

function narrowing(subject: unknown, clientId: unknown): [] | ['sub' | 'client', string] {
  if (subject !== undefined) return ['sub', text('subject', subject)]
  return clientId === undefined ? [] : ['client', text('clientId', clientId)]
}

/** A cut-off of a whole issuer has no kind. */
function cutOffName(issuer: string, ...narrowed: [] | ['sub' | 'client', string]): string {
  return JSON.stringify([issuer, ...narrowed])
}

function text(name: string, value: unknown): string {
  if (typeof value === 'string' && value !== '') return value
  throw new TypeError(`revocations: ${name} must be a non-empty string`)
}

/** A variable that was not set must not cut off everybody, nor revoke the id of an issuer that has no name. */
function refuseUndefined(owner: string, which: object, names: readonly string[]): void {
  const unset = names.find((name) => Object.hasOwn(which, name) && Reflect.get(which, name) === undefined)
  if (unset !== undefined)
    throw new TypeError(`${owner}: ${unset} is undefined; leave it out if it is not meant`)
}

function secondsOf(value: Date | number): number {
  const seconds = value instanceof Date ? value.getTime() / 1000 : value
  if (!Number.isFinite(seconds) || seconds > lastSecond)
    throw new TypeError('revocations: give a Date, or seconds since 1970')
  return seconds
}
