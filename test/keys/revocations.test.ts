import { describe, expect, test } from 'vitest'
import { keyStoreOver } from '../../src/apikeys/stores/memory.ts'
import { memoryTables } from '../../src/apikeys/stores/memory-tables.ts'
import { AccessToken, type AuthEvent } from '../../src/core/index.ts'
import { ECKeyPair } from '../../src/issuer/index.ts'
import { revocable } from '../../src/verify/revocable.ts'
import type { CutOff, RevokedToken } from '../../src/verify/revocations.ts'
import { storedRevocations } from '../../src/verify/stored-revocations.ts'
import { fakeTime, settled } from './fake-time.ts'
import { faultyStore } from './faulty-store.ts'

const issuer = 'https://as.example.com'
/** What the fake clock says at first, in seconds since 1970. */
const start = 1_800_000_000

function made() {
  const time = fakeTime()
  const tables = memoryTables()
  const { schedule, stopwatch } = time
  const database = keyStoreOver(tables, time.clock)
  const node = async (more: { maxStaleness?: number; serveLastKnownFor?: number } = {}) => {
    const own = faultyStore(keyStoreOver(tables, time.clock))
    const events: AuthEvent[] = []
    const onEvent = (event: AuthEvent) => void events.push(event)
    const list = await storedRevocations(own.store, { schedule, stopwatch, onEvent, ...more })
    await settled()
    return { ...own, list, events }
  }
  return { time, database, node }
}

const accessToken = (claims: object, token = 'some.token') =>
  new AccessToken({ token, claims: { iss: issuer, ...claims } })

const unavailable = expect.objectContaining({ code: 'verifier_unavailable' })

describe('FL-98 what is revoked on one node', () => {
  test('is refused there when it is acknowledged, and within a second everywhere', async () => {
    const { time, node } = made()
    const [one, other] = [await node(), await node()]
    const token = accessToken({ jti: 'j', iat: start })
    await one.list.revoke({ issuer, jti: 'j' })
    expect(one.list.reasonFor(token)).toBe('revoked')
    await time.pass(1000)
    expect(other.list.reasonFor(token)).toBe('revoked')
    expect(other.list.reasonFor(accessToken({ jti: 'k', iat: start }))).toBeUndefined()
  })

  test('is known to a node that starts later, and after a restart of all', async () => {
    const { node } = made()
    const one = await node()
    await one.list.revoke({ token: 'secret-one' })
    await one.list.cutOff({ issuer, subject: 'alice' })
    one.list.close()
    const later = await node()
    expect(later.list.reasonFor(new AccessToken({ token: 'secret-one' }))).toBe('revoked')
    expect(later.list.reasonFor(accessToken({ sub: 'alice', iat: start }))).toBe('cut_off')
    expect(later.list.size).toBe(2)
  })

  test('is acknowledged only when it is in the database', async () => {
    const { node } = made()
    const one = await node()
    one.down('commit')
    await expect(one.list.revoke({ token: 'x' })).rejects.toEqual(unavailable)
    await expect(one.list.cutOff({ issuer })).rejects.toEqual(unavailable)
    expect(one.list.size).toBe(0)
  })

  test('while everything is read anew is not lost from what is known here', async () => {
    const { node } = made()
    const one = await node()
    const open = one.hold('revocations')
    const first = one.list.revoke({ token: 'x' })
    await first
    await one.list.revoke({ token: 'y' })
    expect(one.list.reasonFor(new AccessToken({ token: 'y' }))).toBe('revoked')
    open()
    await settled()
    for (const token of ['x', 'y']) expect(one.list.reasonFor(new AccessToken({ token }))).toBe('revoked')
  })

  test('during the first reading is not missed', async () => {
    const time = fakeTime()
    const tables = memoryTables()
    const database = keyStoreOver(tables, time.clock)
    const own = faultyStore(keyStoreOver(tables, time.clock))
    const open = own.hold('changes')
    const { schedule, stopwatch } = time
    const list = await storedRevocations(own.store, { schedule, stopwatch })
    const elsewhere = await storedRevocations(database, { schedule, stopwatch })
    await elsewhere.revoke({ token: 'x' })
    open()
    await settled()
    expect(list.reasonFor(new AccessToken({ token: 'x' }))).toBe('revoked')
  })

  test('in every spelling of the signature of a JWT', async () => {
    const { time, node } = made()
    const [one, other] = [await node(), await node()]
    const pair = await ECKeyPair.generate()
    const token = await pair.createToken({ issuer })
    await one.list.revoke({ token })
    await time.pass(1000)
    const spelling = `${token.slice(0, token.lastIndexOf('.'))}.AAAA`
    expect(other.list.reasonFor(new AccessToken({ token: spelling }))).toBe('revoked')
  })

  test('by an id of any length, in names that a database takes', async () => {
    const { time, database, node } = made()
    const [one, other] = [await node(), await node()]
    const jti = 'x'.repeat(100_000)
    await one.list.revoke({ issuer, jti })
    await time.pass(1000)
    expect(other.list.reasonFor(accessToken({ jti }))).toBe('revoked')
    expect(other.list.reasonFor(accessToken({ jti: `${jti}y` }))).toBeUndefined()
    const [entry] = await database.revocations()
    expect(entry?.name.length).toBeLessThan(100)
    const [event] = await database.readAudit({})
    expect(JSON.stringify(event).length).toBeLessThan(2000)
  })
})

