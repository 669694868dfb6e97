// The same with a .env file; Node reads it without a library.
import { MCPClient } from 'mcp-bearer/client'

process.loadEnvFile(process.env.ENV_FILE ?? '.env')

await using client = new MCPClient({
  mcpServers: {
    api: { url: '${MCP_SERVER_URL}', auth: '${MCP_API_KEY}' },
  },
})
const tools = await client.session('api').listTools()
console.log(`api offers ${tools.map((tool) => tool.name).join(', ')}`)
