import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { Client } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import type { MCPServer } from 'mcp-bearer/server'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { z } from 'zod'
import { closeListening, listening, revisions, Tokens } from '../client/peers.ts'
import { closeServers, methodsOf, modernFetch, only, serve, sessionFetch } from '../client/servers.ts'
import { type CommandProgram, connectProgram } from './bridge-cli.ts'

const token = 'sk-0123456789abcdefABCDEF'
let program: CommandProgram
const clients: Client[] = []

beforeAll(async () => {
  program = await connectProgram()
})
afterAll(() => program.remove())
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()))
  await closeServers()
  await closeListening()
})

/** A host with the official SDK; whatever is no JSON-RPC on standard output is an error of it. */
async function host(url: string, revision: string, build: (client: Client) => void = () => {}) {
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [program.file, url, '--auth', 'env:THE_TOKEN'],
    env: { THE_TOKEN: token },
    stderr: 'pipe',
  })
  let notes = ''
  transport.stderr?.on('data', (chunk: Buffer) => {
    notes += chunk
  })
  const capabilities = { elicitation: {}, sampling: {}, roots: {} }
  const mode = revision === '2026-07-28' ? { pin: revision } : 'legacy'
  const client = new Client({ name: 'host', version: '1' }, { capabilities, versionNegotiation: { mode } })
  const errors: Error[] = []
  client.onerror = (error) => errors.push(error)
  build(client)
  clients.push(client)
  await client.connect(transport)
  return { client, transport, errors, notes: () => notes }
}

const textOf = (result: object) => (result as { content: { text: string }[] }).content[0]?.text

describe.each(revisions)('the official client of %s', (revision) => {
  let seen = (): void => {}
  const build = (server: MCPServer): void => {
    server.tool('book', {}, async (_args, ctx) => {
      const schema = z.object({ guests: z.number() })
      const answer = await ctx.elicit<{ guests: number }>({ message: 'How many?', schema })
      return answer.action === 'accept' ? `${answer.content.guests} guests` : answer.action
    })
    server.tool('headline', {}, async (_args, ctx) => {
      const messages = [{ role: 'user' as const, content: { type: 'text' as const, text: 'Long' } }]
      const [answer, roots] = await Promise.all([ctx.sample({ messages, maxTokens: 9 }), ctx.roots()])
      return JSON.stringify({ model: answer.model, roots })
    })
    server.tool('count', {}, async (_args, ctx) => {
      const counted = new Promise<void>((resolve) => {
        seen = resolve
      })
      await ctx.progress(1, 3)
      // The official client drops a report whose answer is in the same chunk.
      await counted
      return 'counted'
    })
    server.resource('notes://1', {}, () => 'one')
    server.prompt('greet', {}, () => 'Hello')
    server.tool('headers', { inputSchema: regional }, ({ region }) => region)
  }
  const regional = z.object({ region: z.string().meta({ 'x-mcp-header': 'Region' }) })

  it('calls tools, reads, and is asked by the server', async () => {
    const auth = new Tokens()
    auth.grant(token)
    const { url } = await listening(build, { auth, clock: auth.clock })
    const { client, errors } = await host(url, revision, (one) => {
      one.setRequestHandler('elicitation/create', () => ({
        action: 'accept' as const,
        content: { guests: 4 },
      }))
      one.setRequestHandler('sampling/createMessage', () => ({
        model: 'a-model',
        role: 'assistant' as const,
        content: { type: 'text' as const, text: 'Short' },
      }))
      one.setRequestHandler('roots/list', () => ({ roots: [{ uri: 'file:///home/me' }] }))
    })
    expect(client.getNegotiatedProtocolVersion()).toBe(revision)
    expect((await client.listTools()).tools).toHaveLength(4)
    expect(textOf(await client.callTool({ name: 'book', arguments: {} }))).toBe('4 guests')
    const headline = JSON.parse(textOf(await client.callTool({ name: 'headline', arguments: {} })) ?? '')
    expect(headline).toEqual({ model: 'a-model', roots: [{ uri: 'file:///home/me' }] })
    const onprogress = vi.fn(() => seen())
    await client.callTool({ name: 'count', arguments: {} }, { onprogress })
    expect(onprogress).toHaveBeenCalledExactlyOnceWith({ progress: 1, total: 3 })
    expect((await client.readResource({ uri: 'notes://1' })).contents).toMatchObject([{ text: 'one' }])
    expect((await client.getPrompt({ name: 'greet' })).messages).toHaveLength(1)
    expect(errors).toEqual([])
  })

  it('the arguments that a tool wants in headers are there, known beforehand or not', async () => {
    const { url } = await listening(build)
    for (const isListed of [false, true]) {
      const { client } = await host(url, revision)
      if (isListed) await client.listTools()
      for (const region of ['eu-1', 'süd ']) {
        expect(textOf(await client.callTool({ name: 'headers', arguments: { region } }))).toBe(region)
      }
    }
  })

  it('hears that lists have changed', async () => {
    const { url, server } = await listening(build)
    const heard = vi.fn()
    const { client } = await host(url, revision, (one) =>
      one.setNotificationHandler('notifications/tools/list_changed', heard),
    )
    if (revision === '2026-07-28') await client.listen({ toolsListChanged: true })
    await vi.waitFor(
      () => {
        server.tool(`more-${heard.mock.calls.length}-${Math.random()}`, {}, () => 'x')
        expect(heard).toHaveBeenCalled()
      },
      { timeout: 10_000, interval: 200 },
    )
  })

  it('gives a call up, and the server hears of it', async () => {
    let abort = (): void => {}
    const ended = new Promise<void>((resolve) => {
      abort = resolve
    })
    const { url } = await listening((server) =>
      server.tool('slow', {}, async (_args, ctx) => {
        ctx.signal.addEventListener('abort', abort)
        await ctx.progress(1)
        await ended
        return 'late'
      }),
    )
    const { client } = await host(url, revision)
    const controller = new AbortController()
    const call = client.callTool(
      { name: 'slow', arguments: {} },
      { signal: controller.signal, onprogress: () => controller.abort() },
    )
    await expect(call).rejects.toThrow()
    await ended
  })

  it('outlives a restart of the server on its port', async () => {
    const peer = await listening(build)
    const { client, errors } = await host(peer.url, revision)
    await client.readResource({ uri: 'notes://1' })
    await peer.stop()
    const during = client.readResource({ uri: 'notes://1' })
    await peer.restart()
    expect((await during).contents).toMatchObject([{ text: 'one' }])
    expect((await client.listTools()).tools).toHaveLength(4)
    expect(errors).toEqual([])
  })
})

