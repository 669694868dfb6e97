// Rules that decide by more than scopes: who calls, what they ask for, what the token says.
import { type Authorize, MCPServer, staticVerifier } from 'mcp-bearer/server'
import { z } from 'zod'

const auth = staticVerifier({
  'dev-alice': { claims: { sub: 'alice', plan: 'pro' }, scopes: ['bank'] },
  'dev-bob': { claims: { sub: 'bob', plan: 'free' }, scopes: ['bank', 'bank:large'] },
})
const server = new MCPServer({ name: 'bank', auth })

// One's own account. For a list there is no `uri` yet: everybody may know that there are accounts.
const ownAccount: Authorize = ({ auth, uri }) => uri === undefined || uri === `accounts://${auth?.subject}`

server.resource('accounts://{owner}', { authorize: ownAccount }, ({ owner }) => `Account of ${owner}`)

// A list of scopes says what would help: HTTP 403 asks for them. The arguments were not validated yet.
const largeSums: Authorize = ({ arguments: args }) => {
  const { sum } = (args ?? { sum: 0 }) as { sum?: unknown }
  return typeof sum === 'number' && sum <= 1000 ? true : ['bank:large']
}

server.tool(
  'pay',
  { scopes: ['bank'], authorize: largeSums, inputSchema: z.object({ sum: z.number() }) },
  ({ sum }) => `Paid ${sum}`,
)

// `false`: no scope would help. Who may not use it does not see it either.
server.tool('report', { authorize: ({ auth }) => auth?.claims.plan === 'pro' }, () => 'All is well.')

const { url } = await server.listen({ port: Number(process.env.PORT ?? 8000) })
console.log(`Listening on ${url}`)
