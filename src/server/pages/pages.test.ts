import { describe, expect, it } from 'vitest'
import { jsonAnswer, type PlainAnswer } from '../../http/refusal.ts'
import type { Catalogue } from './catalogue.ts'
import type { InspectorConfig } from './inspector-config.ts'
import { publicPages } from './pages.ts'

const named = (name: string): Catalogue => ({
  server: { name, version: '1' },
  endpoint: '/mcp',
  transports: ['streamable-http'],
  revisions: ['2026-07-28'],
  security: { scheme: 'bearer' },
  tools: [],
  resources: [],
  resourceTemplates: [],
  prompts: [],
})
const catalogue = named('caf\u00e9 \u{1f512}')
const config: InspectorConfig = { kind: 'server', name: 'test', endpoint: '/mcp' }
const pages = publicPages({ catalogue: () => catalogue, inspector: () => config })
const paths = ['/docs', '/docs/app.js', '/docs/style.css', '/openmcp.json']

/** The answer, which has to be one. */
function answerTo(path: string, method = 'GET', from = pages) {
  const answer = from.answer(method, path)
  if (!answer || typeof answer === 'function') throw new Error(`${method} ${path} has no answer`)
  return answer
}

describe('public pages (A-20)', () => {
  it.each(paths)('%s answers GET and HEAD, and no other method', (path) => {
    expect(answerTo(path).status).toBe(200)
    expect(answerTo(path, 'HEAD')).toBe(answerTo(path))
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS', 'get', 'TRACE', '']) {
      expect(pages.answer(method, path), method).toBeUndefined()
    }
  })

  it.each([
    '/docs/',
    '//docs',
    '/%64ocs',
    '/DOCS',
    '/docs;x',
    '/docs/../docs',
    '/docs%2fapp.js',
    '/docs/app.js/',
    '/openmcp.json/',
    '/openmcp',
    '/mcp',
    '/',
    '',
    '__proto__',
  ])('%j is no page: paths are compared, and never decoded', (path) => {
    expect(pages.answer('GET', path)).toBeUndefined()
  })

  it.each(paths)(
    '%s is ASCII, so that its length is its bytes, and is typed for a browser that must not guess',
    (path) => {
      const { headers, body } = answerTo(path)
      expect(body).toMatch(/^[\n\x20-\x7e]+$/)
      expect(headers['content-length']).toBe(String(body.length))
      expect(headers['x-content-type-options']).toBe('nosniff')
      expect(headers['referrer-policy']).toBe('no-referrer')
      expect(headers['cross-origin-resource-policy']).toBe('same-origin')
    },
  )

  it('gives each file its type', () => {
    const types = paths.map((path) => answerTo(path).headers['content-type'])
    expect(types).toEqual([
      'text/html; charset=utf-8',
      'text/javascript; charset=utf-8',
      'text/css; charset=utf-8',
      'application/json',
    ])
  })
})

describe('the inspector', () => {
  const html = { path: '/inspector', answer: jsonAnswer(200, 'the page') }
  const keysHtml = { path: '/inspector/keys', answer: jsonAnswer(200, 'the page for keys') }
  const files = async () => [html, keysHtml]
  const contents = { catalogue: () => catalogue, inspector: () => config }

  it('is loaded by who asks for it, once', async () => {
    let loads = 0
    const inspector = publicPages(contents, async () => {
      loads++
      return files()
    })
    const document = inspector.answer('GET', '/inspector')
    inspector.answer('GET', '/docs')
    inspector.answer('GET', '/inspector/config.json')
    expect(loads).toBe(0)
    for (let request = 0; request < 3; request++)
      expect(await (document as () => Promise<PlainAnswer>)()).toBe(html.answer)
    expect(loads).toBe(1)
  })

  it('is tried anew after it could not be loaded, by those who asked at once as well', async () => {
    const failures = [new Error('no such file'), undefined]
    const inspector = publicPages(contents, async () => {
      const failure = failures.shift()
      if (failure) throw failure
      return files()
    })
    const load = inspector.answer('GET', '/inspector') as () => Promise<PlainAnswer>
    const together = await Promise.allSettled([load(), load()])
    expect(together.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    expect(await load()).toBe(html.answer)
    expect(failures).toEqual([])
  })

  it('has its page for keys when there is an API for them, and knows of it when it comes later', () => {
    let keys: string | undefined
    const inspector = publicPages(
      { ...contents, inspector: () => ({ ...config, ...(keys !== undefined && { keys }) }) },
      files,
    )
    expect(inspector.answer('GET', '/inspector/keys')).toBeUndefined()
    keys = '/admin'
    expect(inspector.answer('GET', '/inspector/keys')).toBeTypeOf('function')
    expect(answerTo('/inspector/config.json', 'GET', inspector).body).toContain('"keys":"/admin"')
  })

  it.each(['/inspector/', '/Inspector', '/inspector/whoami', '/inspector/app.js/', '/inspector%2fapp.js'])(
    '%j is none of it',
    (path) => expect(publicPages(contents, files).answer('GET', path)).toBeUndefined(),
  )

  it('answers GET and HEAD alone', () => {
    for (const path of ['/inspector', '/inspector/config.json'])
      for (const method of ['POST', 'PUT', 'OPTIONS', 'get'])
        expect([path, method, pages.answer(method, path)]).toEqual([path, method, undefined])
  })
})

describe('the document', () => {
  it('is kept while the catalogue is the same object, and made anew for another one', () => {
    let current = named('first')
    const changing = publicPages({ catalogue: () => current, inspector: () => config })
    const first = answerTo('/openmcp.json', 'GET', changing)
    expect(answerTo('/openmcp.json', 'GET', changing)).toBe(first)
    current = named('second')
    expect(JSON.parse(answerTo('/openmcp.json', 'GET', changing).body).info.name).toBe('second')
  })

  it('carries text beyond ASCII', () => {
    expect(JSON.parse(answerTo('/openmcp.json').body).info.name).toBe('caf\u00e9 \u{1f512}')
  })
})

describe('the page (FL-104)', () => {
  const { headers, body } = answerTo('/docs')
  const policy = headers['content-security-policy']?.split('; ') ?? []

  it('allows nothing but what the server itself sends', () => {
    expect(policy).toEqual(
      expect.arrayContaining([
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "connect-src 'self'",
        "img-src 'self' data:",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
      ]),
    )
    expect(policy.join(';')).not.toMatch(/unsafe|\*|https?:|nonce|sha256/)
    expect(headers['cross-origin-opener-policy']).toBe('same-origin')
  })

  it('has neither script nor style nor handler within it, and refers to nothing elsewhere', () => {
    expect(body).not.toMatch(/<script(?![^>]*\ssrc=)|<style|\sstyle=|\son\w+=|https?:|javascript:/)
    const addresses = [...body.matchAll(/(?:src|href)="([^"]*)"/g)].map(([, address]) => address)
    expect(addresses).toEqual(['data:,', 'docs/style.css', 'docs/app.js', '#content', 'openmcp.json'])
    expect(answerTo('/docs/style.css').body).not.toMatch(/url\(|@import|https?:/)
  })

  it('asks for no token: its one field is the filter', () => {
    const fields = body.match(/<(?:input|textarea|select|form)\b[^>]*>/g)
    expect(fields).toHaveLength(1)
    expect(fields?.[0]).toContain('id="filter"')
  })
})
