import { fromJsonSchema } from '@modelcontextprotocol/server'
import { ToolError } from '../../core/index.ts'
import type { MCPServer } from '../../server/index.ts'
import { gradient } from './picture.ts'
import { parcelSchema, quote, quoteSchema } from './quote.ts'

/** Gives the server of the demo tools that behave in as many ways as tools do. */
export function addTools(server: MCPServer): void {
  addReports(server)
  server.tool('whoami', { description: 'Who the access token speaks for' }, (_args, ctx) => ({
    subject: ctx.auth?.subject,
    scopes: ctx.auth?.scopes,
    expiresAt: ctx.auth?.expiresAt?.toISOString(),
  }))
  server.tool(
    'count_slowly',
    { description: 'Counts to ten and tells how far it is' },
    async (_args, ctx) => {
      for (let step = 1; step <= 10; step++) {
        await pause(60, ctx.signal)
        await ctx.progress(step, 10, `${step} of 10`)
      }
      return 'Counted to ten.'
    },
  )
  server.tool(
    'quote_parcel',
    {
      title: 'Quote for a parcel',
      description: 'What it costs to send a parcel, and how long it takes',
      inputSchema: parcelSchema,
      outputSchema: quoteSchema,
      annotations: { readOnlyHint: true },
    },
    quote,
  )
  server.tool(
    'draw_gradient',
    {
      description: 'A small picture',
      inputSchema: fromJsonSchema<{ hue?: number }>({
        type: 'object',
        properties: {
          hue: {
            type: 'integer',
            minimum: 0,
            maximum: 360,
            default: 200,
            description: 'The colour it begins with',
          },
        },
      }),
    },
    ({ hue = 200 }) => [
      { type: 'text', text: `From ${hue} to ${hue + 120} degrees` },
      { type: 'image', data: gradient(hue, 96), mimeType: 'image/png' },
    ],
  )
  server.tool('always_fails', { description: 'Fails, and says so as tools do' }, () => {
    throw new ToolError('The printer is out of paper. This is what an error of a tool looks like.')
  })
}

/** What needs a scope, and what asks back before it acts. */
function addReports(server: MCPServer): void {
  server.tool(
    'read_report',
    { description: 'The quarterly report; needs the scope reports:read', scopes: ['reports:read'] },
    () => 'Revenue is up, and so are the tokens.',
  )
  server.tool(
    'write_report',
    {
      description: 'Replaces the quarterly report; needs the scope reports:write',
      scopes: ['reports:write'],
      inputSchema: fromJsonSchema<{ text: string }>({
        type: 'object',
        properties: { text: { type: 'string', maxLength: 1000 } },
        required: ['text'],
      }),
    },
    ({ text }) => `A report of ${text.length} characters would be kept now. The demo keeps nothing.`,
  )
  server.tool(
    'archive_report',
    {
      description: 'Asks the person behind the client before it does anything',
      annotations: { destructiveHint: true },
    },
    async (_args, ctx) => {
      const { action, content } = await ctx.elicit<{ confirm: boolean; reason?: string }>({
        message: 'Archive the quarterly report?',
        schema: {
          type: 'object',
          properties: {
            confirm: { type: 'boolean', title: 'Yes, archive it' },
            reason: { type: 'string', title: 'Why', enum: ['old', 'wrong', 'replaced'] },
          },
          required: ['confirm'],
        },
      })
      if (action !== 'accept' || !content.confirm) return 'Nothing was archived.'
      return `Archived${content.reason === undefined ? '' : `, because it is ${content.reason}`}. The demo keeps nothing.`
    },
  )
}

/** Gives it something to read, and a prompt. */
export function addDocuments(server: MCPServer): void {
  server.resource(
    'notes://welcome',
    { name: 'welcome', description: 'A note for whoever looks around', mimeType: 'text/markdown' },
    () => '# Welcome\n\nThis is a resource. It has a URI, and is read, not called.\n',
  )
  server.resource(
    'reports://{year}/{quarter}',
    {
      name: 'report',
      description: 'A report of one quarter; needs the scope reports:read',
      scopes: ['reports:read'],
      complete: { year: startingWith(['2024', '2025', '2026']), quarter: startingWith(quarters) },
    },
    ({ year, quarter }) => ({ year, quarter, summary: 'Revenue is up, and so are the tokens.' }),
  )
  server.prompt(
    'summarize_report',
    {
      title: 'Summarize a report',
      description: 'Asks a model for a summary',
      argsSchema: fromJsonSchema<{ quarter: string; audience?: string }>({
        type: 'object',
        properties: {
          quarter: { type: 'string', description: 'Such as Q1' },
          audience: { type: 'string', description: 'Who will read it' },
        },
        required: ['quarter'],
      }),
      complete: {
        quarter: startingWith(quarters),
        audience: startingWith(['board', 'customers', 'engineers']),
      },
    },
    ({ quarter, audience = 'everybody' }) => `Summarize the report of ${quarter} for ${audience}.`,
  )
}

const quarters = ['Q1', 'Q2', 'Q3', 'Q4']

function startingWith(values: readonly string[]): (value: string) => readonly string[] {
  return (value) => values.filter((each) => each.toLowerCase().startsWith(value.toLowerCase()))
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms)
    signal.addEventListener(
      'abort',
      () => {
        clearTimeout(timer)
        reject(signal.reason as Error)
      },
      { once: true },
    )
  })
}
