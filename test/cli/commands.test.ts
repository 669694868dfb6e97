import { createMcpHandler, fromJsonSchema, McpServer } from '@modelcontextprotocol/server'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { call } from '../../src/cli/commands/call.ts'
import { ping } from '../../src/cli/commands/ping.ts'
import { prompt } from '../../src/cli/commands/prompt.ts'
import { read } from '../../src/cli/commands/read.ts'
import { tools } from '../../src/cli/commands/tools.ts'
import { authExitCodes, exitCode, interruptedExit } from '../../src/cli/exit-codes.ts'
import { answer, closeServers, listen, modernFetch, only, serve } from '../client/servers.ts'
import { run } from './support.ts'

const token = 'token-0123456789'

afterEach(async () => {
  vi.unstubAllEnvs()
  await closeServers()
})

/** A server that takes one token, which is in the variable MCP_TOKEN. */
async function guarded() {
  vi.stubEnv('MCP_TOKEN', token)
  return serve(modernFetch(only(token)))
}
const auth = ['--auth', 'env:MCP_TOKEN']

/** A server of one tool with the given schema and answer. */
async function oneTool(
  name: string,
  answerOf: () => object,
  about: { description?: string; inputSchema?: object } = {},
) {
  const handler = createMcpHandler(() => {
    const server = new McpServer({ name: 'one', version: '1' })
    const inputSchema = fromJsonSchema<Record<string, unknown>>({ type: 'object', ...about.inputSchema })
    const description = about.description === undefined ? {} : { description: about.description }
    server.registerTool(name, { inputSchema, ...description }, () => answerOf() as { content: [] })
    return server
  })
  return serve(async (request) => handler.fetch(request))
}

describe('mcp-bearer ping', () => {
  it('says that the server answers', async () => {
    const { url, origin } = await guarded()
    expect(await run(ping, [url, ...auth])).toMatchObject({
      exit: 0,
      out: expect.stringMatching(/^http:.* answers in \d+ ms$/),
      err: '',
    })
    const { exit, json } = await run(ping, [url, ...auth, '--json'])
    expect(exit).toBe(0)
    expect(json()).toEqual({ server: origin, ok: true, milliseconds: expect.any(Number) })
  })

  it('FL-87 a refused token has its exit code, its reason and a remedy', async () => {
    const { url, origin } = await guarded()
    vi.stubEnv('MCP_TOKEN', 'wrong-0123456789')
    const { exit, out, err } = await run(ping, [url, ...auth])
    expect([exit, out]).toEqual([authExitCodes.invalid_token, ''])
    expect(err).toMatch(/^mcp-bearer: /)
    expect(err).toContain(origin)
    expect(err).toContain('Get a new token')
    expect(err).not.toContain('wrong-0123456789')
    const failed = await run(ping, [url, ...auth, '--json'])
    expect(failed.exit).toBe(authExitCodes.invalid_token)
    expect(failed.err).toBe('')
    expect(failed.json()).toEqual({
      error: { code: 'invalid_token', message: expect.any(String), status: 401, server: origin },
    })
  })

  it('without a token tells how to give one', async () => {
    const { url } = await listen(answer(401, { 'www-authenticate': 'Bearer realm="mcp"' }))
    const { exit, err } = await run(ping, [url])
    expect(exit).toBe(authExitCodes.unauthorized)
    expect(err).toContain('--auth env:NAME')
  })

  it('says when to try again', async () => {
    const { url, origin } = await listen(answer(429, { 'retry-after': '120' }))
    const { exit, json } = await run(ping, [url, '--json'])
    expect(exit).toBe(authExitCodes.rate_limited)
    expect(json()).toMatchObject({
      error: { code: 'rate_limited', status: 429, server: origin, retryAfter: 120 },
    })
  })

  it('a server that is not there is no matter of authentication', async () => {
    const { exit, json } = await run(ping, ['http://127.0.0.1:9/mcp', '--json'])
    expect(exit).toBe(exitCode.failed)
    expect(json()).toMatchObject({ error: { code: 'failed', message: expect.any(String) } })
  })

  it('waits no longer than it is told', async () => {
    const { url } = await listen(() => {})
    const { exit, json } = await run(ping, [url, '--timeout', '0.2', '--json'])
    expect(exit).toBe(exitCode.failed)
    expect(json()).toMatchObject({ error: { code: 'timeout' } })
  })

  it('E-06 plain http to another machine is refused before anything is sent', async () => {
    vi.stubEnv('MCP_TOKEN', token)
    const { exit, err } = await run(ping, ['http://mcp.example.com/mcp', ...auth])
    expect(exit).toBe(exitCode.usage)
    expect(err).toContain('must use https')
  })
})

