// The shortest way: pass the token. Without a "Bearer " prefix; the client adds it.
import { Client } from 'mcp-bearer/client'

const url = process.env.MCP_SERVER_URL ?? 'https://mcp.example.com/mcp'
const token = process.env.MCP_TOKEN ?? '<your-token>'

await using client = new Client(url, { auth: token })
await client.ping()
console.log('The server answers.')
