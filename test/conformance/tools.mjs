/** The tools that the official scenarios call, by the names and with the results these ask for. */
import { setTimeout as pause } from 'node:timers/promises'
import { ToolError } from 'mcp-bearer/server'
import { z } from 'zod'
import { png, text, wav } from './content.mjs'

/**
 * Adds them.
 *
 * @param server an `MCPServer`
 * @param access options that every component gets, such as its scopes
 */
export function addTools(server, access) {
  const add = (name, description, handler, options = {}) =>
    server.tool(name, { description, ...access, ...options }, handler)
  // A tool without arguments comes first: `http-header-validation` calls the first of the list with none.
  addContentTools(add)
  addTalkingTools(add)
  addSchemaTools(add)
  add('test_trigger_tool_change', 'Adds a tool, or takes it away again', () => {
    const isThere = server.remove('tool', 'test_passing_tool')
    if (!isThere) add('test_passing_tool', 'Comes and goes', () => 'here')
    return isThere ? 'taken away' : 'added'
  })
  add('test_trigger_prompt_change', 'Adds a prompt, or takes it away again', () => {
    const isThere = server.remove('prompt', 'test_passing_prompt')
    if (!isThere)
      server.prompt('test_passing_prompt', { description: 'Comes and goes', ...access }, () => 'here')
    return isThere ? 'taken away' : 'added'
  })
}

function addContentTools(add) {
  add('test_simple_text', 'Returns a text', () => 'This is a simple text response for testing.')
  add('test_image_content', 'Returns an image', () => [png])
  add('test_audio_content', 'Returns a sound', () => [wav])
  add('test_embedded_resource', 'Returns a resource', () => [
    {
      type: 'resource',
      resource: {
        uri: 'test://embedded-resource',
        mimeType: 'text/plain',
        text: 'This is an embedded resource content.',
      },
    },
  ])
  add('test_multiple_content_types', 'Returns a text, an image and a resource', () => [
    text('Multiple content types test:'),
    png,
    {
      type: 'resource',
      resource: {
        uri: 'test://mixed-content-resource',
        mimeType: 'application/json',
        text: JSON.stringify({ test: 'data', value: 123 }),
      },
    },
  ])
  add('test_error_handling', 'Always fails', () => {
    throw new ToolError('This tool intentionally returns an error for testing')
  })
}

/** Tools that say something before they answer. The pauses are asked for: each message has to arrive by itself. */
function addTalkingTools(add) {
  add('test_tool_with_logging', 'Logs while it works', async (_args, ctx) => {
    await ctx.log('info', 'Tool execution started')
    await pause(50)
    await ctx.log('info', 'Tool processing data')
    await pause(50)
    await ctx.log('info', 'Tool execution completed')
    return 'Logged three times'
  })
  add('test_logging_tool', 'Logs once', async (_args, ctx) => {
    await ctx.log('info', 'A line for who asked for it')
    return 'Logged once'
  })
  add('test_tool_with_progress', 'Tells how far it is', async (_args, ctx) => {
    await ctx.progress(0, 100)
    await pause(50)
    await ctx.progress(50, 100)
    await pause(50)
    await ctx.progress(100, 100)
    return 'Told it three times'
  })
  add(
    'test_reconnection',
    'Closes its stream before it answers, where that can be done',
    async (_args, ctx) => {
      // An answer that nothing comes before needs no stream.
      await ctx.log('info', 'The stream is open')
      ctx.mcp.http?.closeSSE?.()
      await pause(100)
      return 'Answered after that'
    },
  )
}

function addSchemaTools(add) {
  const region = z.string().meta({ 'x-mcp-header': 'Region' })
  add(
    'test_custom_header',
    'Has an argument that is repeated in a header',
    (args) => `Region ${args.region}`,
    {
      inputSchema: z.object({ region }),
    },
  )
  add('json_schema_2020_12_tool', 'Tool with JSON Schema 2020-12 features', () => 'ok', {
    inputSchema: standardSchema(jsonSchema202012),
  })
}

/** Keywords that a server which rebuilds schemas would lose. */
const jsonSchema202012 = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  type: 'object',
  $defs: {
    address: {
      $anchor: 'addressDef',
      type: 'object',
      properties: { street: { type: 'string' }, city: { type: 'string' } },
    },
  },
  properties: {
    name: { type: 'string' },
    address: { $ref: '#/$defs/address' },
    contactMethod: { type: 'string', enum: ['phone', 'email'] },
    phone: { type: 'string' },
    email: { type: 'string' },
  },
  allOf: [{ anyOf: [{ required: ['phone'] }, { required: ['email'] }] }],
  // As a text, because an object with a member `then` passes for a promise.
  ...JSON.parse(`{
    "if": { "properties": { "contactMethod": { "const": "phone" } }, "required": ["contactMethod"] },
    "then": { "required": ["phone"] },
    "else": { "required": ["email"] }
  }`),
  additionalProperties: false,
}

/** A Standard Schema that shows this JSON Schema and takes everything: no scenario calls the tool. */
function standardSchema(json) {
  const jsonSchema = { input: () => json, output: () => json }
  return { '~standard': { version: 1, vendor: 'fixture', validate: (value) => ({ value }), jsonSchema } }
}
