import { PassThrough } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { terminal } from './terminal.ts'

const never = new AbortController().signal

const screen = (isTTY: boolean) => Object.assign(new PassThrough(), { isTTY })
const written = (stream: PassThrough): string => String(stream.read() ?? '')

describe('standard input', () => {
  it('is read to its end, characters whole', async () => {
    const stdin = new PassThrough()
    const reading = terminal(screen(false), screen(false), stdin).input(100, never)
    const bytes = Buffer.from('tokén')
    stdin.write(bytes.subarray(0, 4))
    stdin.end(bytes.subarray(4))
    expect(await reading).toBe('tokén')
  })

  it('is not read beyond its limit', async () => {
    const stdin = new PassThrough()
    const reading = terminal(screen(false), screen(false), stdin).input(4, never)
    stdin.write('12345')
    await expect(reading).rejects.toThrow('standard input holds more than 4 bytes')
    expect(stdin.destroyed).toBe(true)
  })

  it('is let go by Ctrl-C, so that the process can end', async () => {
    const stdin = new PassThrough()
    const controller = new AbortController()
    const reading = terminal(screen(false), screen(false), stdin).input(100, controller.signal)
    controller.abort()
    await expect(reading).rejects.toThrow()
    expect(stdin.destroyed).toBe(true)
  })
})

describe('progress', () => {
  it('is for whoever watches standard error', () => {
    const [out, err] = [screen(false), screen(true)]
    terminal(out, err).progress('half')
    expect([written(out), written(err)]).toEqual(['', '\r\u001b[2Khalf'])
  })

  it('is not in a log', () => {
    const err = screen(false)
    terminal(screen(true), err).progress('half')
    expect(written(err)).toBe('')
  })
})

describe('a question', () => {
  const asking = (signal = never, isTTY = true) => {
    const [stdin, err] = [screen(isTTY), screen(true)]
    return { stdin, err, answer: terminal(screen(true), err, stdin).ask('Sure? ', signal) }
  }

  it('is asked on standard error, and answered by one line', async () => {
    const { stdin, err, answer } = asking()
    stdin.write('yes\nmore\n')
    expect(await answer).toBe('yes')
    expect(written(err)).toBe('Sure? ')
  })

  it('is answered with nothing at the end of the input', async () => {
    const { stdin, answer } = asking()
    stdin.end()
    expect(await answer).toBe('')
  })

  it('is not asked where nobody is', async () => {
    const { err, answer } = asking(never, false)
    expect(await answer).toBeUndefined()
    expect(written(err)).toBe('')
  })

  it('is let go by Ctrl-C, before and while it waits', async () => {
    const controller = new AbortController()
    const { answer } = asking(controller.signal)
    controller.abort()
    await expect(answer).rejects.toThrow()
    await expect(asking(controller.signal).answer).rejects.toThrow()
  })
})

describe('the width', () => {
  it('is that of a screen, and of nothing else', () => {
    const wide = Object.assign(screen(true), { columns: 132 })
    expect(terminal(wide).width).toBe(132)
    expect(terminal(screen(true)).width).toBe(80)
    expect(terminal(screen(false)).width).toBeUndefined()
  })
})

describe('Ctrl-C', () => {
  it('is heard once, and by nobody afterwards', () => {
    const before = process.listenerCount('SIGINT')
    const interruption = terminal().interruption()
    const listener = process.listeners('SIGINT').at(-1)
    expect(process.listenerCount('SIGINT')).toBe(before + 1)
    expect(interruption.signal.aborted).toBe(false)
    listener?.('SIGINT')
    expect(interruption.signal.aborted).toBe(true)
    interruption[Symbol.dispose]()
    expect(process.listenerCount('SIGINT')).toBe(before)
  })
})
