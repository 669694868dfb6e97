import { type HttpOptions, MCPServer, type MCPServerOptions } from 'mcp-bearer/server'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { z } from 'zod'
import { type Answered, ask, askLegacy, listening } from './feature-peers.ts'
import { alice, bob, directory, memoryLog, post, rpc, textOf } from './fixtures.ts'

afterEach(() => {
  vi.useRealTimers()
})

const capabilities = { elicitation: { form: {}, url: {} }, sampling: {}, roots: {} }
const answerOf = (colour: string) => ({ action: 'accept', content: { colour } })
const schema = z.object({ colour: z.string() })

/** Two people who came through one client. */
const twins = {
  async verifyToken(token: string) {
    const sub = { 'twin-a': 'a', 'twin-a-again': 'a', 'twin-b': 'b' }[token]
    return sub ? { token, claims: { sub, iss: 'https://id.example', client_id: 'desk' } } : null
  },
}

async function serve(options: Partial<MCPServerOptions> = {}, http: HttpOptions = {}) {
  const runs: string[] = []
  const log = memoryLog()
  const server = new MCPServer({ name: 'rounds', auth: directory(), logger: log.logger, ...options }, http)
  const paint = (name: string) =>
    server.tool(name, { inputSchema: z.object({ wall: z.unknown() }) }, async ({ wall }, ctx) => {
      runs.push(`${name} ${JSON.stringify(wall)}`)
      const { content } = await ctx.elicit<{ colour: string }>({ message: `Colour of ${wall}?`, schema })
      return `${JSON.stringify(wall)} is ${content?.colour} for ${ctx.auth?.subject}`
    })
  paint('paint')
  paint('spray')
  const url = await listening(server)
  const call = (token: string | undefined, params: Record<string, unknown>) =>
    ask(
      url,
      token,
      'tools/call',
      { name: 'paint', arguments: { wall: 'north' }, ...params },
      { capabilities },
    )
  /** The state after the first round of painting the northern wall. */
  const firstState = async (token: string | undefined = alice) =>
    (await call(token, {})).result.requestState as string
  return { server, url, call, firstState, runs, ...log }
}

/** The same without a socket, of which some hundred times are quick. */
async function fetched(server: MCPServer, requestState: string): Promise<Pick<Answered, 'error'>> {
  const params = { name: 'paint', arguments: { wall: 'north' }, inputResponses, requestState }
  const response = await server.fetch(post('http://localhost/mcp', rpc('tools/call', params), alice))
  return (await response.json()) as Pick<Answered, 'error'>
}

function expectRefused(answer: Pick<Answered, 'error'>): void {
  expect(answer.error).toMatchObject({ code: -32602, message: 'Invalid or expired requestState' })
}

const inputResponses = { 'input-1': answerOf('green') }