describe('mcp-bearer tools', () => {
  it('shows names, parameters and descriptions', async () => {
    const inputSchema = {
      properties: { year: { type: 'integer' }, format: { type: ['string', 'null'] }, more: {} },
      required: ['year'],
    }
    const { url, origin } = await oneTool('summary', () => ({ content: [] }), {
      description: 'The year\n  in short',
      inputSchema,
    })
    const { exit, out } = await run(tools, [url])
    expect(exit).toBe(0)
    expect(out.split('\n').map((line) => line.split(/ {2,}/))).toEqual([
      ['TOOL', 'PARAMETERS', 'DESCRIPTION'],
      ['summary', 'year: integer, format?: string|null, more?', 'The year in short'],
    ])
    expect((await run(tools, [url, '--json'])).json()).toMatchObject({
      server: origin,
      tools: [{ name: 'summary', inputSchema }],
    })
  })

  it('a terminal obeys nothing a server writes', async () => {
    const description = 'good\u001b[2K\u001b]0;title\u0007 \u009b31m \u202Egnp.exe \u{E0041}'
    const { url } = await oneTool('t', () => ({ content: [] }), { description })
    const { out } = await run(tools, [url])
    expect(out).toContain('good\\x1b[2K\\x1b]0;title\\x07 \\x9b31m \\u{202e}gnp.exe \\u{e0041}')
    const { out: text, json } = await run(tools, [url, '--json'])
    expect(text.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}]/u)
    expect(json()).toMatchObject({ tools: [{ description }] })
  })

  it('says so when there are none', async () => {
    const handler = createMcpHandler(() => new McpServer({ name: 'none', version: '1' }))
    const { url } = await serve(async (request) => handler.fetch(request))
    expect(await run(tools, [url])).toMatchObject({ exit: 0, out: '', err: 'No tools for this token.' })
    expect((await run(tools, [url, '--json'])).json()).toMatchObject({ tools: [] })
  })
})

