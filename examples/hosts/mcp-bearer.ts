import { MCPClient } from 'mcp-bearer/client'

await using client = await MCPClient.fromFile(process.env.MCP_CONFIG ?? '.mcp.json')
const tools = await client.session('reports').listTools()
console.log(tools.map(({ name }) => name).join(', '))
