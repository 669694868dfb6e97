import { describe, expect, it } from 'vitest'
import { interpolate, isReference } from './interpolate.ts'

const environment = { A: 'one', B: 'two', EMPTY: '', BLANK: ' ', NESTED: '${A}', DOLLAR: '$&' }

describe('a text of a configuration', () => {
  it.each([
    ['plain', 'plain'],
    ['', ''],
    ['${A}', 'one'],
    ['Bearer ${A}', 'Bearer one'],
    ['${A}/${B}', 'one/two'],
    ['${A:-x}', 'one'],
    ['${NOT_SET:-x}', 'x'],
    ['${NOT_SET:-}', ''],
    ['${EMPTY:-x}', 'x'],
    ['${NOT_SET:-a:-b}', 'a:-b'],
    ['$A costs $5', '$A costs $5'],
    ['${NESTED}', '${A}'],
    ['${DOLLAR}', '$&'],
    [{ env: 'A' }, 'one'],
  ])('FL-78 %j becomes %j', (text, filled) => {
    expect(interpolate(text, 'place', environment)).toBe(filled)
  })

  it.each([
    ['${NOT_SET}', 'the environment variable NOT_SET'],
    ['x${EMPTY}', 'the environment variable EMPTY'],
    ['${BLANK}', 'the environment variable BLANK'],
    [{ env: 'NOT_SET' }, 'the environment variable NOT_SET'],
    [{ env: 'toString' }, 'the environment variable toString'],
    ['${}', 'cannot be read'],
    ['${A', 'cannot be read'],
    ['${env:A}', 'cannot be read'],
    ['${A B}', 'cannot be read'],
    ['${A-x}', 'cannot be read'],
    [undefined, 'must be a string'],
    [5, 'must be a string'],
    [{ env: 5 }, 'must be a string'],
    [{ env: 'A', or: 'B' }, 'must be a string'],
  ])('E-64, FL-77 %j is an error that names the place', (text, message) => {
    expect(() => interpolate(text, 'mcpServers.api.auth', environment)).toThrow(TypeError)
    expect(() => interpolate(text, 'mcpServers.api.auth', environment)).toThrow(/^mcpServers\.api\.auth /)
    expect(() => interpolate(text, 'mcpServers.api.auth', environment)).toThrow(message)
  })

  it('a reference is one member, and no source of tokens is taken for one', () => {
    expect(isReference({ env: 'A' })).toBe(true)
    expect(isReference({ env: 'A', token: async () => 'x' })).toBe(false)
    expect(isReference(null)).toBe(false)
  })
})
