import { request } from 'node:http'
import { fileURLToPath } from 'node:url'
import { Client, discoverOAuthProtectedResourceMetadata } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { SSETransport, Client as TokenClient } from 'mcp-bearer/client'
import { LocalIssuer } from 'mcp-bearer/issuer'
import { expect, it, onTestFinished } from 'vitest'
import { runExample } from '../harness.ts'
import {
  ask,
  askOld,
  bearer,
  call,
  connected,
  type GuideTests,
  hello,
  revisions,
  said,
  signal,
  startProgram,
  type Told,
  textOf,
  toolNames,
} from './world.ts'

const alice = 'dev-alice'

/** A request with headers that `fetch` does not let anybody set. */
function rawGet(port: number, path: string, headers: Record<string, string>): Promise<number> {
  return new Promise((resolve, reject) => {
    request({ host: '127.0.0.1', port, path, headers }, (response) => {
      response.resume()
      resolve(response.statusCode ?? 0)
    })
      .once('error', reject)
      .end()
  })
}

/** Where a server runs, what comes over its streams, and how it ends. */
export const places: GuideTests = {
  changes(program) {
    it('tells a client of 2025-11-25 that has subscribed', async () => {
      const fresh = await startProgram('changes')
      const updated = signal<string>()
      const tools = signal()
      const client = await connected(fresh.url, 'legacy', alice, {
        prepare(made) {
          made.setNotificationHandler('notifications/resources/updated', ({ params }) => {
            updated.give(params.uri)
          })
          made.setNotificationHandler('notifications/tools/list_changed', () => tools.give())
        },
      })
      await client.subscribeResource({ uri: 'notes://today' })
      expect(await said(client, 'write', { text: 'Rest.' })).toBe('Written')
      expect(await updated.given).toBe('notes://today')
      const { contents } = await client.readResource({ uri: 'notes://today' })
      expect(contents).toMatchObject([{ text: 'Rest.' }])
      expect(await said(client, 'archive')).toBe('Archived')
      await tools.given
      expect(await toolNames(client)).toEqual(['write', 'archive', 'restore'])
      expect(await said(client, 'archive')).toBe('There is nothing to archive')
    })

    it('tells a client of 2026-07-28 that listens', async () => {
      const updated = signal<string>()
      const resources = signal()
      const client = await connected(program.url, 'auto', alice, {
        prepare(made) {
          made.setNotificationHandler('notifications/resources/updated', ({ params }) => {
            updated.give(params.uri)
          })
          made.setNotificationHandler('notifications/resources/list_changed', () => resources.give())
        },
      })
      const subscription = await client.listen({
        resourcesListChanged: true,
        resourceSubscriptions: ['notes://today'],
      })
      await said(client, 'write', { text: 'Rest.' })
      expect(await updated.given).toBe('notes://today')
      await said(client, 'archive')
      await resources.given
      expect((await client.listResources()).resources).toEqual([])
      await subscription.close()
    })
  },

  revocation() {
    it('ends a stream of 2026-07-28 with a last word, and lets nobody in any more', async () => {
      const { url } = await startProgram('revocation')
      const client = await connected(url, 'auto', alice)
      const subscription = await client.listen({ toolsListChanged: true })
      expect(await said(client, 'sign_out')).toBe('Signed out')
      expect(await subscription.closed).toBe('graceful')
      expect((await call(url, alice, 'sign_out')).status).toBe(401)
    })

    it('ends the stream of a session', async () => {
      const { url } = await startProgram('revocation')
      const opened = await askOld(url, alice, 'initialize', hello)
      await opened.text()
      const session = opened.headers.get('mcp-session-id')!
      const headers = { accept: 'text/event-stream', 'mcp-session-id': session, ...bearer(alice) }
      const stream = await fetch(url, { headers })
      expect(stream.status).toBe(200)
      const told = await askOld(url, alice, 'tools/call', { name: 'sign_out', arguments: {} }, session)
      expect(await textOf(told)).toBe('Signed out')
      // It ends: else this would never be whole.
      expect(await stream.text()).toContain('id: ')
      expect((await askOld(url, alice, 'ping', {}, session)).status).toBe(401)
    })
  },

  pages() {
    it('are there while developing', async () => {
      const { at } = await startProgram('pages')
      const document = (await (await fetch(at('/openmcp.json'))).json()) as object
      expect(document).toMatchObject({
        info: { name: 'my-server' },
        security: { scheme: 'bearer' },
        tools: [{ name: 'hello', scopes: ['greet'] }],
      })
      const page = await fetch(at('/docs'))
      expect(page.headers.get('content-type')).toContain('text/html')
      await page.text()
    })

    it('are not there in production; /health always is', async () => {
      const { at } = await startProgram('pages', { NODE_ENV: 'production' })
      expect((await fetch(at('/docs'))).status).toBe(404)
      expect((await fetch(at('/openmcp.json'))).status).toBe(404)
      expect(await (await fetch(at('/health'))).json()).toEqual({ status: 'ok' })
    })
  },

  express() {
    it('serves the server under its prefix, and what belongs to the root at the root', async () => {
      const issuer = await LocalIssuer.start({ logger: () => {} })
      onTestFinished(() => issuer.close())
      const { url, at } = await startProgram('express', { JWKS_URI: issuer.jwksUri, ISSUER: issuer.issuer })
      const audience = 'https://mcp.example.com/team-a/mcp'
      const token = await issuer.mint({ audience, subject: 'alice' })
      for (const [, mode] of revisions)
        expect(await said(await connected(url, mode, token), 'whoami')).toBe('alice')
      const refused = await call(url, undefined, 'whoami')
      expect(refused.status).toBe(401)
      expect(refused.headers.get('www-authenticate')).toContain(
        'resource_metadata="https://mcp.example.com/.well-known/oauth-protected-resource/team-a/mcp"',
      )
      const document = await fetch(at('/.well-known/oauth-protected-resource/team-a/mcp'))
      expect(await document.json()).toMatchObject({
        resource: audience,
        authorization_servers: [issuer.issuer],
        scopes_supported: ['files:read'],
      })
      expect(await (await fetch(at('/version'))).json()).toEqual({ version: 1 })
    })

    it('is found by a client that looks for the sign-in', async () => {
      const { url, at } = await startProgram('express')
      const resourceMetadataUrl = at('/.well-known/oauth-protected-resource/team-a/mcp')
      const found = await discoverOAuthProtectedResourceMetadata(url, { resourceMetadataUrl })
      expect(found.authorization_servers).toEqual(['https://id.example.com'])
    })
  },

  hono(program) {
    it.each(revisions)('serves the server under its prefix (%s)', async (_revision, mode) => {
      expect(await said(await connected(program.url, mode, alice), 'whoami')).toBe('alice')
      expect((await call(program.url, undefined, 'whoami')).status).toBe(401)
    })

    it('lets pages of one origin call, and no others', async () => {
      const from = (origin: string) =>
        ask(program.url, alice, 'tools/call', { name: 'whoami', arguments: {} }, {}, { origin })
      const allowed = await from('https://app.example.com')
      expect(allowed.headers.get('access-control-allow-origin')).toBe('https://app.example.com')
      expect(await textOf(allowed)).toBe('alice')
      expect((await from('https://evil.example.com')).status).toBe(403)
    })
  },

  'legacy-sse'(program) {
    it('serves the old transport behind the same token, and the new one', async () => {
      await using client = new TokenClient(new SSETransport(program.at('/sse'), { auth: alice }))
      expect((await client.callTool('whoami')).content).toEqual([{ type: 'text', text: 'alice' }])
      const stranger = await fetch(program.at('/sse'), { headers: { accept: 'text/event-stream' } })
      expect(stranger.status).toBe(401)
      for (const [, mode] of revisions)
        expect(await said(await connected(program.url, mode, alice), 'whoami')).toBe('alice')
    })
  },

  proxy(program) {
    it('answers to its public name, and to no other that is not its own', async () => {
      const named = (host: string) => rawGet(program.port, '/mcp', { host, ...bearer(alice) })
      // Admitted; without a session there is nothing to GET yet.
      expect(await named('mcp.example.com')).toBe(400)
      expect(await named(`127.0.0.1:${program.port}`)).toBe(400)
      expect(await named('evil.example.com')).toBe(403)
    })

    it('counts failures by the address the proxy saw', async () => {
      const from = async (address: string, token: string) => {
        const headers = { 'x-forwarded-for': `198.51.100.1, ${address}` }
        const whoami = { name: 'whoami', arguments: {} }
        const answer = await ask(program.url, token, 'tools/call', whoami, {}, headers)
        await answer.text()
        return answer.status
      }
      const statuses: number[] = []
      for (let time = 1; time <= 6; time++) statuses.push(await from('203.0.113.7', `dev-guess-${time}`))
      expect(statuses).toEqual([401, 401, 401, 401, 401, 429])
      expect(await from('203.0.113.8', 'dev-guess-7')).toBe(401)
      expect(await from('203.0.113.8', alice)).toBe(200)
    })
  },

  nodes() {
    const key = 'k'.repeat(32)
    const deleting = { name: 'delete', arguments: { file: 'a.txt' } }
    const capabilities = { elicitation: { form: {} } }

    it('finishes on one node what another has begun', async () => {
      const one = await startProgram('nodes', { STATE_KEY: key })
      const other = await startProgram('nodes', { STATE_KEY: key })
      const asked = await ask(one.url, alice, 'tools/call', deleting, capabilities)
      const { result } = (await asked.json()) as Told
      expect(result).toMatchObject({
        resultType: 'input_required',
        inputRequests: { sure: { params: { message: 'Delete a.txt?' } } },
      })
      const { requestState } = result
      const inputResponses = { sure: { action: 'accept', content: { sure: true } } }
      const again = { ...deleting, requestState, inputResponses }
      expect(await textOf(await ask(other.url, alice, 'tools/call', again, capabilities))).toBe(
        'a.txt deleted',
      )
      const elsewhere = { ...again, arguments: { file: 'b.txt' } }
      const refused = await ask(other.url, alice, 'tools/call', elsewhere, capabilities)
      expect((await refused.json()) as Told).toMatchObject({ error: { code: -32602 } })
    })

    it('does not start without its key', async () => {
      const { code, stderr } = await runExample('guide/nodes', { PORT: '0' }).ended
      expect(code).not.toBe(0)
      expect(stderr).toContain('stateKey')
    })
  },

  stdio() {
    const program = fileURLToPath(new URL('../../../build/examples/guide/stdio.js', import.meta.url))

    it.each(revisions)('gives the client what its token allows (%s)', async (_revision, mode) => {
      const client = new Client({ name: 'host', version: '1' }, { versionNegotiation: { mode } })
      onTestFinished(() => client.close())
      await client.connect(
        new StdioClientTransport({
          command: process.execPath,
          args: [program],
          env: { MCP_TOKEN: alice },
          stderr: 'ignore',
        }),
      )
      expect(await toolNames(client)).toEqual(['whoami', 'notes'])
      expect(await said(client, 'whoami')).toBe('alice')
      expect(await said(client, 'notes')).toBe('Buy milk.')
      await expect(said(client, 'purge')).rejects.toThrow('admin')
    })

    it('does not start with another token', async () => {
      const { code, stderr } = await runExample('guide/stdio', { MCP_TOKEN: 'dev-mallory' }).ended
      expect(code).not.toBe(0)
      expect(stderr).toContain('MCP_TOKEN holds no good token')
    })
  },

  shutdown() {
    it('lets the call that runs finish, takes no other, and ends', async () => {
      const { url, program } = await startProgram('shutdown')
      const pending = call(url, alice, 'work')
      await program.line(/^At work$/)
      const stopped = program.stop()
      expect(await textOf(await pending)).toBe('Done')
      await program.line(/^Closed$/)
      await stopped
      expect((await program.ended).code).toBe(0)
      await expect(fetch(url)).rejects.toThrow()
    })
  },
}