describe('requestState', () => {
  it('D-52 with any byte changed, left out or added is refused, and the handler does not run', async () => {
    const { server, call, firstState, runs } = await serve()
    const state = await firstState()
    expect(textOf(await call(alice, { inputResponses, requestState: state }))).toBe(
      '"north" is green for alice',
    )
    runs.length = 0
    const changed = [
      `${state}A`,
      `${state}=`,
      ` ${state}`,
      `${state}\n`,
      `${state}.`,
      '',
      'x',
      state.slice(0, -1),
    ]
    for (let at = 0; at < state.length; at++) {
      const other = state[at] === 'A' ? 'B' : 'A'
      changed.push(state.slice(0, at) + other + state.slice(at + 1))
    }
    // The last character of a signature has bits that say nothing.
    for (const last of 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_') {
      if (last !== state.at(-1)) changed.push(state.slice(0, -1) + last)
    }
    for (const requestState of changed) expectRefused(await fetched(server, requestState))
    for (const requestState of [1, null, {}, [], { call: 'x', answers: {} }]) {
      const { error, result } = await call(alice, { inputResponses, requestState })
      expect(error ?? result.resultType, JSON.stringify(requestState)).toBeTruthy()
      expect(textOf({ result }) ?? '').not.toContain('green')
    }
    expect(runs).toEqual([])
  })

  it('D-53 D-54 belongs to one principal, who may come back with another token', async () => {
    const { call, firstState, runs } = await serve({ auth: twins })
    const requestState = await firstState('twin-a')
    runs.length = 0
    expectRefused(await call('twin-b', { inputResponses, requestState }))
    expect(runs).toEqual([])
    expect(textOf(await call('twin-a-again', { inputResponses, requestState }))).toContain('green for a')
  })

  it('D-53 belongs to a caller, and not to nobody', async () => {
    const { call, firstState } = await serve({ optionalAuth: true })
    expectRefused(await call(undefined, { inputResponses, requestState: await firstState(bob) }))
    expectRefused(await call(bob, { inputResponses, requestState: await firstState(undefined) }))
  })

  it.each([
    ['other arguments', { arguments: { wall: 'south' } }],
    ['another member', { arguments: { wall: 'north', x: 1 } }],
    ['an argument of another type', { arguments: { wall: ['north'] } }],
    ['no arguments', { arguments: undefined }],
    ['another tool', { name: 'spray' }],
  ])('D-53 is refused with %s', async (_what, params) => {
    const { call, firstState, runs } = await serve()
    const requestState = await firstState()
    runs.length = 0
    expectRefused(await call(alice, { ...params, inputResponses, requestState }))
    expect(runs).toEqual([])
  })

  it('D-53 is for the same arguments in whatever order', async () => {
    const { call } = await serve()
    const first = await call(alice, { arguments: { wall: { a: 1, b: [2, { c: 3, d: 4 }] } } })
    const again = { arguments: { wall: { b: [2, { d: 4, c: 3 }], a: 1 } } }
    const { requestState } = first.result
    expect(textOf(await call(alice, { ...again, inputResponses, requestState }))).toContain('is green')
    const turned = { arguments: { wall: { a: 1, b: [{ c: 3, d: 4 }, 2] } } }
    expectRefused(await call(alice, { ...turned, inputResponses, requestState }))
  })

  it('D-53 is refused by another method', async () => {
    const { server, url, call } = await serve()
    server.prompt('paint', { argsSchema: z.object({ wall: z.string() }) }, async (_args, ctx) => {
      const { content } = await ctx.elicit<{ colour: string }>({ message: 'Colour of north?', schema })
      return `${content?.colour}`
    })
    const { requestState } = (await call(alice, {})).result
    const params = { name: 'paint', arguments: { wall: 'north' }, inputResponses, requestState }
    expectRefused(await ask(url, alice, 'prompts/get', params, { capabilities }))
  })

  it('D-53 is over after an hour', async () => {
    const { call, firstState } = await serve()
    const requestState = await firstState()
    const now = Date.now()
    vi.useFakeTimers({ toFake: ['Date'], now: now + 3_590_000 })
    expect(textOf(await call(alice, { inputResponses, requestState }))).toContain('green')
    vi.setSystemTime(now + 3_602_000)
    expectRefused(await call(alice, { inputResponses, requestState }))
  })

  it('may be sent again by its owner: nothing is kept, and handlers are told so', async () => {
    const { call, firstState } = await serve()
    const requestState = await firstState()
    for (const colour of ['green', 'blue']) {
      const answers = { 'input-1': answerOf(colour) }
      expect(textOf(await call(alice, { inputResponses: answers, requestState }))).toContain(colour)
    }
  })

  it('D-53 of another server, with the same key, is refused; of another node of the same server it is taken', async () => {
    const stateKey = 'a key of at least 32 characters, for both'
    const one = await serve({}, { stateKey })
    const node = await serve({}, { stateKey })
    const other = await serve({ name: 'another' }, { stateKey })
    const keyless = await serve()
    const requestState = await one.firstState()
    expect(textOf(await node.call(alice, { inputResponses, requestState }))).toContain('green')
    expectRefused(await other.call(alice, { inputResponses, requestState }))
    expectRefused(await keyless.call(alice, { inputResponses, requestState }))
  })

  it('is refused where nothing is asked, too', async () => {
    const { server, url } = await serve()
    server.tool('plain', {}, () => 'plain')
    const forged = { call: 'x', answers: {} }
    for (const requestState of ['forged', forged]) {
      const { result, error } = await ask(url, alice, 'tools/call', { name: 'plain', requestState })
      expect(error?.code, JSON.stringify(result)).toBe(-32602)
    }
  })
})

