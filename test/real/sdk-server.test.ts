import { fileURLToPath } from 'node:url'
import { Client } from '@modelcontextprotocol/client'
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { z } from 'zod'
import { Client as OwnClient } from '../../src/client/client.ts'
import { httpTransport } from './everything-clients.ts'
import { afterThem, folder, type Gate, listeningServer, newKey, protect } from './protect.ts'

const program = fileURLToPath(new URL('./sdk-server.mjs', import.meta.url))
const eras = [
  ['2026-07-28', { pin: '2026-07-28' }],
  ['2025-11-25', 'legacy'],
] as const

const atEnd = afterThem()
let inner: { readonly url: string }
let gate: Gate
let key: string

beforeAll(async () => {
  inner = await listeningServer(process.execPath, [program], (port) => ({ PORT: String(port) }), atEnd)
  const db = `${await folder(atEnd)}/keys.db`
  key = await newKey(db, 'ada')
  gate = await protect(['--keys', db, inner.url], {}, atEnd)
})

async function sdkClient(url: string, mode: (typeof eras)[number][1], token?: string): Promise<Client> {
  const client = new Client({ name: 'sdk', version: '1' }, { versionNegotiation: { mode } })
  onTestFinished(() => client.close())
  await client.connect(httpTransport(url, token))
  return client
}

/** What the server offers, and what a call of each comes to. */
async function everything(client: Client): Promise<unknown> {
  const call = (name: string, args = {}) =>
    client.callTool({ name, arguments: args }).catch((error: Error & { code?: unknown }) => ({
      code: error.code,
      message: error.message,
    }))
  const odd = () => client.request({ method: 'no/such', params: {} }, z.looseObject({}))
  return [
    client.getNegotiatedProtocolVersion(),
    client.getServerVersion(),
    client.getServerCapabilities(),
    await client.listTools(),
    await client.listResources(),
    await client.listPrompts(),
    await call('add', { a: 1, b: 2 }),
    await call('add', { a: 'x' }),
    await call('count'),
    await call('fails'),
    await call('none'),
    await client.readResource({ uri: 'note://one' }),
    await client.getPrompt({ name: 'greet', arguments: { name: 'Ada' } }),
    await odd().catch(({ code, message }) => ({ code, message })),
  ]
}

describe.each(eras)('an SDK server of %s at a URL behind protect', (_, mode) => {
  test('FL-108 gives what it gives directly', async () => {
    const straight = await everything(await sdkClient(inner.url, mode))
    expect(await everything(await sdkClient(gate.url, mode, key))).toEqual(straight)
  })

  test('tells how far it is', async () => {
    const client = await sdkClient(gate.url, mode, key)
    const steps: number[] = []
    const result = await client.callTool(
      { name: 'count' },
      { onprogress: ({ progress }) => steps.push(progress) },
    )
    expect(result.content).toEqual([{ type: 'text', text: 'three' }])
    expect([1, 2, 3].slice(0, steps.length)).toEqual(steps)
  })

  test('is not told the token', async () => {
    const client = await sdkClient(gate.url, mode, key)
    const { content } = await client.callTool({ name: 'headers' })
    const { text } = (content as { text: string }[])[0]!
    expect(text).toContain('content-type')
    expect(text).not.toMatch(/authorization|cookie|api-key/)
  })

  test('is not reached with a wrong key', async () => {
    await expect(sdkClient(gate.url, mode, `${key}x`)).rejects.toThrow()
  })
})

test('the package’s client finds the newer era, and calls', async () => {
  const client = new OwnClient(gate.url, { auth: key })
  onTestFinished(() => client.close())
  const { content } = await client.callTool('add', { a: 1, b: 2 })
  expect(content).toEqual([{ type: 'text', text: '3' }])
  expect(client.protocolVersion).toBe('2026-07-28')
})
