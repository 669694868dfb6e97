import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { digestOfCall } from './digest.ts'

/** The same value with the members of every object in reverse order. */
function turned(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(turned)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([name, member]) => [name, turned(member)]),
  )
}

/** As it comes out of a request. */
const json = fc.json({ maxDepth: 4 }).map((text) => JSON.parse(text) as unknown)

describe('the digest of a call', () => {
  it('D-53 is the same for the same arguments, whatever the order of their members', async () => {
    await fc.assert(
      fc.asyncProperty(json, async (args) => {
        const one = await digestOfCall({ name: 't', arguments: args })
        expect(await digestOfCall({ arguments: turned(args), name: 't', _meta: { x: 1 } })).toBe(one)
      }),
      { seed: 4, numRuns: 300 },
    )
  })

  it('D-53 differs for different arguments', async () => {
    const texts = (value: unknown): string => JSON.stringify(canonical(value))
    await fc.assert(
      fc.asyncProperty(json, json, async (a, b) => {
        const same = texts(a) === texts(b)
        const digests = await Promise.all([a, b].map((args) => digestOfCall({ name: 't', arguments: args })))
        expect(digests[0] === digests[1]).toBe(same)
      }),
      { seed: 5, numRuns: 500 },
    )
  })

  it.each([
    [{ name: 'a' }, { uri: 'a' }],
    [{ name: 'a' }, { name: 'b' }],
    [
      { name: 'a', arguments: { x: '1' } },
      { name: 'a', arguments: { x: 1 } },
    ],
    [
      { name: 'a', arguments: { x: [] } },
      { name: 'a', arguments: { x: {} } },
    ],
    [
      { name: 'a', arguments: { x: { members: [] } } },
      { name: 'a', arguments: { x: {} } },
    ],
    [
      { name: 'a', arguments: [['x', 1]] },
      { name: 'a', arguments: { x: 1 } },
    ],
  ])('tells %j from %j', async (one, other) => {
    expect(await digestOfCall(one)).not.toBe(await digestOfCall(other))
  })
})

/** Another canonical form, to compare with: objects as sorted lists that begin with a mark. */
function canonical(value: unknown): unknown {
  if (Array.isArray(value)) return ['list', ...value.map(canonical)]
  if (typeof value !== 'object' || value === null) return ['value', Object.is(value, -0) ? 0 : value]
  const names = Object.keys(value).sort()
  return ['object', ...names.map((name) => [name, canonical((value as Record<string, unknown>)[name])])]
}
