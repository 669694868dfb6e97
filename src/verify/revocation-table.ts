import type { StoredRevocation } from '../apikeys/key-store.ts'
import type { AccessToken } from '../core/access-token.ts'
import { checkOptions } from '../core/options.ts'
import { readUnverified } from './compact.ts'
import { digestOf } from './remembered.ts'
import type { CutOff, RevokedToken } from './revocations.ts'

/** What was revoked, by name. Nothing in it is ever taken back: it only ends. */
export interface RevocationTable {
  readonly size: number
  reasonFor(token: AccessToken): 'revoked' | 'cut_off' | undefined
  /** Adds an entry; of two with one name the later end counts, and the later cut-off. */
  add(entry: StoredRevocation): void
  /** Drops what is over at a time in milliseconds since 1970. */
  prune(now: number): void
}

/** Makes an empty {@link RevocationTable}. */
export function revocationTable(): RevocationTable {
  /** Until when (milliseconds since 1970) a token is worth remembering. */
  const tokens = new Map<string, number>()
  const cutOffs = new Map<string, { readonly cutOff: number; readonly until: number }>()

  return {
    get size() {
      return tokens.size + cutOffs.size
    },

    reasonFor(token) {
      if (tokens.size > 0 && namesOf(token).some((name) => tokens.has(name))) return 'revoked'
      return cutOffs.size > 0 && isCutOff(token) ? 'cut_off' : undefined
    },

    add({ name, kind, cutOff, until = Number.POSITIVE_INFINITY }) {
      if (kind === 'token') {
        tokens.set(name, Math.max(until, tokens.get(name) ?? until))
        return
      }
      const known = cutOffs.get(name)
      // One that does not say until when refuses all: it was damaged, and nobody can tell how far it reached.
      const reach = cutOff ?? Number.POSITIVE_INFINITY
      cutOffs.set(name, {
        cutOff: Math.max(reach, known?.cutOff ?? reach),
        until: Math.max(until, known?.until ?? until),
      })
    },

    prune(now) {
      for (const [name, until] of tokens) if (until < now) tokens.delete(name)
      for (const [name, { until }] of cutOffs) if (until < now) cutOffs.delete(name)
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
    const latest = Math.max(...names.map((name) => cutOffs.get(name)?.cutOff ?? Number.NEGATIVE_INFINITY))
    if (latest === Number.NEGATIVE_INFINITY) return false
    const issuedAt = claims.iat
    // One that does not say when it was issued, or in milliseconds, cannot be told from an old one.
    return !(typeof issuedAt === 'number' && issuedAt > latest && issuedAt <= lastSecond)
  }
}

/**
 * The entry that revokes a token.
 * @throws TypeError when it is not said which
 */
export function tokenEntry(which: RevokedToken): StoredRevocation {
  checkOptions('revoke', which, ['token', 'jti', 'issuer', 'expiresAt'])
  refuseUndefined('revoke', which, ['issuer'])
  const name = nameOf(which)
  if (which.expiresAt === undefined) return { name, kind: 'token' }
  return { name, kind: 'token', until: (secondsOf(which.expiresAt) + leastGrace) * 1000 }
}

/**
 * The entry that cuts off an issuer, subject or client.
 * @param now seconds since 1970, for when no moment is given
 * @throws TypeError when a member has the wrong type
 */
export function cutOffEntry(which: CutOff, now: number): StoredRevocation & { readonly cutOff: number } {
  checkOptions('cutOff', which, ['issuer', 'subject', 'clientId', 'issuedUntil'])
  refuseUndefined('cutOff', which, ['subject', 'clientId'])
  const { issuer, subject, clientId, issuedUntil } = which
  const cutOff = issuedUntil === undefined ? now : secondsOf(issuedUntil)
  if (subject !== undefined && clientId !== undefined) {
    throw new TypeError('cutOff: subject and clientId exclude each other; call it twice')
  }
  const name = cutOffName(text('issuer', issuer), ...narrowing(subject, clientId))
  return { name, kind: 'cut_off', cutOff }
}

/** Seconds an entry outlives its token: the greatest clock skew a verifier can be given. */
const leastGrace = 300

/** 9999-12-31T23:59:59Z. What lies beyond was written in milliseconds. */
const lastSecond = 253_402_300_799

/** A name longer than this is replaced by its digest: what a database takes as a key is no longer. */
const longestName = 1000

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
  return encoded([issuer ?? null, jti])
}

function narrowing(subject: unknown, clientId: unknown): [] | ['sub' | 'client', string] {
  if (subject !== undefined) return ['sub', text('subject', subject)]
  return clientId === undefined ? [] : ['client', text('clientId', clientId)]
}

/** A cut-off of a whole issuer has no kind. */
function cutOffName(issuer: string, ...narrowed: [] | ['sub' | 'client', string]): string {
  return encoded([issuer, ...narrowed])
}

/** One or three parts are a cut-off, and two a token: one name is never both. */
function encoded(parts: readonly (string | null)[]): string {
  const name = JSON.stringify(parts)
  return name.length > longestName ? `long:${digestName(name)}` : name
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
