import { fileURLToPath } from 'node:url'
import { Client } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { MCPClient } from 'mcp-bearer/client'
import { describe, expect, it } from 'vitest'

const program = fileURLToPath(new URL('../../build/examples/server/stdio.js', import.meta.url))

describe('the stdio example', () => {
  it.each(['legacy', 'auto'] as const)(
    'D-70 FL-20 serves open components and keeps scoped ones closed (%s)',
    async (mode) => {
      const client = new Client({ name: 'host', version: '1' }, { versionNegotiation: { mode } })
      await client.connect(new StdioClientTransport({ command: process.execPath, args: [program] }))
      try {
        expect((await client.listTools()).tools.map((tool) => tool.name)).toEqual(['hello'])
        expect((await client.callTool({ name: 'hello', arguments: {} })).content).toEqual([
          { type: 'text', text: 'Hello stranger' },
        ])
        await expect(client.callTool({ name: 'purge', arguments: {} })).rejects.toThrow(
          /Authentication required/,
        )
      } finally {
        await client.close()
      }
    },
  )

  it('is reached by an entry with a command', async () => {
    const client = new MCPClient({ mcpServers: { local: { command: process.execPath, args: [program] } } })
    try {
      const { content } = await client.session('local').callTool('hello')
      expect(content).toEqual([{ type: 'text', text: 'Hello stranger' }])
    } finally {
      await client.close()
    }
  })
})
