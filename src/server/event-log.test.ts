import { describe, expect, it } from 'vitest'
import { eventLog } from './event-log.ts'

const message = (at: number) => ({ at })

describe('the log of a session', () => {
  it('gives back what came after an event on its channel, and nothing of other channels', () => {
    const log = eventLog()
    const [first] = [log.append(1, message(1)), log.append(2, message(2)), log.append(1, message(3))]
    expect(log.after(first!)).toEqual({
      channel: 1,
      events: [expect.objectContaining({ message: message(3) })],
    })
  })

  it('names the place where a channel stands', () => {
    const log = eventLog()
    log.append(0, message(1))
    const place = log.mark(0)
    log.append(0, message(2))
    expect(log.after(place)?.events.map((event) => event.message)).toEqual([message(2)])
  })

  it('FL-09 D-64 knows no id of another log, and none that it has not given', () => {
    const [log, other] = [eventLog(), eventLog()]
    log.append(0, message(1))
    const id = other.append(0, message(2))
    const [salt] = log.mark(0).split('-')
    expect(log.after(id)).toBeUndefined()
    for (const odd of [
      '',
      '0',
      '-0-1',
      `${salt}`,
      `${salt}-0`,
      `${salt}-0-3`,
      `${salt}-0-99`,
      `${salt}-0--1`,
    ])
      expect([odd, log.after(odd)]).toEqual([odd, undefined])
    for (const odd of [`${salt}-0-1e1`, `${salt}-0-1 `, ` ${salt}-0-1`, `${salt}-0-1\n`, `${salt}-0x0-1`])
      expect([odd, log.after(odd)]).toEqual([odd, undefined])
    expect(log.after(`${salt}-0-1`)?.events).toEqual([])
  })

  it('its ids cannot be guessed from those of another, and hold nothing that a header cannot', () => {
    const salts = Array.from({ length: 100 }, () => eventLog().mark(0).split('-')[0])
    expect(new Set(salts).size).toBe(100)
    for (const salt of salts) expect(salt).toMatch(/^[0-9a-f]{16}$/)
  })

  it('remembers 1,000 events, the newest', () => {
    const log = eventLog()
    const start = log.mark(0)
    for (let at = 1; at <= 1500; at++) log.append(0, message(at))
    const { events } = log.after(start)!
    expect([events.length, events[0]?.message, events.at(-1)?.message]).toEqual([
      1000,
      message(501),
      message(1500),
    ])
  })

  it('remembers a million characters, and of a longer message that one alone', () => {
    const log = eventLog()
    const start = log.mark(0)
    for (let at = 0; at < 10; at++) log.append(0, { text: 'x'.repeat(300_000) })
    expect(log.after(start)?.events).toHaveLength(3)
    log.append(0, { text: 'x'.repeat(2_000_000) })
    expect(log.after(start)?.events).toHaveLength(1)
    log.append(0, message(1))
    expect(log.after(start)?.events.map((event) => event.message)).toEqual([message(1)])
  })
})
