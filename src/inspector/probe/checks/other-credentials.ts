import { type Answer, challengeOf } from '../answer.ts'
import { CannotTell } from '../bench.ts'
import type { Check } from '../check.ts'
import { randomText } from '../guesses.ts'
import type { Message } from '../messages.ts'
import { isPastGate } from '../survey.ts'
import { askEach, reportAll, reportBroken, type Variation } from './ask-each.ts'

/** Requirements A-02, A-03, A-13, A-31: what is no bearer token in its header opens nothing. */
export const otherCredentials: Check = {
  id: 'other-credentials',
  title: 'Credentials that are not a bearer token',
  needs: ['protected'],
  async run(bench) {
    const { key, baseline } = await bench.survey()
    const trial = await askEach(
      bench,
      credentials().map(([name, ask]) => [name, { message: key, ...ask }]),
    )
    const admitted = trial.tried.filter(([, answer]) => isPastGate(answer))
    reportAll(bench, 'other-credential-admitted', 'Admitted', admitted)
    reportBroken(bench, trial.tried)
    const cookie = trial.tried.find(([name]) => name === inCookie)?.[1]
    if (cookie && isLookedAt(cookie, baseline))
      bench.report(
        'token-in-cookie',
        'A random token in a cookie is answered with invalid_token; without it, the challenge has no error.',
        [baseline, cookie],
      )
    trial.finish()
  },
}

const inCookie = 'a random token in a cookie'

/** Whether a server that spoke of no error before now says that a token is not good. */
function isLookedAt(answer: Answer, baseline: Answer): boolean {
  const [before, now] = [baseline, answer].map((one) => challengeOf(one)?.error)
  return answer.verdict === 'refused' && now === 'invalid_token' && before !== now
}

/** Values are random: none is right anywhere. */
function credentials(): readonly Variation[] {
  const text = randomText(24)
  return [
    ['Basic with a random password', { authorization: `Basic ${btoa(`probe:${text}`)}` }],
    ['"Bearer" and no token', { authorization: 'Bearer' }],
    ['an unknown scheme', { authorization: `Probe ${text}` }],
    [inCookie, { headers: [['Cookie', `access_token=${text}; token=${text}; session=${text}`]] }],
    ['headers in which a proxy names the user', { headers: proxyHeaders(text) }],
  ]
}

function proxyHeaders(text: string): readonly (readonly [string, string])[] {
  return [
    ['X-Forwarded-User', 'admin'],
    ['X-Forwarded-Email', 'admin@example.com'],
    ['X-Auth-Request-User', 'admin'],
    ['X-Remote-User', 'admin'],
    ['X-Forwarded-Access-Token', text],
    ['X-Original-Authorization', `Bearer ${text}`],
  ]
}

/** Requirement A-02. The token itself is never put into a URL: a random text shows whether anybody looks there. */
export const queryToken: Check = {
  id: 'query-token',
  title: 'A token in the address',
  needs: ['protected'],
  async run(bench) {
    const { key, baseline } = await bench.survey()
    const { target } = bench.endpoint
    const query = `access_token=${randomText(32)}`
    const answer = await bench.ask({
      message: key,
      target: `${target}${target.includes('?') ? '&' : '?'}${query}`,
      isGuess: true,
    })
    if (isPastGate(answer))
      return bench.report('other-credential-admitted', 'Admitted: a random ?access_token= in the address.', [
        answer,
      ])
    if (answer.verdict === 'silent') throw new CannotTell('The server did not answer.')
    if (isLookedAt(answer, baseline))
      bench.report(
        'token-in-query',
        'A random ?access_token= is answered with invalid_token; without it, the challenge has no error.',
        [baseline, answer],
      )
  },
}

/** RFC 6750 section 2.2 knows tokens in forms; MCP does not. Random ones again. */
export const bodyToken: Check = {
  id: 'body-token',
  title: 'A token in the body',
  needs: ['protected'],
  async run(bench) {
    const { key, baseline } = await bench.survey()
    const trial = await askEach(bench, [
      ['in a form', { message: inForm(key), isGuess: true }],
      ['in the message', { message: inMessage(key), isGuess: true }],
    ])
    const admitted = trial.tried.filter(([, answer]) => isPastGate(answer))
    reportAll(bench, 'other-credential-admitted', 'Admitted: a random token', admitted)
    const looked = trial.tried.filter(([, answer]) => isLookedAt(answer, baseline))
    reportAll(bench, 'token-in-body', 'A random token is answered with invalid_token', looked)
    trial.finish()
  },
}

function inForm(key: Message): Message {
  const headers = key.headers.filter(([name]) => name !== 'Content-Type')
  return {
    ...key,
    headers: [...headers, ['Content-Type', 'application/x-www-form-urlencoded']],
    body: `access_token=${randomText(32)}`,
  }
}

/** Beside the parameters, in them, and in their `_meta`: where servers that met no header look. */
function inMessage(key: Message): Message {
  const text = randomText(32)
  const credentials = { access_token: text, token: text, authorization: `Bearer ${text}` }
  const message = JSON.parse(key.body) as { params?: { _meta?: object } }
  const _meta = { ...message.params?._meta, ...credentials }
  return {
    ...key,
    body: JSON.stringify({
      ...message,
      ...credentials,
      params: { ...message.params, ...credentials, _meta },
    }),
  }
}
