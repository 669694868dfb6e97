import { describe, expect, it } from 'vitest'
import type { Catalogue } from './catalogue.ts'
import { openMcp } from './open-mcp.ts'

const bare: Catalogue = {
  server: { name: 'files', version: '1.2.3' },
  endpoint: '/mcp',
  transports: ['streamable-http'],
  revisions: ['2026-07-28', '2025-11-25'],
  security: { scheme: 'none' },
  tools: [],
  resources: [],
  resourceTemplates: [],
  prompts: [],
}

describe('the document', () => {
  it('names its format, the server, the endpoint and the scheme, and leaves out what is not known', () => {
    expect(openMcp(bare)).toEqual({
      openmcp: '1.0',
      info: { name: 'files', version: '1.2.3' },
      endpoint: { url: '/mcp', transports: ['streamable-http'], revisions: ['2026-07-28', '2025-11-25'] },
      security: { scheme: 'none', description: 'No token is asked for.' },
      tools: [],
      resources: [],
      resourceTemplates: [],
      prompts: [],
    })
  })

  it('shows each kind by the members of the protocol, with the scopes of each component', () => {
    const scopes = ['files:read']
    const inputSchema = { type: 'object', properties: { path: { type: 'string' } } }
    const tool = {
      name: 'read',
      title: 'Read',
      description: 'Reads.',
      inputSchema,
      outputSchema: inputSchema,
    }
    const template = { uriTemplate: 'file:///{path}', name: 'file', mimeType: 'text/plain' }
    const document = openMcp({
      ...bare,
      tools: [{ listed: { ...tool, annotations: { readOnlyHint: true } }, scopes }],
      resources: [{ listed: { uri: 'file:///a', name: 'a', size: 3 }, scopes: [] }],
      resourceTemplates: [{ listed: template, scopes }],
      prompts: [{ listed: { name: 'sum', arguments: [{ name: 'path', required: true }] }, scopes: [] }],
    })
    expect(document.tools).toEqual([{ ...tool, annotations: { readOnlyHint: true }, scopes }])
    expect(document.resources).toEqual([{ uri: 'file:///a', name: 'a', size: 3, scopes: [] }])
    expect(document.resourceTemplates).toEqual([{ ...template, scopes }])
    expect(document.prompts).toEqual([
      { name: 'sum', arguments: [{ name: 'path', required: true }], scopes: [] },
    ])
  })

  it('marks components that a rule decides about at each call, and only those', () => {
    const listed = { name: 'a' }
    const document = openMcp({
      ...bare,
      tools: [
        { listed, scopes: [], conditional: true },
        { listed, scopes: [], conditional: false },
      ],
    })
    expect(document.tools).toEqual([
      { name: 'a', scopes: [], conditional: true },
      { name: 'a', scopes: [] },
    ])
  })

  it('publishes known members only, so that nothing else of an entry gets out', () => {
    const listed = { name: 'a', _meta: { owner: 'mallory' }, handler: 'secret-key', authorize: 'secret-key' }
    const entry = { listed, scopes: [], verifier: 'secret-key' }
    const server = { ...bare.server, stateKey: 'secret-key' }
    const security = { scheme: 'bearer', token: 'secret-key' } as const
    const all = { tools: [entry], resources: [entry], resourceTemplates: [entry], prompts: [entry] }
    const text = JSON.stringify(openMcp({ ...bare, ...all, server, security }))
    expect(text).not.toMatch(/secret-key|mallory|_meta/)
    expect(text).toContain('"name":"a"')
  })

  it('keeps the order of registration, and is the same text each time', () => {
    const tools = ['b', 'a', 'c'].map((name) => ({ listed: { description: name, name }, scopes: [] }))
    const first = JSON.stringify(openMcp({ ...bare, tools }))
    expect(JSON.stringify(openMcp({ ...bare, tools: [...tools] }))).toBe(first)
    expect(first).toMatch(/"name":"b","description":"b".*"name":"a".*"name":"c"/)
  })
})

describe('what it says of security', () => {
  it('names the header, whatever the realm, and where tokens come from', () => {
    const { security } = openMcp({
      ...bare,
      security: {
        scheme: 'bearer',
        apiKeyHeader: 'X-API-Key',
        resourceMetadata: 'https://files.example.com/.well-known/oauth-protected-resource/mcp',
        authorizationServers: ['https://id.example.com'],
        requiredScopes: ['files'],
      },
    })
    expect(security).toEqual({
      scheme: 'bearer',
      header: 'Authorization',
      description:
        'An access token in the header of every request, as "Authorization: Bearer <token>" (RFC 6750).',
      apiKeyHeader: 'X-API-Key',
      resourceMetadata: 'https://files.example.com/.well-known/oauth-protected-resource/mcp',
      authorizationServers: ['https://id.example.com'],
      requiredScopes: ['files'],
    })
  })

  it('says when a token is optional, and leaves out empty lists', () => {
    const given = { scheme: 'bearer', optional: true, authorizationServers: [], requiredScopes: [] } as const
    expect(openMcp({ ...bare, security: given }).security).toEqual({
      scheme: 'bearer',
      header: 'Authorization',
      description: expect.stringContaining('or none at all'),
      optional: true,
    })
  })
})
