import { type Answer, headerOf } from '../answer.ts'
import { type Bench, CannotTell } from '../bench.ts'
import type { Check } from '../check.ts'
import { forgedJwts } from '../forged-jwts.ts'
import { encodePart, jwtOf, type ReadJwt, randomText, readJwt, withOneChange } from '../guesses.ts'
import { isPastGate } from '../survey.ts'
import { askEach, reportAll, reportBroken, type Tried } from './ask-each.ts'

/** Requirements B-02, B-11, K03: a copy of a good token that was changed anywhere is worth nothing. */
export const alteredToken: Check = {
  id: 'altered-token',
  title: 'Altered copies of your token',
  needs: ['protected', 'admitted'],
  async run(bench) {
    const { token = '' } = bench
    const { key } = await bench.survey()
    const jwt = readJwt(token)
    const copies = (jwt ? await alteredJwts(jwt, bench.clock()) : alteredTexts(token)).filter(
      ([, copy]) => copy !== token,
    )
    // A copy is as secret as the original: most of it is the same.
    for (const [, copy] of copies) bench.hide(copy)
    const trial = await askEach(
      bench,
      copies.map(([name, copy]) => [name, { message: key, authorization: `Bearer ${copy}`, isGuess: true }]),
    )
    const admitted = trial.tried.filter(([, answer]) => isPastGate(answer))
    const isInCapitals = ([name]: Tried) => name === upperCase
    reportAll(
      bench,
      'altered-token-admitted',
      'Admitted',
      admitted.filter((one) => !isInCapitals(one)),
    )
    reportAll(bench, 'token-case', 'Admitted', admitted.filter(isInCapitals))
    reportBroken(bench, trial.tried)
    trial.finish()
  },
}

const upperCase = 'your token in capitals'

type Copies = readonly (readonly [name: string, copy: string])[]

async function alteredJwts({ header, claims, parts }: ReadJwt, now: number): Promise<Copies> {
  const [head, payload, signature] = parts
  const anotherSubject = encodePart({ ...claims, sub: `probe-${randomText(8)}` })
  const expired = { ...claims, exp: Math.floor(now / 1000) - 86_400 }
  const unsigned = { ...header, alg: 'none' }
  return [
    ['your token with another subject', `${head}.${anotherSubject}.${signature}`],
    ['your token with another signature', `${head}.${payload}.${withOneChange(signature)}`],
    ['your token cut short', `${head}.${payload}.${signature.slice(0, signature.length / 2)}`],
    ['your token unsigned (alg none)', jwtOf(unsigned, claims, '')],
    ['your token with alg none and its old signature', jwtOf(unsigned, claims, signature)],
    ['your token unsigned (alg NONE, in capitals)', jwtOf({ ...header, alg: 'NONE' }, claims, '')],
    // CVE-2022-21449: a signature of zeros fitted everything.
    ...(header.alg === 'ES256'
      ? [['your token with a signature of zeros', `${head}.${payload}.${zeros}`] as const]
      : []),
    ...(await forgedJwts(header, claims)),
    ['your token expired and unsigned', jwtOf(unsigned, expired, '')],
    [
      'your token with another key id',
      `${encodePart({ ...header, kid: `probe-${randomText(8)}` })}.${payload}.${signature}`,
    ],
  ]
}

/** 64 bytes of zero, in base64url. */
const zeros = 'A'.repeat(86)

function alteredTexts(token: string): Copies {
  // In hexadecimal digits, capitals are the same number.
  const hasCase = !/^[\da-f-]+$/i.test(token)
  return [
    ['your token with one character changed', withOneChange(token)],
    // What fills base64 up says nothing.
    ['your token without its last character', token.replace(/=+$/, '').slice(0, -1)],
    ['your token twice in a row', `${token}${token}`],
    ...(hasCase ? [[upperCase, token.toUpperCase()] as const] : []),
  ]
}

/** Requirements B-41, B-45: what a token that was taken says of how it was made. Nothing of it is trusted. */
export const tokenClaims: Check = {
  id: 'token-claims',
  title: 'What your token says',
  needs: ['protected', 'admitted'],
  async run(bench) {
    const jwt = readJwt(bench.token ?? '')
    if (!jwt) throw new CannotTell('Your token is no JWT: only its issuer knows what it means.')
    const { good } = await bench.survey()
    const seen = good ? [good] : []
    checkTimes(bench, jwt, good)
    checkAudience(bench, jwt, seen)
    const { alg } = jwt.header
    if (typeof alg === 'string' && /^HS\d/.test(alg))
      bench.report('shared-secret', `Its algorithm is ${alg.slice(0, 10)}.`, seen)
    if (typeof alg !== 'string' || alg.toLowerCase() === 'none')
      bench.report(
        'altered-token-admitted',
        'Your token itself is unsigned (alg none), and was admitted.',
        seen,
      )
  },
}

const day = 86_400

function checkTimes(bench: Bench, { claims }: ReadJwt, good: Answer | undefined): void {
  const { exp, iat } = claims
  const seen = good ? [good] : []
  if (exp === undefined) bench.report('token-without-expiry', 'It has no exp.', seen)
  if (typeof exp !== 'number') return
  const from = typeof iat === 'number' ? iat : bench.clock() / 1000
  const days = Math.round((exp - from) / day)
  if (exp - from > day)
    bench.report(
      'token-lives-long',
      `It is good for ${days === 1 ? 'more than a day' : `about ${days} days`}.`,
      seen,
    )
  // The clock of this machine may be the one that is wrong: that of the server (RFC 9110 section 6.6.1) must agree.
  const theirs = Date.parse(headerOf(good?.response, 'date') ?? '') || bench.clock()
  if (exp < Math.min(bench.clock(), theirs) / 1000 - 300)
    bench.report('expired-token-admitted', 'Its exp is more than five minutes in the past.', seen)
}

function checkAudience(bench: Bench, { claims }: ReadJwt, seen: readonly Answer[]): void {
  const { aud } = claims
  const list = (Array.isArray(aud) ? aud : [aud]).filter((one) => typeof one === 'string')
  const { origin, isLoopback } = bench.endpoint
  if (list.length === 0) bench.report('token-without-audience', 'It has no aud.', seen)
  // A server on this machine goes by another name elsewhere.
  if (list.length === 0 || isLoopback) return
  const isForHere = list.some((one) => URL.canParse(one) && new URL(one).origin === origin)
  if (!isForHere) bench.report('token-for-another-name', `Its aud is ${list.join(', ').slice(0, 200)}.`, seen)
}