describe('mcp-bearer call', () => {
  it.each<[string, string[], string, object]>([
    ['texts', ['text=a=b', 'n=5'], '', { text: 'a=b', n: '5' }],
    ['JSON', ['n:=5', 'list:=[1,"x"]', 'text=x'], '', { n: 5, list: [1, 'x'], text: 'x' }],
    ['one object', ['{ "text": "x", "deep": { "a": null } }'], '', { text: 'x', deep: { a: null } }],
    ['standard input', ['-'], '{ "text": "x" }', { text: 'x' }],
    ['nothing', [], '', {}],
    ['an empty text', ['text='], '', { text: '' }],
    ['the name __proto__', ['__proto__=x'], '', JSON.parse('{"__proto__":"x"}')],
  ])('takes arguments as %s', async (_case, words, input, expected) => {
    const server = await guarded()
    await run(call, [server.url, 'echo', ...words, ...auth], { input })
    const sent = server.requests
      .map(({ body }) => JSON.parse(body))
      .find(({ method }) => method === 'tools/call')
    expect(sent.params.arguments).toEqual(expected)
  })

  it('prints the text of the result, or all of it as JSON', async () => {
    const { url, origin } = await guarded()
    expect(await run(call, [url, 'echo', 'text=hello\u001b[0m', ...auth])).toMatchObject({
      exit: 0,
      out: 'hello\\x1b[0m',
      err: '',
    })
    expect((await run(call, [url, 'echo', 'text=hello', '--json', ...auth])).json()).toMatchObject({
      server: origin,
      tool: 'echo',
      result: { content: [{ type: 'text', text: 'hello' }] },
    })
    expect((await run(call, [url, 'count', ...auth])).out).toBe('{\n  "n": 3\n}')
  })

  it('names what is no text', async () => {
    const content = [
      { type: 'image', mimeType: 'image/png', data: 'AAAA' },
      { type: 'resource', resource: { uri: 'note://1', text: 'embedded' } },
      { type: 'resource', resource: { uri: 'note://2', blob: 'AAA=', mimeType: 'application/pdf' } },
      { type: 'resource_link', uri: 'note://3', name: 'linked' },
    ]
    const { url } = await oneTool('show', () => ({ content }))
    expect((await run(call, [url, 'show'])).out.split('\n')).toEqual([
      '[image image/png, 3 bytes; --json shows them in base64]',
      'embedded',
      '[application/pdf note://2, 2 bytes; --json shows them in base64]',
      'linked: note://3',
    ])
  })

  it('a tool that fails has exit code 1', async () => {
    const { url } = await guarded()
    expect(await run(call, [url, 'fail', ...auth])).toEqual(
      expect.objectContaining({ exit: 1, out: '', err: 'mcp-bearer: first line\nsecond line' }),
    )
    expect((await run(call, [url, 'fail', '--json', ...auth])).json()).toEqual({
      error: { code: 'tool_error', message: 'first line\nsecond line' },
    })
  })

  it('shows how far a tool is', async () => {
    const { url } = await guarded()
    const { progress } = await run(call, [url, 'echo', 'text=x', ...auth])
    expect(progress).toEqual(['[##########----------] 50%'])
  })

  it('Ctrl-C ends the call, here and at the server, with exit code 130', async () => {
    const controller = new AbortController()
    let cancelled: () => void = () => {}
    const atServer = new Promise<void>((resolve) => {
      cancelled = resolve
    })
    const handler = createMcpHandler(() => {
      const server = new McpServer({ name: 'slow', version: '1' })
      server.registerTool('wait', {}, async (ctx) => {
        controller.abort(new Error('Interrupted'))
        await new Promise<void>((resolve) => ctx.mcpReq.signal.addEventListener('abort', () => resolve()))
        cancelled()
        return { content: [] }
      })
      return server
    })
    const { url } = await serve(async (request) => handler.fetch(request))
    const ran = await run(call, [url, 'wait', '--json'], { ctrlC: controller.signal })
    expect(ran.exit).toBe(interruptedExit)
    expect(ran.json()).toEqual({ error: { code: 'interrupted', message: 'Interrupted' } })
    await atServer
  })
})

describe('mcp-bearer read', () => {
  it('prints a resource, or the list', async () => {
    const { url, origin } = await guarded()
    expect(await run(read, [url, 'note://1', ...auth])).toMatchObject({ exit: 0, out: 'a note' })
    expect((await run(read, [url, 'note://1', '--json', ...auth])).json()).toMatchObject({
      server: origin,
      contents: [{ uri: 'note://1', text: 'a note' }],
    })
    expect((await run(read, [url, ...auth])).out).toBe('note://1  note')
    expect((await run(read, [url, '--json', ...auth])).json()).toMatchObject({
      resources: [{ uri: 'note://1' }],
    })
  })

  it('a resource that is not there is an error', async () => {
    const { url } = await guarded()
    expect(await run(read, [url, 'note://2', ...auth])).toMatchObject({ exit: 1, out: '' })
  })
})

describe('mcp-bearer prompt', () => {
  it('prints the messages, or the list', async () => {
    const { url, origin } = await guarded()
    expect(await run(prompt, [url, 'greet', ...auth])).toMatchObject({ exit: 0, out: 'user: Hello' })
    expect((await run(prompt, [url, 'greet', '--json', ...auth])).json()).toMatchObject({
      server: origin,
      prompt: 'greet',
      messages: [{ role: 'user' }],
    })
    expect((await run(prompt, [url, ...auth])).out).toBe('greet')
  })

  it('arguments of a prompt are texts', async () => {
    const server = await guarded()
    await run(prompt, [server.url, 'greet', 'name=Ada', ...auth])
    const sent = server.requests
      .map(({ body }) => JSON.parse(body))
      .find(({ method }) => method === 'prompts/get')
    expect(sent.params.arguments).toEqual({ name: 'Ada' })
    const { exit, err } = await run(prompt, [server.url, 'greet', 'n:=5', ...auth])
    expect(exit).toBe(exitCode.usage)
    expect(err).toContain('write n=text')
  })
})

