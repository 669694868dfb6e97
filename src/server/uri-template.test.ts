import { describe, expect, it } from 'vitest'
import { uriTemplate } from './uri-template.ts'

describe('uriTemplate', () => {
  it.each([
    ['users://{id}', 'users://42', { id: '42' }],
    ['users://{id}/files/{+path}', 'users://42/files/a/b.txt', { id: '42', path: 'a/b.txt' }],
    ['notes://{year}-{month}', 'notes://2026-11', { year: '2026', month: '11' }],
    ['users://{id}', 'users://a%20b', { id: 'a b' }],
    ['file.(txt)://{name}', 'file.(txt)://x', { name: 'x' }],
  ])('%s matches %s', (template, uri, values) => {
    expect({ ...uriTemplate(template).match(uri) }).toEqual(values)
  })

  it.each([
    ['users://{id}', 'users://'],
    ['users://{id}', 'users://4/2'],
    ['users://{id}', 'users://4?x=1'],
    ['users://{id}', 'xusers://4'],
    ['users://{id}', 'users://%E0%A4%A'],
    ['users://{id}', `users://${'a'.repeat(9000)}`],
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
})
