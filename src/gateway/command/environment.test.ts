import { describe, expect, it } from 'vitest'
import { childEnvironment, secretsIn } from './environment.ts'

const all = {
  PATH: '/bin',
  HOME: '/home/a',
  LC_ALL: 'C',
  AWS_SECRET_ACCESS_KEY: 'x',
  MCP_BEARER_KEYS: 'x',
  MCP_SERVER: '1',
  MYAPP_A: '1',
  MYAPP_B: '2',
  MYAPPX: '3',
  UNSET: undefined,
  constructor: 'x',
}

describe('childEnvironment', () => {
  it('has a handful of variables and nothing else', () => {
    expect(childEnvironment(all, [])).toEqual({ PATH: '/bin', HOME: '/home/a', LC_ALL: 'C' })
  })

  it('has what is allowed by name, by the beginning of a name, and by value', () => {
    const env = childEnvironment(all, [
      'AWS_SECRET_ACCESS_KEY',
      'MYAPP_*',
      'LEVEL=a=b',
      'EMPTY=',
      'PATH=/usr/bin',
      'UNSET',
      'NONE',
    ])
    expect(env).toEqual({
      PATH: '/usr/bin',
      HOME: '/home/a',
      LC_ALL: 'C',
      AWS_SECRET_ACCESS_KEY: 'x',
      MYAPP_A: '1',
      MYAPP_B: '2',
      LEVEL: 'a=b',
      EMPTY: '',
    })
  })

  it('has nothing of the gateway itself unless it is named', () => {
    expect(childEnvironment(all, ['MCP_*'])).not.toHaveProperty('MCP_BEARER_KEYS')
    expect(childEnvironment(all, ['MCP_*'])).toHaveProperty('MCP_SERVER')
    expect(childEnvironment(all, ['MCP_BEARER_*'])).not.toHaveProperty('MCP_BEARER_KEYS')
    expect(childEnvironment(all, ['MCP_BEARER_KEYS'])).toHaveProperty('MCP_BEARER_KEYS')
  })

  it('takes names that mean something to JavaScript for names', () => {
    expect(childEnvironment(all, []).constructor).toBeUndefined()
    const env = childEnvironment(all, ['constructor', '__proto__=x'])
    expect(Object.entries(env).slice(-2)).toEqual([
      ['constructor', 'x'],
      ['__proto__', 'x'],
    ])
    expect(Object.getPrototypeOf(env)).toBe(null)
  })

  it('has no functions of a shell', () => {
    expect(childEnvironment({ PATH: '() { :;}; id', A: '() { :;}' }, ['A'])).toEqual({})
  })

  it.each([['*'], [''], ['A B'], ['=x'], ['A*B'], ['A**'], ['*A'], ['1A'], [1], ['A=sk-secret\0']])(
    'refuses %j, and names it by its place',
    (entry) => {
      const make = () => childEnvironment(all, ['HOME', entry as string])
      expect(make).toThrow(TypeError)
      expect(make).toThrow('allow[1]')
      expect(make).not.toThrow('sk-secret')
    },
  )
})

describe('secretsIn', () => {
  it('finds values by the names of their variables', () => {
    const env = {
      GITHUB_TOKEN: 'abcdef',
      ApiKey: 'ghijkl',
      DB_PASSWORD: 'short',
      PATH: '/usr/bin',
      DATABASE_URL: 'pg://x:y@z',
    }
    expect(secretsIn(env)).toEqual(['abcdef', 'ghijkl', 'pg://x:y@z'])
  })
})
