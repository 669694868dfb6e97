// Secrets stay in the environment: name the variable in the configuration. A variable that is not set is an error
// that names it, before anything is sent.
import { MCPClient } from 'mcp-bearer/client'

await using client = new MCPClient({
  mcpServers: {
    api: { url: '${MCP_SERVER_URL}', auth: { env: 'MCP_API_KEY' } },
  },
})
const tools = await client.session('api').listTools()
console.log(`api offers ${tools.map((tool) => tool.name).join(', ')}`)
