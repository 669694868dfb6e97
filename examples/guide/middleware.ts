// Something around every request to tools, resources, prompts and completions.
import { MCPServer, staticVerifier, ToolError } from 'mcp-bearer/server'

const auth = staticVerifier({
  'dev-alice': { claims: { sub: 'alice' } },
  'dev-bob': { claims: { sub: 'bob', suspended: true } },
})
const server = new MCPServer({ name: 'my-server', auth })

// What is added first is outermost.
server.use(async ({ method, params, auth }, next) => {
  const begun = performance.now()
  try {
    return await next()
  } finally {
    const ms = (performance.now() - begun).toFixed(1)
    console.log(`${auth?.subject} ${method} ${params.name ?? ''} took ${ms} ms`)
  }
})

// What it throws is treated as if a handler had thrown it.
server.use(async ({ method, auth }, next) => {
  if (method === 'tools/call' && auth?.claims.suspended) throw new ToolError('This account is suspended.')
  return next()
})

server.tool('hello', {}, (_args, ctx) => `Hello ${ctx.auth?.subject}`)

const { url } = await server.listen({ port: Number(process.env.PORT ?? 8000) })
console.log(`Listening on ${url}`)