describe('words that make no sense', () => {
  const url = 'http://127.0.0.1:9/mcp'
  it.each<[string, Parameters<typeof run>, string]>([
    ['no target', [ping, []], 'which server?'],
    ['an unknown option', [ping, [url, '--nonsense']], "Unknown option '--nonsense'"],
    ['an option without its value', [ping, [url, '--auth']], '--auth'],
    ['too many words', [ping, [url, 'x']], 'too many words'],
    ['too few words', [call, [url]], 'a word is missing'],
    ['a timeout that is none', [ping, [url, '--timeout', 'soon']], '--timeout must be a number of seconds'],
    ['a timeout of nothing', [ping, [url, '--timeout', '0']], '--timeout must be a number of seconds'],
    ['a configuration for a URL', [ping, [url, '--config', 'x']], '--config goes with the name of a server'],
    ['a header without a name', [ping, [url, '--header', ': x']], "--header must be written 'Name: value'"],
    ['a header without a colon', [ping, [url, '--header', 'x']], "--header must be written 'Name: value'"],
    ['a header twice', [ping, [url, '--header', 'X: 1', '--header', 'x: 2']], 'gives one header twice'],
    [
      'a variable that is not set',
      [ping, [url, '--auth', 'env:NOT_SET_AT_ALL']],
      'NOT_SET_AT_ALL is not set',
    ],
    [
      'a variable of a header that is not set',
      [ping, [url, '--header', 'X: ${NOT_SET_AT_ALL}']],
      '--header X needs the environment variable NOT_SET_AT_ALL',
    ],
    ['a command that is none', [ping, [url, '--auth', 'command:']], 'needs the name of a program'],
    ['an empty token', [ping, [url, '--auth', '']], '--auth: the token is empty'],
    ['an empty standard input', [ping, [url, '--auth', '-']], '--auth -: the token is empty'],
    ['oauth, which is no token', [ping, [url, '--auth', 'oauth']], 'is not a token'],
    ['arguments that are none', [call, [url, 't', 'x']], 'write arguments as name=text or name:=JSON'],
    ['an argument twice', [call, [url, 't', 'x=1', 'x=2']], 'an argument is given twice'],
    ['broken JSON', [call, [url, 't', '{ "a": ']], 'the word after the tool is not valid JSON'],
    ['a broken value', [call, [url, 't', 'a:=x']], 'a is not valid JSON'],
    [
      'JSON that is no object',
      [call, [url, 't', '-'], { input: '[1]' }],
      'standard input must be a JSON object',
    ],
    [
      'standard input twice',
      [call, [url, 't', '-', '--auth', '-'], { input: '{}' }],
      'standard input holds either the token or the arguments',
    ],
  ])('%s: exit code 2, and what is wrong', async (_case, [command, argv, person], message) => {
    const { exit, out, err } = await run(command, argv, person)
    expect([exit, out]).toEqual([exitCode.usage, ''])
    expect(err).toContain(message)
    const json = await run(command, [...argv, '--json'], person)
    if (argv.at(-1) === '--auth') return
    expect(json.json()).toMatchObject({ error: { code: 'usage', message: expect.stringContaining(message) } })
  })

  it('the help of each command has its usage, examples and all options', () => {
    for (const [name, { help, summary }] of Object.entries({ ping, tools, call, read, prompt })) {
      expect(summary).not.toBe('')
      expect(help).toContain(`Usage: mcp-bearer ${name} <url or name>`)
      expect(help).toContain(`\n  mcp-bearer ${name} `)
      for (const option of ['auth', 'header', 'config', 'timeout', 'allow-insecure', 'json']) {
        expect(help).toContain(`  --${option} `)
      }
      expect(Math.max(...help.split('\n').map((line) => line.length))).toBeLessThan(100)
    }
  })
})
