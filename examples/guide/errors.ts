// What the caller reads when something goes wrong, and what only the log says.
import { setTimeout as sleep } from 'node:timers/promises'
import { MCPServer, staticVerifier, ToolError } from 'mcp-bearer/server'
import { z } from 'zod'

const auth = staticVerifier({ 'dev-alice': { claims: { sub: 'alice' } } })
const server = new MCPServer({ name: 'reports', auth })

// A ToolError is meant for the caller, who reads its message.
server.tool('divide', { inputSchema: z.object({ a: z.number(), b: z.number() }) }, ({ a, b }) => {
  if (b === 0) throw new ToolError('Nothing can be divided by zero.')
  return a / b
})

// Any other error goes to the log. The caller reads that the server failed, and nothing of this text.
server.tool('report', {}, () => {
  throw new Error('no route to db-7.internal')
})

// Whoever takes too long is given up: the caller is told, and the signal is aborted.
server.tool('archive', { timeoutMs: 100 }, async (_args, ctx) => {
  await sleep(60_000, undefined, { signal: ctx.signal })
  return 'Archived'
})

const { url } = await server.listen({ port: Number(process.env.PORT ?? 8000) })
console.log(`Listening on ${url}`)