describe('rounds', () => {
  it('answers of earlier rounds come back in the state, and only what is open is asked', async () => {
    const runs: unknown[] = []
    const { server, url } = await serve()
    server.tool('three', {}, async (_args, ctx) => {
      const run: unknown[] = []
      runs.push(run)
      for (const message of ['one', 'two', 'three']) {
        const { content } = await ctx.elicit<{ colour: string }>({ message, schema })
        run.push(content?.colour)
      }
      return run.join(' ')
    })
    let params: Record<string, unknown> = {}
    const states = new Set<unknown>()
    for (const [at, colour] of ['red', 'green', 'blue'].entries()) {
      const { result } = await ask(url, alice, 'tools/call', { name: 'three', ...params }, { capabilities })
      const key = `input-${at + 1}`
      expect(Object.keys(result.inputRequests as object)).toEqual([key])
      states.add(result.requestState)
      params = { inputResponses: { [key]: answerOf(colour) }, requestState: result.requestState }
    }
    const last = await ask(url, alice, 'tools/call', { name: 'three', ...params }, { capabilities })
    expect(textOf(last)).toBe('red green blue')
    expect(states.size).toBe(3)
    expect(runs).toEqual([[], ['red'], ['red', 'green'], ['red', 'green', 'blue']])
  })

  it('a question that has become another one was not answered', async () => {
    const { server, url } = await serve()
    let file = 'a.txt'
    const deleted: string[] = []
    server.tool('delete', {}, async (_args, ctx) => {
      const { action } = await ctx.elicit({ message: `Delete ${file}?`, schema: z.object({}) })
      if (action === 'accept') deleted.push(file)
      return action
    })
    const first = await ask(url, alice, 'tools/call', { name: 'delete' }, { capabilities })
    file = 'b.txt'
    const yes = { 'input-1': { action: 'accept', content: {} } }
    const params = { name: 'delete', inputResponses: yes, requestState: first.result.requestState }
    const second = await ask(url, alice, 'tools/call', params, { capabilities })
    expect(second.result.inputRequests).toMatchObject({ 'input-1': { params: { message: 'Delete b.txt?' } } })
    expect(deleted).toEqual([])
  })

  it('an answer that was given earlier does not serve a question that has changed since', async () => {
    const { server, url } = await serve()
    let file = 'a.txt'
    const deleted: string[] = []
    server.tool('delete', {}, async (_args, ctx) => {
      const subject = file
      const { action } = await ctx.elicit({ message: `Delete ${subject}?`, schema: z.object({}) })
      await ctx.elicit({ message: 'Really?', schema: z.object({}) })
      if (action === 'accept') deleted.push(subject)
      return action
    })
    const yes = { action: 'accept', content: {} }
    const turn = async (key: string, requestState: unknown) => {
      const given = { inputResponses: { [key]: yes }, requestState }
      const params = { name: 'delete', ...(requestState !== undefined && given) }
      return (await ask(url, alice, 'tools/call', params, { capabilities })).result
    }
    const one = await turn('', undefined)
    const two = await turn('input-1', one.requestState)
    expect(Object.keys(two.inputRequests as object)).toEqual(['input-2'])
    file = 'b.txt'
    const three = await turn('input-2', two.requestState)
    expect(three.inputRequests).toMatchObject({ 'input-1': { params: { message: 'Delete b.txt?' } } })
    expect(deleted).toEqual([])
  })

  it('answers without a state are answers; those under other names are none', async () => {
    const { call } = await serve()
    expect(textOf(await call(alice, { inputResponses }))).toContain('green')
    const { result } = await call(alice, { inputResponses: { 'input-7': answerOf('green') } })
    expect(Object.keys(result.inputRequests as object)).toEqual(['input-1'])
  })

  it('questions of branches that run side by side keep their names, however they interleave', async () => {
    const { server, url } = await serve()
    server.tool('branches', {}, async (_args, ctx) => {
      const ask = async (message: string) =>
        (await ctx.elicit<{ colour: string }>({ message, schema })).content?.colour
      const branch = async (name: string) => [await ask(`${name}1`), await ask(`${name}2`)]
      const all = await Promise.all(['a', 'b', 'c', 'd', 'e', 'f'].map(branch))
      return JSON.stringify(all)
    })
    for (let attempt = 0; attempt < 5; attempt++) {
      let params: Record<string, unknown> = {}
      for (let round = 0; round < 2; round++) {
        const { result } = await ask(
          url,
          alice,
          'tools/call',
          { name: 'branches', ...params },
          { capabilities },
        )
        const asked = Object.entries(result.inputRequests as Record<string, { params: { message: string } }>)
        expect(asked).toHaveLength(6)
        const given = Object.fromEntries(asked.map(([key, { params }]) => [key, answerOf(params.message)]))
        params = { inputResponses: given, requestState: result.requestState }
      }
      const last = await ask(url, alice, 'tools/call', { name: 'branches', ...params }, { capabilities })
      expect(JSON.parse(textOf(last)!)[5]).toEqual(['f1', 'f2'])
    }
  })

  it('a key the author chose is never taken by a question without one', async () => {
    const { server, url } = await serve()
    server.tool('keys', {}, async (_args, ctx) => {
      await Promise.all([
        ctx.elicit({ message: 'a', schema, key: 'input-2' }),
        ctx.elicit({ message: 'b', schema }),
        ctx.elicit({ message: 'c', schema, key: 'input-2' }),
      ])
      return 'done'
    })
    const { result } = await ask(url, alice, 'tools/call', { name: 'keys' }, { capabilities })
    expect(Object.keys(result.inputRequests as object)).toHaveLength(3)
  })

  it('the state shows the client nothing of the token', async () => {
    const { firstState } = await serve()
    const state = await firstState()
    const plain = state
      .split('.')
      .map((part) => Buffer.from(part, 'base64url').toString('latin1'))
      .join()
    expect(`${state}${plain}`).not.toContain(alice)
    expect(plain).toContain('answers')
  })

  it('in 2025-11-25 neither answers nor a state of a request count', async () => {
    const { url, runs } = await serve({}, { sessions: false })
    const params = { name: 'paint', arguments: { wall: 'north' }, inputResponses }
    const { result } = await askLegacy(url, alice, 'tools/call', params)
    expect(result.isError).toBe(true)
    expect(runs).toHaveLength(1)
  })
})