it.each(['legacy', 'auto'] as const)(
  'FL-106 a refused token is explained to a client in mode %s',
  async (mode) => {
    const { url } = await listening(() => {}, { auth: new Tokens() })
    const transport = new StdioClientTransport({
      command: process.execPath,
      args: [program.file, url, '--auth', 'env:THE_TOKEN'],
      env: { THE_TOKEN: token },
      stderr: 'pipe',
    })
    const client = new Client({ name: 'host', version: '1' }, { versionNegotiation: { mode } })
    clients.push(client)
    const error: unknown = await client.connect(transport).catch((reason: unknown) => reason)
    expect(String(error)).toMatch(
      /THE_TOKEN is set but http:\/\/127\.0\.0\.1:\d+ does not accept it: .*\. Get a new one\. Set THE_TOKEN where the host keeps/,
    )
    expect(String((error as Error).stack)).not.toContain(token)
  },
)

describe('an SDK server', () => {
  const gate = only(token)

  it.each(['modern', 'sessions'])('with %s is found by asking', async (kind) => {
    const server = await serve(kind === 'modern' ? modernFetch(gate) : sessionFetch(gate).fetch)
    const transport = new StdioClientTransport({
      command: process.execPath,
      args: [program.file, server.url, '--auth', 'env:THE_TOKEN'],
      env: { THE_TOKEN: token },
      stderr: 'pipe',
    })
    const client = new Client({ name: 'host', version: '1' }, { versionNegotiation: { mode: 'auto' } })
    clients.push(client)
    await client.connect(transport)
    expect(client.getProtocolEra()).toBe(kind === 'modern' ? 'modern' : 'legacy')
    expect(textOf(await client.callTool({ name: 'echo', arguments: { text: 'x' } }))).toBe('x')
    expect(new Set(server.authorizations)).toEqual(new Set([`Bearer ${token}`]))
    await client.close()
    if (kind === 'sessions') await vi.waitFor(() => expect(methodsOf(server)).toContain('DELETE'))
  })

  it('FL-106 the token is in no argument, and in nothing that is written', async () => {
    const server = await serve(sessionFetch(gate).fetch)
    const { client, transport, notes } = await host(server.url, '2025-11-25')
    await client.listTools()
    const shown = execFileSync('ps', ['-o', 'args=', '-p', String(transport.pid)], { encoding: 'utf8' })
    expect(shown).toContain('env:THE_TOKEN')
    expect(shown + readFileSync(`/proc/${transport.pid}/cmdline`, 'utf8') + notes()).not.toContain(token)
  })
})
