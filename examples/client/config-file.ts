// The configuration file that MCP hosts use, with the header written out. The token comes from the environment.
import { MCPClient } from 'mcp-bearer/client'

await using client = await MCPClient.fromFile(process.env.MCP_CONFIG ?? 'mcp.json')
const result = await client.session('my-server').callTool('whoami')
console.log(JSON.stringify(result.content))
