import { expect, it, vi } from 'vitest'
import { Client, MCPClient, SSETransport, StreamableHttpTransport } from './index.ts'

const load = vi.hoisted(() => vi.fn())
vi.mock('@modelcontextprotocol/client', async (original) => {
  load()
  return original()
})

it('the SDK is not loaded before the first call', async () => {
  const url = 'http://localhost:1/mcp'
  new Client(new SSETransport(url))
  new MCPClient({ mcpServers: { api: { url } } })
  expect(load).not.toHaveBeenCalled()
  await new StreamableHttpTransport(url).open()
  expect(load).toHaveBeenCalledTimes(1)
})
