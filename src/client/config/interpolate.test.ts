import { afterEach, describe, expect, it, vi } from 'vitest'
import { interpolate, isReference, processEnvironment, variableOf } from './interpolate.ts'

const variables = { A: 'one', B: 'two', EMPTY: '', BLANK: ' ', NESTED: '${A}', DOLLAR: '$&' }
const environment = (name: string) => new Map(Object.entries(variables)).get(name)

afterEach(() => {
  vi.unstubAllEnvs()
  vi.unstubAllGlobals()
})

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
    ['${env:A}', 'one'],
    ['Bearer ${env:A}!', 'Bearer one!'],
    ['${env:NOT_SET:-x}', 'x'],
  ])('FL-78 %j becomes %j', (text, filled) => {
    expect(interpolate(text, 'place', environment)).toBe(filled)
  })

  it.each([
    ['${NOT_SET}', 'the environment variable NOT_SET'],
    ['x${EMPTY}', 'the environment variable EMPTY'],
    ['${BLANK}', 'the environment variable BLANK'],
    [{ env: 'NOT_SET' }, 'the environment variable NOT_SET'],
    ['${env:NOT_SET}', 'the environment variable NOT_SET'],
    ['${input:api-key}', 'asks for the input api-key'],
    ['${input:a secret}', 'cannot be read'],
    ['${env:}', 'cannot be read'],
    ['${command:pick}', 'cannot be read'],
    ['${}', 'cannot be read'],
    ['${A', 'cannot be read'],
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

  it('FL-71 a token in the place of a name is not repeated', () => {
    const give = () => interpolate({ env: 'sk-secret-0123' }, 'mcpServers.api.auth', environment)
    expect(give).toThrow(/^mcpServers\.api\.auth: env must be the name of an environment variable$/)
  })

  it('a reference is one member, and no source of tokens is taken for one', () => {
    expect(isReference({ env: 'A' })).toBe(true)
    expect(isReference({ env: 'A', token: async () => 'x' })).toBe(false)
    expect(isReference(null)).toBe(false)
  })

  it.each([
    ['${A}', 'A'],
    ['${env:A}', 'A'],
    ['bearer  ${A}', 'A'],
    ['${A:-x}', 'A'],
    [{ env: 'A' }, 'A'],
    ['${NOT_SET:-x}', undefined],
    ['${A}${B}', undefined],
    ['x${A}', undefined],
    ['one', undefined],
    [undefined, undefined],
  ])('%j gets its value from %s', (text, name) => {
    expect(variableOf(text, environment)).toBe(name)
  })
})

describe('the environment of the process', () => {
  it('is read when it is asked, and holds nothing that is inherited', () => {
    expect(processEnvironment('INTERPOLATE_TEST')).toBeUndefined()
    vi.stubEnv('INTERPOLATE_TEST', 'x')
    expect(processEnvironment('INTERPOLATE_TEST')).toBe('x')
    expect(processEnvironment('toString')).toBeUndefined()
  })

  it('is empty where there is no process', () => {
    vi.stubGlobal('process', undefined)
    expect(processEnvironment('PATH')).toBeUndefined()
  })
})