describe('FL-99 a cut-off', () => {
  test('is compared with <=, over nodes: a token of the same second is refused, the next one accepted', async () => {
    const { time, node } = made()
    const [one, other] = [await node(), await node()]
    await one.list.cutOff({ issuer, issuedUntil: new Date(start * 1000) })
    await time.pass(1000)
    for (const { list } of [one, other]) {
      expect(list.reasonFor(accessToken({ iat: start }))).toBe('cut_off')
      expect(list.reasonFor(accessToken({ iat: start + 1 }))).toBeUndefined()
      expect(list.reasonFor(accessToken({}))).toBe('cut_off')
    }
  })

  test('is now by the clock of the database when it is not said', async () => {
    const { time, node } = made()
    const one = await node()
    await time.pass(2700)
    await one.list.cutOff({ issuer })
    expect(one.list.reasonFor(accessToken({ iat: start + 2 }))).toBe('cut_off')
    expect(one.list.reasonFor(accessToken({ iat: start + 3 }))).toBeUndefined()
  })

  test('the latest of all that apply counts, whichever node said it, and is never taken back', async () => {
    const { time, node } = made()
    const [one, other] = [await node(), await node()]
    const at = (seconds: number) => new Date((start + seconds) * 1000)
    await one.list.cutOff({ issuer, issuedUntil: at(10) })
    await other.list.cutOff({ issuer, subject: 'alice', issuedUntil: at(20) })
    await one.list.cutOff({ issuer, clientId: 'app', issuedUntil: at(30) })
    await other.list.cutOff({ issuer, clientId: 'app', issuedUntil: at(5) })
    await time.pass(1000)
    for (const { list } of [one, other]) {
      const reason = (iat: number, claims: object) =>
        list.reasonFor(accessToken({ iat: start + iat, sub: 'bob', client_id: 'web', ...claims }))
      expect(reason(10, {})).toBe('cut_off')
      expect(reason(11, {})).toBeUndefined()
      expect(reason(20, { sub: 'alice' })).toBe('cut_off')
      expect(reason(21, { sub: 'alice' })).toBeUndefined()
      expect(reason(30, { sub: 'alice', client_id: 'app' })).toBe('cut_off')
      expect(reason(31, { sub: 'alice', client_id: 'app' })).toBeUndefined()
    }
  })

  test('that was damaged refuses rather than nothing', async () => {
    const { database, node } = made()
    const name = JSON.stringify([issuer])
    const audit = [
      { event: 'jwt.cutoff_set', outcome: 'success', severity: 'notice', actor: { type: 'system' } },
    ] as const
    await database.commit({ revoke: [{ name, kind: 'cut_off' }], audit })
    const { list } = await node()
    expect(list.reasonFor(accessToken({ iat: start + 1000 }))).toBe('cut_off')
  })
})

