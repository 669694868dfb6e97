import { Client } from 'mcp-bearer/client'
import { afterEach, describe, expect, it } from 'vitest'
import { boundedSchema } from '../../src/client/output-schema.ts'
import { faultyServer, token } from './hostile-server.ts'
import { type Revision, revisions } from './peers.ts'
import { closeServers, failure } from './servers.ts'

afterEach(closeServers)

/** Calls a tool whose server says that its output is so, and sends that. */
async function call(revision: Revision, outputSchema: object, structuredContent: unknown): Promise<unknown> {
  const server = await faultyServer(revision, ({ id, method }) => {
    const respond = (result: object) =>
      Response.json({ jsonrpc: '2.0', id, result: { resultType: 'complete', ...result } })
    const tool = { name: 'echo', inputSchema: { type: 'object' }, outputSchema }
    if (method === 'tools/list') return respond({ tools: [tool], ttlMs: 0, cacheScope: 'private' })
    return method === 'tools/call' ? respond({ content: [], structuredContent }) : undefined
  })
  await using client = new Client(server.url, { auth: token, timeout: 3_000 })
  await client.listTools()
  return (await client.callTool('echo')).structuredContent
}

const doubling = (steps: number): object =>
  Object.fromEntries(
    Array.from({ length: steps }, (_, at) => [
      `d${at}`,
      { allOf: [{ $ref: `#/$defs/d${at + 1}` }, { $ref: `#/$defs/d${at + 1}` }] },
    ]),
  )
const nested = (levels: number): object => (levels === 0 ? {} : { x: nested(levels - 1) })

/** A schema, and something that fits it and keeps a validator busy that takes the schema at its word. */
const bombs: [string, object, unknown][] = [
  [
    'a pattern that backtracks',
    { type: 'object', properties: { x: { type: 'string', pattern: '^(a+)+$' } } },
    { x: `${'a'.repeat(40)}!` },
  ],
  [
    'names that match a pattern that backtracks',
    { type: 'object', patternProperties: { '^(a+)+$': {} }, additionalProperties: true },
    { [`${'a'.repeat(40)}!`]: 1 },
  ],
  ['references that double', { type: 'object', $ref: '#/$defs/d0', $defs: { ...doubling(40), d40: {} } }, {}],
  [
    'references that double with each level of the result',
    { type: 'object', properties: { x: { anyOf: [{ $ref: '#' }, { $ref: '#' }] } }, required: [] },
    nested(40),
  ],
  ['a reference to itself', { type: 'object', $ref: '#' }, {}],
  [
    'two that lead to each other',
    { type: 'object', $ref: '#/$defs/a', $defs: { a: { $ref: '#/$defs/b' }, b: { $ref: '#/$defs/a' } } },
    {},
  ],
  [
    'a list of different things',
    { type: 'object', properties: { x: { type: 'array', uniqueItems: true } } },
    { x: Array.from({ length: 50_000 }, (_, at) => ({ at })) },
  ],
  ['10^4 choices', { type: 'object', anyOf: Array.from({ length: 10_000 }, () => ({ anyOf: [{}] })) }, {}],
  ['a pattern that is none', { type: 'object', properties: { x: { pattern: '(' } } }, { x: 'a' }],
  [
    'a reference elsewhere',
    { type: 'object', properties: { x: { $ref: 'https://evil.example.com/s' } } },
    { x: 1 },
  ],
  [
    'a name from the prototype',
    { type: 'object', $ref: '#/__proto__/x', properties: { constructor: {} } },
    {},
  ],
]

describe.each(revisions)('an output schema in %s does not hold the client up with', (revision) => {
  it.each(bombs)('%s', async (_case, schema, content) => {
    const started = performance.now()
    expect(await call(revision, schema, content)).toEqual(content)
    expect(performance.now() - started).toBeLessThan(3_000)
  })

  it('or keeps it from seeing what does not fit', async () => {
    const schema = { type: 'object', properties: { n: { type: 'number' } }, required: ['n'] }
    expect(await failure(call(revision, schema, { n: 'one' }))).toBeInstanceOf(Error)
    expect(await failure(call(revision, schema, {}))).toBeInstanceOf(Error)
    expect(await call(revision, schema, { n: 1 })).toEqual({ n: 1 })
  })
})

describe('what is kept of a schema', () => {
  it.each([
    [
      { properties: { pattern: { type: 'string', pattern: 'a' } } },
      { properties: { pattern: { type: 'string' } } },
    ],
    [
      { additionalProperties: false, properties: {} },
      { additionalProperties: false, properties: {} },
    ],
    [{ additionalProperties: false, patternProperties: { a: {} } }, {}],
    [{ oneOf: [{ type: 'string' }, { pattern: 'a' }] }, { allOf: [{ anyOf: [{ type: 'string' }, {}] }] }],
    [{ not: { pattern: 'a' } }, {}],
    [JSON.parse('{"if":{"format":"email"},"then":false,"contains":{},"maxContains":1}'), {}],
    [{ items: [{ type: 'string' }] }, { prefixItems: [{ type: 'string' }] }],
    [
      { items: { $ref: '#/$defs/a~1b' }, $defs: { 'a/b': { const: 1 } } },
      { items: { allOf: [{ const: 1 }] } },
    ],
    [{ $ref: '#/%', type: 7, required: 'x', minimum: '1', enum: {} }, { allOf: [true] }],
    [{ items: { $ref: '#' } }, { items: { allOf: [true] } }],
    [{ allOf: [true, false, 1] }, { allOf: [true, false, true] }],
    [true, {}],
    [false, { not: {} }],
    [null, {}],
  ])('%j', (schema, kept) => {
    expect(boundedSchema(schema)).toEqual(kept)
  })
})
