// In Express, under a prefix. Clients find the sign-in at the root of the host.
import type { AddressInfo } from 'node:net'
import express from 'express'
import { BearerAuthProvider, MCPServer } from 'mcp-bearer/server'

const resource = 'https://mcp.example.com/team-a/mcp'
const auth = new BearerAuthProvider({
  jwksUri: process.env.JWKS_URI ?? 'https://id.example.com/.well-known/jwks.json',
  issuer: process.env.ISSUER ?? 'https://id.example.com',
  audience: resource,
})
const server = new MCPServer({ name: 'team-a', auth }, { resource, scopesSupported: ['files:read'] })
server.tool('whoami', {}, (_args, ctx) => ctx.auth?.subject)
server.route('/version', () => Response.json({ version: 1 }), { auth: false })

const app = express()
app.use('/team-a/mcp', server.nodeListener) // before express.json(): a refusal never waits for a body
for (const { path, nodeListener } of server.routes) app.all(path, nodeListener)

const listener = app.listen(Number(process.env.PORT ?? 8000), '127.0.0.1', () => {
  const { port } = listener.address() as AddressInfo
  console.log(`Listening on http://127.0.0.1:${port}/team-a/mcp`)
})
