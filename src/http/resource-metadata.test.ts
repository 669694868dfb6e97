import { describe, expect, it } from 'vitest'
import { resourceMetadata } from './resource-metadata.ts'

const issuer = 'https://as.example.com'
const resource = 'https://mcp.example.com/mcp'
const minimal = { resource, authorizationServers: issuer }
const made = (more: object = {}) => resourceMetadata({ ...minimal, ...more })
const well = '/.well-known/oauth-protected-resource'

describe('where the metadata is', () => {
  it.each([
    ['https://mcp.example.com/mcp', `https://mcp.example.com${well}/mcp`],
    ['https://mcp.example.com/p/mcp', `https://mcp.example.com${well}/p/mcp`],
    ['https://mcp.example.com/mcp/', `https://mcp.example.com${well}/mcp/`],
    ['https://mcp.example.com', `https://mcp.example.com${well}`],
    ['https://mcp.example.com/', `https://mcp.example.com${well}`],
    ['https://mcp.example.com:8443/mcp', `https://mcp.example.com:8443${well}/mcp`],
    ['http://localhost:8000/mcp', `http://localhost:8000${well}/mcp`],
    ['http://[::1]:8000/mcp', `http://[::1]:8000${well}/mcp`],
  ])('C-03 of %s: %s', (identifier, url) => {
    expect(made({ resource: identifier }).url).toBe(url)
  })

  it('C-04 the query of the identifier stays at the end, and is asked for', () => {
    const metadata = made({ resource: 'https://mcp.example.com/mcp?tenant=a' })
    expect(metadata.url).toBe(`https://mcp.example.com${well}/mcp?tenant=a`)
    expect(metadata.answer('GET', `${well}/mcp?tenant=a`)?.status).toBe(200)
    for (const target of [`${well}/mcp`, `${well}/mcp?tenant=b`, `${well}/mcp?tenant=a&x=1`]) {
      expect(metadata.answer('GET', target)).toBeUndefined()
    }
  })

  it('C-22 D7 the root of the well-known path answers for a root resource, or when asked to', () => {
    expect(made().paths).toEqual([`${well}/mcp`])
    expect(made().answer('GET', well)).toBeUndefined()
    expect(made({ rootAlias: true }).paths).toEqual([`${well}/mcp`, well])
    expect(made({ rootAlias: true }).answer('GET', well)?.body).toContain(`"resource":"${resource}"`)
    expect(made({ resource: 'https://mcp.example.com' }).paths).toEqual([well])
  })
})

describe('the document', () => {
  it('C-10 C-13 C-14 holds nothing that says nothing', () => {
    expect(made().document).toEqual({
      resource,
      authorization_servers: [issuer],
      bearer_methods_supported: ['header'],
    })
    expect(made({ scopesSupported: [] }).document).not.toHaveProperty('scopes_supported')
  })

  it.each([
    'https://mcp.example.com',
    'https://mcp.example.com/',
    'HTTPS://MCP.example.com/mcp',
    'https://mcp.example.com:443/mcp',
  ])('C-06 names %s as it is written', (identifier) => {
    expect(made({ resource: identifier }).document.resource).toBe(identifier)
  })

  it('C-07 C-09 C-11 names all servers as they are written, the scopes to ask for, and pages', () => {
    const metadata = made({
      authorizationServers: [issuer, 'https://as.example.com/tenant/', 'http://127.0.0.1:9797'],
      scopesSupported: ['mcp:read'],
      resourceName: 'Akten für alle 🗂',
      documentation: 'https://docs.example.com/mcp',
      policyUri: 'https://example.com/policy',
      termsUri: 'https://example.com/terms',
    })
    const { body = '', headers } = metadata.answer('GET', `${well}/mcp`) ?? {}
    expect(JSON.parse(body)).toEqual({
      resource,
      authorization_servers: [issuer, 'https://as.example.com/tenant/', 'http://127.0.0.1:9797'],
      bearer_methods_supported: ['header'],
      scopes_supported: ['mcp:read'],
      resource_name: 'Akten für alle 🗂',
      resource_documentation: 'https://docs.example.com/mcp',
      resource_policy_uri: 'https://example.com/policy',
      resource_tos_uri: 'https://example.com/terms',
    })
    expect(Number(headers?.['content-length'])).toBe(Buffer.byteLength(body))
  })
})

