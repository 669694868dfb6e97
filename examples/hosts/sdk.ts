import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'

const token = process.env.REPORTS_TOKEN
if (!token) throw new Error('REPORTS_TOKEN is not set')

const url = new URL(process.env.REPORTS_URL ?? 'https://mcp.example.com/mcp')
const authProvider = { token: async () => token }
const client = new Client({ name: 'reports', version: '1.0.0' })
await client.connect(new StreamableHTTPClientTransport(url, { authProvider }))
const { tools } = await client.listTools()
console.log(tools.map(({ name }) => name).join(', '))
await client.close()
