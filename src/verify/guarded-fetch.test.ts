import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { complaintOf, type GuardedInit, guardedFetch, type UrlTrust } from './guarded-fetch.ts'

const discovered: UrlTrust = { loopback: false, privateNetwork: false }
const written: UrlTrust = { loopback: true, privateNetwork: false }
const inside: UrlTrust = { loopback: true, privateNetwork: true }
const complaint = (url: string, trust: UrlTrust) => complaintOf(new URL(url), trust)
const init = (): GuardedInit => ({
  headers: { accept: 'application/json' },
  signal: AbortSignal.timeout(5000),
})

describe('complaintOf', () => {
  it('has nothing to say about a public https URL, discovered or not', () => {
    for (const trust of [discovered, written, inside]) {
      expect(complaint('https://as.example.com/jwks?tenant=1', trust)).toBeUndefined()
      expect(complaint('https://8.8.8.8/jwks', trust)).toBeUndefined()
      expect(complaint('https://[2606:4700::1111]/jwks', trust)).toBeUndefined()
    }
  })

  it('B-70 takes http for a literal loopback host that the operator wrote, and nowhere else', () => {
    const hosts = ['127.0.0.1:9797', '127.1', 'localhost', 'localhost.:80', 'auth.localhost', '[::1]:8080']
    for (const host of hosts) {
      expect([host, complaint(`http://${host}/jwks`, written)]).toEqual([host, undefined])
      expect([host, complaint(`https://${host}/jwks`, written)]).toEqual([host, undefined])
      expect(complaint(`http://${host}/jwks`, discovered)).toContain('must use https')
      expect(complaint(`https://${host}/jwks`, discovered)).toContain('this machine')
      const onlyPrivate = { loopback: false, privateNetwork: true }
      expect(complaint(`https://${host}/jwks`, onlyPrivate)).toContain('this machine')
    }
    for (const host of [
      'as.example.com',
      '10.0.0.1',
      'localhost.example.com',
      'xlocalhost',
      '[::ffff:7f00:1]',
    ]) {
      expect(complaint(`http://${host}/`, inside)).toContain('must use https')
    }
  })

  it('says what to do about a private network', () => {
    expect(complaint('https://10.0.0.1/jwks', written)).toBe(
      '10.0.0.1 is in a private network; set allowPrivateNetwork if that is meant',
    )
    expect(complaint('https://10.0.0.1/jwks', inside)).toBeUndefined()
    expect(complaint('https://[fd00::1]/jwks', inside)).toBeUndefined()
  })

  it('never repeats a query, a user name, a password or a path', () => {
    for (const url of [
      'http://as.example.com/path-part?key=query-part#fragment-part',
      'https://user-part:password-part@as.example.com/',
      'https://user-part@10.0.0.1/path-part',
      'https://169.254.169.254/path-part?key=query-part',
      'https://as.example.com:22/path-part?key=query-part',
      'https://127.0.0.1/path-part?key=query-part#fragment-part',
    ]) {
      expect(complaint(url, discovered)).toMatch(/^(?:the URL|169\.254|127\.0)/)
      expect(complaint(url, discovered)).not.toMatch(/-part/)
    }
  })
})

describe('guardedFetch with a fetch of the operator', () => {
  it('FL-56 B-71 uses it for the request, and asks it to follow no redirect', async () => {
    const custom = vi.fn<typeof globalThis.fetch>(async () => new Response('x'))
    const fetch = guardedFetch(discovered, custom, () => Promise.reject(new Error('not to be asked')))
    const given: GuardedInit = { ...init(), method: 'POST', body: 'a=b' }
    const response = await fetch(new URL('https://as.example.com/jwks?a=1#x'), given)
    expect(await response.text()).toBe('x')
    expect(custom.mock.calls).toEqual([['https://as.example.com/jwks?a=1', { ...given, redirect: 'manual' }]])
  })

  it('B-79 still judges the URL before', async () => {
    const custom = vi.fn<typeof globalThis.fetch>()
    const fetch = guardedFetch(written, custom)
    await expect(fetch(new URL('https://169.254.169.254/'), init())).rejects.toThrow('reserved')
    await expect(fetch(new URL('http://as.example.com/'), init())).rejects.toThrow('https')
    expect(custom).not.toHaveBeenCalled()
  })

  it('asks nobody once the signal is aborted', async () => {
    const custom = vi.fn<typeof globalThis.fetch>()
    const reason = new Error('given up')
    const signal = AbortSignal.abort(reason)
    await expect(
      guardedFetch(written, custom)(new URL('https://as.example.com/'), { ...init(), signal }),
    ).rejects.toBe(reason)
    expect(custom).not.toHaveBeenCalled()
  })
})

describe('B-79 guardedFetch where a connection cannot be pinned', () => {
  it.each<[string, object]>([
    ['workerd', { navigator: { userAgent: 'Cloudflare-Workers' } }],
    ['Bun', { process: { versions: { node: '22.0.0', bun: '1.2.0' }, getBuiltinModule: () => ({}) } }],
    ['Deno', { process: { versions: { node: '22.0.0', deno: '2.0.0' }, getBuiltinModule: () => ({}) } }],
    ['an edge runtime', { process: { env: {} } }],
    ['a runtime without process', { process: undefined }],
  ])('on %s it judges the URL and uses the fetch of the runtime', async (_name, globals) => {
    for (const [name, value] of Object.entries(globals)) vi.stubGlobal(name, value)
    const fetch = guardedFetch(discovered)
    vi.unstubAllGlobals()
    onTestFinished(() => void vi.unstubAllGlobals())
    const global = vi.fn(async () => new Response('x'))
    vi.stubGlobal('fetch', global)
    const given = init()
    await fetch(new URL('https://as.example.com/jwks#x'), given)
    expect(global.mock.calls).toEqual([['https://as.example.com/jwks', { ...given, redirect: 'manual' }]])
    await expect(fetch(new URL('https://10.0.0.1/'), given)).rejects.toThrow('private network')
    await expect(fetch(new URL('https://localhost/'), given)).rejects.toThrow('this machine')
    expect(global).toHaveBeenCalledTimes(1)
  })
})
