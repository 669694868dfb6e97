import { describe, expect, it } from 'vitest'
import { apiKeys } from '../../src/apikeys/api-keys.ts'
import { verifyAudit } from '../../src/apikeys/audit-chain.ts'
import type { AuditEvent, AuditQuery } from '../../src/apikeys/audit-event.ts'
import { memoryKeyStore } from '../../src/apikeys/stores/memory.ts'
import { fakeClock } from '../../src/testing/fake-clock.ts'

async function world(count = 5) {
  const clock = fakeClock()
  const store = memoryKeyStore({ clock })
  const keys = apiKeys({ store })
  await keys.createMany(Array.from({ length: count }, (_, at) => ({ name: `key ${at}`, owner: 'a' })))
  const events: AuditEvent[] = []
  for (let after = 0; after < count; after += 1000) {
    events.push(...(await store.readAudit({ after, limit: 1000 })))
  }
  return { store, keys, clock, events }
}

/** A log of which somebody has changed something. */
const tampered = (events: readonly AuditEvent[]) => ({
  readAudit: async ({ after = 0, limit = 100 }: AuditQuery) =>
    events.filter(({ sequence }) => sequence > after).slice(0, limit),
})

const mark = ({ sequence, hash }: AuditEvent) => ({ sequence, hash })

describe('verifyAudit', () => {
  it('finds a log intact, over many pages', async () => {
    const { store, events } = await world(2500)
    expect(await verifyAudit(store)).toEqual({
      isIntact: true,
      count: 2500,
      first: mark(events[0]!),
      last: mark(events[2499]!),
    })
    expect(await verifyAudit(memoryKeyStore())).toEqual({ isIntact: true, count: 0 })
  })

  it('shows an event that was changed in any member, and the first of several', async () => {
    const { events } = await world()
    const changes: readonly Partial<AuditEvent>[] = [
      { event: 'key.update' },
      { actor: { type: 'user', id: 'other' } },
      { time: 1 },
      { reason: 'x' },
      { keyId: '000000000000' },
      { changes: { before: {}, after: { name: 'other' } } },
      { hash: '0'.repeat(64) },
    ]
    for (const change of changes) {
      for (const at of [0, 2, 4]) {
        const log = events.map((event, index) =>
          index === at || index === 4 ? { ...event, ...change } : event,
        )
        const verdict = await verifyAudit(tampered(log))
        expect(verdict).toMatchObject({ isIntact: false, broken: { sequence: at + 1, cause: 'changed' } })
        expect(verdict.last?.sequence).toBe(at === 0 ? undefined : at)
      }
    }
  })

  it('shows an event that was removed, added or moved', async () => {
    const { events } = await world()
    const [one, two, three, four, five] = events as [
      AuditEvent,
      AuditEvent,
      AuditEvent,
      AuditEvent,
      AuditEvent,
    ]
    const renumbered = [
      one,
      two,
      ...[four, five].map((event) => ({ ...event, sequence: event.sequence - 1 })),
    ]
    for (const [log, broken] of [
      [[one, two, four, five], { sequence: 4, cause: 'missing' }],
      [renumbered, { sequence: 3, cause: 'changed' }],
      [[one, { ...three, sequence: 2 }, { ...two, sequence: 3 }, four], { sequence: 2, cause: 'changed' }],
    ] as const) {
      expect(await verifyAudit(tampered(log))).toMatchObject({ isIntact: false, broken })
    }
  })

  it('says where a log begins that was pruned', async () => {
    const { events } = await world()
    expect(await verifyAudit(tampered(events.slice(2)))).toMatchObject({
      isIntact: true,
      count: 3,
      first: { sequence: 3 },
    })
  })

  it('goes on from an event that is known, which must still be there as it was', async () => {
    const { store, events, keys } = await world()
    const known = mark(events[2]!)
    expect(await verifyAudit(store, known)).toMatchObject({
      isIntact: true,
      first: { sequence: 2 },
      count: 4,
    })
    await keys.create({ name: 'x', owner: 'a' })
    expect(await verifyAudit(store, mark(events[4]!))).toMatchObject({
      isIntact: true,
      last: { sequence: 6 },
    })
    const changed = events.map((event) => (event.sequence === 3 ? { ...event, reason: 'x' } : event))
    expect(await verifyAudit(tampered(changed), known)).toMatchObject({
      broken: { sequence: 3, cause: 'changed' },
    })
    for (const end of [0, 1, 2]) {
      const verdict = await verifyAudit(tampered(events.slice(0, end)), known)
      expect(verdict).toMatchObject({ isIntact: false, broken: { sequence: 3, cause: 'cut_off' } })
    }
    expect(await verifyAudit(store, { sequence: 3, hash: '0'.repeat(64) })).toMatchObject({
      isIntact: false,
      broken: { sequence: 3, cause: 'changed' },
    })
    expect(await verifyAudit(store, { sequence: 1, hash: events[0]!.hash })).toMatchObject({ isIntact: true })
  })

  it('TypeError for what is no mark', async () => {
    const { store } = await world(1)
    for (const known of [{}, { sequence: 1 }, { sequence: '1', hash: '' }, null]) {
      await expect(verifyAudit(store, known as never)).rejects.toThrow(TypeError)
    }
  })
})
