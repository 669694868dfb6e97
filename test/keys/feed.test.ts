import { describe, expect, test } from 'vitest'
import { changeFeed } from '../../src/apikeys/change-feed.ts'
import type { Change, KeyStore } from '../../src/apikeys/key-store.ts'
import { keyStoreOver } from '../../src/apikeys/stores/memory.ts'
import { memoryTables } from '../../src/apikeys/stores/memory-tables.ts'
import type { AuthEvent } from '../../src/core/index.ts'
import { fakeTime, settled } from './fake-time.ts'
import { faultyStore } from './faulty-store.ts'
import { keyRecord, someAudit } from './key-records.ts'

type Told = Change | 'everything'

async function made(more: Partial<Pick<KeyStore, 'listen'>> = {}) {
  const time = fakeTime()
  const tables = memoryTables()
  const other = keyStoreOver(tables, time.clock)
  await other.commit({ add: [keyRecord('a'), keyRecord('b')], audit: someAudit })
  const own = faultyStore({ ...keyStoreOver(tables, time.clock), ...more })
  const events: AuthEvent[] = []
  const onEvent = (event: AuthEvent) => void events.push(event)
  const { schedule, stopwatch } = time
  const feed = changeFeed(own.store, { onEvent, schedule, stopwatch })
  const told: Told[] = []
  const change = async (store: KeyStore, id: string) => {
    const record = await store.find(id)
    if (record) await store.commit({ update: [{ record }], audit: someAudit })
  }
  return { time, own, other, feed, told, events, change, follower: (one: Told) => void told.push(one) }
}

const key = (ref: string): Change => ({ topic: 'key', ref })

describe('FL-98 who follows a store', () => {
  test('hears of what another process commits within a second', async () => {
    const { time, other, feed, told, change, follower } = await made()
    feed.follow(follower)
    await settled()
    told.length = 0
    await change(other, 'a')
    await time.pass(999)
    expect(told).toEqual([])
    await time.pass(1)
    expect(told).toEqual([key('a')])
  })

  test('hears of what this process commits before that resolves', async () => {
    const { own, feed, told, follower } = await made()
    feed.follow(follower)
    await settled()
    told.length = 0
    const record = await own.store.find('a')
    let atResolve: readonly Told[] = []
    await own.store
      .commit({ update: record ? [{ record }] : [], audit: someAudit })
      .then(() => (atResolve = [...told]))
    expect(atResolve).toEqual([key('a')])
  })

  test('is told that anything may have changed once it is known from where on changes are told', async () => {
    const { own, other, feed, told, change, follower } = await made()
    const open = own.hold('changes')
    feed.follow(follower)
    // Read by the follower before, changed now, and told by nobody: the feed begins after it.
    await change(other, 'a')
    expect(told).toEqual([])
    open()
    await settled()
    expect(told).toEqual(['everything'])
  })

  test('is told the same when changes were pruned, and after an outage', async () => {
    const { time, own, other, feed, told, change, follower } = await made()
    feed.follow(follower)
    await settled()
    await change(other, 'a')
    await other.prune({ changes: time.clock() + 1 })
    await time.pass(1000)
    expect(told).toEqual(['everything', 'everything'])

    told.length = 0
    own.down('changes')
    await time.pass(3000)
    expect(told).toEqual([])
    own.up()
    await time.pass(1000)
    expect(told).toEqual(['everything'])
    await change(other, 'b')
    await time.pass(1000)
    expect(told).toEqual(['everything', key('b')])
  })

  test('is not harmed by another one that throws, nor by a sink that does', async () => {
    const { time, own, other, told, change, follower } = await made()
    const broken = () => {
      throw new Error('mine')
    }
    const { schedule, stopwatch } = time
    const feed = changeFeed(own.store, { onEvent: broken, schedule, stopwatch })
    feed.follow(broken)
    feed.follow(follower)
    await settled()
    await change(own.store, 'a')
    await change(other, 'b')
    await time.pass(1000)
    expect(told).toContainEqual(key('a'))
    expect(told).toContainEqual(key('b'))
    expect(feed.staleness()).toBe(0)
  })

  test('hears nothing after it has stopped; the last one stops the questions', async () => {
    const { time, own, other, feed, told, change, follower } = await made()
    const stop = feed.follow(follower)
    const stopOther = feed.follow(() => {})
    await settled()
    told.length = 0
    stop()
    stop()
    await change(own.store, 'a')
    await change(other, 'a')
    await time.pass(2000)
    expect(told).toEqual([])
    const before = own.calls('changes')
    expect(before).toBe(3)
    stopOther()
    expect(time.scheduled).toBe(0)
    await time.pass(10_000)
    expect(own.calls('changes')).toBe(before)
  })

  test('one that follows again begins anew, and knows nothing until it is told', async () => {
    const { time, feed, told, follower } = await made()
    feed.follow(follower)()
    await time.pass(5000)
    told.length = 0
    feed.follow(follower)
    expect(feed.staleness()).toBe(Number.POSITIVE_INFINITY)
    await settled()
    expect(told).toEqual(['everything'])
    expect(feed.staleness()).toBe(0)
  })
})

