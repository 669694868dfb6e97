// Several servers, each with a token of its own. No token ever travels to another server than its own.
import { MCPClient } from 'mcp-bearer/client'

await using client = new MCPClient({
  mcpServers: {
    service_a: { url: '${SERVICE_A_URL}', auth: '${SERVICE_A_TOKEN}' },
    service_b: { url: '${SERVICE_B_URL}', auth: '${SERVICE_B_TOKEN}' },
  },
})

for (const name of ['service_a', 'service_b']) {
  const result = await client.session(name).callTool('whoami')
  console.log(`${name}: ${JSON.stringify(result.content)}`)
}
