// A server that expects its key in a header of its own.
import { Client, StreamableHttpTransport } from 'mcp-bearer/client'

const transport = new StreamableHttpTransport(process.env.MCP_SERVER_URL ?? 'https://mcp.example.com/mcp', {
  headers: { 'X-API-Key': process.env.MCP_TOKEN ?? '<your-token>' },
})

await using client = new Client(transport)
await client.ping()
console.log('The server answers.')