describe('one store object has one feed', () => {
  test('however many ask for it: the database is asked once a second, and each sink is told once', async () => {
    const { time, own, other, feed, events, change } = await made()
    const { schedule, stopwatch } = time
    const more: AuthEvent[] = []
    const onEvent = (event: AuthEvent) => void more.push(event)
    const second = changeFeed(own.store, { onEvent, schedule, stopwatch })
    const told: Told[] = []
    feed.follow(() => {})
    feed.follow(() => {})
    second.follow((one) => told.push(one))
    await time.pass(5000)
    expect(own.calls('changes')).toBe(6)
    expect(events.filter(({ type }) => type === 'revocation.synced')).toHaveLength(6)
    expect(more).toEqual(events)
    await change(other, 'a')
    await time.pass(1000)
    expect(told).toContainEqual(key('a'))
  })
})

describe('staleness', () => {
  test('is that of the start of the last question that was answered, and grows while none is', async () => {
    const { time, own, feed, follower } = await made()
    expect(feed.staleness()).toBe(Number.POSITIVE_INFINITY)
    feed.follow(follower)
    await settled()
    expect(feed.staleness()).toBe(0)
    own.down('changes')
    await time.pass(4000)
    expect(feed.staleness()).toBe(4000)
    expect(own.calls('changes')).toBe(5)
    own.up()
    const open = own.hold('changes')
    await time.pass(1000)
    time.skip(300)
    open()
    await settled()
    expect(feed.staleness()).toBe(300)
  })

  test('says what is known only after all were told of it', async () => {
    const { time, other, feed, change } = await made()
    const seen: number[] = []
    feed.follow(() => seen.push(feed.staleness()))
    await settled()
    await change(other, 'a')
    await time.pass(1000)
    expect(seen).toEqual([Number.POSITIVE_INFINITY, 1000])
  })

  test('a question that is never answered is given up after five seconds', async () => {
    const { time, own, feed, follower } = await made()
    feed.follow(follower)
    await settled()
    own.hold('changes')
    await time.pass(1000)
    const asking = expect(feed.sync()).rejects.toMatchObject({ code: 'verifier_unavailable' })
    own.hold('changes')()
    await time.pass(4000)
    expect(feed.staleness()).toBe(5000)
    await time.pass(3000)
    expect(feed.staleness()).toBeLessThanOrEqual(1000)
    await asking
  })
})

