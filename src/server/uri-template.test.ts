import { describe, expect, it } from 'vitest'
import { normalUri, uriTemplate } from './uri-template.ts'

describe('uriTemplate', () => {
  it.each([
    ['users://{id}', 'users://42', { id: '42' }],
    ['users://{id}/files/{+path}', 'users://42/files/a/b.txt', { id: '42', path: 'a/b.txt' }],
    ['files://{+path}/versions/{n}', 'files://a/b/versions/c/versions/3', { path: 'a/b/versions/c', n: '3' }],
    [
      'files://{user}/{+path}/{a}-{b}.txt',
      'files://u/x/y/z/1-2.txt',
      { user: 'u', path: 'x/y/z', a: '1', b: '2' },
    ],
    ['notes://{year}-{month}', 'notes://2026-11', { year: '2026', month: '11' }],
    ['notes://{a}-{b}', 'notes://x-y-z', { a: 'x', b: 'y-z' }],
    ['notes://{a}.json', 'notes://x.json.json', { a: 'x.json' }],
    ['notes://{a}-{b}', 'notes://--b', { a: '-', b: 'b' }],
    ['users://{id}', 'users://a%20b', { id: 'a b' }],
    ['users://{+id}', 'users://a%2Fb%20c', { id: 'a%2Fb%20c' }],
    ['file.(txt)://{name}', 'file.(txt)://x', { name: 'x' }],
    ['x://%61/{name}', 'x://a/y', { name: 'y' }],
  ])('%s matches %s', (template, uri, values) => {
    expect({ ...uriTemplate(template).match(uri) }).toEqual(values)
  })

  it.each([
    ['users://{id}', 'users://'],
    ['users://{id}', 'users://4/2'],
    ['users://{id}', 'users://4%2F2'],
    ['users://{id}', 'users://4?x=1'],
    ['users://{id}', 'xusers://4'],
    ['users://{id}', 'users://%E0%A4%A'],
    ['users://{id}', 'users://a%3Fb'],
    ['users://{id}', 'users://a%23b'],
    ['users://{id}/x', 'users://x'],
    ['users://{id}/x', 'users:///x'],
    ['notes://{a}-{b}', 'notes://x-'],
    ['notes://{a}-{b}', 'notes://-x'],
    ['files://{+path}/{n}', 'files://a/'],
    ['files://{+path}/{n}', 'files:///a'],
    ['files://{+path}/{n}', 'files://a'],
    ['file.txt://{name}', 'fileXtxt://a'],
  ])('%s does not match %s', (template, uri) => {
    expect(uriTemplate(template).match(uri)).toBeUndefined()
  })

  it.each([
    'users://{id',
    'users://{}',
    'users://{id*}',
    'users://{?q}',
    'users://{a}{b}',
    'users://{a}/{a}',
    'x://{+a}/{+b}',
    'users://}{',
  ])('refuses the template %s when it is registered', (template) => {
    expect(() => uriTemplate(template)).toThrow(TypeError)
  })

  it('FL-33 a variable named like a member of Object is a variable', () => {
    expect(uriTemplate('x://{constructor}').match('x://y')?.constructor).toBe('y')
    expect(uriTemplate('x://{id}').match('x://y')?.constructor).toBeUndefined()
  })

  it('agrees with a regular expression wherever that one is quick', () => {
    const template = uriTemplate('d://{a}-{b}/{+c}.x')
    for (const uri of [
      'd://1-2/3.x',
      'd://1-2-3/4/5.x.x',
      'd://-/.x',
      'd://1-/3.x',
      'd://1-2/3',
      'd://1/2-3/4.x',
    ]) {
      const values = /^d:\/\/([^/?#]+?)-([^/?#]+)\/(.+)\.x$/.exec(uri)
      expect([uri, template.match(uri) !== undefined]).toEqual([uri, values !== null])
    }
  })
})

describe('normalUri', () => {
  it.each([
    ['files://%73ecret', 'files://secret'],
    ['files://a%2fb', 'files://a%2Fb'],
    ['files://a%20b', 'files://a%20b'],
    ['files://%2D%2e%5f%7E', 'files://-._~'],
    ['files://%', 'files://%'],
    ['files://été', 'files://%C3%A9t%C3%A9'],
    ['files://%40%3a', 'files://@:'],
    ['files://a b<c', 'files://a%20b%3Cc'],
    ['files://\uD800', 'files://%EF%BF%BD'],
    ['files://\u{1F600}', 'files://%F0%9F%98%80'],
  ])('%s is %s', (uri, normal) => {
    expect(normalUri(uri)).toBe(normal)
    expect(normalUri(normal)).toBe(normal)
  })

  it('looks at no URI that is too long', () => {
    expect(normalUri(`x://${'%41'.repeat(3000)}`)).toBeUndefined()
  })
})
