import { expect, it } from 'vitest'
import { decodedHeader } from '../../../server/param-headers.ts'
import { headerValue } from './negotiate.ts'
import { paramValues } from './param-values.ts'
import { fillable } from './uri-template.ts'

it.each(['eu-west', '', ' blanks ', 'größe', 'line\nline', '=?base64?eA==?=', 'a\tb', '\u{1F600}'])(
  'a header says %j so that a server reads it back',
  (text) => {
    const value = headerValue(text)
    expect(value).toMatch(/^[\t\x20-\x7E]+$/)
    expect(value.trim()).toBe(value)
    expect(decodedHeader(value)).toBe(text)
  },
)

it('arguments that a schema binds to headers are repeated there; others, and what cannot be, are not', () => {
  const schema = {
    type: 'object',
    properties: {
      region: { type: 'string', 'x-mcp-header': 'Region' },
      size: { type: 'integer', 'x-mcp-header': 'Size' },
      inner: { type: 'object', properties: { on: { type: 'boolean', 'x-mcp-header': 'On' } } },
      plain: { type: 'string' },
    },
  }
  const args = { region: 'größe', size: 2, inner: { on: true }, plain: 'x' }
  expect(paramValues(schema, args)).toEqual({
    'mcp-param-region': '=?base64?Z3LDtsOfZQ==?=',
    'mcp-param-size': '2',
    'mcp-param-on': 'true',
  })
  expect(paramValues(schema, { size: 2 ** 60, inner: 'none', region: null })).toEqual({})
  expect(
    paramValues(
      { type: 'object', properties: { a: { type: 'string', 'x-mcp-header': 'a\r\nb' } } },
      { a: '1' },
    ),
  ).toEqual({})
  expect(paramValues('no schema', {})).toEqual({})
})

it.each([
  ['a://{id}/x', { id: 'a b/c' }, 'a://a%20b%2Fc/x'],
  ['a://{+path}', { path: 'a/b c?d' }, 'a://a/b%20c?d'],
  ['a://x{?q,limit}', { q: 'é', limit: '2' }, 'a://x?q=%C3%A9&limit=2'],
  ['a://x{?q,limit}', { limit: '2' }, 'a://x?limit=2'],
  ['a://x{/a,b}{#c}', { a: '1', b: '2', c: '3' }, 'a://x/1/2#3'],
  ['a://{id:2}', { id: 'abcdef' }, 'a://ab'],
  ['a://{id*}', { id: 'x' }, 'a://x'],
  ['a://{', {}, 'a://{'],
  ['a://{__proto__}', {}, 'a://'],
])('the template %s is filled in', (template, values, uri) => {
  expect(fillable(template).fill(new Map(Object.entries(values as Record<string, string>)))).toBe(uri)
})

it('a template names its variables once each', () => {
  expect(fillable('a://{id}/{+rest}{?id,q*}').names).toEqual(['id', 'rest', 'q'])
})
