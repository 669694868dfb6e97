import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ApiKey } from '../../src/apikeys/api-key.ts'
import { apiKeys } from '../../src/apikeys/api-keys.ts'
import { verifyAudit } from '../../src/apikeys/audit-chain.ts'
import { memoryKeyStore } from '../../src/apikeys/stores/memory.ts'
import { fakeClock } from '../../src/testing/fake-clock.ts'

/** What may be done; `at` picks one of the keys there are. */
type Step =
  | { readonly do: 'create'; readonly seconds?: number }
  | { readonly do: 'update'; readonly at: number; readonly seconds: number | null }
  | { readonly do: 'rename' | 'disable' | 'enable' | 'revoke' | 'leak'; readonly at: number }
  | { readonly do: 'rotate'; readonly at: number; readonly grace: number; readonly waits: boolean }
  | { readonly do: 'wait'; readonly seconds: number }

const at = fc.nat({ max: 9 })
const seconds = fc.integer({ min: 1, max: 100 })
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constant('create' as const), seconds }, { requiredKeys: ['do'] }),
  fc.record({ do: fc.constant('update' as const), at, seconds: fc.option(seconds) }),
  fc.record({ do: fc.constantFrom('rename', 'disable', 'enable', 'revoke', 'leak'), at }),
  fc.record({ do: fc.constant('rotate' as const), at, grace: fc.nat({ max: 100 }), waits: fc.boolean() }),
  fc.record({ do: fc.constant('wait' as const), seconds: fc.nat({ max: 40 }) }),
)

/** A key as it must be: its end in milliseconds, and what happened to it. */
interface Expected {
  readonly key: string
  readonly lineage: string
  name: string
  readonly createdAt: number
  end: number
  isEnabled: boolean
  isRevoked: boolean
  isPending: boolean
  replacedBy?: string
  inGrace: boolean
}

const forever = Number.POSITIVE_INFINITY

function world() {
  const clock = fakeClock()
  const store = memoryKeyStore({ clock })
  const keys = apiKeys({ store })
  const model = new Map<string, Expected>()
  let changes = 0

  const isOver = (one: Expected) => one.end <= clock()
  const statusOf = (one: Expected) => {
    if (one.isRevoked) return 'revoked'
    if (isOver(one)) return 'expired'
    if (!one.isEnabled) return 'disabled'
    return one.inGrace ? 'grace' : one.isPending ? 'pending' : 'active'
  }
  const endOf = (one: ApiKey) => one.expiresAt?.getTime() ?? forever
  const add = (key: string, apiKey: ApiKey, end: number, part: Partial<Expected> = {}) => {
    model.set(apiKey.id, {
      ...{ key, lineage: apiKey.id, name: 'CI', createdAt: clock(), end },
      ...{ isEnabled: true, isRevoked: false, isPending: false, inGrace: false, ...part },
    })
  }
  /** Whether a successor stands in the way of another one. */
  const isReplaced = (one: Expected) => {
    if (one.replacedBy === undefined) return false
    const next = model.get(one.replacedBy)!
    return one.inGrace || !(next.isRevoked || isOver(next))
  }

  async function change(id: string, one: Expected, given: Exclude<Step, { do: 'create' | 'wait' }>) {
    if (given.do === 'leak') {
      await keys.revokeLeaked(one.key)
      changes += 1
      one.isRevoked = true
      return
    }
    if (given.do === 'revoke') {
      await keys.revoke(id)
      if (!one.isRevoked) changes += 1
      one.isRevoked = true
      return
    }
    if (one.isRevoked) {
      await expect(attempt(id, given)).rejects.toThrow(RangeError)
      return
    }
    if (given.do === 'update') {
      const end = given.seconds === null ? forever : clock() + given.seconds * 1000
      if (one.inGrace && end > one.end) {
        await expect(attempt(id, given)).rejects.toThrow(TypeError)
        return
      }
      await attempt(id, given)
      if (end !== one.end) changes += 1
      one.end = end
      return
    }
    if (given.do === 'rotate') return rotate(id, one, given)
    await attempt(id, given)
    changes += 1
    if (given.do === 'rename') one.name = `name ${changes - 1}`
    else {
      if (one.isEnabled === (given.do === 'enable')) changes -= 1
      one.isEnabled = given.do === 'enable'
    }
  }

  async function rotate(id: string, one: Expected, given: Extract<Step, { do: 'rotate' }>) {
    if (isOver(one) || one.isPending || isReplaced(one)) {
      await expect(attempt(id, given)).rejects.toThrow(RangeError)
      return
    }
    const { key, apiKey } = await keys.rotate(id, {
      graceSeconds: given.grace,
      activate: given.waits ? 'on-first-use' : 'now',
    })
    // The event of the old key, and that of the new one.
    changes += 2
    const { name, lineage, isEnabled } = one
    add(key, apiKey, clock() + (one.end - one.createdAt), {
      name,
      lineage,
      isEnabled,
      isPending: given.waits,
    })
    one.replacedBy = apiKey.id
    if (given.waits) return
    one.inGrace = true
    const before = one.end
    one.end = Math.min(before, clock() + given.grace * 1000)
    expect(endOf((await keys.get(id))!)).toBeLessThanOrEqual(before)
  }

  function attempt(id: string, given: Step): Promise<unknown> {
    switch (given.do) {
      case 'update':
        return keys.update(id, {
          expiresAt: given.seconds === null ? null : new Date(clock() + given.seconds * 1000),
        })
      case 'rename':
        return keys.update(id, { name: `name ${changes}` })
      case 'disable':
        return keys.disable(id)
      case 'enable':
        return keys.enable(id)
      default:
        return keys.rotate(id)
    }
  }

  return {
    async run(given: Step) {
      if (given.do === 'wait') return clock.advance(given.seconds * 1000)
      if (given.do === 'create') {
        const life = given.seconds === undefined ? {} : { expiresInSeconds: given.seconds }
        const { key, apiKey } = await keys.create({ name: 'CI', owner: 'alice', ...life })
        changes += 1
        add(key, apiKey, clock() + (given.seconds ?? forever) * 1000)
        return
      }
      const entry = [...model][given.at % Math.max(model.size, 1)]
      if (entry !== undefined) await change(entry[0], entry[1], given)
    },
    async check() {
      const listed: ApiKey[] = []
      for await (const key of keys.all()) listed.push(key)
      expect(listed.map(({ id }) => id)).toEqual([...model.keys()].sort())
      for (const key of listed) {
        const one = model.get(key.id)!
        expect(key).toMatchObject({
          status: statusOf(one),
          name: one.name,
          lineageId: one.lineage,
          clientId: one.lineage,
        })
        expect(endOf(key)).toBe(one.end)
        expect(key.replacedBy).toBe(one.replacedBy)
      }
      const { isIntact, count } = await verifyAudit(store)
      expect({ isIntact, count }).toEqual({ isIntact: true, count: changes })
    },
  }
}

describe('the life of keys, in any order of what may be done', () => {
  it('a rotation never lengthens a life, a revoked key stays revoked, and every change is told once', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 40 }), async (steps) => {
        const { run, check } = world()
        for (const one of steps) {
          await run(one)
          await check()
        }
      }),
      { numRuns: 150, seed: 20260101 },
    )
  })
})
