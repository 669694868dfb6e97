import { MCPServer } from 'mcp-bearer/server'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { ask, askLegacy, listening, officialClient, openSession } from './feature-peers.ts'
import { alice, directory, memoryLog, textOf } from './fixtures.ts'

const everything = { elicitation: { form: {}, url: {} }, sampling: {}, roots: {} }
const colour = z.object({ colour: z.string().min(3) })

async function serve(add: (server: MCPServer) => void) {
  const log = memoryLog()
  const server = new MCPServer({ name: 'asking', auth: directory(), logger: log.logger })
  add(server)
  return { url: await listening(server), ...log }
}

function withColour(server: MCPServer): void {
  server.tool('paint', {}, async (_args, ctx) => {
    const answer = await ctx.elicit<{ colour: string }>({ message: 'Which colour?', schema: colour })
    return answer.action === 'accept' ? `painted ${answer.content.colour}` : `not painted: ${answer.action}`
  })
}

describe.each(['auto', 'legacy'] as const)('a handler that asks, with the official client (%s)', (mode) => {
  it.each([
    [{ action: 'accept', content: { colour: 'green' } }, 'painted green'],
    [{ action: 'decline' }, 'not painted: decline'],
    [{ action: 'cancel' }, 'not painted: cancel'],
  ] as const)('elicit: %j', async (answer, text) => {
    const { url } = await serve(withColour)
    const asked: unknown[] = []
    const client = await officialClient(
      url,
      alice,
      mode,
      { capabilities: { elicitation: { form: {} } } },
      (to) =>
        to.setRequestHandler('elicitation/create', ({ params }) => {
          asked.push(params)
          return { ...answer }
        }),
    )
    expect(await client.callTool({ name: 'paint' })).toMatchObject({ content: [{ text }] })
    expect(asked).toEqual([
      expect.objectContaining({
        mode: 'form',
        message: 'Which colour?',
        requestedSchema: expect.objectContaining({
          type: 'object',
          properties: { colour: { type: 'string', minLength: 3 } },
          required: ['colour'],
        }),
      }),
    ])
  })

  it('elicit: a page, of which only the consent comes back', async () => {
    const { url } = await serve((server) => {
      server.tool('sign-in', {}, async (_args, ctx) => {
        const answer = await ctx.elicit({ message: 'Sign in', url: 'https://id.example/sign-in' })
        return `${answer.action} ${JSON.stringify(answer.content)}`
      })
    })
    const pages: unknown[] = []
    const client = await officialClient(
      url,
      alice,
      mode,
      { capabilities: { elicitation: { url: {} } } },
      (to) =>
        to.setRequestHandler('elicitation/create', ({ params }) => {
          pages.push('url' in params && params.url)
          return { action: 'accept' }
        }),
    )
    expect(await client.callTool({ name: 'sign-in' })).toMatchObject({ content: [{ text: 'accept {}' }] })
    expect(pages).toEqual(['https://id.example/sign-in'])
  })

  it('an answer that does not fit is asked for again, three times in all', async () => {
    const { url } = await serve(withColour)
    const answers = ['x', 'y', 'blue']
    const asked = () => ({ action: 'accept', content: { colour: answers.shift() ?? 'z' } }) as const
    const client = await officialClient(
      url,
      alice,
      mode,
      { capabilities: { elicitation: { form: {} } } },
      (to) => to.setRequestHandler('elicitation/create', asked),
    )
    expect(await client.callTool({ name: 'paint' })).toMatchObject({ content: [{ text: 'painted blue' }] })
    answers.push('x', 'y', 'z', 'blue')
    const failed = await client.callTool({ name: 'paint' })
    expect(failed.isError).toBe(true)
    expect(failed).toMatchObject({
      content: [{ text: 'The client did not answer elicitation/create as it was asked to' }],
    })
    expect(answers).toEqual(['blue'])
  })

  it('sample and roots', async () => {
    const { url } = await serve((server) => {
      server.tool('survey', {}, async (_args, ctx) => {
        const [said, roots] = await Promise.all([
          ctx.sample({ messages: [{ role: 'user', content: { type: 'text', text: 'Hi' } }], maxTokens: 5 }),
          ctx.roots(),
        ])
        return { said: said.content, model: said.model, roots }
      })
    })
    const client = await officialClient(
      url,
      alice,
      mode,
      { capabilities: { sampling: {}, roots: {} } },
      (to) => {
        to.setRequestHandler('sampling/createMessage', () => ({
          role: 'assistant',
          content: { type: 'text', text: 'Ho' },
          model: 'm-1',
        }))
        to.setRequestHandler('roots/list', () => ({ roots: [{ uri: 'file:///work', name: 'work' }] }))
      },
    )
    const { structuredContent } = await client.callTool({ name: 'survey' })
    expect(structuredContent).toEqual({
      said: { type: 'text', text: 'Ho' },
      model: 'm-1',
      roots: [{ uri: 'file:///work', name: 'work' }],
    })
  })

  it('prompts and resources ask as well', async () => {
    const { url } = await serve((server) => {
      const question = { message: 'Which colour?', schema: colour }
      server.prompt('theme', {}, async (_args, ctx) => {
        const { content } = await ctx.elicit<{ colour: string }>(question)
        return `Use ${content?.colour}`
      })
      server.resource('paint://{room}', {}, async ({ room }, ctx) => {
        const { content } = await ctx.elicit<{ colour: string }>(question)
        return `${room} ${content?.colour}`
      })
    })
    const client = await officialClient(
      url,
      alice,
      mode,
      { capabilities: { elicitation: { form: {} } } },
      (to) =>
        to.setRequestHandler('elicitation/create', () => ({ action: 'accept', content: { colour: 'red' } })),
    )
    expect((await client.getPrompt({ name: 'theme' })).messages[0]?.content).toMatchObject({
      text: 'Use red',
    })
    expect((await client.readResource({ uri: 'paint://hall' })).contents[0]).toMatchObject({
      text: 'hall red',
    })
  })

  it('clientCapabilities are those of this client', async () => {
    const { url } = await serve((server) => {
      server.tool('can', {}, (_args, ctx) => ({ can: Object.keys(ctx.clientCapabilities) }))
    })
    const able = await officialClient(url, alice, mode, { capabilities: { sampling: {} } })
    const unable = await officialClient(url, alice, mode)
    expect((await able.callTool({ name: 'can' })).structuredContent).toEqual({ can: ['sampling'] })
    expect((await unable.callTool({ name: 'can' })).structuredContent).toEqual({ can: [] })
  })
})

