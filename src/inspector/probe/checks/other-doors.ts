import { type Answer, headerOf } from '../answer.ts'
import { CannotTell } from '../bench.ts'
import type { Check } from '../check.ts'
import { inSession } from '../messages.ts'
import { isPastGate } from '../survey.ts'
import { askEach, reportAll, reportBroken, type Tried, type Variation } from './ask-each.ts'

/** Requirement A-14: authentication is for every request, whatever its method. */
export const otherVerbs: Check = {
  id: 'other-verbs',
  title: 'Other methods without a token',
  needs: ['protected'],
  async run(bench) {
    const { key } = await bench.survey()
    const stream = [['Accept', 'text/event-stream']] as const
    const trial = await askEach(bench, [
      ['GET', { method: 'GET', headers: stream }],
      ['HEAD', { method: 'HEAD', headers: stream }],
      ['DELETE', { method: 'DELETE' }],
      ['PUT', { method: 'PUT', message: key }],
      ['PATCH', { method: 'PATCH', message: key }],
    ])
    const get = trial.tried.find(([name]) => name === 'GET')?.[1]
    // What a HEAD leads to has no body: it is open if the same GET is not, and it succeeds.
    const isHeadOpen = ([name, answer]: Tried) =>
      name === 'HEAD' && get?.verdict === 'refused' && isSuccess(answer)
    const open = trial.tried.filter((one) => isOpened(one) || isHeadOpen(one))
    reportAll(bench, 'other-verb-open', 'Answered without a token', open)
    reportBroken(bench, trial.tried)
    trial.finish()
  },
}

/** A page for people may be anywhere; a stream of events, or the result of a request, is the protocol. */
function isOpened([name, answer]: Tried): boolean {
  return isPastGate(answer) || (name.startsWith('GET') && isStream(answer))
}

function isStream({ status, response }: Answer): boolean {
  return status === 200 && /^text\/event-stream\b/i.test(headerOf(response, 'content-type') ?? '')
}

/** Requirements A-15, D-60: a session is no credential (MCP 2025-11-25, "Session Hijacking"). */
export const sessionAlone: Check = {
  id: 'session-alone',
  title: 'A session without the token that opened it',
  needs: ['protected', 'admitted'],
  async run(bench) {
    const { session } = await bench.survey()
    if (session === undefined) throw new CannotTell('The server opens no sessions.')
    const named = [['Mcp-Session-Id', session]] as const
    const version = ['MCP-Protocol-Version', '2025-11-25'] as const
    const stream = ['Accept', 'text/event-stream'] as const
    const trial = await askEach(bench, [
      ['POST', { message: inSession('tools/list', session) }],
      ['GET', { method: 'GET', headers: [...named, version, stream] }],
      ['DELETE', { method: 'DELETE', headers: [...named, version] }],
    ])
    const isTaken = (one: Tried) => isOpened(one) || (one[0] === 'DELETE' && isSuccess(one[1]))
    reportAll(bench, 'session-without-token', 'Answered without a token', trial.tried.filter(isTaken))
    trial.finish()
  },
}

function isSuccess({ status }: Answer): boolean {
  return status === 200 || status === 202 || status === 204
}

/** Requirements, D-07: neither another spelling of the path nor a header of a proxy opens the endpoint. */
export const otherSpellings: Check = {
  id: 'other-spellings',
  title: 'Other spellings of the address without a token',
  needs: ['protected'],
  async run(bench) {
    const { key } = await bench.survey()
    const targets = spellingsOf(bench.endpoint.path).filter(
      (target) => target !== bench.endpoint.target && bench.canAsk(target),
    )
    const trial = await askEach(bench, [
      ...targets.map((target): Variation => [target, { message: key, target }]),
      ...proxyHeaders.map(([name, headers]): Variation => [name, { message: key, headers }]),
    ])
    const open = trial.tried.filter(([, { verdict }]) => verdict === 'admitted')
    reportAll(bench, 'other-spelling-open', 'Admitted without a token', open)
    reportBroken(bench, trial.tried)
    trial.finish()
  },
}

/** What one part of a server may take for the endpoint, and another for something else. */
function spellingsOf(path: string): string[] {
  const [, folder = '/', first = '', rest = ''] = /^(.*\/)([^/]?)([^/]*)\/?$/.exec(path) ?? []
  const encoded = first === '' ? [] : [`${folder}%${first.charCodeAt(0).toString(16)}${rest}`]
  const plain = path === '/' ? '' : path.replace(/\/$/, '')
  const all = [
    path.endsWith('/') ? plain : `${path}/`,
    `/${path}`,
    ...encoded,
    path.toUpperCase(),
    `${plain};x`,
    `${path}?x=1`,
    `/.${path}`,
    `/x/..${path}`,
    `/health/..%2f${path.slice(1)}`,
    `${plain}%2f`,
    `${plain}.json`,
  ]
  return [...new Set(all.filter((one) => one.startsWith('/')))]
}

const proxyHeaders: readonly (readonly [string, readonly (readonly [string, string])[]])[] = [
  [
    'X-Original-URL and X-Rewrite-URL',
    [
      ['X-Original-URL', '/health'],
      ['X-Rewrite-URL', '/health'],
    ],
  ],
  [
    'X-Forwarded headers that say the request is of this machine',
    [
      ['X-Forwarded-For', '127.0.0.1'],
      ['X-Real-IP', '127.0.0.1'],
      ['X-Forwarded-Host', 'localhost'],
      ['Forwarded', 'for=127.0.0.1;host=localhost'],
    ],
  ],
]
