import { type JsonObject, own } from '../../verify/json.ts'
import { distance, timeText } from './times.ts'
import { dateOfSeconds, scopesIn } from './token-facts.ts'

/** Milliseconds by which clocks may disagree; the verifier's default. */
const skew = 60_000
/** Seconds from here on are milliseconds by mistake: the year 5138. */
const milliseconds = 100_000_000_000

/** What a server would likely say of a token, and what else is worth a look. The signature is another question. */
export function jwtWarnings(header: JsonObject, claims: JsonObject, now: number): string[] {
  return [...headerWarnings(header), ...timeWarnings(claims, now), ...claimWarnings(claims)]
}

function headerWarnings(header: JsonObject): string[] {
  const alg = own(header, 'alg')
  const typ = own(header, 'typ')
  const from = ['jku', 'x5u', 'jwk', 'x5c'].filter((name) => Object.hasOwn(header, name))
  return [
    ...(typeof alg === 'string' && alg.toLowerCase() === 'none'
      ? ['It is not signed at all (alg none): everybody can write one. No server may take it.']
      : []),
    ...(typeof alg === 'string' && alg.startsWith('HS')
      ? [`It is signed with a shared secret (${alg}): whoever can check it can make one.`]
      : []),
    ...(typeof typ === 'string' && !/^(?:application\/)?(?:at\+)?jwt$/i.test(typ)
      ? ['Its typ is not that of an access token (JWT or at+jwt).']
      : []),
    ...(Object.hasOwn(header, 'crit') ? ['It has a crit header, which servers of this package refuse.'] : []),
    ...(from.length > 0
      ? [`It brings along where its key is (${from.join(', ')}). Whoever made it wrote that: never followed.`]
      : []),
  ]
}

function timeWarnings(claims: JsonObject, now: number): string[] {
  const [exp, nbf, iat] = ['exp', 'nbf', 'iat'].map((name) => own(claims, name))
  const times = Object.entries({ exp, nbf, iat })
  return [
    ...times.flatMap(([name, value]) => (value === undefined ? [] : unitWarnings(name, value))),
    ...(exp === undefined
      ? ['It never expires (no exp): servers refuse it unless they are told not to.']
      : []),
    ...(isBefore(exp, now - skew) ? [`It has expired, ${when(exp, now)}.`] : []),
    ...(isBefore(exp, now) && !isBefore(exp, now - skew)
      ? ['It has just expired; clocks may disagree by a minute.']
      : []),
    ...(isAfter(nbf, now + skew) ? [`It is not valid yet; it will be, ${when(nbf, now)}.`] : []),
    ...(isAfter(iat, now + skew)
      ? [`It says that it was made in the future (iat), ${when(iat, now)}: is a clock wrong?`]
      : []),
  ]
}

function unitWarnings(name: string, value: unknown): string[] {
  if (typeof value !== 'number') return [`${name} is no number of seconds.`]
  return value >= milliseconds
    ? [`${name} looks like milliseconds; seconds are meant (RFC 7519 section 2).`]
    : []
}

function claimWarnings(claims: JsonObject): string[] {
  const has = (name: string) => Object.hasOwn(claims, name)
  const isIdToken = ['nonce', 'at_hash', 'c_hash'].some(has)
  return [
    ...(isIdToken
      ? ['It looks like an ID token, which says who logged in. A server wants the access token.']
      : []),
    ...(has('cnf')
      ? ['It is bound to a key of its client (cnf): sent as a plain bearer token it is refused.']
      : []),
    ...(has('iss') ? [] : ['It does not say who made it (iss).']),
    ...(has('aud')
      ? []
      : ['It does not say whom it is for (aud): it works at every server that does not ask.']),
    ...(has('sub') || has('client_id') || has('azp') ? [] : ['It names neither a subject nor a client.']),
    ...(has('scope') || has('scp') ? [] : ['It has no scopes (scope, scp).']),
    ...((has('scope') || has('scp')) && scopesIn(claims) === undefined
      ? ['Its scopes are neither a text nor a list of scopes: servers refuse it.']
      : []),
  ]
}

function isBefore(seconds: unknown, moment: number): boolean {
  return typeof seconds === 'number' && seconds * 1000 <= moment
}

function isAfter(seconds: unknown, moment: number): boolean {
  return typeof seconds === 'number' && seconds * 1000 > moment
}

function when(seconds: unknown, now: number): string {
  const date = dateOfSeconds(seconds)
  return date === undefined ? 'at no time of a calendar' : `${distance(date, now)} (${timeText(date)})`
}
