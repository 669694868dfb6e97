import { LocalIssuer } from 'mcp-bearer/issuer'
import { describe, expect, it, onTestFinished } from 'vitest'
import {
  ask,
  call,
  connected,
  type GuideTests,
  refusal,
  revisions,
  said,
  signal,
  startProgram,
} from './world.ts'

const alice = 'dev-alice'

/** Tools, resources and prompts, and what handlers are told. */
export const components: GuideTests = {
  protected() {
    it('lets in the tokens of the issuer, and nobody else', async () => {
      const issuer = await LocalIssuer.start({ logger: () => {} })
      onTestFinished(() => issuer.close())
      const { url } = await startProgram('protected', { JWKS_URI: issuer.jwksUri, ISSUER: issuer.issuer })
      const token = await issuer.mint({ audience: 'my-mcp-server' })
      for (const [, mode] of revisions) {
        const client = await connected(url, mode, token)
        const { structuredContent } = await client.callTool({ name: 'add', arguments: { a: 2, b: 3 } })
        expect(structuredContent).toEqual({ sum: 5 })
      }
      const stranger = await call(url, undefined, 'add', { a: 2, b: 3 })
      expect(await refusal(stranger)).toMatchObject({ status: 401, error: 'unauthorized' })
      const foreign = await call(url, await issuer.mint({ audience: 'other' }), 'add', { a: 2, b: 3 })
      expect(await refusal(foreign)).toMatchObject({ status: 401, error: 'invalid_token' })
    })
  },

  identity(program) {
    it.each(revisions)('knows the caller wherever it is asked (%s)', async (_revision, mode) => {
      const client = await connected(program.url, mode, alice)
      expect(await said(client, 'whoami')).toBe('alice')
      expect(await said(client, 'email')).toBe('alice@example.com')
      expect(await said(client, 'owner')).toBe('alice')
      expect(await said(client, 'agent')).toBe('node')
    })
  },

  tools(program) {
    it.each(revisions)('says everything of itself and its tool (%s)', async (_revision, mode) => {
      const client = await connected(program.url, mode, alice)
      expect(client.getServerVersion()).toMatchObject({
        title: 'Weather',
        description: 'Forecasts for cities',
        websiteUrl: 'https://weather.example.com',
        icons: [{ src: 'https://weather.example.com/sun.svg', mimeType: 'image/svg+xml', sizes: ['any'] }],
      })
      expect(client.getInstructions()).toBe('Name cities in English.')
      expect((await client.listTools()).tools).toMatchObject([
        {
          name: 'forecast',
          title: 'Forecast',
          annotations: { readOnlyHint: true, openWorldHint: true },
          icons: [{ src: 'https://weather.example.com/cloud.png' }],
          _meta: { 'weather.example.com/source': 'station' },
          outputSchema: { properties: { degrees: { type: 'array' } } },
        },
      ])
    })

    it.each(revisions)(
      'answers with structured content, and its JSON as text (%s)',
      async (_revision, mode) => {
        const client = await connected(program.url, mode, alice)
        const params = { name: 'forecast', arguments: { city: 'Rome', days: 2 } }
        const { structuredContent, content } = await client.callTool(params)
        expect(structuredContent).toEqual({ city: 'Rome', degrees: [20, 21] })
        expect(JSON.parse((content as { text: string }[])[0]!.text)).toEqual(structuredContent)
        const short = await client.callTool({ name: 'forecast', arguments: { city: 'Rome' } })
        expect(short.structuredContent).toEqual({ city: 'Rome', degrees: [20] })
      },
    )

    it('names the member that does not fit, in a result', async () => {
      const client = await connected(program.url, 'auto', alice)
      const params = { name: 'forecast', arguments: { city: 'Rome', days: 30 } }
      const { isError, content } = await client.callTool(params)
      expect(isError).toBe(true)
      expect((content as { text: string }[])[0]!.text).toContain('days')
    })
  },

  content(program) {
    it.each(revisions)('sends every kind (%s)', async (_revision, mode) => {
      const client = await connected(program.url, mode, alice)
      const of = async (name: string) => client.callTool({ name, arguments: {} })
      expect(await of('text')).toMatchObject({ content: [{ type: 'text', text: 'Just text.' }] })
      expect(await of('data')).toMatchObject({
        content: [{ type: 'text', text: '{"open":3,"closed":4}' }],
        structuredContent: { open: 3, closed: 4 },
      })
      expect(await of('image')).toMatchObject({ content: [{ type: 'image', mimeType: 'image/png' }] })
      expect(await of('audio')).toMatchObject({ content: [{ type: 'audio', mimeType: 'audio/wav' }] })
      expect((await of('files')).content).toMatchObject([
        { type: 'text' },
        { type: 'resource_link', uri: 'notes://today' },
        { type: 'resource', resource: { uri: 'notes://old', text: 'Buy milk.' } },
      ])
      expect(await of('full')).toMatchObject({
        content: [{ text: 'Three are open.' }],
        structuredContent: { open: 3 },
        _meta: { 'example.com/took': 12 },
      })
    })
  },

  errors(program) {
    it.each(revisions)('tells the caller what is meant for them (%s)', async (_revision, mode) => {
      const client = await connected(program.url, mode, alice)
      const of = async (name: string, args = {}) => client.callTool({ name, arguments: args })
      expect(await said(client, 'divide', { a: 6, b: 3 })).toBe('2')
      expect(await of('divide', { a: 1, b: 0 })).toMatchObject({
        isError: true,
        content: [{ text: 'Nothing can be divided by zero.' }],
      })
      const broken = await of('report')
      expect(broken).toMatchObject({ isError: true, content: [{ text: expect.stringContaining('failed') }] })
      expect(JSON.stringify(broken)).not.toContain('db-7')
      expect(await of('archive')).toMatchObject({
        isError: true,
        content: [{ text: expect.stringContaining('within 0.1 s') }],
      })
    })
  },

  resources(program) {
    it.each(revisions)('lists and reads (%s)', async (_revision, mode) => {
      const client = await connected(program.url, mode, alice)
      expect((await client.listResources()).resources).toMatchObject([
        {
          uri: 'notes://index',
          title: 'All notes',
          size: 31,
          annotations: { audience: ['assistant'], priority: 0.8 },
        },
      ])
      const { resourceTemplates } = await client.listResourceTemplates()
      expect(resourceTemplates.map(({ uriTemplate }) => uriTemplate)).toEqual([
        'notes://days/{day}',
        'files://{owner}/{+path}',
      ])
      const read = async (uri: string) => (await client.readResource({ uri })).contents[0]
      expect(await read('notes://index')).toMatchObject({
        mimeType: 'application/json',
        text: '["monday","tuesday","thursday"]',
      })
      expect(await read('notes://days/monday')).toMatchObject({
        mimeType: 'text/markdown',
        text: 'Buy milk.',
      })
      const { blob } = (await read('files://bob/a/b%20c.txt')) as { blob: string }
      expect(Buffer.from(blob, 'base64').toString()).toBe('a/b%20c.txt of bob, for alice')
    })

    it.each(revisions)('completes the variable of a template (%s)', async (_revision, mode) => {
      const client = await connected(program.url, mode, alice)
      const { completion } = await client.complete({
        ref: { type: 'ref/resource', uri: 'notes://days/{day}' },
        argument: { name: 'day', value: 't' },
      })
      expect(completion.values).toEqual(['tuesday', 'thursday'])
    })

    it('says for how long what was read may be kept', async () => {
      const answer = await ask(program.url, alice, 'resources/read', { uri: 'notes://index' })
      expect(await answer.json()).toMatchObject({ result: { ttlMs: 60_000, cacheScope: 'private' } })
    })
  },

  prompts(program) {
    it.each(revisions)('lists, renders and completes (%s)', async (_revision, mode) => {
      const client = await connected(program.url, mode, alice)
      expect((await client.listPrompts()).prompts[0]).toMatchObject({
        name: 'review',
        title: 'Review',
        arguments: [
          { name: 'language', description: 'Of the code', required: true },
          { name: 'framework', required: false },
        ],
      })
      const review = await client.getPrompt({ name: 'review', arguments: { language: 'python' } })
      expect(review.messages).toMatchObject([{ role: 'user', content: { text: 'Review this python code.' } }])
      const greet = await client.getPrompt({ name: 'greet' })
      expect(greet.messages.map(({ role }) => role)).toEqual(['user', 'assistant'])
      const { completion } = await client.complete({
        ref: { type: 'ref/prompt', name: 'review' },
        argument: { name: 'framework', value: 'f' },
        context: { arguments: { language: 'python' } },
      })
      expect(completion.values).toEqual(['fastapi', 'flask'])
    })
  },

  progress(program) {
    it.each(revisions)('reports how far it is (%s)', async (_revision, mode) => {
      const client = await connected(program.url, mode, alice)
      const heard: unknown[] = []
      const params = { name: 'export', arguments: { pages: 3 } }
      const { content } = await client.callTool(params, {
        onprogress: ({ progress, total, message }) => void heard.push([progress, total, message]),
      })
      expect(content).toEqual([{ type: 'text', text: 'Exported' }])
      expect(heard).toEqual([
        [1, 3, 'page 1 of 3'],
        [2, 3, 'page 2 of 3'],
        [3, 3, 'page 3 of 3'],
      ])
    })

    it.each(revisions)('writes to the log of a client that wants it (%s)', async (_revision, mode) => {
      const logged: unknown[] = []
      const client = await connected(program.url, mode, alice, {
        prepare: (made) =>
          made.setNotificationHandler('notifications/message', ({ params }) => void logged.push(params)),
      })
      const _meta = mode === 'auto' ? { _meta: { 'io.modelcontextprotocol/logLevel': 'info' } } : {}
      await client.callTool({ name: 'export', arguments: { pages: 1 }, ..._meta })
      expect(logged).toMatchObject([{ level: 'info', data: { message: 'The export begins', pages: 1 } }])
    })

    describe('stops when the caller', () => {
      it.each(revisions)('cancels (%s)', async (_revision, mode) => {
        const fresh = await startProgram('progress')
        const client = await connected(fresh.url, mode, alice)
        const cancelling = new AbortController()
        const begun = signal()
        const pending = client.callTool(
          { name: 'export', arguments: { pages: 1_000_000 } },
          { signal: cancelling.signal, onprogress: () => begun.give() },
        )
        const outcome = pending.catch((error: unknown) => error)
        await begun.given
        cancelling.abort()
        await fresh.line(/^The export was given up$/)
        expect(await outcome).toBeInstanceOf(Error)
      })

      it('leaves', async () => {
        const fresh = await startProgram('progress')
        const leaving = new AbortController()
        const response = await fetch(fresh.url, {
          method: 'POST',
          signal: leaving.signal,
          ...exporting,
        })
        const reader = response.body!.getReader()
        await reader.read()
        leaving.abort()
        await fresh.line(/^The export was given up$/)
      })
    })
  },
}

const exporting = {
  headers: {
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    authorization: `Bearer ${alice}`,
    'mcp-protocol-version': '2026-07-28',
    'mcp-method': 'tools/call',
    'mcp-name': 'export',
  },
  body: JSON.stringify({
    jsonrpc: '2.0',
    id: 1,
    method: 'tools/call',
    params: {
      name: 'export',
      arguments: { pages: 1_000_000 },
      _meta: {
        progressToken: 'p',
        'io.modelcontextprotocol/protocolVersion': '2026-07-28',
        'io.modelcontextprotocol/clientInfo': { name: 'test', version: '1' },
        'io.modelcontextprotocol/clientCapabilities': {},
      },
    },
  }),
}
