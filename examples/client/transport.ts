// The same on a transport, for when the transport needs more options.
import { Client, StreamableHttpTransport } from 'mcp-bearer/client'

const transport = new StreamableHttpTransport(process.env.MCP_SERVER_URL ?? 'https://mcp.example.com/mcp', {
  auth: process.env.MCP_TOKEN ?? '<your-token>',
})

await using client = new Client(transport)
await client.ping()
console.log('The server answers.')
