import { MCPServer } from 'mcp-bearer/server'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { ask, askLegacy, listening, officialClient } from './feature-peers.ts'
import { alice, bob, directory, memoryLog, revisions } from './fixtures.ts'

const senders = { '2026-07-28': ask, '2025-11-25': askLegacy }

async function serve() {
  const log = memoryLog()
  const server = new MCPServer(
    { name: 'completing', auth: directory(), logger: log.logger },
    { sessions: false },
  )
  const argsSchema = z.object({ city: z.string(), street: z.string(), plain: z.string() })
  server.prompt(
    'address',
    {
      argsSchema,
      complete: {
        city: (value) => ['Bern', 'Basel', 'Brig'].filter((city) => city.startsWith(value)),
        street: async (value, { arguments: known, auth }) => [
          `${value} in ${known.city} for ${auth?.subject}`,
        ],
      },
    },
    () => 'x',
  )
  server.resource(
    'Users://{id}/{+path}',
    { complete: { id: () => Array.from({ length: 250 }, (_, n) => `${n}`) } },
    () => 'x',
  )
  server.resource('fixed://one', {}, () => 'x')
  server.prompt('secret', { argsSchema, scopes: ['admin'], complete: { city: () => ['x'] } }, () => 'x')
  server.resource('secret://{id}', { scopes: ['admin'], complete: { id: () => ['x'] } }, () => 'x')
  const broken = (): string[] => {
    throw new Error('hunter2')
  }
  const odd = () => ['a', 1, null, 'b'] as string[]
  const none = () => 'text' as unknown as string[]
  server.prompt('broken', { argsSchema, complete: { city: broken, street: odd, plain: none } }, () => 'x')
  return { server, url: await listening(server), ...log }
}

describe.each(revisions)('completion in %s', (revision) => {
  async function completing() {
    const { url, entries } = await serve()
    const complete = async (ref: object, name: string, value = '', token = bob, context?: object) =>
      senders[revision](url, token, 'completion/complete', {
        ref: { type: 'name' in ref ? 'ref/prompt' : 'ref/resource', ...ref },
        argument: { name, value },
        ...(context && { context }),
      })
    return { complete, entries }
  }

  it('suggests values, knows the other arguments and who asks', async () => {
    const { complete } = await completing()
    expect((await complete({ name: 'address' }, 'city', 'B')).result.completion).toEqual({
      values: ['Bern', 'Basel', 'Brig'],
      total: 3,
      hasMore: false,
    })
    const context = { arguments: { city: 'Bern', __proto__: 'x' } }
    expect(
      (await complete({ name: 'address' }, 'street', 'Ma', alice, context)).result.completion,
    ).toMatchObject({
      values: ['Ma in Bern for alice'],
    })
  })

  it('sends at most 100 values, and says how many there are', async () => {
    const { complete } = await completing()
    const { result } = await complete({ uri: 'Users://{id}/{+path}' }, 'id')
    const { values, total, hasMore } = result.completion as {
      values: string[]
      total: number
      hasMore: boolean
    }
    expect([values.length, values[99], total, hasMore]).toEqual([100, '99', 250, true])
  })

  it('suggests nothing where nothing is suggested', async () => {
    const { complete } = await completing()
    const empty = { values: [], total: 0, hasMore: false }
    for (const [ref, name] of [
      [{ name: 'address' }, 'plain'],
      [{ name: 'address' }, 'none'],
      [{ name: 'address' }, '__proto__'],
      [{ name: 'address' }, 'constructor'],
      [{ uri: 'Users://{id}/{+path}' }, 'path'],
      [{ uri: 'fixed://one' }, 'id'],
    ] as const)
      expect((await complete(ref, name)).result.completion, name).toEqual(empty)
  })

  it('FL-63 what the caller does not see is as unknown as what does not exist', async () => {
    const { complete } = await completing()
    for (const [hidden, unknown, name] of [
      [{ name: 'secret' }, { name: 'none' }, 'city'],
      [{ uri: 'secret://{id}' }, { uri: 'none://{id}' }, 'id'],
    ] as const) {
      const [refused, absent] = [await complete(hidden, name), await complete(unknown, name)]
      expect(refused.error?.code).toBe(-32602)
      expect([refused.status, refused.text]).toEqual([absent.status, absent.text])
      expect((await complete(hidden, name, '', alice)).result.completion).toMatchObject({ values: ['x'] })
    }
  })

  it('FL-60 a suggestion that fails is none, and its text stays here', async () => {
    const { complete, entries } = await completing()
    const answer = await complete({ name: 'broken' }, 'city')
    expect(answer.result.completion).toMatchObject({ values: [] })
    expect(answer.text).not.toContain('hunter2')
    expect(JSON.stringify(entries)).toContain('hunter2')
    expect((await complete({ name: 'broken' }, 'street')).result.completion).toMatchObject({
      values: ['a', 'b'],
    })
    expect((await complete({ name: 'broken' }, 'plain')).result.completion).toMatchObject({ values: [] })
  })

  it('malformed requests are refused as such', async () => {
    const { url } = await serve()
    for (const params of [
      {},
      { ref: { type: 'ref/prompt' }, argument: { name: 'city', value: '' } },
      { ref: { type: 'ref/other', name: 'address' }, argument: { name: 'city', value: '' } },
      { ref: { type: 'ref/prompt', name: 'address' } },
      { ref: { type: 'ref/prompt', name: 'address' }, argument: { name: 1, value: '' } },
      { ref: { type: 'ref/resource', uri: 'x'.repeat(10_000) }, argument: { name: 'x', value: '' } },
    ])
      expect((await senders[revision](url, bob, 'completion/complete', params)).error?.code).toBeLessThan(
        -32599,
      )
  })
})

describe('completion options', () => {
  it('are offered only where there is something to complete', async () => {
    const server = new MCPServer({ name: 'plain' })
    server.prompt('p', {}, () => 'x')
    const client = await officialClient(await listening(server), undefined, 'auto')
    expect(client.getServerCapabilities()?.completions).toBeUndefined()
    server.prompt('q', { argsSchema: z.object({ a: z.string() }), complete: { a: () => ['x'] } }, () => 'x')
    const other = await officialClient(await listening(server), undefined, 'legacy')
    expect(other.getServerCapabilities()?.completions).toEqual({})
    const completed = await other.complete({
      ref: { type: 'ref/prompt', name: 'q' },
      argument: { name: 'a', value: '' },
    })
    expect(completed.completion.values).toEqual(['x'])
  })

  it('a completion of what does not exist, or that is no function, is refused at once', () => {
    const server = new MCPServer({ name: 'plain' })
    const argsSchema = z.object({ a: z.string() })
    const prompt = (complete: object) =>
      server.prompt('p', { argsSchema, complete: complete as never }, () => 'x')
    expect(() => prompt({ b: () => [] })).toThrow(/"b"/)
    expect(() => prompt({ a: ['x'] })).toThrow(/function/)
    expect(() => server.resource('a://{id}', { complete: { other: () => [] } }, () => 'x')).toThrow(/"other"/)
    expect(() => server.resource('a://b', { complete: { id: () => [] } }, () => 'x')).toThrow(/"id"/)
  })
})
