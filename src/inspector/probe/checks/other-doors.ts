import { type Answer, headerOf } from '../answer.ts'
import { type Ask, CannotTell } from '../bench.ts'
import type { Check } from '../check.ts'
import { inSession, type Message } from '../messages.ts'
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
      ['OPTIONS with a message', { method: 'OPTIONS', message: key }],
    ])
    const get = trial.tried.find(([name]) => name === 'GET')?.[1]
    const head = trial.tried.find(([name]) => name === 'HEAD')?.[1]
    reportAll(bench, 'other-verb-open', 'Answered without a token', trial.tried.filter(isOpened))
    // What a HEAD leads to has no body: whether it is the protocol or a sign of life, nobody sees.
    if (get?.verdict === 'refused' && head && isSuccess(head))
      bench.report('head-open', `GET is refused with ${get.status}, HEAD is answered with ${head.status}.`, [
        get,
        head,
      ])
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

/**
 * Requirement A-14: the transport of 2024-11-05 is often left where it was, beside the endpoint that is guarded. Its stream
 * begins with where to send messages (MCP 2024-11-05, "HTTP with SSE").
 */
export const otherDoors: Check = {
  id: 'other-doors',
  title: 'Doors beside the endpoint without a token',
  needs: ['protected'],
  async run(bench) {
    const { key } = await bench.survey()
    const trial = await askEach(bench, doorsBeside(bench.endpoint.path, key))
    const isOldStream = ([name, answer]: Tried) =>
      name.startsWith('GET') &&
      isStream(answer) &&
      /^event: ?endpoint\s/m.test(answer.response?.body.slice(0, 4096) ?? '')
    const open = trial.tried.filter((one) => one[1].verdict === 'admitted' || isOldStream(one))
    reportAll(bench, 'other-door-open', 'Answered without a token', open)
    trial.finish()
  },
}

/** By these names it is the same program, as good as sure; by others it may be one that is for everybody. */
function doorsBeside(path: string, key: Message): readonly Variation[] {
  const [, folder = '', name = ''] = /^(.*\/)([^/]*)\/?$/.exec(path) ?? []
  const isUsual = /^(?:mcp|sse|messages?)$/.test(name)
  const stream = isUsual ? `${folder}sse` : `${path.replace(/\/$/, '')}/sse`
  const get: Ask = { method: 'GET', target: stream, headers: [['Accept', 'text/event-stream']] }
  return [
    ...(name === 'sse' ? [] : [[`GET ${stream}`, get] as const]),
    ...(isUsual && name !== 'mcp'
      ? [[`POST ${folder}mcp`, { message: key, target: `${folder}mcp` }] as const]
      : []),
  ]
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
    // What is not the endpoint may be of somebody else, and away.
    const here = trial.tried.filter(([, { request }]) => request.target === bench.endpoint.target)
    reportBroken(bench, here)
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
  [
    'headers that name another method',
    [
      ['X-HTTP-Method-Override', 'OPTIONS'],
      ['X-HTTP-Method', 'OPTIONS'],
      ['X-Method-Override', 'OPTIONS'],
    ],
  ],
  // CVE-2025-29927: Next.js skipped its middleware for requests that claimed to come from it.
  [
    'a header that says the check was made already',
    [['X-Middleware-Subrequest', Array(5).fill('middleware').join(':')]],
  ],
]
