import diagnostics from 'node:diagnostics_channel'
import type { Socket } from 'node:net'
import { Client, MCPClient, type TokenRequest, type TokenSource } from 'mcp-bearer/client'
import { afterEach, describe, expect, expectTypeOf, test } from 'vitest'
import { answer, closeServers, failure, listen, modernFetch, only, serve, sessionFetch } from './servers.ts'

afterEach(closeServers)

describe('what a client is kept from', () => {
  test('E-62 a source is told of the request that goes out, and of none that came in', () => {
    expectTypeOf<keyof TokenRequest>().toEqualTypeOf<'url' | 'resource' | 'scopes' | 'signal'>()
    expectTypeOf<Parameters<TokenSource['token']>>().toEqualTypeOf<[TokenRequest]>()
  })

  test('FL-76 there is no telemetry: every connection goes to a server that was configured', async () => {
    const sockets: Socket[] = []
    const note = (message: unknown) => void sockets.push((message as { socket: Socket }).socket)
    diagnostics.subscribe('net.client.socket', note)
    const ports = new Set<number | undefined>()
    try {
      const servers = [await serve(modernFetch(only('t-1'))), await serve(sessionFetch(only('t-1')).fetch)]
      for (const { url } of servers) {
        const client = new Client(url, { auth: 't-1' })
        await client.listTools()
        await client.callTool('echo', { text: 'x' })
        await client.readResource('note://1')
        for (const { remotePort } of sockets.splice(0)) ports.add(remotePort)
        await client.close()
        await failure(new Client(url, { auth: 'bad' }).listTools())
      }
      const broken = await listen(answer(500))
      const many = new MCPClient({
        mcpServers: { a: { url: servers[0]!.url, auth: 't-1' }, b: { url: broken.url } },
      })
      await many.catalogue()
      for (const { remotePort } of sockets.splice(0)) ports.add(remotePort)
      await many.closeAll()
      ports.delete(undefined)
      const configured = [...servers, broken].map(({ origin }) => Number(new URL(origin).port))
      expect(ports.size).toBeGreaterThanOrEqual(2)
      expect([...ports].filter((port) => !configured.includes(port ?? 0))).toEqual([])
    } finally {
      diagnostics.unsubscribe('net.client.socket', note)
    }
  })
})
