import fc from 'fast-check'
import type { MCPServer } from 'mcp-bearer/server'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { alice, bob, type Revision, revisions, rpc } from './fixtures.ts'
import { expectSame, type Sent, type States } from './lanes-compare.ts'
import { requests } from './lanes-requests.ts'
import { host, onSockets } from './lanes-sockets.ts'
import { everything, promptNames, toolNames, uris, type World, world } from './lanes-worlds.ts'

// Refusals are errors, thousands of them; nobody reads where each was made.
const traced = Error.stackTraceLimit
beforeAll(() => {
  Error.stackTraceLimit = 0
})
afterAll(() => {
  Error.stackTraceLimit = traced
})

const open: { close(): unknown }[] = []
afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.close()))
})

function opened(settings: Parameters<typeof world>[0] = {}): World {
  const both = world(settings)
  open.push(both.fast.server, both.slow.server)
  return both
}

/** Sends generated requests to both sides, the same ones each time. */
async function sendMany(both: World, numRuns: number, seed: number): Promise<void> {
  // What failed is shown as it was sent: to make it smaller would take longer than to read it.
  await fc.assert(
    fc.asyncProperty(requests(), async (sent) => void (await expectSame(both, sent))),
    { seed, numRuns, endOnFailure: true },
  )
}

function sentBy(
  token: string,
  revision: Revision,
  method: string,
  params: Record<string, unknown> = {},
): Sent {
  const { headers, body } = rpc(method, params, revision)
  return { verb: 'POST', headers: [...Object.entries(headers), ['authorization', `Bearer ${token}`]], body }
}

describe('the fast lane answers as the slow lane does, in status, headers and body, and runs the same', () => {
  it('7,800 generated requests of both revisions to a server without sessions', async () => {
    await sendMany(opened(), 7_800, 20_261_126)
  }, 120_000)

  it('400 to a server with sessions and the transport of 2024-11-05', async () => {
    await sendMany(opened({ http: { sessions: true, legacySse: true } }), 400, 1)
  })

  it('300 to a server without protection', async () => {
    await sendMany(opened({ isOpen: true }), 300, 2)
  })

  it('600 to servers that let anybody in to some of it', async () => {
    await sendMany(
      opened({ options: { anonymous: ['tools/list', 'server/discover', 'tools/call'] } }),
      300,
      3,
    )
    await sendMany(
      opened({ options: { optionalAuth: true, limits: { requestsPerMinute: 5, pageSize: 3 } } }),
      300,
      4,
    )
  })

  it('200 to a server that has nothing', async () => {
    await sendMany(opened({ fill: () => {} }), 200, 5)
  })

  it('200 to a server whose tools, resources and prompts come and go', async () => {
    const both = opened({ fill: () => {} })
    const sides = [both.fast.server, both.slow.server]
    for (const [at, sent] of fc.sample(requests(), { seed: 6, numRuns: 200 }).entries()) {
      if (at === 50 || at === 150) for (const server of sides) everything(server, () => {})
      if (at === 100) for (const server of sides) removeAll(server)
      await expectSame(both, sent)
    }
  })
})

describe('over real connections, where headers come twice and bytes are bytes', () => {
  it('500 generated requests are answered the same', async () => {
    const both = opened({ http: { allowedHosts: [host] } })
    const sockets = await onSockets(both)
    open.push(sockets)
    for (const sent of fc.sample(requests(), { seed: 8, numRuns: 500 })) {
      await expectSame(both, sent, [], sockets.ask)
    }
  })

  it('a header that stands twice with one value is one that disagrees with the body', async () => {
    const both = opened({ http: { allowedHosts: [host] } })
    const sockets = await onSockets(both)
    open.push(sockets)
    for (const name of ['mcp-method', 'mcp-name', 'mcp-protocol-version']) {
      const sent = sentBy(alice, '2026-07-28', 'tools/call', { name: 'echo', arguments: { text: 'x' } })
      const again = sent.headers.find(([each]) => each === name)!
      const answer = await expectSame(both, { ...sent, headers: [...sent.headers, again] }, [], sockets.ask)
      expect(answer.status).toBe(400)
    }
  })
})

