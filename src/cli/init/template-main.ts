/** `src/main.ts` of a server with API keys. */
export const mainOfApiKeys = `// Starts the server. Its API keys are made and ended with "npx mcp-bearer keys", also while it runs.
import { existsSync } from 'node:fs'
import { loadEnvFile } from 'node:process'
import { openKeyStore } from 'mcp-bearer/keys'
import { ApiKeyAuthProvider } from 'mcp-bearer/server'
import { createServer } from './server.ts'

if (existsSync('.env')) loadEnvFile()

const store = await openKeyStore(process.env.MCP_BEARER_DB || 'keys.db')
const server = createServer(new ApiKeyAuthProvider({ store }))

const { url } = await server.listen({ port: Number(process.env.PORT || 8000) })
console.log(\`Listening on \${url}\`)
`

/** `src/main.ts` of a server that takes JWTs. */
export const mainOfJwt = `// Starts the server. It takes tokens of one issuer, made for this server, and nothing else.
import { existsSync } from 'node:fs'
import { loadEnvFile } from 'node:process'
import { BearerAuthProvider } from 'mcp-bearer/server'
import { createServer } from './server.ts'

if (existsSync('.env')) loadEnvFile()

const auth = new BearerAuthProvider({
  issuer: setting('ISSUER'),
  // The keys of the issuer are found by its metadata.
  jwksUri: 'discover',
  audience: setting('AUDIENCE'),
})
const server = createServer(auth)

const { url } = await server.listen({ port: Number(process.env.PORT || 8000) })
console.log(\`Listening on \${url}\`)

// No default: a server that nobody configured must not take anybody's tokens.
function setting(name: string): string {
  const value = process.env[name]
  if (value) return value
  console.error(\`\${name} is not set. Copy .env.example to .env, and see what is in it.\`)
  process.exit(1)
}
`
