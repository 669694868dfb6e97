// One configuration, one server. A URL that ends in /sse would use the older SSE transport.
import { MCPClient } from 'mcp-bearer/client'

const config = {
  mcpServers: {
    api: {
      url: process.env.MCP_SERVER_URL ?? 'https://api.example.com/mcp',
      auth: process.env.MCP_API_KEY ?? 'sk-your-api-key-here',
    },
  },
}

await using client = new MCPClient(config)
const tools = await client.session('api').listTools()
console.log(`api offers ${tools.map((tool) => tool.name).join(', ')}`)
