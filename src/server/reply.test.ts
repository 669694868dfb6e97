import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { EventStream } from './reply.ts'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
})

afterEach(() => {
  vi.useRealTimers()
})

/** A reader that writes down what it gets. */
function reader() {
  const read: string[] = []
  return { read, write: (text: string) => void read.push(text), end: () => void read.push('end') }
}

describe('a stream of events', () => {
  it('keeps what is sent before somebody reads', () => {
    const stream = new EventStream()
    const target = reader()
    stream.send({ a: 1 }, 'id-1')
    expect(stream.hasReader).toBe(false)
    stream.attach(target)
    stream.send({ a: 2 })
    stream.end()
    stream.send({ a: 3 })
    expect(target.read).toEqual([
      'event: message\nid: id-1\ndata: {"a":1}\n\n',
      'event: message\ndata: {"a":2}\n\n',
      'end',
    ])
    expect(stream.hasReader).toBe(true)
  })

  it('no text of a message can end its event or begin another', () => {
    const stream = new EventStream()
    const target = reader()
    stream.attach(target)
    stream.send({ text: 'a\n\nevent: endpoint\rdata: x\u2028' })
    expect(target.read).toHaveLength(1)
    expect(target.read[0]?.split(/\r\n|\r|\n/)).toHaveLength(4)
    stream.end()
  })

  it('a reader who closes it while it delivers gets no more', () => {
    const stream = new EventStream()
    const target = reader()
    for (let at = 0; at < 3; at++) stream.send({ at })
    stream.attach({
      write(text) {
        target.write(text)
        stream.close()
      },
      end: target.end,
    })
    expect(target.read).toHaveLength(2)
    expect(target.read[1]).toBe('end')
    expect(vi.getTimerCount()).toBe(0)
  })

  it('says that it is alive, until it ends', () => {
    const stream = new EventStream()
    const target = reader()
    stream.attach(target)
    vi.advanceTimersByTime(30_000)
    stream.end()
    vi.advanceTimersByTime(30_000)
    expect(target.read).toEqual([': keepalive\n\n', ': keepalive\n\n', 'end'])
    expect(vi.getTimerCount()).toBe(0)
  })

  it('lets nothing out that its guard does not, but its farewell', () => {
    const stream = new EventStream()
    const target = reader()
    stream.attach(target)
    stream.farewell = { bye: true }
    stream.guard = () => {
      stream.dismiss()
      return false
    }
    stream.send({ secret: true })
    stream.send({ secret: true })
    expect(target.read).toEqual(['event: message\ndata: {"bye":true}\n\n', 'end'])
  })

  it('calls back once, also who asks when it is over, and also when nobody has read', () => {
    const [early, late] = [vi.fn(), vi.fn()]
    const stream = new EventStream()
    stream.onClose(early)
    stream.end()
    expect(early).not.toHaveBeenCalled()
    stream.close()
    stream.close()
    stream.onClose(late)
    stream.attach(reader())
    expect([early.mock.calls.length, late.mock.calls.length]).toEqual([1, 1])
  })
})