describe('the answer', () => {
  it('C-15 C-16 C-17 C-18 is 200 for GET and HEAD, whatever else the request holds, and may be cached and read by any page', async () => {
    const metadata = made()
    const request = new Request(metadata.url, {
      headers: { authorization: 'Bearer junk', origin: 'https://any.example' },
    })
    const response = metadata.fetch(request)
    expect(response.status).toBe(200)
    expect(response.headers.get('content-type')).toBe('application/json')
    expect(response.headers.get('access-control-allow-origin')).toBe('*')
    expect(response.headers.get('cache-control')).toBe('public, max-age=3600')
    expect(await response.json()).toEqual(metadata.document)
    expect(await metadata.fetch(new Request(metadata.url, { method: 'HEAD' })).text()).toBe('')
  })

  it('C-17 tells a page that asks first that it may name the revision of the protocol', () => {
    const response = made().fetch(new Request(made().url, { method: 'OPTIONS' }))
    expect(response.ok).toBe(true)
    expect(response.headers.get('access-control-allow-headers')).toContain('mcp-protocol-version')
    expect(response.headers.get('access-control-allow-origin')).toBe('*')
  })

  it('C-15 is 405 for other methods and 404 for other paths', async () => {
    const metadata = made()
    const refused = metadata.fetch(new Request(metadata.url, { method: 'POST' }))
    expect([refused.status, refused.headers.get('allow')]).toEqual([405, 'GET, HEAD'])
    const elsewhere = metadata.fetch(
      new Request('https://mcp.example.com/.well-known/oauth-protected-resource/x'),
    )
    expect([elsewhere.status, await elsewhere.json()]).toEqual([404, { error: 'not_found' }])
  })

  it('C-20 D-08 does not look at the host of the request target', () => {
    const metadata = made()
    const target = `http://evil.example${well}/mcp`
    expect(metadata.answer('GET', target)?.body).toBe(metadata.answer('GET', `${well}/mcp`)?.body)
    expect(metadata.answer('GET', target)?.body).not.toContain('evil')
  })

  it('C-05 answers for its own resource only', () => {
    const [a, b] = ['a', 'b'].map((name) => made({ resource: `https://mcp.example.com/${name}/mcp` }))
    expect(a?.answer('GET', `${well}/b/mcp`)).toBeUndefined()
    expect(b?.answer('GET', `${well}/b/mcp`)?.body).toContain('https://mcp.example.com/b/mcp')
  })
})

describe('options that are refused', () => {
  it.each<[string, object, RegExp]>([
    ['C-06 no resource', { resource: undefined }, /^resource must be/],
    ['C-06 a resource with a fragment', { resource: 'https://mcp.example.com/mcp#x' }, /^resource must be/],
    [
      'C-06 a resource with a user name',
      { resource: 'https://u:p@mcp.example.com/mcp' },
      /^resource must be/,
    ],
    ['C-06 a resource that is a path', { resource: '/mcp' }, /^resource must be/],
    ['C-06 a resource with a line break', { resource: 'https://mcp.example.com/m\ncp' }, /^resource must be/],
    ['C-06 a resource with a quote', { resource: 'https://mcp.example.com/"' }, /^resource must be/],
    ['C-19 a resource on plain http', { resource: 'http://mcp.example.com/mcp' }, /^resource must use https/],
    ['C-07 no authorization server', { authorizationServers: undefined }, /^authorizationServers/],
    ['C-07 an empty list', { authorizationServers: [] }, /^authorizationServers/],
    ['C-07 a hole in the list', { authorizationServers: [undefined] }, /^authorizationServers/],
    ['C-07 an issuer with a query', { authorizationServers: [`${issuer}?x`] }, /^authorizationServers/],
    ['C-07 an issuer with a fragment', { authorizationServers: [`${issuer}#x`] }, /^authorizationServers/],
    [
      'C-07 an issuer on plain http',
      { authorizationServers: ['http://as.example.com'] },
      /^authorizationServers/,
    ],
    ['C-09 a scope that no resource asks for', { scopesSupported: ['offline_access'] }, /offline_access/],
    ['C-11 a page that is no URL', { documentation: 'docs' }, /^documentation/],
    ['an empty name', { resourceName: '' }, /^resourceName/],
    ['an alias that is no boolean', { rootAlias: 'yes' }, /^rootAlias/],
    ['FL-23 an unknown option', { scopes: ['a'] }, /unknown option "scopes"/],
  ])('%s', (_name, more, message) => {
    expect(() => made(more)).toThrow(TypeError)
    expect(() => made(more)).toThrow(message)
  })
})