describe('when nobody knows what others revoke', () => {
  test('no token is good after five seconds, those that were revoked stay so, and it ends by itself', async () => {
    const { time, node } = made()
    const [one, other] = [await node(), await node()]
    const good = accessToken({ iat: start }, 'good')
    await one.list.revoke({ token: 'bad' })
    await time.pass(1000)
    other.down()
    await time.pass(5000)
    expect(other.list.reasonFor(good)).toBeUndefined()
    await one.list.revoke({ token: 'worse' })
    await time.pass(1)
    expect(() => other.list.reasonFor(good)).toThrow(unavailable)
    expect(other.list.reasonFor(new AccessToken({ token: 'bad' }))).toBe('revoked')
    other.up()
    await time.pass(1000)
    expect(other.list.reasonFor(good)).toBeUndefined()
    expect(other.list.reasonFor(new AccessToken({ token: 'worse' }))).toBe('revoked')
  })

  test('changes that are heard of and cannot be read count the same', async () => {
    const { time, node } = made()
    const [one, other] = [await node(), await node()]
    const good = accessToken({ iat: start }, 'good')
    other.down('revocations')
    await one.list.revoke({ token: 'bad' })
    await time.pass(1000)
    expect(other.list.reasonFor(good)).toBeUndefined()
    await time.pass(4000)
    expect(other.list.reasonFor(good)).toBeUndefined()
    await time.pass(1000)
    expect(() => other.list.reasonFor(good)).toThrow(unavailable)
    other.up()
    await time.pass(1000)
    expect(other.list.reasonFor(good)).toBeUndefined()
    expect(other.list.reasonFor(new AccessToken({ token: 'bad' }))).toBe('revoked')
  })

  test('a reading that is never answered is given up and tried again', async () => {
    const { time, node } = made()
    const [one, other] = [await node(), await node()]
    other.hold('revocations')
    await one.list.revoke({ token: 'bad' })
    await time.pass(1000)
    other.hold('revocations')()
    await time.pass(7000)
    expect(other.list.reasonFor(new AccessToken({ token: 'bad' }))).toBe('revoked')
    expect(other.list.reasonFor(accessToken({}, 'good'))).toBeUndefined()
  })

  test('a node on which something is revoked all the time is not stale for that', async () => {
    const { time, node } = made()
    const [one, other] = [await node(), await node()]
    for (let n = 0; n < 100; n++) {
      await one.list.revoke({ token: `t${n}` })
      await time.pass(100)
      expect(other.list.reasonFor(accessToken({}, 'good'))).toBeUndefined()
    }
  })

  test('what was known last serves where that is allowed, is counted, and ends', async () => {
    const { time, node } = made()
    const one = await node({ serveLastKnownFor: 60 })
    one.down()
    await time.pass(5000)
    expect(one.list.reasonFor(accessToken({}))).toBeUndefined()
    expect(one.events.filter(({ type }) => type === 'fail_open')).toHaveLength(0)
    await time.pass(60_000)
    expect(one.list.reasonFor(accessToken({}))).toBeUndefined()
    expect(one.events.filter(({ type }) => type === 'fail_open')).toEqual([
      { type: 'fail_open', component: 'revocations' },
    ])
    await time.pass(1)
    expect(() => one.list.reasonFor(accessToken({}))).toThrow(unavailable)
  })

  test('revocable passes that on: neither accepted nor refused', async () => {
    const { time, node } = made()
    const one = await node({ maxStaleness: 2 })
    const verifier = revocable(
      { verifyToken: async (token) => (token === 'good' ? { token } : null) },
      one.list,
      time.clock,
    )
    const token = await verifier.verifyToken('good')
    expect(token?.token).toBe('good')
    one.down()
    await time.pass(2001)
    await expect(verifier.verifyToken('good')).rejects.toEqual(unavailable)
    expect(await verifier.verifyToken('bad')).toBeNull()
    if (token) expect(() => verifier.recheck?.(token)).toThrow(unavailable)
  })

  test('it does not begin', async () => {
    const time = fakeTime()
    const own = faultyStore(keyStoreOver(memoryTables(), time.clock))
    own.down()
    const { schedule, stopwatch } = time
    await expect(storedRevocations(own.store, { schedule, stopwatch })).rejects.toEqual(unavailable)
    await settled()
    expect(time.scheduled).toBe(0)
  })

  test('after close it is the same in a while, and nobody is asked any more', async () => {
    const { time, node } = made()
    const one = await node()
    one.list.close()
    one.list.close()
    expect(time.scheduled).toBe(0)
    await time.pass(5001)
    expect(() => one.list.reasonFor(accessToken({}))).toThrow(unavailable)
  })
})

