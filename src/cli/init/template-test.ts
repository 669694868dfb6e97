/** `src/server.test.ts` of a server with API keys. */
export const testOfApiKeys = `// Over HTTP, as a client meets the server, with API keys made for the test.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { Client } from 'mcp-bearer/client'
import { apiKeys, memoryKeyStore } from 'mcp-bearer/keys'
import { ApiKeyAuthProvider } from 'mcp-bearer/server'
import { createServer } from './server.ts'

const store = memoryKeyStore()
const keys = apiKeys({ store })
const server = createServer(new ApiKeyAuthProvider({ store }))
const { url } = await server.listen({ port: 0 })
after(() => server.close())

/** A credential of alice's, with these scopes. */
async function credential(...scopes: string[]): Promise<string> {
  const { key } = await keys.create({ name: 'test', owner: 'alice', scopes })
  return key
}
${theTests()}
test('a key that was revoked does not work any more', async () => {
  const { key, apiKey } = await keys.create({ name: 'test', owner: 'alice' })
  await keys.revoke(apiKey.id)
  await using client = new Client(url, { auth: key })
  await assert.rejects(client.callTool('whoami'), { code: 'invalid_token', status: 401 })
})
`

/** `src/server.test.ts` of a server that takes JWTs. */
export const testOfJwt = `// Over HTTP, as a client meets the server, with tokens of a key made for the test.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { Client } from 'mcp-bearer/client'
import { BearerAuthProvider, RSAKeyPair } from 'mcp-bearer/server'
import { createServer } from './server.ts'

const issuer = 'https://id.example.com'
const audience = 'this-server'
const pair = await RSAKeyPair.generate()
const server = createServer(new BearerAuthProvider({ publicKey: pair.publicKey, issuer, audience }))
const { url } = await server.listen({ port: 0 })
after(() => server.close())

/** A credential of alice's, with these scopes. */
function credential(...scopes: string[]): Promise<string> {
  return pair.createToken({ subject: 'alice', issuer, audience, scopes })
}
${theTests()}
test('a token that was made for another server does not work', async () => {
  const auth = await pair.createToken({ subject: 'alice', issuer, audience: 'another-server' })
  await using client = new Client(url, { auth })
  await assert.rejects(client.callTool('whoami'), { code: 'invalid_token', status: 401 })
})
`

/** What holds whatever the credential is. */
function theTests(): string {
  return `
test('without a token: 401, and how to do better', async () => {
  const answer = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list', params: {} }),
  })
  assert.equal(answer.status, 401)
  assert.match(answer.headers.get('www-authenticate') ?? '', /^Bearer /)
})

test('with a good token: the call is made, by whom the token says', async () => {
  await using client = new Client(url, { auth: await credential() })
  const { structuredContent } = await client.callTool('whoami')
  assert.deepEqual(structuredContent, { subject: 'alice', scopes: [] })
})

test('a tool that takes a scope is hidden without it, and a 403', async () => {
  await using client = new Client(url, { auth: await credential('other:scope') })
  assert.deepEqual((await client.listTools()).map(({ name }) => name), ['whoami'])
  await assert.rejects(client.callTool('add', { a: 1, b: 2 }), { code: 'insufficient_scope', status: 403 })
})

test('with the scope it works', async () => {
  await using client = new Client(url, { auth: await credential('math:use') })
  const { structuredContent } = await client.callTool('add', { a: 1, b: 2 })
  assert.deepEqual(structuredContent, { sum: 3 })
})
`
}
