import { MCPServer, type StandardSchema } from 'mcp-bearer/server'
import { describe, expect, it } from 'vitest'
import { ask, askLegacy, listening, officialClient } from './feature-peers.ts'
import { alice, directory, textOf } from './fixtures.ts'

/** A schema that takes everything and describes itself with this JSON. */
function described(json: Record<string, unknown>): StandardSchema {
  return {
    '~standard': {
      version: 1,
      vendor: 'test',
      validate: (value) => ({ value }),
      jsonSchema: { input: () => json, output: () => json },
    },
  }
}

const inputSchema = described({
  type: 'object',
  properties: {
    region: { type: 'string', 'x-mcp-header': 'Region' },
    count: { type: 'integer', 'x-mcp-header': 'Count' },
    dry: { type: 'boolean', 'x-mcp-header': 'Dry-Run' },
    where: { type: 'object', properties: { city: { type: 'string', 'x-mcp-header': 'City' } } },
  },
})

async function serve() {
  const server = new MCPServer({ name: 'headers', auth: directory() })
  const ran: unknown[] = []
  server.tool('query', { inputSchema }, (args) => {
    ran.push(args)
    return 'done'
  })
  const url = await listening(server)
  const call = (args: unknown, headers: Record<string, string> = {}) =>
    ask(url, alice, 'tools/call', { name: 'query', arguments: args }, { headers })
  return { server, url, call, ran }
}

const base64 = (text: string) => `=?base64?${Buffer.from(text).toString('base64')}?=`

describe('D-23 arguments that are repeated in headers', () => {
  it.each<[Record<string, unknown>, Record<string, string>]>([
    [{ region: 'eu' }, { 'mcp-param-region': 'eu' }],
    [{ region: 'eu' }, { 'mcp-param-region': base64('eu') }],
    [{ region: 'Zürich ✓' }, { 'mcp-param-region': base64('Zürich ✓') }],
    [{ region: ' eu ' }, { 'mcp-param-region': base64(' eu ') }],
    [{ region: '' }, { 'mcp-param-region': base64('') }],
    [{ region: '=?base64?eu?=' }, { 'mcp-param-region': base64('=?base64?eu?=') }],
    [{ count: 42 }, { 'mcp-param-count': '42' }],
    [{ count: 42 }, { 'mcp-param-count': '42.0' }],
    [{ count: -1 }, { 'mcp-param-count': '-1' }],
    [{ count: 0 }, { 'mcp-param-count': '0' }],
    [{ dry: true }, { 'mcp-param-dry-run': 'true' }],
    [{ dry: false }, { 'mcp-param-dry-run': 'false' }],
    [{ where: { city: 'Bern' } }, { 'mcp-param-city': 'Bern' }],
    [{}, {}],
    [{ region: null }, {}],
    // Nobody expects a header then, and one that is there says nothing (Streamable HTTP, "Server Behavior").
    [{}, { 'mcp-param-region': 'eu' }],
  ])('%j with %j is taken', async (args, headers) => {
    const { call, ran } = await serve()
    expect(textOf(await call(args, headers))).toBe('done')
    expect(ran).toEqual([args])
  })

  it.each<[Record<string, unknown>, Record<string, string>]>([
    [{ region: 'eu' }, {}],
    [{ region: 'eu' }, { 'mcp-param-region': '' }],
    [{ region: 'eu' }, { 'mcp-param-region': 'us' }],
    [{ region: 'eu' }, { 'mcp-param-region': 'EU' }],
    [{ region: 'eu' }, { 'mcp-param-region': base64('us') }],
    [{ region: 'eu' }, { 'mcp-param-region': '=?base64?ZXU?=' }],
    [{ region: 'eu' }, { 'mcp-param-region': '=?base64?!!!!?=' }],
    [{ region: 'eu' }, { 'mcp-param-region': '=?base64?//79?=' }],
    [{ region: '=?base64?ZXU=?=' }, { 'mcp-param-region': '=?base64?ZXU=?=' }],
    [{ count: 42 }, { 'mcp-param-count': '43' }],
    [{ count: 42 }, { 'mcp-param-count': '0x2a' }],
    [{ count: 42 }, { 'mcp-param-count': '42e0' }],
    [{ count: 42 }, { 'mcp-param-count': '42.00000000000000001' }],
    [{ count: 9007199254740991 }, { 'mcp-param-count': '9007199254740991.4' }],
    [{ count: 1.5 }, { 'mcp-param-count': '2' }],
    [{ count: '42' }, { 'mcp-param-count': '43' }],
    [{ dry: true }, { 'mcp-param-dry-run': 'True' }],
    [{ dry: true }, { 'mcp-param-dry-run': '1' }],
    [{ where: { city: 'Bern' } }, { 'mcp-param-city': 'Basel' }],
  ])('%j with %j is 400 and -32020, and nothing runs', async (args, headers) => {
    const { call, ran } = await serve()
    const answer = await call(args, headers)
    expect([answer.status, answer.error?.code, ran]).toEqual([400, -32020, []])
    expect(answer.error?.message).not.toContain('Basel')
  })

  it('a header that stands there twice is 400: a gateway may have read the other one', async () => {
    const { url, ran } = await serve()
    const { connect } = await import('node:net')
    const { hostname, port } = new URL(url)
    const { rpc } = await import('./fixtures.ts')
    const { headers, body } = rpc('tools/call', { name: 'query', arguments: { region: 'eu' } })
    const lines = Object.entries({
      ...headers,
      host: `${hostname}:${port}`,
      authorization: `Bearer ${alice}`,
      'content-length': String(Buffer.byteLength(body)),
      connection: 'close',
    }).map(([name, value]) => `${name}: ${value}`)
    const twice = ['Mcp-Param-Region: eu', 'mcp-param-region: us']
    for (const pair of [twice, twice.toReversed(), [twice[0], twice[0]]]) {
      const socket = connect(Number(port), hostname)
      socket.end(['POST /mcp HTTP/1.1', ...lines, ...pair, '', body].join('\r\n'))
      let text = ''
      for await (const chunk of socket) text += chunk
      expect(text).toMatch(/^HTTP\/1\.1 400 [\s\S]*-32020/)
    }
    expect(ran).toEqual([])
  })

  it('D-24 older revisions have no such headers, and nothing decides by them', async () => {
    const server = new MCPServer({ name: 'headers', auth: directory() }, { sessions: false })
    server.tool('query', { inputSchema }, () => 'done')
    const url = await listening(server)
    const headers = { 'mcp-param-region': 'us' }
    const params = { name: 'query', arguments: { region: 'eu' } }
    expect(textOf(await askLegacy(url, alice, 'tools/call', params, headers))).toBe('done')
  })

  it('scopes are decided by the body, and a mismatch comes to nobody’s help', async () => {
    const server = new MCPServer({ name: 'headers', auth: directory() })
    server.tool('query', { inputSchema, scopes: ['write'] }, () => 'done')
    const url = await listening(server)
    const params = { name: 'query', arguments: { region: 'eu' } }
    const agreeing = { headers: { 'mcp-param-region': 'eu' } }
    expect((await ask(url, alice, 'tools/call', params, agreeing)).status).toBe(403)
    expect((await ask(url, alice, 'tools/call', params)).status).toBe(400)
  })

  it('holds for a mounted tool as well', async () => {
    const { server } = await serve()
    const outer = new MCPServer({ name: 'outer', auth: directory() })
    outer.mount(server, { prefix: 'in' })
    const url = await listening(outer)
    const params = { name: 'in_query', arguments: { region: 'eu' } }
    expect((await ask(url, alice, 'tools/call', params)).error?.code).toBe(-32020)
    expect(
      textOf(await ask(url, alice, 'tools/call', params, { headers: { 'mcp-param-region': 'eu' } })),
    ).toBe('done')
  })

  it('the official client sends them', async () => {
    const { url, ran } = await serve()
    const client = await officialClient(url, alice, 'auto')
    await client.listTools()
    const args = { region: 'Zürich', count: 3, dry: false, where: { city: ' Bern ' } }
    expect((await client.callTool({ name: 'query', arguments: args })).isError).not.toBe(true)
    expect(ran).toEqual([args])
  })
})