describe('entries', () => {
  test('go when the token has expired, the greatest clock skew later', async () => {
    const { time, node } = made()
    const one = await node()
    await one.list.revoke({ token: 'short', expiresAt: start + 100 })
    await one.list.revoke({ token: 'for ever' })
    await time.pass(400_000)
    expect(one.list.reasonFor(new AccessToken({ token: 'short' }))).toBe('revoked')
    await time.pass(1000)
    await one.list.revoke({ token: 'other' })
    await settled()
    expect(one.list.reasonFor(new AccessToken({ token: 'short' }))).toBeUndefined()
    expect(one.list.reasonFor(new AccessToken({ token: 'for ever' }))).toBe('revoked')
    expect(one.list.size).toBe(2)
  })

  test('are recorded: who, why and what, and nothing of a token', async () => {
    const { database, node } = made()
    const one = await node()
    const by = { actor: { type: 'user', id: 'bob' }, requestId: 'r1', reason: 'left' } as const
    await one.list.revoke({ token: 'secret-token', expiresAt: start + 100 }, by)
    await one.list.revoke({ issuer, jti: 'j' })
    await one.list.cutOff({ issuer, subject: 'alice' }, by)
    const events = await database.readAudit({})
    expect(events).toMatchObject([
      { event: 'jwt.revoke', ...by, details: { until: (start + 400) * 1000 } },
      { event: 'jwt.revoke', actor: { type: 'system' }, details: { issuer, jti: 'j' } },
      { event: 'jwt.cutoff_set', ...by, details: { issuer, subject: 'alice', issuedUntil: start } },
    ])
    const [entry] = await database.revocations()
    expect(JSON.stringify(await database.revocations())).not.toContain('secret')
    expect(JSON.stringify(events)).not.toContain('secret')
    expect(entry?.name).toBeTruthy()
    expect(JSON.stringify(events)).not.toContain(entry?.name)
  })
})

describe('what cannot be meant is refused', () => {
  test.each<[string, unknown]>([
    ['nothing', {}],
    ['token and jti', { token: 'x', jti: 'j' }],
    ['a header', { token: 'Bearer x' }],
    ['an unset issuer', { issuer: undefined, jti: 'j' }],
  ])('revoke: %s', async (_name, which) => {
    const { database, node } = made()
    const { list } = await node()
    await expect(list.revoke(which as RevokedToken)).rejects.toThrow(TypeError)
    expect(await database.readAudit({})).toEqual([])
  })

  test('cutOff: an unset subject', async () => {
    const { node } = made()
    const { list } = await node()
    await expect(list.cutOff({ issuer, subject: undefined } as unknown as CutOff)).rejects.toThrow(TypeError)
    expect(list.size).toBe(0)
  })

  test.each([
    [{ maxStaleness: 1 }, /maxStaleness/],
    [{ maxStaleness: 61 }, /maxStaleness/],
    [{ serveLastKnownFor: -1 }, /serveLastKnownFor/],
    [{ stale: 1 }, /stale/],
  ])('options: %j', async (options, message) => {
    const store = keyStoreOver(memoryTables(), () => 0)
    await expect(storedRevocations(store, options as object)).rejects.toThrow(message)
    await expect(Reflect.apply(storedRevocations, undefined, [undefined])).rejects.toThrow(/store/)
  })
})
