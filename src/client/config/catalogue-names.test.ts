import { describe, expect, it } from 'vitest'
import { catalogueNames, separators } from './catalogue-names.ts'

describe('names of several servers in one list', () => {
  it.each([
    ['reports', 'summary', 'reports_summary'],
    ['my_server', 'a_b', 'my-server_a_b'],
    ['my server', 'x', 'my-server_x'],
    ['', 'x', 'server_x'],
    ['reports', 'v1.get-all', 'reports_v1.get-all'],
  ])('%j and %j make %s', (server, tool, name) => {
    const names = catalogueNames([server], '_')
    expect(names.nameOf(server, tool)).toBe(name)
    expect(names.serverOf(name)).toBe(server)
  })

  it.each(separators)('with %s no server can have the name of a tool of another', (separator) => {
    const servers = [
      'a',
      'a_b',
      'a-b',
      'a__b',
      'a.b',
      'a b',
      'a/b',
      'a:b',
      'A',
      'b',
      '_',
      '-',
      '',
      'ä',
      'a2',
      'a-2',
    ]
    const tools = ['c', 'b_c', 'b-c', 'b.c', '_c', '-c', 'b__c', '2_c', '']
    const names = catalogueNames(servers, separator)
    const all = servers.flatMap((server) =>
      tools.map((tool) => [names.nameOf(server, tool), server] as const),
    )
    expect(new Set(all.map(([name]) => name)).size).toBe(servers.length * tools.length)
    for (const [name, server] of all) expect(names.serverOf(name)).toBe(server)
  })

  it('what is too long or has other characters is told apart by a fingerprint, within 64 characters', () => {
    const server = 's'.repeat(100)
    const names = catalogueNames([server], '__')
    const tools = ['x'.repeat(128), `${'x'.repeat(127)}y`, 'search!', 'search?', 'search_', '🔎', 'a b']
    const made = tools.map((tool) => names.nameOf(server, tool))
    expect(new Set(made).size).toBe(tools.length)
    for (const name of made) {
      expect(name).toMatch(/^[\w.-]{1,64}$/)
      expect(names.serverOf(name)).toBe(server)
    }
    expect(made).toEqual(tools.map((tool) => names.nameOf(server, tool)))
  })

  it('a name that is no one’s has no server', () => {
    const names = catalogueNames(['a', 'b'], '_')
    expect(names.serverOf('c_x')).toBeUndefined()
    expect(names.serverOf('a')).toBeUndefined()
    expect(names.serverOf('_a_x')).toBeUndefined()
  })
})
