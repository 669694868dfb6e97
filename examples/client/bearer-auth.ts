// Explicit: say that it is a bearer token.
import { BearerAuth, Client } from 'mcp-bearer/client'

await using client = new Client(process.env.MCP_SERVER_URL ?? 'https://mcp.example.com/mcp', {
  auth: new BearerAuth(process.env.MCP_TOKEN ?? '<your-token>'),
})
await client.ping()
console.log('The server answers.')