describe('the rounds of a call', () => {
  const form = { 'input-1': { action: 'accept', content: { name: 'Eve', n: 1 } } }
  const answers: Record<string, unknown> = { ...form, 'input-2': { roots: [{ uri: 'file:///x' }] } }
  const said = { role: 'assistant', content: { type: 'text', text: 'yes' }, model: 'm' }

  it('what one lane has signed the other one takes, and what was changed neither', async () => {
    const both = opened()
    const states: States = []
    const call = { name: 'asks', arguments: {} }
    const asked = await expectSame(both, asking(bob, 'tools/call', call), states)
    expect(asked.body).toMatchObject({ result: { resultType: 'input_required' } })
    expect(states).toHaveLength(2)
    for (const requestState of states) {
      const answer = { ...call, requestState, inputResponses: form }
      expect(await expectSame(both, asking(bob, 'tools/call', answer))).toMatchObject({
        body: { result: { content: [{ text: 'accept {"name":"Eve"}' }] } },
      })
      const forged = { ...answer, requestState: flipped(requestState) }
      for (const sent of [
        asking(alice, 'tools/call', answer),
        asking(bob, 'tools/call', forged),
        asking(bob, 'tools/call', { ...answer, arguments: { other: 1 } }),
        asking(bob, 'tools/call', { ...answer, name: 'asks_twice' }),
        asking(bob, 'resources/read', { ...answer, uri: 'asking://x' }),
      ])
        expect((await expectSame(both, sent)).body).toHaveProperty('error')
    }
  })

  it('goes on in the other lane, round after round', async () => {
    const both = opened()
    const call = { name: 'asks_twice', arguments: {} }
    const [first, second, third]: [States, States, States] = [[], [], []]
    await expectSame(both, asking(bob, 'tools/call', call), first)
    for (const requestState of first)
      await expectSame(
        both,
        asking(bob, 'tools/call', { ...call, requestState, inputResponses: answers }),
        second,
      )
    expect(second).toHaveLength(4)
    for (const requestState of second) {
      const answer = { ...call, requestState, inputResponses: { 'input-3': said } }
      const done = await expectSame(both, asking(bob, 'tools/call', answer), third)
      expect(done.body).toMatchObject({ result: { structuredContent: { said } } })
    }
    expect(third).toEqual([])
  })

  it.each([
    ['prompts/get', { name: 'asking' }],
    ['resources/read', { uri: 'asking://x' }],
  ])('of %s, and none for a client that cannot be asked', async (method, params) => {
    const both = opened()
    const states: States = []
    await expectSame(both, asking(bob, method, params), states)
    for (const requestState of states)
      await expectSame(both, asking(bob, method, { ...params, requestState, inputResponses: answers }))
    expect(states).toHaveLength(2)
    expect(await expectSame(both, sentBy(bob, '2026-07-28', method, params))).toMatchObject({
      status: 400,
      body: { error: { code: -32021 } },
    })
  })
})

describe('what is counted', () => {
  it.each(revisions)('a request that is refused costs the same in both lanes (%s)', async (revision) => {
    const both = opened({ options: { limits: { requestsPerMinute: 2 } } })
    const statuses: number[] = []
    for (let n = 0; n < 30; n++) {
      const name = ['limited', 'secret', 'echo', 'nope'][n % 4]!
      const { headers, body = '', verb } = sentBy(bob, revision, 'tools/call', { _meta: {}, name })
      const place = revision === '2026-07-28' ? '"_meta":{' : '"params":{"_meta":{'
      const broken = body.replace(place, `${place}"progressToken":null,`)
      statuses.push((await expectSame(both, { verb, headers, body: n % 3 === 0 ? broken : body })).status)
    }
    expect(new Set(statuses)).toEqual(new Set([200, 400, 403, 429]))
  })
})

/** A client of 2026-07-28 that can be asked for everything. */
function asking(token: string, method: string, params: Record<string, unknown>): Sent {
  const { body = '', ...sent } = sentBy(token, '2026-07-28', method, params)
  const able = { elicitation: { form: {}, url: {} }, sampling: {}, roots: {} }
  const key = 'io.modelcontextprotocol/clientCapabilities'
  return { ...sent, body: body.replace(`"${key}":{}`, `"${key}":${JSON.stringify(able)}`) }
}

function flipped(state: string): string {
  const at = Math.floor(state.length / 2)
  return `${state.slice(0, at)}${state[at] === 'A' ? 'B' : 'A'}${state.slice(at + 1)}`
}

function removeAll(server: MCPServer): void {
  for (const name of toolNames) server.remove('tool', name)
  for (const name of promptNames) server.remove('prompt', name)
  for (const uri of [...uris, 'users://{id}', 'files://{+path}', 'members://{id}'])
    server.remove('resource', uri)
}