describe('declarations that no client would take', () => {
  const property = (schema: unknown) => ({ type: 'object', properties: { p: schema } })
  const named = { type: 'string', 'x-mcp-header': 'P' }
  it.each<[string, Record<string, unknown>]>([
    ['a name that cannot stand in a header', property({ type: 'string', 'x-mcp-header': 'a b' })],
    ['an empty name', property({ type: 'string', 'x-mcp-header': '' })],
    ['a name that is none', property({ type: 'string', 'x-mcp-header': 7 })],
    ['a number with fractions', property({ type: 'number', 'x-mcp-header': 'P' })],
    ['an object', property({ type: 'object', 'x-mcp-header': 'P' })],
    ['no type', property({ 'x-mcp-header': 'P' })],
    ['the arguments themselves', { type: 'object', 'x-mcp-header': 'P' }],
    ['one name twice', { type: 'object', properties: { a: named, b: { ...named, 'x-mcp-header': 'p' } } }],
    ['in the items of a list', property({ type: 'array', items: named })],
    ['in one of several', { ...property({ type: 'string' }), anyOf: [{ properties: { q: named } }] }],
    ['in a definition', { ...property({ type: 'string' }), $defs: { d: named } }],
    ['in further members', { ...property({ type: 'string' }), additionalProperties: named }],
    ['in a condition', { ...property({ type: 'string' }), if: { properties: { q: named } } }],
  ])('%s is refused when the tool is added', (_what, json) => {
    const server = new MCPServer({ name: 'headers' })
    expect(() => server.tool('t', { inputSchema: described(json) }, () => 'x')).toThrow(/x-mcp-header/)
  })

  it('what is data, and no schema, is left alone', () => {
    const server = new MCPServer({ name: 'headers' })
    const json = property({
      type: 'object',
      default: { 'x-mcp-header': 'a b' },
      examples: [{ 'x-mcp-header': '' }],
    })
    const members = { type: 'object', properties: { 'x-mcp-header': { type: 'string' } } }
    for (const [at, each] of [json, members].entries())
      expect(() => server.tool(`t${at}`, { inputSchema: described(each) }, () => 'x')).not.toThrow()
  })
})
