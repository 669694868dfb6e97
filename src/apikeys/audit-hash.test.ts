import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { AuditEvent } from './audit-event.ts'
import { canonicalJson, chainedHash, chainStart } from './audit-hash.ts'

const event: AuditEvent = {
  sequence: 1,
  time: 1_767_225_600_000,
  event: 'key.update',
  outcome: 'success',
  severity: 'info',
  actor: { type: 'user', id: 'alice' },
  keyId: 'k',
  changes: { before: { b: 1, a: [2, { d: 3, c: 4 }] }, after: {} },
  details: { tries: 1 },
  hash: 'not part of itself',
}

describe('the hash of an event', () => {
  test('is what the log says it is, for whoever checks it with other tools', () => {
    const text =
      '{"actor":{"id":"alice","type":"user"},"changes":{"after":{},"before":{"a":[2,{"c":4,"d":3}],"b":1}},' +
      '"details":{"tries":1},"event":"key.update","keyId":"k","outcome":"success","sequence":1,"severity":"info","time":1767225600000}'
    expect(chainedHash(chainStart, event)).toBe(
      createHash('sha256')
        .update(`${'0'.repeat(64)}\n${text}`)
        .digest('hex'),
    )
  })

  test('is the same in whatever order a database gives the members, and before and after it has kept them', () => {
    const { hash: _none, ...rest } = event
    const reversed = Object.fromEntries(Object.entries(rest).reverse()) as unknown as AuditEvent
    for (const same of [
      reversed,
      { ...event, reason: undefined } as object,
      JSON.parse(JSON.stringify(event)),
    ]) {
      expect(chainedHash(chainStart, same as AuditEvent)).toBe(chainedHash(chainStart, event))
    }
  })

  test('is another one when anything of it is another, or what came before', () => {
    const others: Partial<AuditEvent>[] = [
      { sequence: 2 },
      { time: 1 },
      { event: 'key.enable' },
      { outcome: 'failure' },
      { severity: 'notice' },
      { actor: { type: 'user', id: 'bob' } },
      { keyId: 'K' },
      { reason: '' },
      { details: { tries: 2 } },
      { changes: { before: { b: 1, a: [{ d: 3, c: 4 }, 2] }, after: {} } },
    ]
    const hashes = others.map((other) => chainedHash(chainStart, { ...event, ...other }))
    hashes.push(chainedHash(chainStart, event), chainedHash('1'.repeat(64), event))
    expect(new Set(hashes).size).toBe(others.length + 2)
  })
})

test('canonical JSON keeps the names every object has', () => {
  expect(canonicalJson(JSON.parse('{"b":1,"__proto__":{"y":1,"x":2},"constructor":0}'))).toBe(
    '{"__proto__":{"x":2,"y":1},"b":1,"constructor":0}',
  )
  expect(canonicalJson([undefined, Number.NaN, new Date(0), 'ä"', -0])).toBe(
    '[null,null,"1970-01-01T00:00:00.000Z","ä\\"",0]',
  )
  expect(canonicalJson(undefined)).toBe('null')
})

test('canonical JSON is what JSON makes of a value, whatever it is, with members in order', () => {
  const sorted = (value: unknown): unknown => {
    if (typeof value !== 'object' || value === null) return value
    if (Array.isArray(value)) return value.map(sorted)
    const members = Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1))
    return members.reduce((copy: Record<string, unknown>, [name, member]) => {
      copy[name] = sorted(member)
      return copy
    }, Object.create(null))
  }
  // Names that are numbers come first in every object, whatever their order is as texts.
  const name = fc.string({ unit: 'binary' }).map((text) => `_${text}`)
  const strange = fc.constantFrom(
    undefined,
    () => 1,
    Symbol('s'),
    new Date(0),
    new Date(Number.NaN),
    -0,
    1e21,
  )
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom('\ud800', '\u2028', '\\', '"', '\u007f', '\0'),
  )
  const { value } = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      text,
      fc.double(),
      fc.boolean(),
      fc.constant(null),
      strange,
      fc.array(tie('value')),
      fc.dictionary(name, tie('value')),
      tie('value').map((inner) => ({ toJSON: () => inner })),
    ),
  }))
  fc.assert(
    fc.property(value, (any) => {
      const json = JSON.stringify(any)
      expect(canonicalJson(any)).toBe(json === undefined ? 'null' : JSON.stringify(sorted(JSON.parse(json))))
    }),
  )
})