describe('a client that cannot be asked', () => {
  const tools = (server: MCPServer) => {
    withColour(server)
    server.tool(
      'page',
      {},
      async (_args, ctx) => (await ctx.elicit({ message: 'm', url: 'https://x.example' })).action,
    )
    server.tool('sample', {}, async (_args, ctx) => (await ctx.sample({ messages: [], maxTokens: 1 })).model)
    server.tool('roots', {}, async (_args, ctx) => ({ roots: await ctx.roots() }))
  }

  it.each([
    ['paint', {}, { elicitation: { form: {} } }],
    ['page', { elicitation: { form: {} } }, { elicitation: { url: {} } }],
    ['sample', { elicitation: { form: {} } }, { sampling: {} }],
    ['roots', { sampling: {} }, { roots: {} }],
  ])(
    '2026-07-28: %s of a client with %j is 400, -32021 and what it lacks',
    async (name, capabilities, lacks) => {
      const { url } = await serve(tools)
      const answer = await ask(url, alice, 'tools/call', { name }, { capabilities })
      expect(answer.status).toBe(400)
      expect(answer.error).toMatchObject({ code: -32021, data: { requiredCapabilities: lacks } })
    },
  )

  it.each([
    ['paint', {}, 'elicitation'],
    ['paint', { elicitation: { url: {} } }, 'elicitation.form'],
    ['page', { elicitation: { form: {} } }, 'elicitation.url'],
    ['sample', {}, 'sampling'],
    ['roots', {}, 'roots'],
  ])('2025-11-25: %s of a client with %j is an error of the tool', async (name, capabilities, lacks) => {
    const { url } = await serve(tools)
    const session = await openSession(url, alice, capabilities)
    const { result, status } = await askLegacy(url, alice, 'tools/call', { name }, session)
    expect([status, result.isError]).toEqual([200, true])
    expect(textOf({ result })).toContain(lacks)
  })

  it('2025-11-25 without a session: an error of the tool', async () => {
    const server = new MCPServer({ name: 'stateless', auth: directory() }, { sessions: false })
    tools(server)
    const { result } = await askLegacy(await listening(server), alice, 'tools/call', { name: 'paint' })
    expect(result.isError).toBe(true)
    expect(textOf({ result })).toContain('in a session')
  })
})