describe('sync', () => {
  test('asks now, and calls at the same time share one question', async () => {
    const { own, feed, events, follower } = await made()
    feed.follow(follower)
    await settled()
    await Promise.all([feed.sync(), feed.sync(), feed.sync()])
    expect(own.calls('changes')).toBe(2)
    expect(events.at(-1)).toMatchObject({ type: 'revocation.synced', source: 'poll' })
  })

  test('rejects when the database cannot be reached, and that is told', async () => {
    const { own, feed, events, follower } = await made()
    feed.follow(follower)
    await settled()
    own.down()
    await expect(feed.sync()).rejects.toMatchObject({ code: 'verifier_unavailable' })
    expect(events.at(-1)).toMatchObject({ type: 'store', operation: 'changes', result: 'failed' })
  })

  test('tells how long it was not known what others do, in seconds', async () => {
    const { time, own, feed, events, follower } = await made()
    feed.follow(follower)
    await settled()
    await time.pass(1000)
    own.down()
    await time.pass(6000)
    own.up()
    await time.pass(1000)
    const lags = events.flatMap((event) => (event.type === 'revocation.synced' ? [event.lag] : []))
    expect(lags).toEqual([0, 1, 7])
  })
})

describe('hints of the database', () => {
  function hinting() {
    let hint = () => {}
    const state = { listening: 0, attempts: 0, fails: false }
    const listen: KeyStore['listen'] = async (given) => {
      state.attempts += 1
      if (state.fails) throw new Error('no connection')
      state.listening += 1
      hint = given
      return async () => {
        state.listening -= 1
      }
    }
    return { state, listen, hint: () => hint() }
  }

  test('are asked for while somebody follows', async () => {
    const { state, listen } = hinting()
    const { time, feed, follower } = await made({ listen })
    expect(state.listening).toBe(0)
    const stop = feed.follow(follower)
    const stopOther = feed.follow(follower)
    await time.pass(3000)
    expect(state).toMatchObject({ listening: 1, attempts: 1 })
    stop()
    await settled()
    expect(state.listening).toBe(1)
    stopOther()
    await settled()
    expect(state.listening).toBe(0)
  })

  test('make it ask at once', async () => {
    const { listen, hint } = hinting()
    const { other, feed, told, events, change, follower } = await made({ listen })
    feed.follow(follower)
    await settled()
    await settled()
    told.length = 0
    await change(other, 'a')
    hint()
    await settled()
    expect(told).toEqual([key('a')])
    expect(events.at(-1)).toMatchObject({ type: 'revocation.synced', source: 'notify' })
  })

  test('one that comes while a question is under way makes another one, and many make one', async () => {
    const { listen, hint } = hinting()
    const { own, other, feed, told, change, follower } = await made({ listen })
    feed.follow(follower)
    await settled()
    await settled()
    told.length = 0
    const before = own.calls('changes')
    const open = own.hold('changes')
    hint()
    await settled()
    await change(other, 'b')
    for (let n = 0; n < 100; n++) hint()
    open()
    await settled()
    await settled()
    expect(told).toContainEqual(key('b'))
    expect(own.calls('changes')).toBe(before + 2)
  })

  test('that cannot be had are asked for again each second, and nothing is lost meanwhile', async () => {
    const { state, listen } = hinting()
    const { time, own, other, feed, told, change, follower } = await made({ listen })
    state.fails = true
    feed.follow(follower)
    await time.pass(3000)
    expect(state).toMatchObject({ listening: 0, attempts: 4 })
    await change(other, 'a')
    await time.pass(1000)
    expect(told).toContainEqual(key('a'))
    state.fails = false
    const before = own.calls('changes')
    await time.pass(1000)
    expect(state.listening).toBe(1)
    // What happened before it worked was not hinted at: it is asked once more.
    expect(own.calls('changes')).toBe(before + 2)
  })

  test('a store that throws instead of rejecting is no worse', async () => {
    const listen = () => {
      throw new Error('at once')
    }
    const { feed, told, follower } = await made({ listen })
    feed.follow(follower)
    await settled()
    expect(told).toEqual(['everything'])
  })
})

test.each([
  [{ everyMs: 9 }, /everyMs/],
  [{ everyMs: Number.NaN }, /everyMs/],
  [{ every: 1000 }, /every/],
])('misuse is a TypeError: %j', (options, message) => {
  const store = keyStoreOver(memoryTables(), () => 0)
  expect(() => changeFeed(store, options as object)).toThrow(TypeError)
  expect(() => changeFeed(store, options as object)).toThrow(message)
})
