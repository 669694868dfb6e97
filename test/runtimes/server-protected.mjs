/** The protected server that every runtime serves. Made when the module loads, as a worker makes its own. */
import { z } from 'zod'
import { getAccessToken, jwtVerifier, MCPServer } from '../../dist/server/index.js'
// What its tokens must say, and how they are signed.
import tokens from './server-tokens.json' with { type: 'json' }

export const server = new MCPServer({
  name: 'everywhere',
  version: '1.2.3',
  auth: jwtVerifier(tokens, { logger() {} }),
  logger() {},
})

/** The meetings whose handler was told that its caller has left. */
const left = new Set()

server.tool('whoami', { description: 'Who calls, before and after some waiting' }, async (_args, ctx) => {
  const before = getAccessToken()?.subject
  await Promise.resolve()
  const inTimer = await new Promise((resolve) => setTimeout(() => resolve(getAccessToken()?.subject), 1))
  return { before, inTimer, after: getAccessToken()?.subject, context: ctx.auth?.subject }
})

server.tool(
  'meet',
  {
    description: 'Goes somewhere, tells of it on the way, once or all the time, and comes back',
    inputSchema: z.object({ at: z.url(), isTalkative: z.boolean().default(false) }),
  },
  async ({ at, isTalkative }, ctx) => {
    const before = getAccessToken()?.subject
    const { signal } = ctx
    signal.addEventListener('abort', () => left.add(at))
    await ctx.progress(1, 1000, 'on the way')
    let told = 1
    const talking = isTalkative ? setInterval(() => ctx.progress(++told, 1000), 10) : undefined
    try {
      const said = await (await fetch(at, { signal })).text()
      await ctx.progress(1000, 1000, 'on the way back')
      return { at, said, before, after: getAccessToken()?.subject, context: ctx.auth?.subject }
    } finally {
      clearInterval(talking)
    }
  },
)

server.tool('was-left', { inputSchema: z.object({ at: z.url() }) }, ({ at }) => ({ left: left.has(at) }))

server.tool('purge', { description: 'For administrators', scopes: ['admin', 'write'] }, () => 'purged')

server.resource('notes://today', { description: 'A note' }, () => `A note for ${getAccessToken()?.subject}`)

server.resource('users://{id}', { name: 'user' }, ({ id }, ctx) => ({ id, caller: ctx.auth?.subject }))

server.prompt(
  'greet',
  { description: 'Greets', argsSchema: z.object({ name: z.string() }) },
  ({ name }) => `Say hello to ${name} from ${getAccessToken()?.subject}`,
)