describe('questions in 2026-07-28', () => {
  it('what is asked at once goes out in one round, each under its own key', async () => {
    const { url } = await serve((server) => {
      server.tool('all', {}, async (_args, ctx) => {
        const [form, said, roots] = await Promise.all([
          ctx.elicit({ key: 'user_name', message: 'Name?', schema: { type: 'object', properties: {} } }),
          ctx.sample({ messages: [], maxTokens: 1 }),
          ctx.roots(),
        ])
        return `${form.action} ${said.model} ${roots.length}`
      })
    })
    const first = await ask(url, alice, 'tools/call', { name: 'all' }, { capabilities: everything })
    expect(first.result.resultType).toBe('input_required')
    expect(first.result.inputRequests).toMatchObject({
      user_name: { method: 'elicitation/create' },
      'input-2': { method: 'sampling/createMessage' },
      'input-3': { method: 'roots/list' },
    })
    const inputResponses = {
      user_name: { action: 'accept', content: {} },
      'input-2': { role: 'assistant', content: { type: 'text', text: 'x' }, model: 'm' },
      'input-3': { roots: [] },
    }
    const { requestState } = first.result
    const call = { name: 'all', inputResponses, requestState }
    const second = await ask(url, alice, 'tools/call', call, { capabilities: everything })
    expect(textOf(second)).toBe('accept m 0')
  })

  it('the signal of the handler is aborted when the call ends with a question', async () => {
    const signals: AbortSignal[] = []
    const ends: string[] = []
    const { url } = await serve((server) => {
      server.tool('paint', {}, async (_args, ctx) => {
        signals.push(ctx.signal)
        try {
          await ctx.elicit({ message: 'Which colour?', schema: colour })
        } finally {
          ends.push('handler left')
        }
        return 'painted'
      })
    })
    await ask(url, alice, 'tools/call', { name: 'paint' }, { capabilities: everything })
    expect(signals.map(({ aborted }) => aborted)).toEqual([true])
    expect(ends).toEqual(['handler left'])
  })

  it('a handler that catches the end of its call has not prevented the question', async () => {
    const { url } = await serve((server) => {
      server.tool('stubborn', {}, async (_args, ctx) => {
        try {
          return (await ctx.elicit({ message: 'Sure?', schema: colour })).action
        } catch {
          return 'done without asking'
        }
      })
    })
    const { result } = await ask(url, alice, 'tools/call', { name: 'stubborn' }, { capabilities: everything })
    expect(result.resultType).toBe('input_required')
  })

  it('middleware that turns errors into results has not prevented the question', async () => {
    const seen: unknown[] = []
    const { url } = await serve((server) => {
      withColour(server)
      server.use(async (_request, next) => {
        try {
          const result = await next()
          seen.push((result as { resultType?: string }).resultType)
          return result
        } catch {
          return { content: [], isError: true }
        }
      })
    })
    const { result } = await ask(url, alice, 'tools/call', { name: 'paint' }, { capabilities: everything })
    expect(result.resultType).toBe('input_required')
    expect(seen).toEqual(['input_required'])
  })

  it('a question nobody waits for takes neither the process nor the call down', async () => {
    const { url } = await serve((server) => {
      server.tool('hasty', {}, (_args, ctx) => {
        void ctx.elicit({ message: 'Which colour?', schema: colour })
        void ctx.roots()
        return 'done'
      })
      server.tool('ping', {}, () => 'pong')
    })
    expect(textOf(await ask(url, alice, 'tools/call', { name: 'hasty' }, { capabilities: everything }))).toBe(
      'done',
    )
    expect(textOf(await ask(url, alice, 'tools/call', { name: 'ping' }))).toBe('pong')
    const session = await openSession(url, alice)
    expect(textOf(await askLegacy(url, alice, 'tools/call', { name: 'hasty' }, session))).toBe('done')
  })

  it('answers of any shape are none, or are asked for again', async () => {
    const { url } = await serve(withColour)
    const odd = [null, 1, 'x', [], {}, { action: 1 }, { action: 'accept' }, { action: 'accept', content: 3 }]
    for (const answer of odd) {
      const inputResponses = { 'input-1': answer }
      const call = { name: 'paint', inputResponses }
      const { result, error } = await ask(url, alice, 'tools/call', call, { capabilities: everything })
      expect(error?.code ?? result.resultType, JSON.stringify(answer)).toSatisfy(
        (got) => got === 'input_required' || got === -32602,
      )
    }
    const given = { 'input-1': { action: 'accept', content: { colour: 'grey' } }, __proto__x: 1 }
    const call = { name: 'paint', inputResponses: given }
    expect(textOf(await ask(url, alice, 'tools/call', call, { capabilities: everything }))).toBe(
      'painted grey',
    )
  })
})
