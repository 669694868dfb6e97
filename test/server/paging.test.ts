import { MCPServer } from 'mcp-bearer/server'
import { describe, expect, it } from 'vitest'
import { ask, askLegacy, listening, officialClient } from './feature-peers.ts'
import { alice, bob, directory, revisions } from './fixtures.ts'

const senders = { '2026-07-28': ask, '2025-11-25': askLegacy }

async function serve(pageSize: number, tools = 7) {
  const server = new MCPServer(
    { name: 'paged', auth: directory(), limits: { pageSize } },
    { sessions: false },
  )
  for (let n = 0; n < tools; n++)
    server.tool(`tool-${n}`, n % 3 === 2 ? { scopes: ['admin'] } : {}, () => 'x')
  for (let n = 0; n < 3; n++) {
    server.resource(`notes://é/${n}`, {}, () => 'x')
    server.resource(`users://${n}/{id}`, {}, () => 'x')
    server.prompt(`prompt ✓ ${n}`, {}, () => 'x')
  }
  return { server, url: await listening(server) }
}

const namesOf = (list: unknown) => (list as { name: string }[]).map(({ name }) => name)

describe.each(revisions)('pages in %s', (revision) => {
  const send = senders[revision]

  async function all(url: string, token: string, method: string, member: string, between = () => {}) {
    const pages: string[][] = []
    for (let cursor: unknown; ; between()) {
      const { result, error } = await send(url, token, method, cursor === undefined ? {} : { cursor })
      expect(error).toBeUndefined()
      pages.push(namesOf(result[member]))
      cursor = result.nextCursor
      if (cursor === undefined) return pages
    }
  }

  it.each([
    ['tools/list', 'tools', 7],
    ['resources/list', 'resources', 3],
    ['resources/templates/list', 'resourceTemplates', 3],
    ['prompts/list', 'prompts', 3],
  ])('%s gives everything once, in the order of registration', async (method, member, count) => {
    for (const size of [2, count - 1, count]) {
      const { url } = await serve(size)
      const pages = await all(url, alice, method, member)
      const [whole] = await all((await serve(1000)).url, alice, method, member)
      expect(pages.flat(), `${size}`).toEqual(whole)
      expect(pages.map(({ length }) => length)).toEqual(
        Array.from({ length: Math.ceil(count / size) }, (_, at) => Math.min(size, count - at * size)),
      )
    }
  })

  it('FL-63 callers who see less have other pages, and no gaps in them', async () => {
    const { url } = await serve(2)
    expect(await all(url, bob, 'tools/list', 'tools')).toEqual([
      ['tool-0', 'tool-1'],
      ['tool-3', 'tool-4'],
      ['tool-6'],
    ])
  })

  it.each(['', 'x', '0', '-1', '!!!', btoa('tool-99'), btoa('__proto__'), 'A'.repeat(10_000)])(
    'a cursor that was never given out is refused: %s',
    async (cursor) => {
      const { url } = await serve(2)
      const { error, status } = await send(url, alice, 'tools/list', { cursor })
      expect([status, error]).toEqual([200, { code: -32602, message: 'Invalid cursor' }])
    },
  )

  it('a cursor of another list, or of what the caller does not see, is refused', async () => {
    const { url } = await serve(3)
    const { nextCursor } = (await send(url, alice, 'tools/list')).result
    expect((await send(url, alice, 'prompts/list', { cursor: nextCursor })).error?.code).toBe(-32602)
    // It names a tool that bob does not see: he learns no more of it than of one that does not exist.
    expect((await send(url, bob, 'tools/list', { cursor: nextCursor })).error?.code).toBe(-32602)
  })

  it('what comes or goes between two pages is neither sent twice nor leaves others out', async () => {
    const { server, url } = await serve(3, 6)
    let changes = 0
    const pages = await all(url, alice, 'tools/list', 'tools', () => {
      if (changes++ > 0) return
      server.remove('tool', 'tool-0')
      server.remove('tool', 'tool-4')
      server.tool('tool-new', {}, () => 'x')
    })
    expect(pages).toEqual([
      ['tool-0', 'tool-1', 'tool-2'],
      ['tool-3', 'tool-5', 'tool-new'],
    ])
  })

  it('when the last line of a page goes, the cursor is refused and the client begins anew', async () => {
    const { server, url } = await serve(3)
    const { nextCursor } = (await send(url, alice, 'tools/list')).result
    server.remove('tool', 'tool-2')
    expect((await send(url, alice, 'tools/list', { cursor: nextCursor })).error?.code).toBe(-32602)
  })
})

describe.each(['auto', 'legacy'] as const)('the official client (%s)', (mode) => {
  it('collects all pages', async () => {
    const server = new MCPServer({ name: 'paged', limits: { pageSize: 2 } })
    for (let n = 0; n < 5; n++) server.tool(`tool-${n}`, {}, () => 'x')
    const client = await officialClient(await listening(server), undefined, mode)
    expect(namesOf((await client.listTools()).tools)).toEqual([
      'tool-0',
      'tool-1',
      'tool-2',
      'tool-3',
      'tool-4',
    ])
  })
})
