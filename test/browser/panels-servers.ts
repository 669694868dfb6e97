import { MCPServer } from 'mcp-bearer/server'
import { z } from 'zod'
import type { Site } from './site.ts'

/** Tokens: of somebody who may read, and of somebody who may also report. */
export const reader = 'reader-token-93b1'
export const reporter = 'reporter-token-17cd'

const scopes: Readonly<Record<string, readonly string[]>> = {
  [reader]: ['read'],
  [reporter]: ['read', 'reports:write'],
}

/** One pixel. */
export const png =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='

/** What a server of a test saw. */
export interface OwnServer extends Site {
  /** One line for each thing that happened. */
  readonly seen: string[]
}

/** One of our servers, with something of everything. */
export async function ownServer(): Promise<OwnServer> {
  const seen: string[] = []
  const server = new MCPServer({
    name: 'Office',
    version: '2.1.0',
    logger() {},
    auth: {
      verifyToken: async (token: string) => {
        const held = Object.hasOwn(scopes, token) ? scopes[token] : undefined
        return held ? { token, clientId: 'office', scopes: [...held] } : null
      },
    },
  })
  addTools(server, seen)
  addMore(server)
  const { url } = await server.listen({ port: 0 })
  return { origin: new URL(url).origin, seen, close: () => server.close() }
}

function addTools(server: MCPServer, seen: string[]): void {
  const order = z.object({
    item: z.string().min(2).describe('What is ordered'),
    count: z.number().int().min(1).max(10).default(1),
    kind: z.enum(['gift', 'own']).optional(),
    notes: z.array(z.string()).optional(),
    address: z.object({ street: z.string(), floor: z.number().optional() }).optional(),
  })
  server.tool(
    'order',
    {
      title: 'Place an order',
      description: 'Orders something.',
      inputSchema: order,
      annotations: { destructiveHint: true, idempotentHint: false },
    },
    (args) => {
      seen.push(`order ${JSON.stringify(args)}`)
      return { ordered: args }
    },
  )
  server.tool('report', { scopes: ['reports:write'], description: 'Writes a report.' }, () => 'reported')
  server.tool('fail', {}, () => ({ isError: true, content: [{ type: 'text', text: 'out of paper' }] }))
  server.tool('slow', { description: 'Takes its time.' }, async (_args, ctx) => {
    await ctx.log('info', 'getting started')
    await ctx.progress(1, 4, 'one quarter')
    await new Promise<void>((resolve) => {
      ctx.signal.addEventListener('abort', () => {
        seen.push('slow was cancelled')
        resolve()
      })
    })
    return 'never'
  })
  server.tool('ask', { description: 'Asks who.' }, async (_args, ctx) => {
    const schema = z.object({ colour: z.enum(['red', 'blue']), size: z.number().int().max(5) })
    const answer = await ctx.elicit({ message: 'Which one?', schema })
    return `${answer.action} ${JSON.stringify(answer.content)}`
  })
  server.tool('picture', {}, () => ({
    content: [
      { type: 'image', data: png, mimeType: 'image/png' },
      { type: 'image', data: btoa('<svg onload="ran=1"/>'), mimeType: 'image/svg+xml' },
    ],
  }))
}

function addMore(server: MCPServer): void {
  server.resource('office://hours', { name: 'hours', title: 'Opening hours' }, () => 'nine to five')
  server.resource('office://logo', { name: 'logo', mimeType: 'image/png' }, () => ({
    contents: [{ uri: 'office://logo', mimeType: 'image/png', blob: png }],
  }))
  server.resource(
    'office://rooms/{room}',
    { name: 'room' },
    (params: Record<string, string>) => `room ${params.room}`,
  )
  server.prompt(
    'letter',
    {
      description: 'Writes a letter.',
      argsSchema: z.object({ to: z.string(), tone: z.string().optional() }),
    },
    ({ to }) => ({
      messages: [
        { role: 'user', content: { type: 'text', text: `Dear ${to}` } },
        { role: 'assistant', content: { type: 'text', text: 'Gladly' } },
      ],
    }),
  )
}
